/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_tables -- rows in hwpc-sensor's files: TABLE.csv, a line for each target
 * and pair of keys (for sink_csv.c alone).
 *
 * Lines of a tick are sorted by target (bytes), then by keys (numbers as
 * numbers), which both of PowerAPI's readers want.  A column that turns up
 * later moves the file away and starts a new one (csv_file.h); a value that a
 * target has not is an empty cell.
 */
#ifndef LIB_CSV_TABLES_H
#define LIB_CSV_TABLES_H

#include "lib/batch.h"
#include "lib/err.h"

struct csv_tables;

struct csv_tables *csv_tables_new(const char *folder);
/* Those rows of the batch whose layout is LAYOUT_TABLES, all or none. */
int csv_tables_put(struct csv_tables *csv, const struct batch *batch,
		   struct err *err);
int csv_tables_flush(struct csv_tables *csv, struct err *err);
void csv_tables_free(struct csv_tables *csv);

/* One cell: for csv_targets.c, too. */
void csv_put_value(const struct column *column, const union value *value,
		   struct text *out);

#endif
