/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_file -- a CSV file that is continued where it fits, and moved away where
 * it does not.
 *
 *	struct field_list columns = …;        // "timestamp", "sensor", …
 *	struct csv_file *file = csv_file_open("core.csv", &columns, true,
 *					      "\n", &err);
 *
 *	csv_file_put(file, &lines, &err);
 *	csv_file_close(file, &err);
 *
 * A file that is not there gets the header `columns`.  One with that header
 * (or, unless `exact`, with more columns) is continued; its torn last line, if
 * a crash left one, is cut off.  One with another header is renamed to
 * core.1.csv (the first number that is free) with a warning, so nothing is
 * ever lost.  Lines are written in the order of csv_file_header().
 */
#ifndef LIB_CSV_FILE_H
#define LIB_CSV_FILE_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/field.h"
#include "lib/text.h"

struct csv_file;

struct csv_file *csv_file_open(const char *path,
			       const struct field_list *columns, bool exact,
			       const char *newline, struct err *err);
const char *csv_file_path(const struct csv_file *file);
const struct field_list *csv_file_header(const struct csv_file *file);

/* Whole lines, all or none of them. */
int csv_file_put(struct csv_file *file, const struct text *lines,
		 struct err *err);
/* Take the last `bytes` back. */
int csv_file_cut(struct csv_file *file, size_t bytes, struct err *err);
int csv_file_flush(struct csv_file *file, struct err *err);
/* Give the descriptor back; the next put opens the file again. */
int csv_file_rest(struct csv_file *file, struct err *err);
/* Frees, also on failure.  Accepts NULL. */
int csv_file_close(struct csv_file *file, struct err *err);

#endif
