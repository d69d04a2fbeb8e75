/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_flat -- rows in the files of PowerAPI after 2.10: KIND.csv (power.csv), a
 * line for each document of all targets (for sink_csv.c alone).
 *
 * Columns: timestamp (ISO 8601), sensor, target, the layout's columns.  The
 * metadata has no place in it.  Lines end with CR LF.
 */
#ifndef LIB_CSV_FLAT_H
#define LIB_CSV_FLAT_H

#include "lib/batch.h"
#include "lib/err.h"

struct csv_flat;

struct csv_flat *csv_flat_new(const char *folder);
/* Those rows of the batch whose layout is LAYOUT_TARGETS. */
int csv_flat_put(struct csv_flat *csv, const struct batch *batch,
		 struct err *err);
int csv_flat_flush(struct csv_flat *csv, struct err *err);
void csv_flat_free(struct csv_flat *csv);

#endif
