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

/* Where the channels of a row lie: `n` of them at a time, `blocks` times. */
struct lie {
	size_t n, blocks, in_step, out_step;
};

static struct lie lie_of(const struct layer *layer)
{
	size_t channels = layer->spec->in.channels;
	bool blocked = layer->blocked_in || layer->blocked_out;
	size_t n = blocked ? LAYER_BLOCK : channels;

	return (struct lie){
		.n = n,
		.blocks = channels / n,
		.in_step = layer->blocked_in ? n : channels,
		.out_step = layer->blocked_out ? n : channels,
	};
}

/* Floats before a block's part of a row. */
static size_t row_at(const struct lie *lie, const struct net_shape *shape,
		     size_t step, size_t image, size_t block, size_t row)
{
	if (step == lie->n)
		return ((image * lie->blocks + block) * shape->height + row) *
		       shape->width * step;
	return (image * shape->height + row) * shape->width * step +
	       block * lie->n;
}

/* A row of windows. */
VECTORS static void square_forward(float *restrict y, float *restrict won,
				   const float *restrict top,
				   const float *restrict low, struct lie lie,
				   size_t windows, float least)
{
	size_t n = lie.n, in = lie.in_step;

	for (size_t w = 0; w < windows; w++) {
		for (size_t c = 0; c < n; c++) {
			float a = top[c], b = top[in + c], d = low[c],
			      e = low[in + c];
			float up = b > a ? b : a, down = e > d ? e : d;
			float first = b > a ? 1.0f : 0.0f;
			float second = e > d ? 3.0f : 2.0f;
			float most = down > up ? down : up;

			won[c] = most > least ? (down > up ? second : first)
					      : NOBODY;
			y[c] = most > least ? most : least;
		}
		top += 2 * in;
		low += 2 * in;
		y += lie.out_step;
		won += lie.out_step;
	}
}

VECTORS static void square_backward(float *restrict dx_top,
				    float *restrict dx_low,
				    const float *restrict won,
				    const float *restrict g, struct lie lie,
				    size_t windows)
{
	size_t n = lie.n, in = lie.in_step;

	for (size_t w = 0; w < windows; w++) {
		for (size_t c = 0; c < n; c++) {
			float place = won[c], given = g[c];

			dx_top[c] = place == 0.0f ? given : 0.0f;
			dx_top[in + c] = place == 1.0f ? given : 0.0f;
			dx_low[c] = place == 2.0f ? given : 0.0f;
			dx_low[in + c] = place == 3.0f ? given : 0.0f;
		}
		dx_top += 2 * in;
		dx_low += 2 * in;
		g += lie.out_step;
		won += lie.out_step;
	}
}

static void squares_forward(const struct layer *layer, float *won,
			    const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct lie lie = lie_of(layer);
	size_t below = lie.in_step * spec->in.width;

	for (size_t b = 0; b < pass->batch; b++)
		for (size_t q = 0; q < lie.blocks; q++)
			for (size_t i = 0; i < spec->out.height; i++) {
				const float *x =
					pass->x + row_at(&lie, &spec->in,
							 lie.in_step, b, q,
							 2 * i);
				size_t at = row_at(&lie, &spec->out,
						   lie.out_step, b, q, i);

				square_forward(pass->y + at, won + at, x,
					       x + below, lie, spec->out.width,
					       least_of(spec));
			}
}

static void squares_backward(const struct layer *layer, const float *won,
			     const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct lie lie = lie_of(layer);
	size_t below = lie.in_step * spec->in.width;

	if (spec->in.height % 2 || spec->in.width % 2)
		memset(pass->dx, 0,
		       pass->batch * layer_in(spec) * sizeof(float));
	for (size_t b = 0; b < pass->batch; b++)
		for (size_t q = 0; q < lie.blocks; q++)
			for (size_t i = 0; i < spec->out.height; i++) {
				float *dx = pass->dx + row_at(&lie, &spec->in,
							      lie.in_step, b, q,
							      2 * i);
				size_t at = row_at(&lie, &spec->out,
						   lie.out_step, b, q, i);

				square_backward(dx, dx + below, won + at,
						pass->delta + at, lie,
						spec->out.width);
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
		squares_forward(layer, winners(layer, pass), pass);
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
		squares_backward(layer, won, pass);
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
	.blocks = is_square,
	.activates = true,
	.masks_relu = true,
};
