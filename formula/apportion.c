/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/apportion.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/mem.h"

static void reserve(struct apportion *apportion, size_t targets)
{
	size_t n = targets + 1;

	apportion->use = mem_grow(apportion->use, &apportion->capacity[0], n,
				  sizeof(double));
	apportion->top_w = mem_grow(apportion->top_w, &apportion->capacity[1],
				    n, sizeof(double));
	apportion->watts.target_w =
		mem_grow(apportion->watts.target_w, &apportion->capacity[2], n,
			 sizeof(double));
	apportion->sigma_w = mem_grow(
		apportion->sigma_w, &apportion->capacity[3], n, sizeof(double));
}

/* Those that lie in no other, side by side. */
static size_t top_fill(struct apportion *apportion, const struct tick *tick,
		       const double *weight)
{
	size_t top = 0;

	for (size_t i = 0; i < tick->targets; i++)
		if (tick->target[i].parent < 0)
			apportion->use[top++] = weight[i];
	return top;
}

/* Parents first: as many passes as they are deep.  A circle of targets, each
 * within the next, has no watts. */
static void nested_fill(struct attribution *watts, const struct tick *tick,
			const double *weight)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < tick->targets; i++) {
			int parent = tick->target[i].parent;

			if (parent < 0 || !isnan(watts->target_w[i]) ||
			    isnan(watts->target_w[parent]))
				continue;
			watts->target_w[i] =
				attribution_within(watts->target_w[parent],
						   weight[i], weight[parent]);
			again = true;
		}
	}
	for (size_t i = 0; i < tick->targets; i++)
		if (isnan(watts->target_w[i]))
			watts->target_w[i] = 0;
}

static double scaled(double variance, double watts, double weight)
{
	return weight > 0 ? sqrt(variance) * (watts / weight) : 0;
}

/* Watts that a policy adds are as uncertain, relative, as a target's own. */
static void sigma_fill(struct apportion *apportion, const struct tick *tick,
		       const struct weights *weights, bool whole)
{
	const double *weight = whole ? weights->whole : weights->target;
	const double *variance =
		whole ? weights->whole_variance : weights->variance;
	double rest = whole ? weights->whole_rest : weights->rest;
	double rest_variance =
		whole ? weights->whole_rest_variance : weights->rest_variance;
	struct attribution *watts = &apportion->watts;

	for (size_t i = 0; i < tick->targets; i++)
		apportion->sigma_w[i] =
			scaled(variance[i], watts->target_w[i], weight[i]);
	apportion->idle_sigma_w =
		watts->idle_w > 0 ? sqrt(weights->idle_variance) : 0;
	apportion->unattributed_sigma_w =
		scaled(rest_variance, watts->unattributed_w, rest);
}

static int conserved(const struct apportion *apportion, const struct tick *tick,
		     struct err *err)
{
	double residual = apportion->watts.residual_w;

	if (fabs(residual) <= APPORTION_TOLERANCE * apportion->meter_w)
		return 0;
	return err_set(err, EDOM,
		       "tick %lld of '%s': the parts sum to %g W, the meter "
		       "says %g W: a fault of this program",
		       (long long)tick->time_ms, tick->sensor,
		       apportion->meter_w - residual, apportion->meter_w);
}

int apportion_tick(struct apportion *apportion,
		   const struct idle_policy *policy, const struct tick *tick,
		   const struct weights *weights, double idle_w,
		   struct err *err)
{
	bool whole = policy->with_use && weights->whole_known;
	const double *weight = whole ? weights->whole : weights->target;
	struct attribution_input input = {
		.idle_w = idle_w,
		.rest = whole ? weights->whole_rest : weights->rest,
	};
	struct attribution top;
	size_t next = 0;

	reserve(apportion, tick->targets);
	apportion->meter_w = tick->energy.joules / tick->elapsed_s;
	input.watts = apportion->meter_w;
	input.targets = top_fill(apportion, tick, weight);
	input.use = apportion->use;
	top.target_w = apportion->top_w;
	attribute(policy, &input, &top);
	for (size_t i = 0; i < tick->targets; i++)
		apportion->watts.target_w[i] = tick->target[i].parent < 0
						       ? top.target_w[next++]
						       : (double)NAN;
	apportion->watts.idle_w = top.idle_w;
	apportion->watts.unattributed_w = top.unattributed_w;
	apportion->watts.residual_w = top.residual_w;
	nested_fill(&apportion->watts, tick, weight);
	if (weights->variance_known)
		sigma_fill(apportion, tick, weights, whole);
	apportion->kernel_w = weights->kernel * apportion->watts.unattributed_w;
	return conserved(apportion, tick, err);
}

void apportion_done(struct apportion *apportion)
{
	free(apportion->use);
	free(apportion->top_w);
	free(apportion->watts.target_w);
	free(apportion->sigma_w);
	*apportion = (struct apportion){ 0 };
}
