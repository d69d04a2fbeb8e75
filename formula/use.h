/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * use -- how much of an event a report has.
 *
 *	struct use use = { 0 };
 *	double seconds;
 *
 *	use_find(&use, &report, HWPC_TASK_CLOCK);
 *	if (!use_read(&use, &report, &seconds))
 *		it_was_not_counted();
 *	use_done(&use);
 *
 * The sum over packages and CPUs, in the first group that has the event; of a
 * task clock (ns) in seconds, else counts; as if it had been scheduled all the
 * time (scaled.h).  What was found holds for every report of the same shape.
 */
#ifndef FORMULA_USE_H
#define FORMULA_USE_H

#include <stdbool.h>

#include "formula/scaled.h"

#define USE_KERNEL ":k" /* behind an event: that in kernel mode */

struct use {
	struct scaled *value;
	size_t values, capacity;
	double unit;
};

/* Where the event is in the report. */
void use_find(struct use *use, const struct hwpc_report *report,
	      const char *event);
/* False, and 0, when the event is not in the report. */
bool use_read(const struct use *use, const struct hwpc_report *report,
	      double *sum);
void use_done(struct use *use);

#endif
