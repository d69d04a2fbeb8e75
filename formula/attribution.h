/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attribution -- whose watts the machine's watts are.
 *
 *	const struct idle_policy *policy = idle_policy_find("none", &err);
 *	double use[] = { 0.30, 0.10 }, watts[2];
 *	struct attribution result = { .target_w = watts };
 *
 *	attribute(policy, &(struct attribution_input){
 *		.watts = 20, .idle_w = 8, .use = use, .targets = 2,
 *		.rest = 0.20 }, &result);
 *	// 6 W, 2 W; unattributed 4 W; idle 8 W
 *
 * The machine draws P watts; target i used u_i (CPU seconds, or what an event
 * counted), and what no target explains is `rest`.  Shares are u_i / U with U
 * the sum of all u_i and the rest.  An idle policy says what becomes of
 * P_idle, the watts that would have been drawn anyway:
 *
 *	none		idle is a target of its own; P - P_idle by shares
 *	uniform		P_idle in equal parts to the targets that ran (idle's
 *			own if none did); P - P_idle by shares
 *	proportional	P by shares, idle included
 *	marginal	P less what the model says without the target: models
 *			here add up, so this is its share of P - P_idle, and
 *			idle a target of its own, as under `none`
 *	shapley		the Shapley value of the game in which watts are drawn
 *			if anybody runs: with a model that adds up, a share of
 *			P - P_idle and an equal part of P_idle, as `uniform`
 *
 * Laws: every policy sums to P; nothing is negative; P_idle is never taken to
 * be more than P; a target that did not run gets 0.  Where nothing was used at
 * all, P - P_idle belongs to nobody.  Targets must be disjoint: one that lies
 * within another is not passed in (attribution_within() gives it its part).
 *
 * To add a policy: a function and a line in the table in attribution.c; the
 * property suite in tests/unit/test_attribution.c runs over it.
 */
#ifndef FORMULA_ATTRIBUTION_H
#define FORMULA_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct attribution_input {
	double watts;      /* P, of the meter; >= 0 */
	double idle_w;     /* P_idle; >= 0 */
	const double *use; /* u_i; >= 0 */
	size_t targets;
	double rest; /* >= 0, in the unit of `use` */
};

struct attribution {
	double *target_w; /* the caller's, one for each target */
	double idle_w;
	double unattributed_w;
	/* P less the sum of it all: rounding, or a fault. */
	double residual_w;
};

struct idle_policy {
	const char *name;
	const char *summary;
	void (*share)(const struct attribution_input *input, double idle_w,
		      struct attribution *result);
	/* Idle watts go where the others go: package by package, where a model
	 * knows packages (model.h). */
	bool with_use;
};

/* An unknown one is an error that lists those that exist. */
const struct idle_policy *idle_policy_find(const char *name, struct err *err);
/* The index-th, or NULL: for --help and tests. */
const struct idle_policy *idle_policy_at(size_t index);

void attribute(const struct idle_policy *policy,
	       const struct attribution_input *input,
	       struct attribution *result);

/* The part of a target's watts that belongs to what used `use` of its `whole`
 * within it: never more than all of it. */
double attribution_within(double watts, double use, double whole);

#endif
