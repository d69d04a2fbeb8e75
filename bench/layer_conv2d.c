/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Convolution: every K × K patch of the image times the filters.  Weights are
 * (K·K·in) × out, a row for each place and channel of a patch.
 *
 * Two ways: oneDNN's direct convolutions (conv.h) for fp32 and bf16, and a
 * product of the patches, gathered so many images at a time, for everything
 * else: other precisions, other processors, and the matrix libraries "plain"
 * and "openblas", which are the direct way's reference in tests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conv.h"
#include "bench/layer_kind.h"
#include "bench/layer_window.h"
#include "lib/mem.h"

/* Floats of patches that are gathered at a time, if one image is not more. */
#define PATCHES_MAX ((size_t)1 << 20)

struct conv2d {
	struct conv *direct; /* or NULL */
	size_t places;       /* outputs of an image, without channels */
	size_t patch;        /* values of a patch */
	size_t images;       /* that are gathered at a time */
	float *patches, *row;
};

static int conv2d_shape(struct layer_spec *spec, struct err *err)
{
	uint32_t filters = spec->out.channels;

	if (layer_window_shape(spec, err) < 0)
		return -1;
	spec->out.channels = filters;
	return 0;
}

static size_t patch_values(const struct layer_spec *spec)
{
	return (size_t)spec->kernel * spec->kernel * spec->in.channels;
}

static size_t conv2d_parameters(const struct layer_spec *spec)
{
	return (patch_values(spec) + 1) * spec->out.channels;
}

static void conv2d_init(const struct layer_spec *spec, float *weights,
			struct rng *rng)
{
	size_t n = patch_values(spec) * spec->out.channels;

	layer_init_he(weights, n, patch_values(spec), rng);
	memset(weights + n, 0, spec->out.channels * sizeof(*weights));
}

static void conv2d_cost(const struct layer_spec *spec, double batch, bool first,
			struct net_layer_cost *cost)
{
	double places = (double)spec->out.height * spec->out.width;
	double image = batch * (double)layer_in(spec) -
		       batch * places * (double)patch_values(spec);

	snprintf(cost->name, sizeof(cost->name), "conv2d %ux%u %u>%u",
		 spec->kernel, spec->kernel, spec->in.channels,
		 spec->out.channels);
	layer_cost_product(cost, batch * places, (double)patch_values(spec),
			   spec->out.channels, true, first);
	/* The image is read, not its patches. */
	cost->bytes_forward += 4.0 * image;
	cost->bytes_step += 4.0 * (first ? 2.0 : 3.0) * image;
}

static size_t images_at_once(const struct layer_spec *spec, size_t batch)
{
	size_t values =
		(size_t)spec->out.height * spec->out.width * patch_values(spec);
	size_t images = PATCHES_MAX / values;

	images = images ? images : 1;
	return images < batch ? images : batch;
}

static bool is_direct(enum precision_kind precision, const struct mat *mat)
{
	const char *name = mat_name(mat);

	return (precision == PRECISION_FP32 || precision == PRECISION_BF16) &&
	       (strcmp(name, "auto") == 0 || strcmp(name, "onednn") == 0);
}

static size_t conv2d_scratch(const struct layer_spec *spec, size_t batch_max)
{
	return spec->out.channels + images_at_once(spec, batch_max) *
					    spec->out.height * spec->out.width *
					    patch_values(spec);
}

static int conv2d_open(struct layer *layer, struct err *err)
{
	const struct layer_spec *spec = layer->spec;
	struct conv2d *conv = xcalloc(1, sizeof(*conv));
	const struct conv_settings settings = {
		.narrow = layer->precision.kind == PRECISION_BF16,
		.blocked_x = layer->blocked_in,
		.blocked_y = layer->blocked_out,
		.threads = layer->threads,
		.images = layer->images,
		.summed = layer->summed,
	};

	layer->state = conv;
	conv->places = (size_t)spec->out.height * spec->out.width;
	conv->patch = patch_values(spec);
	conv->images = images_at_once(spec, layer->batch_max);
	conv->row = layer->scratch;
	conv->patches = conv->row + spec->out.channels;
	if (is_direct(layer->precision.kind, layer->mat))
		conv->direct = conv_new(spec, &settings, NULL);
	layer->by_image = conv->direct != NULL;
	if (layer->by_image)
		return 0;
	layer->product = product_new(layer->precision, layer->mat, conv->patch,
				     spec->out.channels,
				     conv->images * conv->places, err);
	return layer->product ? 0 : -1;
}

static void conv2d_close(struct layer *layer)
{
	struct conv2d *conv = layer->state;

	if (conv)
		conv_free(conv->direct);
	free(conv);
}

/* ---- by patches -------------------------------------------------------------- */

/* Between the patches of some images and the images: gather copies, scatter
 * adds back. */
static void gather(const struct layer_spec *spec, const float *x, size_t images,
		   float *patches)
{
	size_t row = (size_t)spec->kernel * spec->in.channels;
	size_t patch = patch_values(spec);
	struct layer_window at;

	for (layer_window_first(&at, spec, images); at.more;
	     layer_window_next(&at), patches += patch) {
		size_t length = at.columns * spec->in.channels;

		if (at.rows < spec->kernel || at.columns < spec->kernel)
			memset(patches, 0, patch * sizeof(*patches));
		for (size_t i = 0; i < at.rows; i++)
			memcpy(patches + (at.row + i) * row +
				       at.column * spec->in.channels,
			       x + layer_window_in(&at, i, 0),
			       length * sizeof(*x));
	}
}

static void scatter(const struct layer_spec *spec, const float *patches,
		    size_t images, float *dx)
{
	size_t row = (size_t)spec->kernel * spec->in.channels;
	size_t patch = patch_values(spec);
	struct layer_window at;

	memset(dx, 0, images * layer_in(spec) * sizeof(*dx));
	for (layer_window_first(&at, spec, images); at.more;
	     layer_window_next(&at), patches += patch)
		for (size_t i = 0; i < at.rows; i++)
			layer_put(dx + layer_window_in(&at, i, 0),
				  patches + (at.row + i) * row +
					  at.column * spec->in.channels,
				  at.columns * spec->in.channels, 1.0f, 1.0f);
}

static size_t chunk(const struct conv2d *conv, size_t first, size_t batch)
{
	return batch - first < conv->images ? batch - first : conv->images;
}

static void patches_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct conv2d *conv = layer->state;
	size_t out = spec->out.channels, n;

	product_weights(layer->product, layer->weights, pass->seed);
	for (size_t i = 0; i < pass->batch; i += n) {
		n = chunk(conv, i, pass->batch);
		gather(spec, pass->x + i * layer_in(spec), n, conv->patches);
		product_forward(layer->product, n * conv->places, conv->patches,
				conv->patch, pass->y + i * layer_out(spec),
				out);
	}
	layer_bias(pass->y, layer->weights + conv->patch * out,
		   pass->batch * conv->places, out, spec->activation);
}

static void patches_update(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct conv2d *conv = layer->state;
	struct backward to = *pass->to;
	size_t n;

	product_forget(layer->product);
	for (size_t i = 0; i < pass->batch; i += n) {
		n = chunk(conv, i, pass->batch);
		gather(spec, pass->x + i * layer_in(spec), n, conv->patches);
		product_update(layer->product, n * conv->places, conv->patches,
			       conv->patch, pass->delta + i * layer_out(spec),
			       spec->out.channels, &to);
		to.beta = 1.0f;
	}
}

static void patches_backward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct conv2d *conv = layer->state;
	size_t out = spec->out.channels, n;

	for (size_t i = 0; pass->dx && i < pass->batch; i += n) {
		n = chunk(conv, i, pass->batch);
		product_input(layer->product, n * conv->places,
			      pass->delta + i * layer_out(spec), out,
			      conv->patches, conv->patch);
		scatter(spec, conv->patches, n, pass->dx + i * layer_in(spec));
	}
	patches_update(layer, pass);
	layer_sum_rows(conv->row, pass->delta, pass->batch * conv->places, out);
	layer_put(pass->to->target + conv->patch * out, conv->row, out,
		  pass->to->alpha, pass->to->beta);
}

/* ---- directly, by image ------------------------------------------------------- */

static void direct_prepare(struct layer *layer)
{
	struct conv2d *conv = layer->state;
	size_t filters = conv->patch * layer->spec->out.channels;

	conv_weights(conv->direct, layer->weights, layer->weights + filters);
}

static void direct_forward(struct layer *layer, const struct layer_pass *pass)
{
	const struct layer_spec *spec = layer->spec;
	struct conv2d *conv = layer->state;

	conv_forward(conv->direct, pass->worker, pass->batch, pass->x, pass->y);
	if (spec->activation == ACT_TANH)
		layer_activate(pass->y, pass->batch * layer_out(spec),
			       ACT_TANH);
}

static void direct_input(struct layer *layer, const struct layer_pass *pass)
{
	struct conv2d *conv = layer->state;

	conv_input(conv->direct, pass->worker, pass->batch, pass->delta,
		   pass->dx);
}

static void direct_add(struct layer *layer, const struct layer_pass *pass)
{
	struct conv2d *conv = layer->state;

	conv_add(conv->direct, pass->worker, pass->batch, pass->x, pass->delta,
		 pass->first == 0);
}

static void direct_finish(struct layer *layer, const struct backward *to)
{
	struct conv2d *conv = layer->state;

	layer_put(to->target, conv_gradient(conv->direct),
		  conv2d_parameters(layer->spec), to->alpha, to->beta);
}

static bool conv2d_blocks(const struct layer_spec *spec)
{
	(void)spec;
	return true;
}

static void conv2d_forward(struct layer *layer, const struct layer_pass *pass)
{
	if (layer->by_image)
		direct_forward(layer, pass);
	else
		patches_forward(layer, pass);
}

const struct layer_kind layer_kind_conv2d = {
	.name = "conv2d",
	.shape = conv2d_shape,
	.parameters = conv2d_parameters,
	.init = conv2d_init,
	.cost = conv2d_cost,
	.scratch = conv2d_scratch,
	.open = conv2d_open,
	.close = conv2d_close,
	.forward = conv2d_forward,
	.backward = patches_backward,
	.prepare = direct_prepare,
	.input = direct_input,
	.add = direct_add,
	.finish = direct_finish,
	.by_image = true,
	.blocks = conv2d_blocks,
	.activates = true,
};
