/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "bench/layer_kind.h"

static const struct layer_kind *const kinds[LAYER_TYPES] = {
	[LAYER_DENSE] = &layer_kind_dense,
	[LAYER_CONV2D] = &layer_kind_conv2d,
	[LAYER_MAX_POOL] = &layer_kind_max_pool,
	[LAYER_AVERAGE_POOL] = &layer_kind_average_pool,
	[LAYER_GROUP_NORM] = &layer_kind_group_norm,
	[LAYER_DROPOUT] = &layer_kind_dropout,
	[LAYER_EMBEDDING] = &layer_kind_embedding,
	[LAYER_GRU] = &layer_kind_gru,
};

const struct layer_kind *layer_kind_of(enum layer_type type)
{
	return kinds[type];
}

size_t layer_parameters(const struct layer_spec *spec)
{
	const struct layer_kind *kind = layer_kind_of(spec->type);

	return kind->parameters ? kind->parameters(spec) : 0;
}

/* ---- loops around the matrix products -------------------------------------- */

static void add_bias(float *restrict y, const float *restrict bias, size_t rows,
		     size_t width)
{
	for (size_t r = 0; r < rows; r++, y += width)
		for (size_t j = 0; j < width; j++)
			y[j] += bias[j];
}

static void add_bias_relu(float *restrict y, const float *restrict bias,
			  size_t rows, size_t width)
{
	for (size_t r = 0; r < rows; r++, y += width)
		for (size_t j = 0; j < width; j++) {
			float z = y[j] + bias[j];

			y[j] = z > 0.0f ? z : 0.0f;
		}
}

void layer_activate(float *y, size_t n, enum activation activation)
{
	if (activation == ACT_RELU)
		for (size_t i = 0; i < n; i++)
			y[i] = y[i] > 0.0f ? y[i] : 0.0f;
	else if (activation == ACT_TANH)
		for (size_t i = 0; i < n; i++)
			y[i] = tanhf(y[i]);
}

void layer_bias(float *y, const float *bias, size_t rows, size_t width,
		enum activation activation)
{
	if (activation == ACT_RELU) {
		add_bias_relu(y, bias, rows, width);
		return;
	}
	add_bias(y, bias, rows, width);
	layer_activate(y, rows * width, activation);
}

void layer_mask(float *restrict delta, const float *restrict y, size_t n,
		enum activation activation)
{
	if (activation == ACT_RELU)
		for (size_t i = 0; i < n; i++)
			delta[i] = y[i] > 0.0f ? delta[i] : 0.0f;
	else if (activation == ACT_TANH)
		for (size_t i = 0; i < n; i++)
			delta[i] *= 1.0f - y[i] * y[i];
}

void layer_sum_rows(float *restrict sum, const float *restrict delta,
		    size_t rows, size_t width)
{
	memcpy(sum, delta, width * sizeof(*sum));
	for (size_t r = 1; r < rows; r++)
		for (size_t j = 0; j < width; j++)
			sum[j] += delta[r * width + j];
}

void layer_put(float *restrict target, const float *restrict x, size_t n,
	       float alpha, float beta)
{
	if (beta == 0.0f)
		for (size_t i = 0; i < n; i++)
			target[i] = alpha * x[i];
	else
		for (size_t i = 0; i < n; i++)
			target[i] = beta * target[i] + alpha * x[i];
}

void layer_init_he(float *w, size_t n, size_t in, struct rng *rng)
{
	double bound = sqrt(6.0 / (double)in);

	for (size_t i = 0; i < n; i++)
		w[i] = (float)(bound * (2.0 * rng_uniform(rng) - 1.0));
}
