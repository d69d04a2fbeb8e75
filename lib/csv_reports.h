/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_reports -- PowerAPI's power reports, out of a folder (for source_csv.c
 * alone).
 *
 * Files: PowerReport.csv at any depth (a folder for each sensor and target, as
 * 2.10.0 writes them), and those of the folder itself that have a column
 * `power` and none called `cpu` (power.csv, as later versions do).  A document
 * a row: timestamp, sensor, target, power, and what else there is as texts in
 * `metadata`; a cell that is empty is absent.  In order of time, then of file
 * name; timestamps of a file must not go back.  A last line without its newline
 * is torn: it is skipped.
 */
#ifndef LIB_CSV_REPORTS_H
#define LIB_CSV_REPORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/doc.h"
#include "lib/err.h"

struct csv_reports;

struct csv_reports *csv_reports_new(void);
/* Is this one of those of the folder itself? */
bool csv_reports_is_file(const char *path);
void csv_reports_add(struct csv_reports *reports, const char *path);
/* Every PowerReport.csv below. */
void csv_reports_scan(struct csv_reports *reports, const char *folder);
size_t csv_reports_files(const struct csv_reports *reports);
int csv_reports_start(struct csv_reports *reports, struct err *err);

/* 1, 0 at the end, -1.  `where` ("PowerReport.csv:17") is yours to free(). */
int csv_reports_next(struct csv_reports *reports, struct doc **doc,
		     char **where, struct err *err);
bool csv_reports_torn(const struct csv_reports *reports);
void csv_reports_free(struct csv_reports *reports);

#endif
