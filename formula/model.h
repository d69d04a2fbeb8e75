/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model -- what the counters of a tick say about who drew power, and how much
 * the machine would have drawn anyway.
 *
 *	struct model *model = model_open("proportional", &err);
 *	struct weights weights = { 0 };
 *
 *	if (model_weigh(model, tick, &weights, &err) < 0)
 *		return -1;
 *	use(weights.target[i], weights.rest, weights.idle_w);
 *	weights_done(&weights);
 *	model_close(model);
 *
 * A model turns a tick into a weight per target, in any unit: only ratios
 * matter, and attribution.h makes watts of them that sum to the meter's.  A
 * model keeps what it learns from tick to tick; there is one per sensor.
 *
 * Kinds: "fedwatts" (watts of counters, learnt), "proportional" (a target's
 * weight is its use).  To add one: a file
 * model_KIND.c that exports one struct model_kind, and a line in the table in
 * model.c.
 */
#ifndef FORMULA_MODEL_H
#define FORMULA_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/ticks.h"
#include "lib/err.h"

struct model;

struct weights {
	double *target; /* one for each of the tick's targets; >= 0 */
	size_t capacity;
	/* The machine's weight less those of the targets that lie in no other:
	 * what no target explains; >= 0. */
	double rest;
	/* The same, idle watts with the packages that draw them; set where a model
	 * knows packages (`whole_known`).  For policies that share them by use. */
	double *whole;
	size_t whole_capacity;
	bool whole_known;
	double whole_rest;
	/* How far targets explained more than the machine did (two clocks, read
	 * at two moments), relative; their weights stand as they are.  NaN: the
	 * machine's own use was not counted, and `rest` is not known. */
	double excess;
	/* The part of `rest` that was done in kernel mode for no target (0 to
	 * 1); NaN: the machine or its targets do not count that. */
	double kernel;
	double idle_w; /* what the model thinks; NaN: it does not */
	/* What it thought the machine draws before it looked at the meter; 0
	 * before it ever did; NaN: it thinks nothing of the kind. */
	double predicted_w;
	/* Of each of the above, W^2, where a model knows (`variance_known`): then
	 * weights are watts. */
	double *variance, *whole_variance;
	size_t variance_capacity, whole_variance_capacity;
	bool variance_known;
	double rest_variance, whole_rest_variance, idle_variance;
	/* What was gone by: the model's name, or the name and what was left of
	 * it ("fedwatts:cpu-clock"). */
	const char *basis;
};

/* An unknown one is an error that lists those that exist. */
struct model *model_open(const char *name, struct err *err);
const char *model_name(const struct model *model);
int model_weigh(struct model *model, const struct tick *tick,
		struct weights *weights, struct err *err);
void model_close(struct model *model); /* accepts NULL */

void weights_done(struct weights *weights);

/* For kinds. */
struct model_kind {
	const char *name;
	const char *summary;
	void *(*open)(struct err *err);
	int (*weigh)(void *self, const struct tick *tick,
		     struct weights *weights, struct err *err);
	void (*close)(void *self);
};

extern const struct model_kind model_kind_fedwatts;
extern const struct model_kind model_kind_proportional;

/* The index-th kind, or NULL: for --help. */
const struct model_kind *model_kind_at(size_t index);

#endif
