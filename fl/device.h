/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device -- what work costs a simulated device, and what it has left.
 *
 *	device_init(&device, 3, table, &spec, &err);
 *	device_predict(&device, &action, &cost);
 *	if (cost.joules_hi <= device_left(&device))
 *		device_work(&device, &action, round, seed, true, &work);
 *	printf("%g J for %zu steps\n", work.joules, work.steps);
 *	device_done(&device);
 *
 * A device is a copy of an energy table: scaled in joules and in seconds, with
 * a budget for the whole run.  What a round really costs is the table's mean
 * times the scale times a noise factor, one for each device and round, such
 * that 95 % of the factors lie within the table's pi95 (the repeatability of
 * one measured run).  So the numbers of a simulation spread as those of the
 * measured device would, and mean no more than its meter's do: the meter's own
 * error (meter95) is common to all and is not drawn.
 *
 * Laws: never spends more than its budget.  A device that watches its meter
 * (`watch`) stops before the step that would take it over its budget and keeps
 * what it learned; one that does not runs dry in the middle of its work: the
 * joules are gone, and so is the update.
 *
 * Units: joules and seconds as the table's meter shows them.
 */
#ifndef FL_DEVICE_H
#define FL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/energy_table.h"
#include "lib/err.h"

#define ACTION_PRECISION_MAX 12

/* What a device does in a round. */
struct action {
	size_t steps; /* local training steps */
	size_t batch; /* samples per step */
	char precision[ACTION_PRECISION_MAX];
};

/* What it is expected to cost. */
struct action_cost {
	double joules, joules_hi; /* mean, upper end of pi95 */
	double sigma_j;           /* 1 σ of what the meter would show */
	double seconds;
};

/* What it did cost. */
struct work {
	size_t steps; /* done; fewer than asked when stopped in time */
	double joules, sigma_j, seconds;
	bool ran_dry; /* the budget ended first; the update is lost */
};

struct device {
	size_t id;
	const struct energy_table *table; /* borrowed */
	double scale_joules, scale_seconds;
	double budget_j; /* INFINITY: none */
	double spent_j;
	double spent_variance;
	/* One step in the configuration of this run, unscaled. */
	struct step_config config;
	struct step_cost step;
};

/* Asks the table once; an error says what it cannot answer.  Scales are 1, the
 * budget is unlimited until set. */
int device_init(struct device *device, size_t id,
		const struct energy_table *table,
		const struct step_config *config, struct err *err);

/* Factors for joules and seconds, log-uniform in [1/spread, spread]. */
void device_scale(struct device *device, double spread, uint64_t seed);

double device_left(const struct device *device);
/* 1 σ of what is left: that of everything spent so far. */
double device_left_sigma(const struct device *device);

void device_predict(const struct device *device, const struct action *action,
		    struct action_cost *cost);
/* The most steps whose upper cost fits, at most `most`. */
size_t device_steps_within(const struct device *device,
			   const struct action *action, double joules,
			   size_t most);

/* Spend what the action costs in this round. */
void device_work(struct device *device, const struct action *action,
		 size_t round, uint64_t seed, bool watch, struct work *work);

#endif
