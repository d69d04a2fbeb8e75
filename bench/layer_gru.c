/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GRU (Cho et al., EMNLP 2014), in the form that cuDNN and PyTorch use:
 *
 *	r = σ(x Wr + br + h Ur + cr)
 *	z = σ(x Wz + bz + h Uz + cz)
 *	n = tanh(x Wn + bn + r ⊙ (h Un + cn))
 *	h' = (1 − z) ⊙ n + z ⊙ h
 *
 * Parameters: W (in × 3H, columns r z n), U (H × 3H), b (3H), c (3H).  The
 * inputs' product is done for all steps at once, the state's step by step; both
 * gradients of weights are one product over all steps.
 *
 * Everything that is kept of a step lies sample by sample, step by step, like
 * the sequence itself.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "lib/mem.h"

struct gru {
	struct product *input, *state;
	size_t steps, in, units;
	/* in the layer's scratch */
	float *gate;   /* steps × 3H: inputs' sums, then r, z, n */
	float *hidden; /* steps × 3H: states' sums; backward: gradients */
	float *before; /* steps × H: the state before the step */
	float *h, *dh; /* batch × H: the state at hand and its gradient */
	float *row;    /* 3H */
};

static int gru_shape(struct layer_spec *spec, struct err *err)
{
	(void)err;
	spec->out.height = spec->sequence ? spec->in.height : 1;
	spec->out.width = 1;
	return 0;
}

static size_t gru_parameters(const struct layer_spec *spec)
{
	size_t units = spec->out.channels;

	return (spec->in.channels + units + 2) * 3 * units;
}

/* ± 1/sqrt(H) for everything, biases too. */
static void gru_init(const struct layer_spec *spec, float *weights,
		     struct rng *rng)
{
	layer_init_he(weights, gru_parameters(spec),
		      6 * (size_t)spec->out.channels, rng);
}

static void gru_cost(const struct layer_spec *spec, double batch, bool first,
		     struct net_layer_cost *cost)
{
	double units = spec->out.channels, steps = spec->in.height;
	double values = batch * steps * units, operand;

	snprintf(cost->name, sizeof(cost->name), "gru %ux%u, %u steps",
		 spec->in.channels, spec->out.channels, spec->in.height);
	layer_cost_product(cost, batch * steps, spec->in.channels, 3.0 * units,
			   true, first);
	layer_cost_product(cost, batch * steps, units, 3.0 * units, true,
			   false);
	/* The weights of the state are read at each step, both ways. */
	cost->kernels += 2.0 * (steps - 1.0);
	operand = layer_cost_operand(cost, 3.0 * units);
	cost->bytes_forward += operand * (steps - 1.0) * 3.0 * units * units;
	cost->bytes_step += 2.0 * operand * (steps - 1.0) * 3.0 * units * units;
	layer_cost_passes(cost, values, 8.0, 20.0);
	cost->exponentials += 3.0 * values;
}

static size_t gru_scratch(const struct layer_spec *spec, size_t batch_max)
{
	size_t units = spec->out.channels;

	return batch_max * spec->in.height * 7 * units + 2 * batch_max * units +
	       3 * units;
}

static int gru_open(struct layer *layer, struct err *err)
{
	const struct layer_spec *spec = layer->spec;
	struct gru *gru = xcalloc(1, sizeof(*gru));
	size_t rows = layer->batch_max * spec->in.height;
	size_t units = spec->out.channels;

	layer->state = gru;
	gru->steps = spec->in.height;
	gru->in = spec->in.channels;
	gru->units = units;
	gru->gate = layer->scratch;
	gru->hidden = gru->gate + rows * 3 * units;
	gru->before = gru->hidden + rows * 3 * units;
	gru->h = gru->before + rows * units;
	gru->dh = gru->h + layer->batch_max * units;
	gru->row = gru->dh + layer->batch_max * units;
	gru->input = product_new(layer->precision, layer->mat, gru->in,
				 3 * units, rows, err);
	gru->state = product_new(layer->precision, layer->mat, units, 3 * units,
				 rows, err);
	return gru->input && gru->state ? 0 : -1;
}

static void gru_close(struct layer *layer)
{
	struct gru *gru = layer->state;

	if (!gru)
		return;
	product_free(gru->input);
	product_free(gru->state);
	free(gru);
}

static float sigmoid(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

/* One step of one sample: `a` holds the inputs' sums and gets r, z, n; `s` are
 * the states' sums. */
static void gru_cell(float *a, const float *s, float *h, size_t units)
{
	for (size_t j = 0; j < units; j++) {
		float r = sigmoid(a[j] + s[j]);
		float z = sigmoid(a[units + j] + s[units + j]);
		float n = tanhf(a[2 * units + j] + r * s[2 * units + j]);

		a[j] = r;
		a[units + j] = z;
		a[2 * units + j] = n;
		h[j] = n + z * (h[j] - n);
	}
}

static const float *bias_of(const struct layer *layer)
{
	const struct gru *gru = layer->state;

	return layer->weights + (gru->in + gru->units) * 3 * gru->units;
}

static void gru_step(struct layer *layer, const struct layer_pass *pass,
		     size_t step)
{
	struct gru *gru = layer->state;
	size_t units = gru->units, stride = gru->steps * units;
	float *sum = gru->hidden + step * 3 * units;

	product_forward(gru->state, pass->batch, gru->h, units, sum,
			3 * stride);
	for (size_t b = 0; b < pass->batch; b++) {
		size_t at = b * gru->steps + step;
		float *h = gru->h + b * units;

		memcpy(gru->before + at * units, h, units * sizeof(*h));
		layer_bias(sum + b * 3 * stride, bias_of(layer) + 3 * units, 1,
			   3 * units, ACT_NONE);
		gru_cell(gru->gate + at * 3 * units,
			 gru->hidden + at * 3 * units, h, units);
		if (layer->spec->sequence)
			memcpy(pass->y + at * units, h, units * sizeof(*h));
	}
}

static void gru_forward(struct layer *layer, const struct layer_pass *pass)
{
	struct gru *gru = layer->state;
	size_t units = gru->units, rows = pass->batch * gru->steps;

	product_weights(gru->input, layer->weights, pass->seed);
	product_weights(gru->state, layer->weights + gru->in * 3 * units,
			pass->seed + 1);
	product_forward(gru->input, rows, pass->x, gru->in, gru->gate,
			3 * units);
	layer_bias(gru->gate, bias_of(layer), rows, 3 * units, ACT_NONE);
	memset(gru->h, 0, pass->batch * units * sizeof(float));
	for (size_t step = 0; step < gru->steps; step++)
		gru_step(layer, pass, step);
	if (!layer->spec->sequence)
		memcpy(pass->y, gru->h, pass->batch * units * sizeof(float));
}

/* The gradients of one step of one sample.  `a`: r, z, n become the gradients
 * of the inputs' sums; `s`: the states' sums become theirs; dh passes the state
 * on but for what goes through U. */
static void gru_cell_backward(float *a, float *s, const float *before,
			      float *dh, size_t units)
{
	for (size_t j = 0; j < units; j++) {
		float r = a[j], z = a[units + j], n = a[2 * units + j];
		float dn = dh[j] * (1.0f - z) * (1.0f - n * n);
		float dz = dh[j] * (before[j] - n) * z * (1.0f - z);
		float dr = dn * s[2 * units + j] * r * (1.0f - r);

		a[j] = s[j] = dr;
		a[units + j] = s[units + j] = dz;
		a[2 * units + j] = dn;
		s[2 * units + j] = dn * r;
		dh[j] *= z;
	}
}

static void gru_step_backward(struct layer *layer,
			      const struct layer_pass *pass, size_t step)
{
	struct gru *gru = layer->state;
	size_t units = gru->units, stride = gru->steps * units;

	for (size_t b = 0; b < pass->batch; b++) {
		size_t at = b * gru->steps + step;
		float *dh = gru->dh + b * units;

		if (layer->spec->sequence)
			layer_put(dh, pass->delta + at * units, units, 1.0f,
				  1.0f);
		gru_cell_backward(gru->gate + at * 3 * units,
				  gru->hidden + at * 3 * units,
				  gru->before + at * units, dh, units);
	}
	if (!step)
		return;
	product_input(gru->state, pass->batch, gru->hidden + step * 3 * units,
		      3 * stride, gru->h, units);
	layer_put(gru->dh, gru->h, pass->batch * units, 1.0f, 1.0f);
}

static void put_bias(struct gru *gru, const float *sums, size_t rows,
		     float *target, const struct backward *to)
{
	layer_sum_rows(gru->row, sums, rows, 3 * gru->units);
	layer_put(target, gru->row, 3 * gru->units, to->alpha, to->beta);
}

static void gru_backward(struct layer *layer, const struct layer_pass *pass)
{
	struct gru *gru = layer->state;
	size_t units = gru->units, rows = pass->batch * gru->steps;
	struct backward to = *pass->to;
	float *bias = to.target + (gru->in + units) * 3 * units;

	if (layer->spec->sequence)
		memset(gru->dh, 0, pass->batch * units * sizeof(float));
	else
		memcpy(gru->dh, pass->delta,
		       pass->batch * units * sizeof(float));
	for (size_t step = gru->steps; step-- > 0;)
		gru_step_backward(layer, pass, step);
	if (pass->dx)
		product_input(gru->input, rows, gru->gate, 3 * units, pass->dx,
			      gru->in);
	product_update(gru->input, rows, pass->x, gru->in, gru->gate, 3 * units,
		       &to);
	to.target += gru->in * 3 * units;
	product_forget(gru->state);
	product_update(gru->state, rows, gru->before, units, gru->hidden,
		       3 * units, &to);
	put_bias(gru, gru->gate, rows, bias, &to);
	put_bias(gru, gru->hidden, rows, bias + 3 * units, &to);
}

const struct layer_kind layer_kind_gru = {
	.name = "gru",
	.shape = gru_shape,
	.parameters = gru_parameters,
	.init = gru_init,
	.cost = gru_cost,
	.scratch = gru_scratch,
	.open = gru_open,
	.close = gru_close,
	.forward = gru_forward,
	.backward = gru_backward,
};
