/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_targets -- rows in PowerAPI 2.10's files: SENSOR-TARGET/TABLE.csv, a line
 * for each document (for sink_csv.c alone).
 *
 * A target "/system.slice/x" of sensor "node" is the folder
 * node-/system.slice/x, as there; a part that is "." or ".." is written with
 * '_' for each dot, so that no process can name itself out of the folder.
 * Lines end with CR LF.  Files are open only while they are written to: there
 * may be thousands.  A put within a fifth of a second of the last writing is
 * kept for the next, or for the flush.
 */
#ifndef LIB_CSV_TARGETS_H
#define LIB_CSV_TARGETS_H

#include "lib/batch.h"
#include "lib/err.h"

struct csv_targets;

struct csv_targets *csv_targets_new(const char *folder);
/* Those rows of the batch whose layout is LAYOUT_TARGETS. */
int csv_targets_put(struct csv_targets *csv, const struct batch *batch,
		    struct err *err);
/* By way of the whole file system: one call, however many files. */
int csv_targets_flush(struct csv_targets *csv, struct err *err);
void csv_targets_free(struct csv_targets *csv);

#endif
