/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwpc_csv -- hwpc-sensor's CSV files as HWPC reports, without documents.
 *
 *	struct hwpc_csv *csv = hwpc_csv_open(&files, &err);
 *	const struct hwpc_report *report;
 *	int got;
 *
 *	while ((got = hwpc_csv_next(csv, &report, &err)) > 0)
 *		ticks_put_report(ticks, report, &err);
 *	hwpc_csv_close(csv);
 *
 * The reports, and their order, are those of lib/source_csv.c: by time, "all"
 * first, then by target and sensor; groups by name, packages and CPUs by number,
 * events as the file has them; of two rows for one CPU the later.
 */
#ifndef FORMULA_HWPC_CSV_H
#define FORMULA_HWPC_CSV_H

#include "lib/err.h"
#include "lib/field.h"
#include "sensor/hwpc_report.h"

struct hwpc_csv;

struct hwpc_csv *hwpc_csv_open(const struct field_list *files, struct err *err);
/* 1 and a report that is borrowed until the next call, 0 at the end. */
int hwpc_csv_next(struct hwpc_csv *csv, const struct hwpc_report **report,
		  struct err *err);
/* "core.csv:17": where the last report begins, for messages. */
const char *hwpc_csv_where(struct hwpc_csv *csv);
/* Was a torn last line left out? */
bool hwpc_csv_torn(const struct hwpc_csv *csv);
void hwpc_csv_close(struct hwpc_csv *csv); /* accepts NULL */

#endif
