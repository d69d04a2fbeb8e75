/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv -- delimiter-separated text, a row at a time.
 *
 *	struct csv *csv = csv_open("heart.csv", ',', &err);
 *	int got;
 *
 *	while ((got = csv_next(csv, &err)) > 0)
 *		for (size_t i = 0; i < csv_cells(csv); i++)
 *			puts(csv_cell(csv, i));
 *	csv_close(csv);
 *
 * Quoted cells ("a, b", "" inside) as RFC 4180 has them, LF or CRLF, gzip'd and
 * xz'd files read directly (unpack.h).  Cells are borrowed until the next csv_next().
 */
#ifndef LIB_CSV_H
#define LIB_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

/* A longer row is an error. */
#define CSV_ROW_MAX ((size_t)4 << 20)

struct csv;

struct csv *csv_open(const char *path, char delimiter, struct err *err);
/* 1 when there is a row (blank lines are skipped), 0 at the end, -1. */
int csv_next(struct csv *csv, struct err *err);
/* Is there nothing behind this row?  (True once csv_next() would say 0.) */
bool csv_at_end(struct csv *csv);
size_t csv_cells(const struct csv *csv);
const char *csv_cell(const struct csv *csv, size_t index);
/* Line number of the row, from 1. */
size_t csv_line(const struct csv *csv);
/* A cell as a number; the error names file, line and column. */
int csv_real(const struct csv *csv, size_t index, double *value,
	     struct err *err);
int csv_uint(const struct csv *csv, size_t index, uint64_t *value,
	     struct err *err);
void csv_close(struct csv *csv);

/* Does the file end with a newline?  Else a crash may have cut its last row
 * short.  What cannot be rewound (a pipe) is taken as it comes. */
bool csv_file_is_ended(const char *path);

/* Append a cell, quoted only where it must be. */
void csv_put(struct text *out, const char *cell, char delimiter);
void csv_put_bytes(struct text *out, const char *cell, size_t length,
		   char delimiter);

#endif
