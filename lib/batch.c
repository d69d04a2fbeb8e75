/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/batch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct layout *layout_new(const char *kind, enum layout_files files)
{
	static _Atomic uint64_t last_id;
	struct layout *layout = xcalloc(1, sizeof(*layout));

	layout->id = ++last_id;
	layout->kind = xstrdup(kind);
	layout->files = files;
	return layout;
}

void layout_key_columns(struct layout *layout, const char *first,
			const char *second)
{
	assert(!layout->json && !layout->key_column[0]);
	layout->key_column[0] = copy_or_null(first);
	layout->key_column[1] = copy_or_null(second);
}

void layout_add(struct layout *layout, enum column_type type, const char *table,
		const char *key0, const char *key1, const char *name, ...)
{
	struct column *column;
	const char *key;
	size_t depth = 0;
	va_list path;

	assert(!layout->json);
	layout->column = mem_grow(layout->column, &layout->capacity,
				  layout->columns + 1, sizeof(*column));
	column = &layout->column[layout->columns++];
	*column = (struct column){
		.type = type,
		.table = copy_or_null(table),
		.key = { copy_or_null(key0), copy_or_null(key1) },
		.name = xstrdup(name),
	};
	va_start(path, name);
	while ((key = va_arg(path, const char *))) {
		assert(depth + 1 < LAYOUT_PATH_MAX);
		column->path[depth++] = xstrdup(key);
	}
	va_end(path);
	assert(depth > 0);
}

/* ---- the text between the values ----------------------------------------- */

static size_t path_depth(const struct column *column)
{
	size_t depth = 0;

	while (column->path[depth])
		depth++;
	return depth;
}

/* How many objects two neighbours share: the last key of a path names the
 * value, it is no object. */
static size_t path_common(const struct column *a, const struct column *b)
{
	size_t common = 0;

	while (a->path[common + 1] && b->path[common + 1] &&
	       !strcmp(a->path[common], b->path[common]))
		common++;
	return common;
}

static void put_closing(struct text *out, size_t count)
{
	while (count-- > 0)
		text_put_char(out, '}');
}

/* Leave the objects of `before` (NULL: the document's own), enter those of
 * `column`. */
static void put_between(const struct column *before,
			const struct column *column, struct text *out)
{
	size_t common = before ? path_common(before, column) : 0;

	if (before)
		put_closing(out, path_depth(before) - 1 - common);
	text_put_char(out, ',');
	for (size_t i = common; column->path[i]; i++) {
		if (i > common)
			text_put_char(out, '{');
		text_put_json(out, column->path[i]);
		text_put_char(out, ':');
	}
}

void layout_end(struct layout *layout)
{
	size_t n = layout->columns;

	assert(!layout->json);
	layout->json = xcalloc(n + 1, sizeof(*layout->json));
	layout->json_length = xcalloc(n + 1, sizeof(*layout->json_length));
	for (size_t i = 0; i <= n; i++) {
		struct text text = TEXT_INIT;

		if (i < n)
			put_between(i > 0 ? &layout->column[i - 1] : NULL,
				    &layout->column[i], &text);
		else if (n > 0)
			put_closing(&text,
				    path_depth(&layout->column[n - 1]) - 1);
		layout->json_length[i] = text.length;
		layout->json[i] = text_take(&text);
	}
}

/* The strings are ours, though everybody else only reads them. */
static void string_free(const char *text)
{
	void *block;

	memcpy(&block, &text, sizeof(block)); /* off with the const */
	free(block);
}

void layout_free(struct layout *layout)
{
	if (!layout)
		return;
	for (size_t i = 0; i < layout->columns; i++) {
		struct column *column = &layout->column[i];

		for (size_t k = 0; column->path[k]; k++)
			string_free(column->path[k]);
		string_free(column->table);
		string_free(column->key[0]);
		string_free(column->key[1]);
		string_free(column->name);
	}
	for (size_t i = 0; layout->json && i <= layout->columns; i++)
		free(layout->json[i]);
	free(layout->json);
	free(layout->json_length);
	free(layout->column);
	string_free(layout->kind);
	string_free(layout->key_column[0]);
	string_free(layout->key_column[1]);
	free(layout);
}

/* ---- one row ------------------------------------------------------------- */

static void put_value(enum column_type type, const union value *value,
		      struct text *out)
{
	switch (type) {
	case COLUMN_INT:
		text_put_uint(out, value->integer);
		break;
	case COLUMN_REAL:
		text_put_real(out, value->real);
		break;
	case COLUMN_TEXT:
		if (value->text)
			text_put_json(out, value->text);
		else
			text_put(out, "null");
		break;
	}
}

void batch_put_json(const struct batch *batch, const struct row *row,
		    struct text *out)
{
	const struct layout *layout = row->layout;

	text_put(out, "{\"timestamp\":");
	text_put_int(out, batch->time_ms);
	text_put(out, ",\"sensor\":");
	text_put_json(out, batch->sensor);
	text_put(out, ",\"target\":");
	text_put_json(out, row->target);
	for (size_t i = 0; i < layout->columns; i++) {
		text_put_bytes(out, layout->json[i], layout->json_length[i]);
		put_value(layout->column[i].type, &row->value[i], out);
	}
	text_put_bytes(out, layout->json[layout->columns],
		       layout->json_length[layout->columns]);
	if (row->metadata) {
		text_put(out, ",\"metadata\":");
		text_put(out, row->metadata);
	}
	text_put(out, "}\n");
}
