/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_reader -- an HWPC report, as SmartWatts looks at it.
 *
 *	struct smartwatts_reader *reader = smartwatts_reader_new(&settings,
 *								 smartwatts);
 *	const struct smartwatts_report *report =
 *		smartwatts_reader_read(reader, doc, &err);
 *
 *	if (!report || smartwatts_put(smartwatts, report, &err) < 0)
 *		return -1;
 *	smartwatts_reader_free(reader);
 *
 * A report goes to the packages of the group that has the most CPUs in its
 * first package, as PowerAPI 2.10 deals them out.  Joules are those of the
 * first CPU of a package, APERF and MPERF means over CPUs, everything in group
 * core a sum over CPUs; time_enabled and the like are dropped.
 */
#ifndef FORMULA_SMARTWATTS_READER_H
#define FORMULA_SMARTWATTS_READER_H

#include "formula/smartwatts.h"
#include "lib/doc.h"

struct smartwatts_reader;

struct smartwatts_reader *smartwatts_reader_new(
	const struct smartwatts_settings *settings,
	struct smartwatts *smartwatts);
/* Borrowed until the next call; so is the document. */
const struct smartwatts_report *smartwatts_reader_read(
	struct smartwatts_reader *reader, const struct doc *doc,
	struct err *err);
void smartwatts_reader_free(struct smartwatts_reader *reader); /* or NULL */

#endif
