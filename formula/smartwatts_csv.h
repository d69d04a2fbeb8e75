/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_csv -- hwpc-sensor's CSV files, straight into SmartWatts' ticks.
 *
 *	struct smartwatts_csv *csv =
 *		smartwatts_csv_open(&files, &settings, smartwatts, &err);
 *	int got;
 *
 *	while ((got = smartwatts_csv_next(csv, &err)) > 0)
 *		;
 *	smartwatts_csv_close(csv);
 *
 * A file is an event group, called as the file is without ".csv".  Timestamps
 * must not go back.  Reports of a tick come in the order in which targets first
 * stand in the files, rows of one target and group must stand together (a
 * second time is a second report, which replaces the first).  No document is
 * made on the way: this is what a million reports a second come in by.
 */
#ifndef FORMULA_SMARTWATTS_CSV_H
#define FORMULA_SMARTWATTS_CSV_H

#include "formula/smartwatts.h"
#include "lib/field.h"

struct smartwatts_csv;

struct smartwatts_csv *smartwatts_csv_open(
	const struct field_list *files,
	const struct smartwatts_settings *settings,
	struct smartwatts *smartwatts, struct err *err);
/* One tick; 0 at the end. */
int smartwatts_csv_next(struct smartwatts_csv *csv, struct err *err);
/* Reports so far. */
uint64_t smartwatts_csv_reports(const struct smartwatts_csv *csv);
void smartwatts_csv_close(struct smartwatts_csv *csv); /* accepts NULL */

#endif
