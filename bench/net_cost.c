/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a step costs, counted from its shapes; net_spec.h says what is counted.
 */
#include <stdbool.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/loss_kind.h"
#include "bench/net.h"

#define FLOAT_BYTES 4.0

void net_spec_layer_cost(const struct net_spec *spec, size_t layer,
			 size_t batch, struct net_layer_cost *cost)
{
	const struct layer_spec *at = &spec->layer[layer];

	memset(cost, 0, sizeof(*cost));
	layer_kind_of(at->type)->cost(at, (double)batch, layer == 0, cost);
	cost->parameters = layer_parameters(at);
	cost->activation_bytes =
		FLOAT_BYTES * (double)batch * (double)layer_out(at);
	if (at->activation == ACT_TANH)
		cost->exponentials += (double)batch * (double)layer_out(at);
}

static void add(struct net_cost *sum, const struct net_layer_cost *layer)
{
	sum->operations += layer->operations_step;
	sum->operations_forward += layer->operations_forward;
	sum->bytes += layer->bytes_step;
	sum->bytes_forward += layer->bytes_forward;
	sum->layers += layer->kernels;
	sum->elements += layer->elements;
	sum->exponentials += layer->exponentials;
	sum->narrow += layer->narrow;
}

void net_spec_cost(const struct net_spec *spec, size_t batch, enum loss loss,
		   bool momentum, struct net_cost *cost)
{
	double outputs = (double)batch * (double)spec->width[spec->layers];
	double parameters = (double)net_spec_parameters(spec);
	struct net_cost sum = { 0 };

	for (size_t l = 0; l < spec->layers; l++) {
		struct net_layer_cost layer;

		net_spec_layer_cost(spec, l, batch, &layer);
		add(&sum, &layer);
	}
	if (loss_kind_of(loss)->exponential)
		sum.exponentials += outputs;
	if (momentum) {
		sum.bytes += FLOAT_BYTES * 3.0 * parameters;
		sum.elements += parameters;
	}
	*cost = sum;
}
