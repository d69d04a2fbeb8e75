/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of texts, and the one in a list that somebody may have meant. */
#include "lib/field.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

bool field_list_has(const struct field_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->item[i], text))
			return true;
	return false;
}

void field_list_add(struct field_list *list, const char *text)
{
	list->item = xrealloc(list->item, list->count + 1, sizeof(char *));
	list->item[list->count++] = xstrdup(text);
}

void field_list_done(struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	list->item = NULL;
	list->count = 0;
}

/* ---- did you mean -------------------------------------------------------- */

#define WORD_MAX 64

/* Damerau and Levenshtein's distance, in the form in which no piece is edited
 * twice (optimal string alignment). */
static unsigned int distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned int row[3][WORD_MAX + 1];
	unsigned int *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *next = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best =
				last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = next;
	}
	return last[m];
}

const char *field_nearest(const char *word, const char *const *candidates)
{
	size_t length = strnlen(word, WORD_MAX);
	unsigned int best = (unsigned int)(length + 2) / 3 + 1;
	const char *near = NULL;

	for (; *candidates; candidates++) {
		size_t other = strnlen(*candidates, WORD_MAX);
		unsigned int d = distance(word, length, *candidates, other);

		/* "radio.joules" is near "radio.joules_per_byte". */
		if (d >= best && !near && length >= 4 && length < other &&
		    !strncmp(word, *candidates, length))
			near = *candidates;
		if (d < best) {
			best = d;
			near = *candidates;
		}
	}
	return near;
}
