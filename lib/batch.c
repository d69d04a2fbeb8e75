/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/batch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digits.h"
#include "lib/mem.h"

/* Texts between values are copied by so many bytes. */
#define LAYOUT_BLOCK 32

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

void layout_series(struct layout *layout, enum layout_names names,
		   const struct layout_series *series)
{
	assert(!layout->json);
	layout->series[names] = *series;
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

/* `text`, with a block's room behind it. */
static char *piece_take(struct text *text, size_t *length)
{
	*length = text->length;
	memset(text_room(text, LAYOUT_BLOCK), 0, LAYOUT_BLOCK);
	return text_take(text);
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
		layout->json[i] = piece_take(&text, &layout->json_length[i]);
		layout->json_room += layout->json_length[i] + DIGITS_ROOM;
	}
	layout->json_room += 2 * LAYOUT_BLOCK; /* the last one's, "}\n" */
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

/* ---- rows ---------------------------------------------------------------- */

/* Pieces are short: whole blocks are faster than a call.  Both sides have room
 * for what is copied beyond `length`. */
static char *piece_put(char *at, const char *piece, size_t length)
{
	memcpy(at, piece, LAYOUT_BLOCK);
	for (size_t i = LAYOUT_BLOCK; i < length; i += LAYOUT_BLOCK)
		memcpy(at + i, piece + i, LAYOUT_BLOCK);
	return at + length;
}

/* What is not a whole number is not so frequent: by way of text.h.  Returns
 * where to go on, with room for all that is left. */
static char *value_put(const struct layout *layout, size_t index,
		       const union value *value, char *at, struct text *out)
{
	text_extend(out, at);
	if (layout->column[index].type == COLUMN_REAL)
		text_put_real(out, value->real);
	else if (value->text)
		text_put_json(out, value->text);
	else
		text_put(out, "null");
	return text_room(out, layout->json_room);
}

/* The columns from `at` on, where there is room for json_room. */
static char *values_put(const struct row *row, char *at, struct text *out)
{
	const struct layout *layout = row->layout;
	size_t i;

	for (i = 0; i < layout->columns; i++) {
		at = piece_put(at, layout->json[i], layout->json_length[i]);
		if (layout->column[i].type == COLUMN_INT)
			at = digits_put(at, row->value[i].integer);
		else
			at = value_put(layout, i, &row->value[i], at, out);
	}
	return piece_put(at, layout->json[i], layout->json_length[i]);
}

static void head_put(const struct batch *batch, struct text *out)
{
	text_put(out, "{\"timestamp\":");
	text_put_int(out, batch->time_ms);
	text_put(out, ",\"sensor\":");
	text_put_json(out, batch->sensor);
	text_put(out, ",\"target\":");
}

/* What stands behind the head. */
static void row_put(const struct row *row, struct text *out)
{
	static const char key[] = ",\"metadata\":";
	size_t length = row->metadata ? strlen(row->metadata) : 0;
	char *at;

	text_put_json(out, row->target);
	at = text_room(out, row->layout->json_room);
	at = values_put(row, at, out);
	if (row->metadata) {
		text_extend(out, at);
		at = text_room(out, sizeof(key) + length + 2);
		at = mempcpy(mempcpy(at, key, sizeof(key) - 1), row->metadata,
			     length);
	}
	*at++ = '}';
	*at++ = '\n';
	text_extend(out, at);
}

void batch_put_json(const struct batch *batch, const struct row *row,
		    struct text *out)
{
	head_put(batch, out);
	row_put(row, out);
}

void batch_put_jsonl(const struct batch *batch, struct text *out)
{
	size_t start = out->length, head;

	head_put(batch, out);
	head = out->length - start;
	for (size_t i = 0; i < batch->rows; i++) {
		/* All rows begin alike. */
		if (i > 0) {
			char *at = text_room(out, head);

			text_extend(out, mempcpy(at, out->data + start, head));
		}
		row_put(&batch->row[i], out);
	}
	if (batch->rows == 0)
		text_extend(out, out->data + start);
}
