/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts -- SmartWatts 2.4.1, report by report.
 *
 *	struct smartwatts *smartwatts =
 *		smartwatts_new(&settings, my_emit, my_self);
 *
 *	while (more_reports())
 *		if (smartwatts_put(smartwatts, &report, &err) < 0)
 *			return -1;
 *	if (smartwatts_end(smartwatts, &err) < 0)   // SmartWatts would not
 *		return -1;
 *	smartwatts_free(smartwatts);
 *
 * For every sensor and package there is a table of ticks, in the order in which
 * their first report came.  A report beyond SMARTWATTS_TICKS ticks has the
 * oldest one worked off: `emit` gets the watts of its targets (none before the
 * model of its frequency is fitted, but for `rapl`), once for each scope.  What
 * comes after its tick was worked off begins a new one, as there.
 *
 * Where SmartWatts crashes, or its actor dies in silence, this is an error that
 * names the cause: a group or an event that is missing, a frequency below the
 * base clock, targets that count other events than the rest.
 */
#ifndef FORMULA_SMARTWATTS_H
#define FORMULA_SMARTWATTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formula/smartwatts_layer.h"
#include "lib/err.h"

#define SMARTWATTS_TICKS     5
#define SMARTWATTS_SCOPES    2
#define SMARTWATTS_LAYERS    100
#define SMARTWATTS_CELLS_MAX 4096

/* What one scope, "cpu" or "dram", is measured by. */
struct smartwatts_scope {
	const char *name;
	const char *event; /* in group rapl */
	struct smartwatts_learning learning;
	bool disabled;
	const char *disable; /* the option that says so, for messages */
};

struct smartwatts_settings {
	struct smartwatts_scope scope[SMARTWATTS_SCOPES];
	int64_t base_clock; /* MHz; > 0 */
	int64_t base_freq;  /* MHz */
	double period_s;    /* nominal; > 0 */
};

/* The names of the core events of a report, sorted; one set is one pointer. */
struct smartwatts_events {
	char **name;
	size_t count;
};

/* One package in a report. */
struct smartwatts_part {
	const char *package;
	/* Of "all". */
	bool rapl, msr;                   /* the group has this package */
	double energy[SMARTWATTS_SCOPES]; /* counts; NaN: not counted */
	double aperf, mperf; /* means over CPUs; NaN: not counted */
	/* Of the others: sums over CPUs, in the order of `events`; NULL where
	 * group core has not this package. */
	const struct smartwatts_events *events;
	const double *core;
};

struct smartwatts_report {
	int64_t time_ms;
	const char *sensor, *target;
	const char *metadata; /* members of a JSON object, or NULL */
	const struct smartwatts_part *part;
	size_t parts;
};

struct smartwatts_power {
	const char *target;
	double power, ratio;
	const char *formula;  /* a hash, or the RAPL event */
	const char *metadata; /* that of the report */
};

/* What became of one tick in one scope of one package. */
struct smartwatts_result {
	int64_t time_ms;
	const char *sensor, *package, *scope;
	const struct smartwatts_power *power;
	size_t powers;
	/* The formula report; NULL where none is due. */
	const struct smartwatts_layer *layer;
	int64_t pkg_frequency;
	double error;
};

typedef int smartwatts_emit(void *self, const struct smartwatts_result *result,
			    struct err *err);

struct smartwatts;

/* The settings are borrowed. */
struct smartwatts *smartwatts_new(const struct smartwatts_settings *settings,
				  smartwatts_emit *emit, void *self);
/* A set of names, sorted; the same names are the same pointer. */
const struct smartwatts_events *smartwatts_events(struct smartwatts *smartwatts,
						  const char *const *name,
						  size_t count);
int smartwatts_put(struct smartwatts *smartwatts,
		   const struct smartwatts_report *report, struct err *err);
/* Work off what is left. */
int smartwatts_end(struct smartwatts *smartwatts, struct err *err);
/* Ticks that could not be used since the last call, a sentence a line; "" if
 * none.  Borrowed until the next call. */
const char *smartwatts_lost(struct smartwatts *smartwatts);
void smartwatts_free(struct smartwatts *smartwatts); /* accepts NULL */

/* For tests: F_base and the layer of a frequency, in MHz; 0: below all. */
int64_t smartwatts_base_frequency(const struct smartwatts_settings *settings);
int64_t smartwatts_layer_frequency(const struct smartwatts_settings *settings,
				   int64_t frequency);

#endif
