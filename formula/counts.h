/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counts -- what a report counted in each package: work, joules, frequency.
 *
 *	struct counts_plan plan = { 0 };
 *	struct counts counts = { 0 };
 *
 *	counts_plan_find(&plan, &report);
 *	counts_read(&plan, &report, &counts);
 *	for (size_t p = 0; p < counts.packages; p++)
 *		use(counts.package[p].event[COUNTS_CYCLES]);
 *	counts_done(&counts);
 *	counts_plan_done(&plan);
 *
 * Work is in group core, under the names that Intel's and AMD's events and
 * perf's own have (CPU_CLK_THREAD_UNHALTED:THREAD_P, CYCLES_NOT_IN_HALT,
 * PERF_COUNT_HW_CPU_CYCLES …), summed over CPUs, each corrected for the time in
 * which its CPU did not count (scaled.h).  What is not counted is NaN.  A plan
 * holds for every report of the same shape (hwpc_report.h).
 */
#ifndef FORMULA_COUNTS_H
#define FORMULA_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/scaled.h"

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

/* Which value is added to what. */
struct counts_step {
	struct scaled from;
	size_t package;
	int to; /* of enum counts_event, or one of counts.c's own */
};

struct counts_plan {
	char (*package)[sizeof(((struct counts_package *)0)->name)];
	size_t packages;
	struct counts_step *step;
	size_t steps, capacity;
};

void counts_plan_find(struct counts_plan *plan,
		      const struct hwpc_report *report);
void counts_plan_done(struct counts_plan *plan);

/* Into one that is empty. */
void counts_read(const struct counts_plan *plan,
		 const struct hwpc_report *report, struct counts *counts);
/* NULL where there is none of that name. */
const struct counts_package *counts_find(const struct counts *counts,
					 const char *package);
void counts_done(struct counts *counts);

#endif
