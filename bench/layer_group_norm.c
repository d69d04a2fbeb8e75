/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Group normalisation (Wu and He, ECCV 2018): per sample and group of
 * channels, ŷ = (x − mean) / sqrt(variance + 1e-5), then scale and shift per
 * channel.  Unlike batch norm it knows nothing of other samples, so it means
 * the same on every client of a federation.
 *
 * Backward, over the n values of a group: with ĝ = g · scale,
 * dx = (ĝ − mean(ĝ) − x̂ · mean(ĝ x̂)) / sqrt(variance + ε).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"

#define EPSILON 1e-5

static int norm_shape(struct layer_spec *spec, struct err *err)
{
	if (spec->in.channels % spec->groups)
		return err_set(err, EINVAL,
			       "%u channels cannot be cut into %u groups",
			       spec->in.channels, spec->groups);
	spec->out = spec->in;
	return 0;
}

static size_t norm_parameters(const struct layer_spec *spec)
{
	return 2 * (size_t)spec->in.channels;
}

static void norm_init(const struct layer_spec *spec, float *weights,
		      struct rng *rng)
{
	(void)rng;
	for (size_t c = 0; c < spec->in.channels; c++) {
		weights[c] = 1.0f;
		weights[spec->in.channels + c] = 0.0f;
	}
}

static void norm_cost(const struct layer_spec *spec, double batch, bool first,
		      struct net_layer_cost *cost)
{
	(void)first;
	snprintf(cost->name, sizeof(cost->name), "group norm %u", spec->groups);
	layer_cost_passes(cost, batch * (double)layer_in(spec), 3.0, 8.0);
}

/* Mean and 1/sqrt of each group of each sample; then two rows of channels. */
static size_t norm_scratch(const struct layer_spec *spec, size_t batch_max)
{
	return 2 * batch_max * spec->groups + 2 * (size_t)spec->in.channels;
}

/* One group of one sample. */
struct group {
	size_t pixels, stride; /* stride: channels of a pixel */
	size_t first, channels;
	const float *scale;
	float mean, inverse;
};

static struct group group_of(const struct layer *layer, size_t g)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels / spec->groups;

	return (struct group){
		.pixels = (size_t)spec->in.height * spec->in.width,
		.stride = spec->in.channels,
		.first = g * channels,
		.channels = channels,
		.scale = layer->weights + g * channels,
	};
}

static void group_moments(struct group *group, const float *x)
{
	double n = (double)(group->pixels * group->channels);
	double sum = 0.0, square = 0.0, mean;

	for (size_t p = 0; p < group->pixels; p++)
		for (size_t c = 0; c < group->channels; c++)
			sum += (double)x[p * group->stride + c];
	mean = sum / n;
	for (size_t p = 0; p < group->pixels; p++)
		for (size_t c = 0; c < group->channels; c++) {
			double d = (double)x[p * group->stride + c] - mean;

			square += d * d;
		}
	group->mean = (float)mean;
	group->inverse = (float)(1.0 / sqrt(square / n + EPSILON));
}

static void group_forward(const struct group *group, const float *x, float *y,
			  const float *shift)
{
	for (size_t p = 0; p < group->pixels; p++)
		for (size_t c = 0; c < group->channels; c++) {
			size_t i = p * group->stride + c;

			y[i] = (x[i] - group->mean) * group->inverse *
				       group->scale[c] +
			       shift[c];
		}
}

static void norm_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	float *moments = layer->scratch;

	for (size_t b = 0; b < pass->batch; b++)
		for (size_t g = 0; g < spec->groups; g++) {
			struct group group = group_of(layer, g);
			size_t at = b * layer_in(spec) + group.first;

			group_moments(&group, pass->x + at);
			group_forward(&group, pass->x + at, pass->y + at,
				      group.scale + group.stride);
			*moments++ = group.mean;
			*moments++ = group.inverse;
		}
}

/* Adds to the gradients of scale and shift, and gives dx. */
static void group_backward(const struct group *group, const float *x,
			   const float *delta, float *dx, float *d_scale,
			   float *d_shift)
{
	double n = (double)(group->pixels * group->channels);
	double sum = 0.0, product = 0.0;
	float mean, slope;

	for (size_t p = 0; p < group->pixels; p++)
		for (size_t c = 0; c < group->channels; c++) {
			size_t i = p * group->stride + c;
			float hat = (x[i] - group->mean) * group->inverse;
			float g = delta[i] * group->scale[c];

			d_scale[c] += delta[i] * hat;
			d_shift[c] += delta[i];
			sum += (double)g;
			product += (double)(g * hat);
		}
	mean = (float)(sum / n);
	slope = (float)(product / n);
	for (size_t p = 0; dx && p < group->pixels; p++)
		for (size_t c = 0; c < group->channels; c++) {
			size_t i = p * group->stride + c;
			float hat = (x[i] - group->mean) * group->inverse;

			dx[i] = (delta[i] * group->scale[c] - mean -
				 hat * slope) *
				group->inverse;
		}
}

static void norm_backward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	const float *moments = layer->scratch;
	size_t channels = spec->in.channels;
	float *sums = layer->scratch + 2 * layer->batch_max * spec->groups;

	memset(sums, 0, 2 * channels * sizeof(*sums));
	for (size_t b = 0; b < pass->batch; b++)
		for (size_t g = 0; g < spec->groups; g++) {
			struct group group = group_of(layer, g);
			size_t at = b * layer_in(spec) + group.first;

			group.mean = *moments++;
			group.inverse = *moments++;
			group_backward(&group, pass->x + at, pass->delta + at,
				       pass->dx ? pass->dx + at : NULL,
				       sums + group.first,
				       sums + channels + group.first);
		}
	layer_put(pass->to->target, sums, 2 * channels, pass->to->alpha,
		  pass->to->beta);
}

const struct layer_kind layer_kind_group_norm = {
	.name = "group norm",
	.shape = norm_shape,
	.parameters = norm_parameters,
	.init = norm_init,
	.cost = norm_cost,
	.scratch = norm_scratch,
	.forward = norm_forward,
	.backward = norm_backward,
};
