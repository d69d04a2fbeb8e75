/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The average of each channel over K × K places.
 */
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/layer_window.h"

static void pool_cost(const struct layer_spec *spec, double batch, bool first,
		      struct net_layer_cost *cost)
{
	(void)first;
	snprintf(cost->name, sizeof(cost->name), "average pool %ux%u",
		 spec->kernel, spec->kernel);
	layer_cost_passes(cost, batch * (double)layer_in(spec), 1.0, 2.0);
}

static void add_scaled(float *restrict to, const float *restrict from, size_t n,
		       float scale)
{
	for (size_t c = 0; c < n; c++)
		to[c] += scale * from[c];
}

static void pool_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels;
	struct layer_window at;

	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		float *y = pass->y + at.out;
		float scale = 1.0f / (float)(at.rows * at.columns);

		memset(y, 0, channels * sizeof(*y));
		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++)
				add_scaled(y,
					   pass->x + layer_window_in(&at, i, j),
					   channels, scale);
	}
}

static void pool_backward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels;
	struct layer_window at;

	if (!pass->dx)
		return;
	memset(pass->dx, 0, pass->batch * layer_in(spec) * sizeof(float));
	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		float scale = 1.0f / (float)(at.rows * at.columns);

		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++)
				add_scaled(
					pass->dx + layer_window_in(&at, i, j),
					pass->delta + at.out, channels, scale);
	}
}

const struct layer_kind layer_kind_average_pool = {
	.name = "average pool",
	.shape = layer_window_shape,
	.cost = pool_cost,
	.forward = pool_forward,
	.backward = pool_backward,
	.input = pool_backward,
	.by_image = true,
};
