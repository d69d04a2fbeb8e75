/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/mem.h"

struct table {
	char **cell; /* row by row; the first row is the names */
	size_t cells, capacity;
	size_t columns;
	bool *right;
};

static void add(struct table *table, char *cell)
{
	table->cell = mem_grow(table->cell, &table->capacity, table->cells + 1,
			       sizeof(*table->cell));
	table->cell[table->cells++] = cell;
}

void table_column(struct table *table, const char *name)
{
	bool right = *name == '>';

	table->right = xrealloc(table->right, table->columns + 1,
				sizeof(*table->right));
	table->right[table->columns++] = right;
	add(table, xstrdup(name + right));
}

struct table *table_new(const char *column, ...)
{
	struct table *table = xcalloc(1, sizeof(*table));
	va_list args;

	va_start(args, column);
	for (; column != NULL; column = va_arg(args, const char *))
		table_column(table, column);
	va_end(args);
	return table;
}

void table_row(struct table *table, const char *cell, ...)
{
	size_t given = 0;
	va_list args;

	va_start(args, cell);
	for (; cell != NULL; cell = va_arg(args, const char *), given++)
		add(table, xstrdup(cell));
	va_end(args);
	assert(given == table->columns);
}

void table_cell(struct table *table, const char *format, ...)
{
	struct text cell = TEXT_INIT;
	va_list args;

	va_start(args, format);
	text_vprintf(&cell, format, args);
	va_end(args);
	add(table, text_take(&cell));
}

size_t table_rows(const struct table *table)
{
	return table->cells / table->columns - 1;
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
	size_t index = row * table->columns + column;

	return index < table->cells ? table->cell[index] : "";
}

/* How many rows there are, names included, the last perhaps not full. */
static size_t lines(const struct table *table)
{
	return (table->cells + table->columns - 1) / table->columns;
}

static size_t *widths(const struct table *table)
{
	size_t *width = xcalloc(table->columns, sizeof(*width));
	size_t i, w;

	for (i = 0; i < table->cells; i++) {
		w = text_width(table->cell[i]);
		if (w > width[i % table->columns])
			width[i % table->columns] = w;
	}
	return width;
}

static void put_spaces(struct text *out, size_t n)
{
	while (n-- > 0)
		text_put_char(out, ' ');
}

static void put_row(struct text *out, const struct table *table, size_t row,
		    const size_t *width)
{
	size_t column, pad;

	for (column = 0; column < table->columns; column++) {
		const char *cell = cell_at(table, row, column);

		pad = width[column] - text_width(cell);
		if (column > 0)
			text_put(out, "  ");
		if (table->right[column])
			put_spaces(out, pad);
		text_put(out, cell);
		if (!table->right[column])
			put_spaces(out, pad);
	}
	while (out->length > 0 && out->data[out->length - 1] == ' ')
		out->length--;
	text_put_char(out, '\n');
}

void table_print(const struct table *table, FILE *out)
{
	size_t *width = widths(table);
	struct text line = TEXT_INIT;
	size_t row;

	for (row = 0; row < lines(table); row++) {
		text_clear(&line);
		put_row(&line, table, row, width);
		(void)fwrite(line.data, 1, line.length, out);
	}
	text_done(&line);
	free(width);
}

static void put_html_row(struct text *out, const struct table *table,
			 size_t row, const char *tag)
{
	size_t column;

	text_put(out, "<tr>");
	for (column = 0; column < table->columns; column++) {
		text_printf(out, "<%s%s>", tag,
			    table->right[column] ? " class=\"number\"" : "");
		text_put_html(out, cell_at(table, row, column));
		text_printf(out, "</%s>", tag);
	}
	text_put(out, "</tr>\n");
}

void table_put_html(const struct table *table, struct text *out)
{
	size_t row;

	text_put(out, "<table>\n<thead>\n");
	put_html_row(out, table, 0, "th");
	text_put(out, "</thead>\n<tbody>\n");
	for (row = 1; row < lines(table); row++)
		put_html_row(out, table, row, "td");
	text_put(out, "</tbody>\n</table>\n");
}

void table_free(struct table *table)
{
	size_t i;

	if (table == NULL)
		return;
	for (i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	free(table->right);
	free(table);
}
