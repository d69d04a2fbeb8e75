/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dropout (Srivastava et al., JMLR 2014): in training each value is dropped
 * with a probability, and what stays is scaled up so that the mean is kept; at
 * evaluation nothing happens.
 */
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"

static int dropout_shape(struct layer_spec *spec, struct err *err)
{
	(void)err;
	spec->out = spec->in;
	return 0;
}

static void dropout_cost(const struct layer_spec *spec, double batch,
			 bool first, struct net_layer_cost *cost)
{
	(void)first;
	snprintf(cost->name, sizeof(cost->name), "dropout %.0f %%",
		 100.0 * (double)spec->drop);
	layer_cost_passes(cost, batch * (double)layer_in(spec), 2.0, 4.0);
}

/* The factor of each value: 0 or 1 / (1 − drop). */
static size_t dropout_scratch(const struct layer_spec *spec, size_t batch_max)
{
	return batch_max * layer_in(spec);
}

static void dropout_forward(struct layer *layer, const struct layer_pass *pass)
{
	size_t n = pass->batch * layer_in(layer->spec);
	double drop = (double)layer->spec->drop;
	uint32_t below = (uint32_t)(drop * 4294967296.0);
	float keep = (float)(1.0 / (1.0 - drop));
	struct rng rng = rng_stream(pass->seed, "dropout", 0, 0);

	if (!pass->training) {
		memcpy(pass->y, pass->x, n * sizeof(float));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		layer->scratch[i] = rng_u32(&rng) < below ? 0.0f : keep;
		pass->y[i] = pass->x[i] * layer->scratch[i];
	}
}

static void dropout_backward(struct layer *layer, const struct layer_pass *pass)
{
	size_t n = pass->batch * layer_in(layer->spec);

	if (pass->dx)
		for (size_t i = 0; i < n; i++)
			pass->dx[i] = pass->delta[i] * layer->scratch[i];
}

const struct layer_kind layer_kind_dropout = {
	.name = "dropout",
	.shape = dropout_shape,
	.cost = dropout_cost,
	.scratch = dropout_scratch,
	.forward = dropout_forward,
	.backward = dropout_backward,
};
