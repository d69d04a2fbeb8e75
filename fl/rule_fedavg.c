/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Federated averaging (McMahan et al. 2017, arXiv 1602.05629):
 *
 *	x ← x + Σ_{k in S} n_k / (Σ_{j in S} n_j) · Δ_k
 *
 * over the participants S of the round only, so a round with few of them moves
 * as far as one with all: simple, and biased towards whoever takes part.
 */
#include "fl/rule.h"

static void combine(void *self, double *model,
		    const struct update *const *update, size_t updates)
{
	double samples = 0.0;

	(void)self;
	for (size_t i = 0; i < updates; i++)
		samples += update[i]->samples;
	for (size_t i = 0; i < updates; i++)
		vector_add(model, update[i]->samples / samples,
			   &update[i]->delta);
}

const struct rule_kind rule_kind_fedavg = {
	.name = "fedavg",
	.combine = combine,
	.summary = "mean of the updates, weighted by samples",
};
