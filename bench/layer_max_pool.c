/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The maximum of each channel over K × K places; the first one of equals
 * passes the gradient on.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/layer_window.h"
#include "bench/vectors.h"

static void pool_cost(const struct layer_spec *spec, double batch, bool first,
		      struct net_layer_cost *cost)
{
	double in = batch * (double)layer_in(spec);

	(void)first;
	snprintf(cost->name, sizeof(cost->name), "max pool %ux%u", spec->kernel,
		 spec->kernel);
	layer_cost_passes(cost, in, 1.0, 2.0);
}

/* Which of the K × K places won, for each output (a byte would make
 * vectors of more channels than there usually are). */
static size_t pool_scratch(const struct layer_spec *spec, size_t batch_max)
{
	return batch_max * layer_out(spec);
}

/* ReLU comes with the maximum: below 0 nobody wins, and no gradient passes. */
#define NOBODY (-1.0f)

/* Those of the first image at hand. */
static float *winners(const struct layer *layer, const struct layer_pass *pass)
{
	return layer->scratch + pass->first * layer_out(layer->spec);
}

static float least_of(const struct layer_spec *spec)
{
	return spec->activation == ACT_RELU ? 0.0f : -INFINITY;
}

/* 2 × 2 without overlap, the usual one: the four places of a window at once. */
static bool is_square(const struct layer_spec *spec)
{
	return spec->kernel == 2 && spec->stride == 2;
}

VECTORS static void square_forward(float *restrict y, float *restrict won,
				   const float *restrict top,
				   const float *restrict low, size_t n,
				   float least)
{
	for (size_t c = 0; c < n; c++) {
		float a = top[c], b = top[n + c], d = low[c], e = low[n + c];
		float up = b > a ? b : a, down = e > d ? e : d;
		float first = b > a ? 1.0f : 0.0f, second = e > d ? 3.0f : 2.0f;

		float most = down > up ? down : up;

		won[c] = most > least ? (down > up ? second : first) : NOBODY;
		y[c] = most > least ? most : least;
	}
}

VECTORS static void square_backward(float *restrict dx_top,
				    float *restrict dx_low,
				    const float *restrict won,
				    const float *restrict g, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		float place = won[c];

		dx_top[c] = place == 0.0f ? g[c] : 0.0f;
		dx_top[n + c] = place == 1.0f ? g[c] : 0.0f;
		dx_low[c] = place == 2.0f ? g[c] : 0.0f;
		dx_low[n + c] = place == 3.0f ? g[c] : 0.0f;
	}
}

static void squares_forward(const struct layer_spec *spec, float *won,
			    const struct layer_pass *pass)
{
	size_t channels = spec->in.channels, row = channels * spec->in.width;
	float least = least_of(spec);
	float *y = pass->y;

	for (size_t b = 0; b < pass->batch; b++)
		for (size_t i = 0; i < spec->out.height; i++) {
			const float *x =
				pass->x + b * layer_in(spec) + 2 * i * row;

			for (size_t j = 0; j < spec->out.width; j++) {
				square_forward(y, won, x, x + row, channels,
					       least);
				won += channels;
				x += 2 * channels;
				y += channels;
			}
		}
}

static void squares_backward(const struct layer_spec *spec, const float *won,
			     const struct layer_pass *pass)
{
	size_t channels = spec->in.channels, row = channels * spec->in.width;
	const float *g = pass->delta;

	if (spec->in.height % 2 || spec->in.width % 2)
		memset(pass->dx, 0,
		       pass->batch * layer_in(spec) * sizeof(float));
	for (size_t b = 0; b < pass->batch; b++)
		for (size_t i = 0; i < spec->out.height; i++) {
			size_t at = b * layer_in(spec) + 2 * i * row;

			for (size_t j = 0; j < spec->out.width; j++) {
				square_backward(pass->dx + at,
						pass->dx + at + row, won, g,
						channels);
				won += channels;
				at += 2 * channels;
				g += channels;
			}
		}
}

static void first_place(float *restrict y, float *restrict won,
			const float *restrict x, size_t n)
{
	memcpy(y, x, n * sizeof(*y));
	memset(won, 0, n * sizeof(*won));
}

VECTORS static void next_place(float *restrict y, float *restrict won,
			       const float *restrict x, size_t n, float place)
{
	for (size_t c = 0; c < n; c++) {
		won[c] = x[c] > y[c] ? place : won[c];
		y[c] = x[c] > y[c] ? x[c] : y[c];
	}
}

static void cut_off(float *restrict y, float *restrict won, size_t n)
{
	for (size_t c = 0; c < n; c++)
		if (!(y[c] > 0.0f)) {
			y[c] = 0.0f;
			won[c] = NOBODY;
		}
}

VECTORS static void give_back(float *restrict dx, const float *restrict won,
			      const float *restrict g, size_t n, float place)
{
	for (size_t c = 0; c < n; c++)
		dx[c] += won[c] == place ? g[c] : 0.0f;
}

static void windows_forward(const struct layer_spec *spec, float *won,
			    const struct layer_pass *pass)
{
	size_t channels = spec->in.channels;
	struct layer_window at;

	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		float *y = pass->y + at.out;
		int place = 0;

		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++, place++) {
				const float *x =
					pass->x + layer_window_in(&at, i, j);

				if (place)
					next_place(y, won + at.out, x, channels,
						   (float)place);
				else
					first_place(y, won + at.out, x,
						    channels);
			}
		if (spec->activation == ACT_RELU)
			cut_off(y, won + at.out, channels);
	}
}

static void pool_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;

	if (is_square(spec))
		squares_forward(spec, winners(layer, pass), pass);
	else
		windows_forward(spec, winners(layer, pass), pass);
	if (spec->activation != ACT_RELU)
		layer_activate(pass->y, pass->batch * layer_out(spec),
			       spec->activation);
}

static void pool_backward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	size_t channels = spec->in.channels;
	const float *won = winners(layer, pass);
	struct layer_window at;

	if (!pass->dx)
		return;
	if (is_square(spec)) {
		squares_backward(spec, won, pass);
		return;
	}
	memset(pass->dx, 0, pass->batch * layer_in(spec) * sizeof(float));
	for (layer_window_first(&at, spec, pass->batch); at.more;
	     layer_window_next(&at)) {
		const float *g = pass->delta + at.out;
		int place = 0;

		for (size_t i = 0; i < at.rows; i++)
			for (size_t j = 0; j < at.columns; j++, place++) {
				float *dx =
					pass->dx + layer_window_in(&at, i, j);

				give_back(dx, won + at.out, g, channels,
					  (float)place);
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
	.input = pool_backward,
	.by_image = true,
	.activates = true,
	.masks_relu = true,
};
