/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dense: Y = X W + b.  W is in × out, so that a row of X meets rows of W.
 */
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"

static int dense_shape(struct layer_spec *spec, struct err *err)
{
	(void)spec;
	(void)err;
	return 0; /* any input; the output is what was asked for */
}

static size_t dense_parameters(const struct layer_spec *spec)
{
	return (layer_in(spec) + 1) * layer_out(spec);
}

static void dense_init(const struct layer_spec *spec, float *weights,
		       struct rng *rng)
{
	size_t in = layer_in(spec), out = layer_out(spec);

	layer_init_he(weights, in * out, in, rng);
	memset(weights + in * out, 0, out * sizeof(*weights));
}

static void dense_cost(const struct layer_spec *spec, double batch, bool first,
		       struct net_layer_cost *cost)
{
	size_t in = layer_in(spec), out = layer_out(spec);

	snprintf(cost->name, sizeof(cost->name), "dense %zux%zu", in, out);
	layer_cost_product(cost, batch, (double)in, (double)out, true, first);
}

/* A row for the biases' gradient. */
static size_t dense_scratch(const struct layer_spec *spec, size_t batch_max)
{
	(void)batch_max;
	return layer_out(spec);
}

static int dense_open(struct layer *layer, struct err *err)
{
	layer->product =
		product_new(layer->precision, layer->mat, layer_in(layer->spec),
			    layer_out(layer->spec), layer->batch_max, err);
	return layer->product ? 0 : -1;
}

static void dense_forward(struct layer *layer, const struct layer_pass *pass)
{
	size_t in = layer_in(layer->spec), out = layer_out(layer->spec);

	product_weights(layer->product, layer->weights, pass->seed);
	product_forward(layer->product, pass->batch, pass->x, in, pass->y, out);
	layer_bias(pass->y, layer->weights + in * out, pass->batch, out,
		   layer->spec->activation);
}

static void dense_backward(struct layer *layer, const struct layer_pass *pass)
{
	size_t in = layer_in(layer->spec), out = layer_out(layer->spec);
	const struct backward *to = pass->to;

	if (pass->dx)
		product_back(layer->product, pass->batch, pass->x, pass->delta,
			     pass->dx, to);
	else
		product_update(layer->product, pass->batch, pass->x, in,
			       pass->delta, out, to);
	layer_sum_rows(layer->scratch, pass->delta, pass->batch, out);
	layer_put(to->target + in * out, layer->scratch, out, to->alpha,
		  to->beta);
}

const struct layer_kind layer_kind_dense = {
	.name = "dense",
	.shape = dense_shape,
	.parameters = dense_parameters,
	.init = dense_init,
	.cost = dense_cost,
	.scratch = dense_scratch,
	.open = dense_open,
	.forward = dense_forward,
	.backward = dense_backward,
	.activates = true,
};
