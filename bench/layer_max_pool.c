/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The maximum of each channel over K × K places; the first one of equals
 * passes the gradient on.
 */
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/layer_window.h"

static void pool_cost(const struct layer_spec *spec, double batch, bool first,
		      struct net_layer_cost *cost)
{
	double in = batch * (double)layer_in(spec);

	(void)first;
	snprintf(cost->name, sizeof(cost->name), "max pool %ux%u", spec->kernel,
		 spec->kernel);
	layer_cost_passes(cost, in, 1.0, 2.0);
}

/* Which of the K × K places won, an int32 for each output. */
static size_t pool_scratch(const struct layer_spec *spec, size_t batch_max)
{
	return batch_max * layer_out(spec);
}

static void first_place(float *restrict y, int32_t *restrict won,
			const float *restrict x, size_t n)
{
	memcpy(y, x, n * sizeof(*y));
	memset(won, 0, n * sizeof(*won));
}

static void next_place(float *restrict y, int32_t *restrict won,
		       const float *restrict x, size_t n, int32_t place)
{
	for (size_t c = 0; c < n; c++) {
		bool larger = x[c] > y[c];

		y[c] = larger ? x[c] : y[c];
		won[c] = larger ? place : won[c];
	}
}

static void pool_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels;
	struct layer_window at;
	int32_t *won = (int32_t *)layer->scratch;

	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		float *y = pass->y + at.out;
		int32_t place = 0;

		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++, place++) {
				const float *x =
					pass->x + layer_window_in(&at, i, j);

				if (place)
					next_place(y, won + at.out, x, channels,
						   place);
				else
					first_place(y, won + at.out, x,
						    channels);
			}
	}
}

static void pool_backward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels;
	const int32_t *won = (const int32_t *)layer->scratch;
	struct layer_window at;

	if (!pass->dx)
		return;
	memset(pass->dx, 0, pass->batch * layer_in(spec) * sizeof(float));
	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		const float *g = pass->delta + at.out;
		int32_t place = 0;

		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++, place++) {
				float *dx =
					pass->dx + layer_window_in(&at, i, j);

				for (size_t c = 0; c < channels; c++)
					dx[c] += won[at.out + c] == place
							 ? g[c]
							 : 0.0f;
			}
	}
}

const struct layer_kind layer_kind_max_pool = {
	.name = "max pool",
	.shape = layer_window_shape,
	.cost = pool_cost,
	.scratch = pool_scratch,
	.forward = pool_forward,
	.backward = pool_backward,
};
