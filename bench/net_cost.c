/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a step costs, counted from its shapes; net.h says what is counted.
 */
#include "bench/net.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FLOAT_BYTES 4.0

/* A layer's values, as doubles: products of sizes may be large. */
struct shape {
	double in, out, batch, weights;
	bool first, last;
};

static struct shape shape_of(const struct net_spec *spec, size_t layer,
			     size_t batch)
{
	struct shape s = {
		.in = (double)spec->width[layer],
		.out = (double)spec->width[layer + 1],
		.batch = (double)batch,
		.first = layer == 0,
		.last = layer + 1 == spec->layers,
	};

	s.weights = (s.in + 1.0) * s.out;
	return s;
}

/* Reads x and W, writes y. */
static double forward_bytes(const struct shape *s)
{
	return FLOAT_BYTES *
	       (s->batch * s->in + s->weights + s->batch * s->out);
}

/* The weights' product reads x and G and updates W; the input's reads G and W
 * and writes as much as x. */
static double backward_bytes(const struct shape *s)
{
	double bytes = s->batch * s->in + s->batch * s->out + 2.0 * s->weights;

	if (!s->first)
		bytes += s->batch * s->out + s->weights + s->batch * s->in;
	return FLOAT_BYTES * bytes;
}

static double product(const struct shape *s)
{
	return 2.0 * s->batch * s->in * s->out;
}

/* Bias (and ReLU with it), the bias's gradient, the mask; the last layer has
 * the loss instead of a mask. */
static double elements(const struct shape *s)
{
	return 3.0 * s->batch * s->out;
}

void net_spec_layer_cost(const struct net_spec *spec, size_t layer,
			 size_t batch, struct net_layer_cost *cost)
{
	struct shape s = shape_of(spec, layer, batch);

	memset(cost, 0, sizeof(*cost));
	snprintf(cost->name, sizeof(cost->name), "dense %zux%zu",
		 spec->width[layer], spec->width[layer + 1]);
	cost->parameters = (spec->width[layer] + 1) * spec->width[layer + 1];
	cost->operations_forward = product(&s);
	cost->operations_step = (s.first ? 2.0 : 3.0) * product(&s);
	cost->bytes_forward = forward_bytes(&s);
	cost->bytes_step = forward_bytes(&s) + backward_bytes(&s);
	cost->activation_bytes = FLOAT_BYTES * s.batch * s.out;
}

void net_spec_cost(const struct net_spec *spec, size_t batch, enum loss loss,
		   bool momentum, struct net_cost *cost)
{
	struct net_cost sum = { .layers = 3.0 * (double)spec->layers - 1.0 };

	for (size_t l = 0; l < spec->layers; l++) {
		struct shape s = shape_of(spec, l, batch);
		struct net_layer_cost layer;

		net_spec_layer_cost(spec, l, batch, &layer);
		sum.operations += layer.operations_step;
		sum.operations_forward += layer.operations_forward;
		sum.bytes += layer.bytes_step;
		sum.bytes_forward += layer.bytes_forward;
		sum.elements += elements(&s);
		if (s.last && loss == LOSS_CE)
			sum.exponentials = s.batch * s.out;
		if (momentum) {
			sum.bytes += FLOAT_BYTES * 3.0 * s.weights;
			sum.elements += s.weights;
		}
	}
	*cost = sum;
}
