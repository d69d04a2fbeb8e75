/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scaled -- one value of a report, as if its event had been scheduled all the
 * time (times time_enabled / time_running, where the kernel took turns).
 *
 *	struct scaled scaled = scaled_find(&report, i);
 *
 *	sum += scaled_read(&scaled, &report);
 *
 * Found once, it is read from every report of the same shape (hwpc_report.h).
 */
#ifndef FORMULA_SCALED_H
#define FORMULA_SCALED_H

#include <stddef.h>

#include "sensor/hwpc_report.h"

struct scaled {
	size_t value;
	size_t enabled, running; /* SIZE_MAX: not there */
};

struct scaled scaled_find(const struct hwpc_report *report, size_t value);

static inline double scaled_read(const struct scaled *scaled,
				 const struct hwpc_report *report)
{
	double value = report->value[scaled->value].value, enabled, running;

	if (scaled->enabled == SIZE_MAX || scaled->running == SIZE_MAX)
		return value;
	enabled = report->value[scaled->enabled].value;
	running = report->value[scaled->running].value;
	return running > 0 && enabled > running ? value * (enabled / running)
						: value;
}

#endif
