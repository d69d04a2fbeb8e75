/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/line_protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names, and the values of tags: what separates has a backslash before it. */
static void put_escaped(struct text *out, const char *piece, const char *marks)
{
	for (const char *c = piece; *c; c++) {
		if (*c == '\n')
			text_put(out, "\\n");
		else if (*c == '\r')
			text_put(out, "\\r");
		else if (*c == '\t')
			text_put(out, "\\t");
		else {
			if (strchr(marks, *c))
				text_put_char(out, '\\');
			text_put_char(out, *c);
		}
	}
	/* It would escape what comes behind it. */
	if (*piece && piece[strlen(piece) - 1] == '\\')
		text_put_char(out, ' ');
}

static int compare_tags(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void put_tags(struct tags *tags, struct text *out)
{
	qsort(tags->tag, tags->count, sizeof(*tags->tag), compare_tags);
	for (size_t i = 0; i < tags->count; i++) {
		if (!tags->tag[i].value[0] || !tags->tag[i].name[0])
			continue;
		text_put_char(out, ',');
		put_escaped(out, tags->tag[i].name, ",= ");
		text_put_char(out, '=');
		put_escaped(out, tags->tag[i].value, ",= ");
	}
}

static void put_quoted(struct text *out, const char *value)
{
	text_put_char(out, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			text_put_char(out, '\\');
		text_put_char(out, *value);
	}
	text_put_char(out, '"');
}

static bool has_value(const struct column *column, const union value *value)
{
	return column->type == COLUMN_INT ||
	       (column->type == COLUMN_REAL ? isfinite(value->real) != 0
					    : value->text != NULL);
}

static void put_value(const struct column *column, const union value *value,
		      struct text *out)
{
	if (column->type == COLUMN_TEXT) {
		put_quoted(out, value->text);
	} else if (column->type == COLUMN_REAL) {
		text_put_real(out, value->real);
	} else if (value->integer > INT64_MAX) {
		text_put_int(out, INT64_MAX); /* its integers end there */
		text_put_char(out, 'i');
	} else {
		text_put_uint(out, value->integer);
		text_put_char(out, 'i');
	}
}

/* ---- lines -------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_place(const struct column *a, const struct column *b)
{
	return is_same(a->table, b->table) && is_same(a->key[0], b->key[0]) &&
	       is_same(a->key[1], b->key[1]);
}

/* The columns from `from` on that stand in one place; one behind the last. */
static size_t place_end(const struct layout *layout, size_t from)
{
	size_t end = from + 1;

	while (end < layout->columns &&
	       is_same_place(&layout->column[from], &layout->column[end]))
		end++;
	return end;
}

static size_t put_fields(const struct layout_series *series,
			 const struct row *row, size_t from, size_t end,
			 struct text *out)
{
	size_t fields = 0;

	for (size_t i = from; i < end; i++) {
		const struct column *column = &row->layout->column[i];

		if (!has_value(column, &row->value[i]))
			continue;
		text_put_char(out, fields++ ? ',' : ' ');
		put_escaped(out, series->field ? series->field : column->name,
			    ",= ");
		text_put_char(out, '=');
		put_value(column, &row->value[i], out);
	}
	return fields;
}

static int put_line(struct line_writer *writer, const struct batch *batch,
		    const struct row *row, size_t from, size_t end,
		    struct text *out, struct err *err)
{
	const struct layout_series *series =
		&row->layout->series[writer->names];
	size_t start = out->length;

	tags_begin(&writer->tags, batch->sensor, row->target);
	tags_set_column(&writer->tags, row->layout, series,
			&row->layout->column[from]);
	if (tags_add_metadata(&writer->tags, row->metadata, writer->wanted,
			      series->tagged, err) < 0)
		return -1;
	put_escaped(out,
		    writer->measurement ? writer->measurement
					: series->measurement,
		    ", ");
	put_tags(&writer->tags, out);
	if (put_fields(series, row, from, end, out) == 0) {
		out->length = start;
		out->data[start] = '\0';
		return 0;
	}
	text_put_char(out, ' ');
	text_put_int(out, batch->time_ms);
	text_put_char(out, '\n');
	return 0;
}

int line_put_batch(struct line_writer *writer, const struct batch *batch,
		   struct text *out, struct err *err)
{
	for (size_t r = 0; r < batch->rows; r++) {
		const struct row *row = &batch->row[r];
		const struct layout *layout = row->layout;
		size_t end;

		if (!layout->series[writer->names].measurement)
			continue;
		for (size_t i = 0; i < layout->columns; i = end) {
			end = place_end(layout, i);
			if (put_line(writer, batch, row, i, end, out, err) < 0)
				return -1;
		}
	}
	return 0;
}

void line_writer_done(struct line_writer *writer)
{
	tags_done(&writer->tags);
}
