/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_tables.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/csv_file.h"
#include "lib/digits.h"
#include "lib/mem.h"

/* Plans of layouts that may be long gone are dropped beyond so many. */
#define PLANS_MAX 256

/* A TABLE.csv. */
struct table {
	char *name;
	struct field_list columns; /* fixed ones, then names in byte order */
	size_t fixed;
	struct csv_file *file; /* NULL: to be opened with these columns */
	struct text text;      /* of one put */
};

/* One line of a table for every row of a layout: its keys, and which value
 * stands in which column (NONE: none does). */
struct line {
	const char *key[2]; /* the layout's */
	struct text keys;   /* the cells of the keys, a comma before each */
	size_t *value;
};

#define NONE SIZE_MAX

struct plan {
	uint64_t layout;
	struct table *table;
	const char *const *layout_keys; /* names of the key columns, or NULLs */
	size_t width;                   /* columns behind them */
	size_t room;                    /* bytes for all as whole numbers */
	struct line *line;
	size_t lines;
};

struct csv_tables {
	char *folder;
	struct table **table;
	size_t tables;
	struct plan *plan;
	size_t plans;
	struct text head;         /* of the lines of a row */
	const struct row **order; /* of a tick, by target */
	size_t order_capacity;
};

/* ---- plans --------------------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void line_done(struct line *line)
{
	text_done(&line->keys);
	free(line->value);
}

static void plans_drop(struct csv_tables *csv)
{
	for (size_t i = 0; i < csv->plans; i++) {
		for (size_t k = 0; k < csv->plan[i].lines; k++)
			line_done(&csv->plan[i].line[k]);
		free(csv->plan[i].line);
	}
	csv->plans = 0;
}

static bool is_planned(const struct csv_tables *csv,
		       const struct layout *layout)
{
	for (size_t i = csv->plans; i-- > 0;)
		if (csv->plan[i].layout == layout->id)
			return true;
	return false;
}

static struct table *table_get(struct csv_tables *csv,
			       const struct layout *layout, const char *name)
{
	struct table *table;

	for (size_t i = 0; i < csv->tables; i++)
		if (!strcmp(csv->table[i]->name, name))
			return csv->table[i];
	table = xcalloc(1, sizeof(*table));
	table->name = xstrdup(name);
	field_list_add(&table->columns, "timestamp");
	field_list_add(&table->columns, "sensor");
	field_list_add(&table->columns, "target");
	for (size_t i = 0; i < 2; i++)
		if (layout->key_column[i])
			field_list_add(&table->columns, layout->key_column[i]);
	table->fixed = table->columns.count;
	csv->table =
		xrealloc(csv->table, csv->tables + 1, sizeof(struct table *));
	csv->table[csv->tables++] = table;
	return table;
}

/* Every table of the layout, with every column. */
static int layout_note(struct csv_tables *csv, const struct layout *layout,
		       struct err *err)
{
	for (size_t i = 0; i < layout->columns; i++) {
		const struct column *column = &layout->column[i];
		struct table *table;

		if (strchr(column->table, '/') || column->table[0] == '.' ||
		    !column->table[0])
			return err_set(err, EINVAL,
				       "'%s' cannot be the name of a file",
				       column->table);
		table = table_get(csv, layout, column->table);
		if (field_list_has(&table->columns, column->name))
			continue;
		field_list_add(&table->columns, column->name);
		if (csv_file_close(table->file, err) < 0) {
			table->file = NULL;
			return -1;
		}
		table->file = NULL;
	}
	return 0;
}

static int table_open(struct csv_tables *csv, struct table *table,
		      struct err *err)
{
	char *path = xasprintf("%s/%s.csv", csv->folder, table->name);

	qsort(table->columns.item + table->fixed,
	      table->columns.count - table->fixed, sizeof(char *),
	      compare_items);
	table->file = csv_file_open(path, &table->columns, true, "\n", err);
	free(path);
	if (!table->file)
		return err_wrap(err, "%s.csv", table->name);
	plans_drop(csv); /* they count columns */
	return 0;
}

static size_t column_index(const struct table *table, const char *name)
{
	size_t i = table->fixed;

	while (strcmp(table->columns.item[i], name) != 0)
		i++;
	return i - table->fixed;
}

static bool is_key(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct line *line_get(struct plan *plan, const struct column *column)
{
	struct line *line;

	for (size_t i = plan->lines; i-- > 0;)
		if (is_key(plan->line[i].key[0], column->key[0]) &&
		    is_key(plan->line[i].key[1], column->key[1]))
			return &plan->line[i];
	plan->line = xrealloc(plan->line, plan->lines + 1, sizeof(*line));
	line = &plan->line[plan->lines++];
	line->key[0] = column->key[0];
	line->key[1] = column->key[1];
	line->keys = (struct text)TEXT_INIT;
	for (size_t i = 0; i < 2; i++) {
		if (!plan->layout_keys[i])
			continue;
		text_put_char(&line->keys, ',');
		csv_put(&line->keys, line->key[i] ? line->key[i] : "", ',');
	}
	line->value = xcalloc(plan->width, sizeof(size_t));
	for (size_t i = 0; i < plan->width; i++)
		line->value[i] = NONE;
	return line;
}

/* Keys are numbers, mostly: "2" before "10". */
static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;
	int order = 0;

	for (int i = 0; i < 2 && order == 0; i++)
		order = strverscmp(left->key[i] ? left->key[i] : "",
				   right->key[i] ? right->key[i] : "");
	return order;
}

static void plan_make(struct csv_tables *csv, const struct layout *layout,
		      struct table *table)
{
	struct plan plan = {
		.layout = layout->id,
		.table = table,
		.layout_keys = (const char *const *)layout->key_column,
		.width = table->columns.count - table->fixed,
	};

	plan.room = (plan.width + 1) * (DIGITS_ROOM + 1);

	for (size_t i = 0; i < layout->columns; i++) {
		const struct column *column = &layout->column[i];

		if (!strcmp(column->table, table->name))
			line_get(&plan, column)
				->value[column_index(table, column->name)] = i;
	}
	if (plan.lines == 0)
		return;
	qsort(plan.line, plan.lines, sizeof(*plan.line), compare_lines);
	csv->plan = xrealloc(csv->plan, csv->plans + 1, sizeof(plan));
	csv->plan[csv->plans++] = plan;
}

static int tables_prepare(struct csv_tables *csv, const struct batch *batch,
			  struct err *err)
{
	if (csv->plans > PLANS_MAX)
		plans_drop(csv);
	for (size_t i = 0; i < batch->rows; i++)
		if (batch->row[i].layout->files == LAYOUT_TABLES &&
		    !is_planned(csv, batch->row[i].layout) &&
		    layout_note(csv, batch->row[i].layout, err) < 0)
			return -1;
	for (size_t i = 0; i < csv->tables; i++)
		if (!csv->table[i]->file &&
		    table_open(csv, csv->table[i], err) < 0)
			return -1;
	for (size_t i = 0; i < batch->rows; i++) {
		const struct layout *layout = batch->row[i].layout;

		if (layout->files != LAYOUT_TABLES || is_planned(csv, layout))
			continue;
		for (size_t k = 0; k < csv->tables; k++)
			plan_make(csv, layout, csv->table[k]);
	}
	return 0;
}

/* ---- lines --------------------------------------------------------------- */

void csv_put_value(const struct column *column, const union value *value,
		   struct text *out)
{
	if (column->type == COLUMN_INT)
		text_put_uint(out, value->integer);
	else if (column->type == COLUMN_REAL && isfinite(value->real))
		text_put_real(out, value->real);
	else if (column->type == COLUMN_TEXT && value->text)
		csv_put(out, value->text, ',');
}

/* From `at` on, where there is room for what is left of the line as long as
 * all of it is whole numbers. */
static char *cells_put(const struct plan *plan, const struct line *line,
		       const struct row *row, char *at)
{
	const struct column *column = row->layout->column;
	struct text *out = &plan->table->text;

	for (size_t i = 0; i < plan->width; i++) {
		size_t value = line->value[i];

		*at++ = ',';
		if (value == NONE)
			continue;
		if (column[value].type == COLUMN_INT) {
			at = digits_put(at, row->value[value].integer);
			continue;
		}
		text_extend(out, at);
		csv_put_value(&column[value], &row->value[value], out);
		at = text_room(out, plan->room);
	}
	return at;
}

/* `head`: timestamp, sensor and target. */
static void put_line(const struct plan *plan, const struct line *line,
		     const struct row *row, const struct text *head)
{
	struct text *out = &plan->table->text;
	char *at =
		text_room(out, head->length + line->keys.length + plan->room);

	at = mempcpy(at, head->data, head->length);
	if (line->keys.length > 0)
		at = mempcpy(at, line->keys.data, line->keys.length);
	at = cells_put(plan, line, row, at);
	*at++ = '\n';
	text_extend(out, at);
}

static void put_head(const struct batch *batch, struct text *head)
{
	text_clear(head);
	text_put_int(head, batch->time_ms);
	text_put_char(head, ',');
	csv_put(head, batch->sensor, ',');
	text_put_char(head, ',');
}

/* The head's first `common` bytes are the same for all rows. */
static void put_row(struct csv_tables *csv, const struct row *row,
		    size_t common)
{
	struct text *head = &csv->head;

	text_extend(head, head->data + common);
	csv_put(head, row->target, ',');
	for (size_t i = 0; i < csv->plans; i++) {
		const struct plan *plan = &csv->plan[i];

		if (plan->layout != row->layout->id)
			continue;
		for (size_t k = 0; k < plan->lines; k++)
			put_line(plan, &plan->line[k], row, head);
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *const *left = a, *const *right = b;

	return strcmp((*left)->target, (*right)->target);
}

/* A tick is in all of its files, or in none. */
static int tables_write(struct csv_tables *csv, struct err *err)
{
	for (size_t i = 0; i < csv->tables; i++) {
		struct table *table = csv->table[i];

		if (table->text.length == 0 ||
		    csv_file_put(table->file, &table->text, err) == 0)
			continue;
		while (i-- > 0)
			csv_file_cut(csv->table[i]->file,
				     csv->table[i]->text.length, NULL);
		return err_wrap(err, "%s.csv", table->name);
	}
	return 0;
}

/* The rows that are ours, by target.  They come so, but for "all". */
static size_t rows_order(struct csv_tables *csv, const struct batch *batch)
{
	size_t rows = 0;

	csv->order = mem_grow(csv->order, &csv->order_capacity, batch->rows + 1,
			      sizeof(struct row *));
	for (size_t i = 0; i < batch->rows; i++)
		if (batch->row[i].layout->files == LAYOUT_TABLES)
			csv->order[rows++] = &batch->row[i];
	for (size_t i = 1; i < rows; i++)
		if (compare_rows(&csv->order[i - 1], &csv->order[i]) > 0) {
			qsort(csv->order, rows, sizeof(struct row *),
			      compare_rows);
			break;
		}
	return rows;
}

int csv_tables_put(struct csv_tables *csv, const struct batch *batch,
		   struct err *err)
{
	size_t rows = rows_order(csv, batch);
	size_t common;

	if (rows == 0)
		return 0;
	for (size_t i = 0; i < csv->tables; i++)
		text_clear(&csv->table[i]->text);
	if (tables_prepare(csv, batch, err) < 0)
		return -1;
	put_head(batch, &csv->head);
	common = csv->head.length;
	for (size_t i = 0; i < rows; i++)
		put_row(csv, csv->order[i], common);
	return tables_write(csv, err);
}

/* ---- the whole ----------------------------------------------------------- */

struct csv_tables *csv_tables_new(const char *folder)
{
	struct csv_tables *csv = xcalloc(1, sizeof(*csv));

	csv->folder = xstrdup(folder);
	return csv;
}

int csv_tables_flush(struct csv_tables *csv, struct err *err)
{
	for (size_t i = 0; i < csv->tables; i++)
		if (csv->table[i]->file &&
		    csv_file_flush(csv->table[i]->file, err) < 0)
			return err_wrap(err, "%s.csv", csv->table[i]->name);
	return 0;
}

static void table_free(struct table *table)
{
	csv_file_close(table->file, NULL); /* flushed, or failed, before */
	field_list_done(&table->columns);
	text_done(&table->text);
	free(table->name);
	free(table);
}

void csv_tables_free(struct csv_tables *csv)
{
	plans_drop(csv);
	for (size_t i = 0; i < csv->tables; i++)
		table_free(csv->table[i]);
	free(csv->table);
	free(csv->order);
	text_done(&csv->head);
	free(csv->plan);
	free(csv->folder);
	free(csv);
}
