/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_series -- a recorded stream of power reports as watts over time, for
 * `formula report`.
 *
 *	struct power_history history = { 0 };
 *
 *	if (power_history_read(&history, "power.jsonl", &err) < 0)
 *		return -1;
 *	for (size_t i = 0; i < history.count; i++)
 *		draw(history.series[i]);
 *	power_history_done(&history);
 *
 * There is a series for each place, sensor and idle policy.  Its time is cut
 * into at most SERIES_BINS_MAX bins of equally many ticks; when more come, two
 * become one, so that memory does not grow with the recording.  A bin's watts
 * are its joules by its time; sums of joules are exact whatever the bins.
 *
 * A tick's residual is what the meter read less what its rows sum to: by the
 * model's own word nothing, where watts are shares of the meter; SmartWatts'
 * error, where they are not (its "rapl" less its "global").
 *
 * Formula reports in the stream give the error of each package's model.
 */
#ifndef FORMULA_POWER_SERIES_H
#define FORMULA_POWER_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formula/power_row.h"

#define SERIES_BINS_MAX      512
#define SERIES_MAX           8
#define SERIES_TARGETS_MAX   16384
#define SERIES_RESIDUALS_MAX 65536
#define SERIES_ERRORS_MAX    8

struct series_target {
	char *name, *target;
	enum power_part part;
	bool within;
	double joules, variance; /* J, J^2 */
	double tick_w;           /* in the tick at hand */
	float *bin_j;
};

struct series_bin {
	double time_s; /* Unix time at the end of its last tick */
	double seconds, meter_j, idle_j, residual_j;
};

struct power_series {
	char *label; /* what tells it from the others */
	char *sensor, *policy, *meter, *formula, *idle_from, *estimated;
	int source;      /* the worst, or POWER_ROW_NO_CLASS */
	bool smartwatts; /* has rows of SmartWatts' kind */
	struct series_target *target;
	size_t targets, target_capacity;
	void *tree;
	size_t left_out; /* rows of targets that there was no room for */
	struct series_bin bin[SERIES_BINS_MAX];
	size_t bins, ticks_per_bin, in_last;
	size_t ticks, late;
	double seconds, meter_j;
	/* Of single ticks, in W: each `residual_stride`-th. */
	double *residual;
	size_t residuals, residual_stride;
	double residual_worst;
	size_t sigmas, within_1, within_2; /* of all ticks that say a sigma */
	/* The tick at hand. */
	bool begun;
	int64_t time_ms;
	double elapsed_s, tick_meter_w, tick_sum_w, tick_model_w, tick_sigma_w;
	double tick_idle_w;
	bool has_model; /* rows "global" */
};

/* Errors of the models of a package and scope, from formula reports. */
struct model_error {
	char *label; /* "cpu 0" */
	double *time_s, *error_w;
	size_t count, capacity, stride, seen;
};

struct power_history {
	struct power_series *series[SERIES_MAX];
	size_t count;
	struct model_error error[SERIES_ERRORS_MAX];
	size_t errors;
};

/* Adds what the place has. */
int power_history_read(struct power_history *history, const char *uri,
		       struct err *err);
void power_history_done(struct power_history *history);

/* Watts of a target in a bin; NaN where the bin has no time. */
double power_series_watts(const struct power_series *series,
			  const struct series_target *target, size_t bin);

#endif
