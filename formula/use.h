/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * use -- how much of an event a report has.
 *
 *	double seconds;
 *
 *	if (!use_read(&report, HWPC_TASK_CLOCK, &seconds))
 *		it_was_not_counted();
 *
 * The sum over packages and CPUs, in the first group that has the event; of a
 * task clock (ns) in seconds, else counts.  Where the kernel had to take turns
 * (time_running below time_enabled) a count is what it would have been had the
 * event been scheduled all the time.
 */
#ifndef FORMULA_USE_H
#define FORMULA_USE_H

#include <stdbool.h>

#include "sensor/hwpc_report.h"

#define USE_KERNEL ":k" /* behind an event: that in kernel mode */

/* False, and 0, when the event is not in the report. */
bool use_read(const struct hwpc_report *report, const char *event, double *use);

#endif
