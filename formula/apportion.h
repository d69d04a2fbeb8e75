/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * apportion -- a tick's watts, down to its last target.
 *
 *	struct apportion apportion = { 0 };
 *
 *	apportion_tick(&apportion, policy, tick, &weights, idle_w, &err);
 *	use(apportion.watts.target_w[i]);
 *	apportion_done(&apportion);
 *
 * Brings together what a model says (weights), what a policy makes of it
 * (attribution.h), and which targets lie within others: those share their
 * parent's watts by weight and are no part of the sum.
 *
 * Checks conservation: targets + idle + unattributed = meter, to
 * APPORTION_TOLERANCE of it; more is a fault of ours, and an error.
 */
#ifndef FORMULA_APPORTION_H
#define FORMULA_APPORTION_H

#include "formula/attribution.h"
#include "formula/model.h"

#define APPORTION_TOLERANCE 1e-9

struct apportion {
	double meter_w;
	struct attribution watts; /* target_w: of every target of the tick */
	/* 1 sigma of what the model does not know, where it says; the meter's
	 * comes on top. */
	double *sigma_w, idle_sigma_w, unattributed_sigma_w;
	/* Of the unattributed watts, the kernel's; NaN: not known. */
	double kernel_w;
	/* Room, kept from tick to tick. */
	double *use, *top_w;
	size_t capacity[4];
};

int apportion_tick(struct apportion *apportion,
		   const struct idle_policy *policy, const struct tick *tick,
		   const struct weights *weights, double idle_w,
		   struct err *err);
void apportion_done(struct apportion *apportion);

#endif
