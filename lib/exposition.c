/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/exposition.h"

#include <ctype.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct series {
	char *labels; /* {sensor="n",target="t"} */
	double value;
	uint64_t count;
	int64_t time_ms, set_ns;
};

struct family {
	char *name, *help;
	enum expose_type type;
	void *tree; /* of struct series, by labels */
	size_t series;
};

struct exposition {
	struct family **family;
	size_t families, capacity;
	size_t series;
	uint64_t refused;
	struct text labels; /* of the series being set */
	struct tags names;  /* that stand in it already */
};

static void series_free(void *node)
{
	struct series *series = node;

	free(series->labels);
	free(series);
}

static int compare_labels(const void *a, const void *b)
{
	const struct series *x = a, *y = b;

	return strcmp(x->labels, y->labels);
}

struct exposition *exposition_new(void)
{
	return xcalloc(1, sizeof(struct exposition));
}

void exposition_free(struct exposition *exposition)
{
	if (!exposition)
		return;
	for (size_t i = 0; i < exposition->families; i++) {
		struct family *family = exposition->family[i];

		tdestroy(family->tree, series_free);
		free(family->name);
		free(family->help);
		free(family);
	}
	free(exposition->family);
	text_done(&exposition->labels);
	tags_done(&exposition->names);
	free(exposition);
}

/* ---- names and labels -------------------------------------------------------- */

/* Letters, digits and '_' (and ':' in the name of a metric). */
static char *legal_name(const char *name, bool colon)
{
	char *legal = xasprintf(
		"%s%s", isdigit((unsigned char)*name) || !*name ? "_" : "",
		name);

	for (char *c = legal; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_' &&
		    !(colon && *c == ':'))
			*c = '_';
	return legal;
}

static void put_escaped(struct text *out, const char *value, bool quotes)
{
	while (*value) {
		size_t n = text_character(value);

		if (n == 0) { /* no UTF-8: U+FFFD for the byte */
			text_put(out, "\xef\xbf\xbd");
			value++;
			continue;
		}
		if (*value == '\n')
			text_put(out, "\\n");
		else if (*value == '\\')
			text_put(out, "\\\\");
		else if (*value == '"' && quotes)
			text_put(out, "\\\"");
		else
			text_put_bytes(out, value, n);
		value += n;
	}
}

/* Two names that differ only in what labels cannot have: the first stays. */
static const char *put_labels(struct exposition *exposition,
			      const struct tags *tags)
{
	struct text *out = &exposition->labels;

	text_clear(out);
	tags_begin(&exposition->names, "", "");
	for (size_t i = 0; i < tags->count; i++) {
		char *name = legal_name(tags->tag[i].name, false);

		if (i < 2 || !tags_get(&exposition->names, name)) {
			text_printf(out, "%c%s=\"", i > 0 ? ',' : '{', name);
			put_escaped(out, tags->tag[i].value, true);
			text_put_char(out, '"');
			tags_set(&exposition->names, name, "");
		}
		free(name);
	}
	text_put(out, tags->count > 0 ? "}" : "");
	return out->data;
}

/* ---- setting ------------------------------------------------------------------ */

struct family *exposition_family(struct exposition *exposition,
				 const char *name, const char *help,
				 enum expose_type type)
{
	char *legal = legal_name(name, true);
	struct family *family;

	for (size_t i = 0; i < exposition->families; i++)
		if (!strcmp(exposition->family[i]->name, legal)) {
			free(legal);
			return exposition->family[i];
		}
	exposition->family =
		mem_grow(exposition->family, &exposition->capacity,
			 exposition->families + 1, sizeof(struct family *));
	family = xcalloc(1, sizeof(*family));
	family->name = legal;
	family->help = xstrdup(help ? help : "");
	family->type = type;
	exposition->family[exposition->families++] = family;
	return family;
}

/* The series of these labels, or NULL where there are too many. */
static struct series *series_of(struct exposition *exposition,
				struct family *family, const struct tags *tags)
{
	struct series key, *series;
	void *at;

	(void)put_labels(exposition, tags);
	key.labels = exposition->labels.data;
	at = tfind(&key, &family->tree, compare_labels);
	if (at)
		return *(struct series **)at;
	if (exposition->series >= EXPOSITION_SERIES_MAX) {
		exposition->refused++;
		return NULL;
	}
	series = xcalloc(1, sizeof(*series));
	series->labels = xstrdup(key.labels);
	if (!tsearch(series, &family->tree, compare_labels)) {
		series_free(series);
		return NULL;
	}
	family->series++;
	exposition->series++;
	return series;
}

void exposition_set(struct exposition *exposition, struct family *family,
		    const struct tags *tags, double value, int64_t time_ms,
		    int64_t now_ns)
{
	struct series *series = series_of(exposition, family, tags);

	if (!series)
		return;
	series->value = value;
	series->time_ms = time_ms;
	series->set_ns = now_ns;
}

void exposition_add(struct exposition *exposition, struct family *family,
		    const struct tags *tags, uint64_t value, int64_t now_ns)
{
	struct series *series = series_of(exposition, family, tags);

	if (!series)
		return;
	series->count += value;
	series->set_ns = now_ns;
}

/* ---- expiring ----------------------------------------------------------------- */

struct walk {
	int64_t before_ns;
	struct series **old;
	size_t count, capacity;
	struct text *out;
	const struct family *family;
};

static void find_old(const void *node, VISIT visit, void *arg)
{
	struct series *series = *(struct series *const *)node;
	struct walk *walk = arg;

	if ((visit != postorder && visit != leaf) ||
	    series->set_ns >= walk->before_ns)
		return;
	walk->old = mem_grow(walk->old, &walk->capacity, walk->count + 1,
			     sizeof(struct series *));
	walk->old[walk->count++] = series;
}

size_t exposition_expire(struct exposition *exposition, int64_t before_ns)
{
	size_t all = 0;

	for (size_t i = 0; i < exposition->families; i++) {
		struct family *family = exposition->family[i];
		struct walk walk = { .before_ns = before_ns };

		twalk_r(family->tree, find_old, &walk);
		for (size_t k = 0; k < walk.count; k++) {
			tdelete(walk.old[k], &family->tree, compare_labels);
			series_free(walk.old[k]);
		}
		free(walk.old);
		family->series -= walk.count;
		all += walk.count;
	}
	exposition->series -= all;
	return all;
}

size_t exposition_series(const struct exposition *exposition)
{
	return exposition->series;
}

uint64_t exposition_refused(const struct exposition *exposition)
{
	return exposition->refused;
}

/* ---- the page ------------------------------------------------------------------ */

static void put_value(struct text *out, const struct family *family,
		      const struct series *series)
{
	if (family->type == EXPOSE_COUNTER)
		text_put_uint(out, series->count);
	else if (isnan(series->value))
		text_put(out, "NaN");
	else if (isinf(series->value))
		text_put(out, series->value > 0 ? "+Inf" : "-Inf");
	else
		text_put_real(out, series->value);
}

static void put_sample(const void *node, VISIT visit, void *arg)
{
	const struct series *series = *(struct series *const *)node;
	struct walk *walk = arg;

	if (visit != postorder && visit != leaf)
		return;
	text_put(walk->out, walk->family->name);
	text_put(walk->out, series->labels);
	text_put_char(walk->out, ' ');
	put_value(walk->out, walk->family, series);
	if (series->time_ms) {
		text_put_char(walk->out, ' ');
		text_put_int(walk->out, series->time_ms);
	}
	text_put_char(walk->out, '\n');
}

void exposition_put(const struct exposition *exposition, struct text *out)
{
	for (size_t i = 0; i < exposition->families; i++) {
		const struct family *family = exposition->family[i];
		struct walk walk = { .out = out, .family = family };

		if (family->series == 0)
			continue;
		text_printf(out, "# HELP %s ", family->name);
		put_escaped(out, family->help, false);
		text_printf(out, "\n# TYPE %s %s\n", family->name,
			    family->type == EXPOSE_COUNTER ? "counter"
							   : "gauge");
		twalk_r(family->tree, put_sample, &walk);
	}
}
