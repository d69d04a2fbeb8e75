/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table -- rows and columns of text, aligned for a terminal or as HTML.
 *
 *	struct table *table = table_new("model", ">batch", ">ms/step", NULL);
 *
 *	table_row(table, "mlp:784-256-10", "32", "0.41", NULL);
 *	table_print(table, stdout);
 *	table_free(table);
 *
 * A '>' before a column's name aligns it to the right (numbers).  Widths count
 * characters, not bytes.  The last column is never padded.
 */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "lib/text.h"

struct table;

struct table *table_new(const char *column, ...) __attribute__((sentinel));
/* One more column, before there are rows: where their number is not known. */
void table_column(struct table *table, const char *name);
/* As many cells as columns, then NULL. */
void table_row(struct table *table, const char *cell, ...)
	__attribute__((sentinel));
/* One cell at a time, by printf; a row is full when its last cell is put. */
void table_cell(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t table_rows(const struct table *table);
void table_print(const struct table *table, FILE *out);
void table_put_html(const struct table *table, struct text *out);
void table_free(struct table *table);

#endif
