/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataset_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

float *dataset_table_row(struct dataset_table *table, struct err *err)
{
	size_t at = table->rows * table->features;

	if (at + table->features > DATASET_FLOATS_MAX) {
		err_set(err, EFBIG, "more than the limit of %zu values",
			DATASET_FLOATS_MAX);
		return NULL;
	}
	table->x = mem_grow(table->x, &table->x_capacity, at + table->features,
			    sizeof(*table->x));
	return table->x + at;
}

void dataset_table_put(struct dataset_table *table, size_t class, size_t user,
		       bool test)
{
	table->row = mem_grow(table->row, &table->row_capacity, table->rows + 1,
			      sizeof(*table->row));
	table->row[table->rows++] = (struct dataset_table_row){
		(uint32_t) class,
		(uint32_t)user,
		test,
	};
}

static void words_done(struct dataset_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->name[i]);
	free(words->name);
}

void dataset_table_done(struct dataset_table *table)
{
	words_done(&table->classes);
	words_done(&table->users);
	free(table->row);
	free(table->x);
}

bool dataset_is_missing(const char *cell)
{
	static const char *const words[] = { "", "?", "na", "nan", "null" };

	cell += strspn(cell, " \t");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(cell, words[i]) == 0)
			return true;
	return false;
}

/* ---- words ----------------------------------------------------------------- */

int dataset_words_find(struct dataset_words *words, const char *word,
		       size_t *index, struct err *err)
{
	size_t max = words->max ? words->max : DATASET_CLASSES_MAX, i;

	/* Neighbours are often the same. */
	if (words->count && strcmp(words->name[words->last], word) == 0) {
		*index = words->last;
		return 0;
	}
	for (i = 0; i < words->count; i++)
		if (strcmp(words->name[i], word) == 0)
			break;
	if (i == max)
		return err_set(err, EFBIG, "more than %zu different values",
			       max);
	if (i == words->count) {
		words->name = mem_grow(words->name, &words->capacity, i + 1,
				       sizeof(*words->name));
		words->name[words->count++] = xstrdup(word);
	}
	*index = words->last = i;
	return 0;
}

struct word_place {
	const char *word;
	size_t index;
};

static bool is_number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end;
}

static int word_compare(const void *a, const void *b)
{
	const char *x = ((const struct word_place *)a)->word;
	const char *y = ((const struct word_place *)b)->word;
	double p, q;
	bool x_is = is_number(x, &p), y_is = is_number(y, &q);

	if (x_is != y_is)
		return x_is ? -1 : 1;
	if (x_is && p != q)
		return p < q ? -1 : 1;
	return strcmp(x, y);
}

/* Where each word comes in the order; yours to free(). */
static uint32_t *ranks(const struct dataset_words *words)
{
	struct word_place *place = xcalloc(words->count, sizeof(*place));
	uint32_t *rank = xcalloc(words->count, sizeof(*rank));

	for (size_t i = 0; i < words->count; i++)
		place[i] = (struct word_place){ words->name[i], i };
	qsort(place, words->count, sizeof(*place), word_compare);
	for (size_t i = 0; i < words->count; i++)
		rank[place[i].index] = (uint32_t)i;
	free(place);
	return rank;
}

static void words_order(struct dataset_table *table)
{
	uint32_t *class = table->classes.count ? ranks(&table->classes) : NULL;
	uint32_t *user = table->users.count ? ranks(&table->users) : NULL;

	for (size_t i = 0; i < table->rows; i++) {
		struct dataset_table_row *row = &table->row[i];

		if (class)
			row->class = class[row->class];
		if (user)
			row->user = user[row->user];
	}
	free(class);
	free(user);
}

/* ---- parts ----------------------------------------------------------------- */

static void part_fill(struct dataset_part *part,
		      const struct dataset_table *table, bool test,
		      size_t samples)
{
	struct dataset_raw *raw;
	size_t n = 0;

	if (!samples)
		return;
	raw = dataset_part_raw(part, samples, DATASET_F4, sizeof(float));
	if (table->users.count)
		part->user = xcalloc(samples, sizeof(*part->user));
	for (size_t i = 0; i < table->rows; i++) {
		if (table->row[i].test != test)
			continue;
		raw->row[n] =
			(const unsigned char *)(table->x + i * table->features);
		part->label[n] = (int32_t)table->row[i].class;
		if (part->user)
			part->user[n] = table->row[i].user;
		n++;
	}
}

int dataset_table_finish(struct dataset_table *table, struct dataset *set,
			 struct err *err)
{
	size_t tested = 0;

	words_order(table);
	set->features = table->features;
	set->users = table->users.count;
	for (size_t i = 0; i < table->rows; i++) {
		tested += table->row[i].test;
		if (table->row[i].class >= set->classes)
			set->classes = table->row[i].class + 1;
	}
	if (table->rows == tested)
		return err_set(err, EINVAL, "no samples to learn from");
	part_fill(&set->train, table, false, table->rows - tested);
	part_fill(&set->test, table, true, tested);
	dataset_store_take(set, table->x);
	table->x = NULL;
	return 0;
}
