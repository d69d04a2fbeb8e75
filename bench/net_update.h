/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_update -- what happens to the weights at the end of a step; net.h has the
 * equations.
 *
 *	struct backward to = update_target(&update, &sgd, weights, batch);
 *
 *	...                                   // the gradient goes to `to`
 *	update_finish(&update, &sgd, weights, parameters);
 *
 * Plain SGD is done when the gradient is: the target is the weights.  Momentum
 * without clipping has it added to the velocity.  Everything else needs the
 * gradient by itself.
 */
#ifndef BENCH_NET_UPDATE_H
#define BENCH_NET_UPDATE_H

#include <stddef.h>
#include <stdint.h>

#include "bench/net.h"

/* Velocity (first moment), second moment, gradient. */
enum { UPDATE_FIRST, UPDATE_SECOND, UPDATE_GRADIENT, UPDATE_BLOCKS };

struct update {
	float *block[UPDATE_BLOCKS]; /* as many floats as there are weights */
	uint64_t steps;              /* since the last reset */
	bool used[UPDATE_BLOCKS];
};

struct backward update_target(struct update *update, const struct sgd *sgd,
			      float *weights, size_t batch);
void update_finish(struct update *update, const struct sgd *sgd, float *weights,
		   size_t n);
void update_reset(struct update *update, size_t n);

#endif
