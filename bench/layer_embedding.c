/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Embedding: each token picks its row of a table.  Tokens come as floats, as
 * samples do; what is not a token of the vocabulary counts as token 0.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"

static int embedding_shape(struct layer_spec *spec, struct err *err)
{
	if (spec->in.channels != 1)
		return err_set(err, EINVAL,
			       "an embedding takes one token a step");
	spec->out.height = spec->in.height;
	spec->out.width = spec->in.width;
	return 0;
}

static size_t embedding_parameters(const struct layer_spec *spec)
{
	return (size_t)spec->vocabulary * spec->out.channels;
}

/* Standard normal, as is usual. */
static void embedding_init(const struct layer_spec *spec, float *weights,
			   struct rng *rng)
{
	for (size_t i = 0; i < embedding_parameters(spec); i++)
		weights[i] = (float)rng_normal(rng);
}

static void embedding_cost(const struct layer_spec *spec, double batch,
			   bool first, struct net_layer_cost *cost)
{
	(void)first;
	snprintf(cost->name, sizeof(cost->name), "embedding %ux%u",
		 spec->vocabulary, spec->out.channels);
	layer_cost_passes(cost, batch * (double)layer_out(spec), 2.0, 5.0);
}

static size_t token(const struct layer_spec *spec, float x)
{
	return x >= 0.0f && x < (float)spec->vocabulary ? (size_t)x : 0;
}

static void embedding_forward(struct layer *layer,
			      const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t n = pass->batch * layer_in(spec), width = spec->out.channels;

	for (size_t i = 0; i < n; i++)
		memcpy(pass->y + i * width,
		       layer->weights + token(spec, pass->x[i]) * width,
		       width * sizeof(float));
}

/* Tokens have no gradient; the table is touched where it was used, and all of
 * it where what stood there decays. */
static void embedding_backward(struct layer *layer,
			       const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	const struct backward *to = pass->to;
	size_t n = pass->batch * layer_in(spec), width = spec->out.channels;
	size_t all = embedding_parameters(spec);

	if (pass->dx)
		memset(pass->dx, 0, n * sizeof(float));
	if (to->beta == 0.0f)
		memset(to->target, 0, all * sizeof(float));
	else if (to->beta != 1.0f)
		for (size_t i = 0; i < all; i++)
			to->target[i] *= to->beta;
	for (size_t i = 0; i < n; i++)
		layer_put(to->target + token(spec, pass->x[i]) * width,
			  pass->delta + i * width, width, to->alpha, 1.0f);
}

const struct layer_kind layer_kind_embedding = {
	.name = "embedding",
	.shape = embedding_shape,
	.parameters = embedding_parameters,
	.init = embedding_init,
	.cost = embedding_cost,
	.forward = embedding_forward,
	.backward = embedding_backward,
};
