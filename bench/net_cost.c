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

/* Bytes of a value as a product's operand, and what it takes to make it one:
 * fp32 is read, the operand written.  fp16 goes on to be widened again
 * (product_rounded.c). */
struct width {
	double operand, narrowing;
};

static struct width width_of(const struct precision *precision, double out)
{
	enum precision_kind kind = precision->kind;

	if ((kind == PRECISION_INT8 || kind == PRECISION_FAKE) &&
	    out <= NET_NARROW)
		kind = PRECISION_FP32; /* product.h */
	switch (kind) {
	case PRECISION_BF16:
		return (struct width){ 2.0, FLOAT_BYTES + 2.0 };
	case PRECISION_INT8:
		return (struct width){ 1.0, FLOAT_BYTES + 1.0 };
	case PRECISION_FP16:
		return (struct width){ FLOAT_BYTES, 2.0 * (FLOAT_BYTES + 2.0) };
	case PRECISION_FAKE:
		return (struct width){ FLOAT_BYTES, 2.0 * FLOAT_BYTES };
	default:
		return (struct width){ FLOAT_BYTES, 0.0 };
	}
}

double layer_cost_operand(const struct net_layer_cost *cost, double out)
{
	return width_of(&cost->precision, out).operand;
}

/* The weights' product reads x and G and updates W, which is fp32; the input's
 * reads G and W and writes as much as x.  Results are fp32.  G is narrowed for
 * each of the two, X and W once. */
void layer_cost_product(struct net_layer_cost *cost, double rows, double in,
			double out, bool bias, bool first)
{
	struct width width = width_of(&cost->precision, out);
	double product = 2.0 * rows * in * out, b = width.operand;
	double x = rows * in, y = rows * out, w = in * out;
	double biases = bias ? FLOAT_BYTES * out : 0.0;
	double forward = b * (x + w) + biases + FLOAT_BYTES * y +
			 width.narrowing * (x + w);
	double backward = (b + width.narrowing) * y + b * x +
			  2.0 * (FLOAT_BYTES * w + biases);

	if (!first)
		backward += (b + width.narrowing) * y + b * w + FLOAT_BYTES * x;
	cost->operations_forward += product;
	cost->operations_step += (first ? 2.0 : 3.0) * product;
	cost->bytes_forward += forward;
	cost->bytes_step += forward + backward;
	if (width.narrowing > 0.0)
		cost->activation_bytes += b * x; /* kept for backward */
	cost->kernels += first ? 2.0 : 3.0;
	/* Bias (and ReLU with it), the bias's gradient, the mask; the last
	 * layer has the loss instead of a mask. */
	cost->elements += 3.0 * rows * out;
	/* Forward has a result of rows × out, the weights' gradient one of
	 * in × out, the input's gradient one of rows × in. */
	if (out <= NET_NARROW)
		cost->narrow += rows + in;
	if (!first && in <= NET_NARROW)
		cost->narrow += rows;
}

void layer_cost_passes(struct net_layer_cost *cost, double values,
		       double forward, double step)
{
	cost->bytes_forward += FLOAT_BYTES * forward * values;
	cost->bytes_step += FLOAT_BYTES * step * values;
	cost->elements += step * values;
}

void net_spec_layer_cost_in(struct precision precision,
			    const struct net_spec *spec, size_t layer,
			    size_t batch, struct net_layer_cost *cost)
{
	const struct layer_spec *at = &spec->layer[layer];

	memset(cost, 0, sizeof(*cost));
	cost->precision = precision;
	layer_kind_of(at->type)->cost(at, (double)batch, layer == 0, cost);
	cost->parameters = layer_parameters(at);
	cost->activation_bytes +=
		FLOAT_BYTES * (double)batch * (double)layer_out(at);
	if (at->activation == ACT_TANH)
		cost->exponentials += (double)batch * (double)layer_out(at);
}

void net_spec_layer_cost(const struct net_spec *spec, size_t layer,
			 size_t batch, struct net_layer_cost *cost)
{
	const struct precision fp32 = { .kind = PRECISION_FP32 };

	net_spec_layer_cost_in(fp32, spec, layer, batch, cost);
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
	sum->activation_bytes += layer->activation_bytes;
}

void net_spec_cost_in(struct precision precision, const struct net_spec *spec,
		      size_t batch, enum loss loss, bool momentum,
		      struct net_cost *cost)
{
	double outputs = (double)batch * (double)spec->width[spec->layers];
	double parameters = (double)net_spec_parameters(spec);
	struct net_cost sum = { 0 };

	for (size_t l = 0; l < spec->layers; l++) {
		struct net_layer_cost layer;

		net_spec_layer_cost_in(precision, spec, l, batch, &layer);
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

void net_spec_cost(const struct net_spec *spec, size_t batch, enum loss loss,
		   bool momentum, struct net_cost *cost)
{
	const struct precision fp32 = { .kind = PRECISION_FP32 };

	net_spec_cost_in(fp32, spec, batch, loss, momentum, cost);
}
