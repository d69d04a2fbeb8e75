/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwpc_report -- PowerAPI's HWPC report: what was counted for one target in
 * one tick.
 *
 *	{"timestamp": 1783600000123, "sensor": "laptop", "target": "all",
 *	 "groups": {"rapl": {"0": {"0": {"RAPL_ENERGY_PKG": 85899345920,
 *	   "time_enabled": 1000102345, "time_running": 1000102345}}}},
 *	 "metadata": {"elapsed_ns": 1000123456}}
 *
 * Group, package, CPU, event, value: counts of the tick, not totals.  Reading
 * one from a document:
 *
 *	struct hwpc_report report;
 *
 *	if (hwpc_report_read(doc, &report, &err) < 0)
 *		return -1;
 *	for (size_t i = 0; i < report.values; i++)
 *		use(&report.value[i]);
 *	hwpc_report_done(&report);
 *
 * `time_enabled` and `time_running` (ns) are values like the others.  In the
 * target "all", group "core", event PERF_COUNT_SW_TASK_CLOCK is the CPU time
 * that tasks used on that CPU (the kernel's own system-wide event would count
 * idle time too), so what targets do not explain is there to be seen.
 *
 * Writing: hwpc_layout_new() and lib/batch.h.
 */
#ifndef SENSOR_HWPC_REPORT_H
#define SENSOR_HWPC_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/batch.h"
#include "lib/doc.h"
#include "lib/err.h"

#define HWPC_TASK_CLOCK "PERF_COUNT_SW_TASK_CLOCK"
#define HWPC_TARGET_ALL "all"
#define HWPC_GROUP_RAPL "rapl"
#define HWPC_GROUP_CORE "core"
/* Joules per count in group "rapl", as perf counts them. */
#define HWPC_RAPL_UNIT_J 0x1p-32

struct hwpc_value {
	const char *group, *package, *cpu, *event; /* borrowed from the doc */
	double value;
};

struct hwpc_report {
	int64_t time_ms;
	const char *sensor, *target; /* borrowed from the doc */
	struct hwpc_value *value;
	size_t values;
	double elapsed_s;           /* metadata.elapsed_ns; 0 where absent */
	const char *within;         /* metadata.within, or NULL */
	const struct doc *metadata; /* or NULL */
	/* Reports of one number have values of the same names in the same
	 * order; 0: nobody looked. */
	uint64_t shape;
};

/* The document must outlive the report. */
int hwpc_report_read(const struct doc *doc, struct hwpc_report *report,
		     struct err *err);
void hwpc_report_done(struct hwpc_report *report);

/* Columns of a layout for HWPC reports, in the order in which they are to be
 * added (group, package and CPU side by side). */
struct layout *hwpc_layout_new(void);
void hwpc_layout_add(struct layout *layout, const char *group, int package,
		     int cpu, const char *event);

/* What PowerAPI leaves open, as JSON text for a row's `metadata`:
 *
 *	{"elapsed_ns": 1000123456, "engine": "perf", "within": "process:7:sh",
 *	 "cpu_time": "cpuacct", "bracket_ns": 31000, "meters":
 *	 {"RAPL_ENERGY_PKG": {"source": 1, "sigma_j": 0.05, "meter": "powercap",
 *	  "scale_lo": 1.0, "scale_hi": 1.0, "counts": true}}}
 *
 * `elapsed_ns` is how long the tick really was: what power divides by.
 * `bracket_ns` is how long it took to read everything.  `meters` says for each
 * event that counts energy where it comes from (energy.h), and whether it is
 * part of the disjoint cover of the machine (`counts`): only those may be
 * added; and, where it was found out here, how often it is updated (`period_s`)
 * and when (`phase_ns`). */
struct hwpc_meter {
	const char *event, *meter;
	int source;
	double sigma_j, scale_lo, scale_hi;
	bool counts;
	double period_s;  /* of its updates, where it was seen; else 0 */
	int64_t phase_ns; /* and when: CLOCK_MONOTONIC modulo that */
};

struct hwpc_metadata {
	int64_t elapsed_ns;
	int64_t bracket_ns; /* 0: left out */
	const char *engine; /* NULL: left out, as the next three */
	const char *within;
	const char *names;    /* members about containers (container.h) */
	const char *cpu_time; /* where the CPU time of "all" comes from */
	const struct hwpc_meter *meter;
	size_t meters;
};

/* Appends the object. */
void hwpc_metadata_put(const struct hwpc_metadata *metadata, struct text *out);

#endif
