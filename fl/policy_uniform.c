/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spend evenly: each time, the most local steps whose upper cost (pi95) fits
 * left / turns.  The first share is budget / rounds; what a share leaves over
 * (the upper cost is seldom needed in full, and steps are whole) is spread
 * over the turns that remain.
 */
#include "fl/policy.h"

static void decide(void *self, const struct policy_view *view,
		   struct decision *decision)
{
	const struct device *device = view->device;
	double left = device_left(device);
	double share = left / view->turns;
	size_t steps = device_steps_within(device, &view->full, share,
					   view->full.steps);

	(void)self;
	decision->action.steps = steps;
	if (steps >= view->steps_min)
		return;
	decision->skip = SKIP_SAVING;
	if (device_steps_within(device, &view->full, left, view->steps_min) <
	    view->steps_min)
		decision->skip = SKIP_EMPTY;
}

const struct policy_kind policy_kind_uniform = {
	.name = "uniform",
	.watches = true,
	.decide = decide,
	.summary = "the largest action that fits an even share of what is left",
};
