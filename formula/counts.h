/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counts -- what a report counted in each package: work, joules, frequency.
 *
 *	struct counts counts = { 0 };
 *
 *	counts_read(&report, &counts);
 *	for (size_t p = 0; p < counts.packages; p++)
 *		use(counts.package[p].event[COUNTS_CYCLES]);
 *	counts_done(&counts);
 *
 * Work is in group core, under the names that Intel's and AMD's events and
 * perf's own have (CPU_CLK_THREAD_UNHALTED:THREAD_P, CYCLES_NOT_IN_HALT,
 * PERF_COUNT_HW_CPU_CYCLES …), summed over CPUs, each corrected for the time in
 * which its CPU did not count (time_running below time_enabled).  What is not
 * counted is NaN.
 */
#ifndef FORMULA_COUNTS_H
#define FORMULA_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/hwpc_report.h"

enum counts_event {
	COUNTS_CYCLES,
	COUNTS_INSTRUCTIONS,
	COUNTS_MISSES,
	COUNTS_KERNEL, /* cycles in kernel mode: a cycle event with ":k" */
	COUNTS_EVENTS
};

#define COUNTS_PACKAGES_MAX 64

struct counts_package {
	char name[16];
	double event[COUNTS_EVENTS];
	double joules, dram_joules; /* group rapl */
	/* Of the frequency at which MPERF counts; group msr. */
	double speed;
	double volts; /* metadata "cpu_voltage", of all packages or each */
};

struct counts {
	struct counts_package *package;
	size_t packages;
};

void counts_read(const struct hwpc_report *report, struct counts *counts);
/* NULL where there is none of that name. */
const struct counts_package *counts_find(const struct counts *counts,
					 const char *package);
void counts_done(struct counts *counts);

#endif
