/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door to oneDNN's convolutions.
 *
 * Figures of an EPYC (family 25 model 17), oneDNN 2.6.3, one thread, batch 32:
 * channels last serves 14 × 14 × 32 → 64 (3 × 3) as fast as oneDNN's own blocked
 * order (1925, 1836 and 1972 µs against 1811, 1846 and 2053 for forward, input
 * and weights) and 28 × 28 × 1 → 32 slower (230 and 298 µs against 153 and 141),
 * which is 4 % of both layers; so nothing but weights is ever reordered.  With w
 * as it stands (no order of oneDNN's own) everything takes twice as long.
 */
#include "bench/conv.h"

#include <dnnl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "lib/mem.h"

enum { FORWARD, INPUT, WEIGHTS, PASSES };

/* The primitives of one batch size. */
struct conv_size {
	size_t batch;
	dnnl_primitive_desc_t desc[PASSES];
	dnnl_primitive_t primitive[PASSES];
	/* fp32, channels last, wherever a pass has them. */
	dnnl_memory_t x, y;
	/* The same in bf16; NULL in fp32. */
	dnnl_memory_t x16, y16;
	dnnl_primitive_t x_to_16, y_to_16;
	/* w in oneDNN's order, or w itself; and the way there and back. */
	dnnl_memory_t w[PASSES];
	dnnl_primitive_t reorder[PASSES];
};

struct conv {
	struct layer_spec spec;
	bool narrow;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_memory_desc_t plain; /* of w: (K, K, in, out) */
	dnnl_memory_t w, bias, dw, dbias;
	float *gradient; /* what dw and dbias hold */
	struct conv_size size[CONV_SIZES];
	size_t next; /* to be replaced */
};

/* ---- memory ---------------------------------------------------------------- */

static int failed(dnnl_status_t status, struct err *err)
{
	if (status == dnnl_success)
		return 0;
	return err_set(err, status == dnnl_unimplemented ? ENOTSUP : EIO,
		       "oneDNN: status %d", (int)status);
}

static dnnl_data_type_t type_of(const struct conv *conv)
{
	return conv->narrow ? dnnl_bf16 : dnnl_f32;
}

static void images_desc(dnnl_memory_desc_t *desc, size_t batch,
			const struct net_shape *shape, dnnl_data_type_t type)
{
	dnnl_dims_t dims = { (dnnl_dim_t)batch, shape->channels, shape->height,
			     shape->width };

	dnnl_memory_desc_init_by_tag(desc, 4, dims, type, dnnl_nhwc);
}

static void filters_desc(dnnl_memory_desc_t *desc,
			 const struct layer_spec *spec, dnnl_data_type_t type,
			 dnnl_format_tag_t tag)
{
	dnnl_dims_t dims = { spec->out.channels, spec->in.channels,
			     spec->kernel, spec->kernel };

	dnnl_memory_desc_init_by_tag(desc, 4, dims, type, tag);
}

static void bias_desc(dnnl_memory_desc_t *desc, const struct layer_spec *spec)
{
	dnnl_dims_t dims = { spec->out.channels };

	dnnl_memory_desc_init_by_tag(desc, 1, dims, dnnl_f32, dnnl_x);
}

/* ---- one batch size -------------------------------------------------------- */

/* The convolution's attributes: ReLU in the same pass. */
static dnnl_primitive_attr_t relu_attr(const struct layer_spec *spec)
{
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t ops;

	if (spec->activation != ACT_RELU)
		return NULL;
	dnnl_primitive_attr_create(&attr);
	dnnl_post_ops_create(&ops);
	dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
	dnnl_primitive_attr_set_post_ops(attr, ops);
	dnnl_post_ops_destroy(ops);
	return attr;
}

/* What is convolved: the shapes of a pass. */
struct shapes {
	dnnl_memory_desc_t x, y, narrow_x, narrow_y, w, bias;
	dnnl_dims_t stride, pad, pad_after, dilation;
};

static void shapes_fill(const struct conv *conv, size_t batch,
			struct shapes *shapes)
{
	const struct layer_spec *spec = &conv->spec;
	dnnl_dim_t stride = spec->stride, pad = spec->pad;
	dnnl_dim_t down = (spec->out.height - 1) * stride + spec->kernel;
	dnnl_dim_t right = (spec->out.width - 1) * stride + spec->kernel;

	memset(shapes, 0, sizeof(*shapes));
	images_desc(&shapes->x, batch, &spec->in, dnnl_f32);
	images_desc(&shapes->y, batch, &spec->out, dnnl_f32);
	images_desc(&shapes->narrow_x, batch, &spec->in, type_of(conv));
	images_desc(&shapes->narrow_y, batch, &spec->out, type_of(conv));
	filters_desc(&shapes->w, spec, type_of(conv), dnnl_format_tag_any);
	bias_desc(&shapes->bias, spec);
	for (int i = 0; i < 2; i++) {
		shapes->stride[i] = stride;
		shapes->pad[i] = pad;
	}
	/* What the window does not reach is cut off. */
	shapes->pad_after[0] = down - spec->in.height - pad;
	shapes->pad_after[1] = right - spec->in.width - pad;
}

static int pass_desc(const struct conv *conv, struct conv_size *size, int pass,
		     struct shapes *s, struct err *err)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_convolution_desc_t desc;
	dnnl_status_t status;
	dnnl_memory_desc_t dw = s->w;

	dw.data_type = dnnl_f32;
	if (pass == FORWARD)
		status = dnnl_dilated_convolution_forward_desc_init(
			&desc, dnnl_forward_training, dnnl_convolution_direct,
			&s->narrow_x, &s->w, &s->bias, &s->y, s->stride,
			s->dilation, s->pad, s->pad_after);
	else if (pass == INPUT)
		status = dnnl_dilated_convolution_backward_data_desc_init(
			&desc, dnnl_convolution_direct, &s->x, &s->w,
			&s->narrow_y, s->stride, s->dilation, s->pad,
			s->pad_after);
	else
		status = dnnl_dilated_convolution_backward_weights_desc_init(
			&desc, dnnl_convolution_direct, &s->narrow_x, &dw,
			&s->bias, &s->narrow_y, s->stride, s->dilation, s->pad,
			s->pad_after);
	if (status == dnnl_success) {
		attr = pass == FORWARD ? relu_attr(&conv->spec) : NULL;
		status = dnnl_primitive_desc_create(&size->desc[pass], &desc,
						    attr, conv->engine,
						    size->desc[FORWARD]);
		if (attr)
			dnnl_primitive_attr_destroy(attr);
	}
	if (status == dnnl_success)
		status = dnnl_primitive_create(&size->primitive[pass],
					       size->desc[pass]);
	return failed(status, err);
}

static int reorder_new(dnnl_primitive_t *reorder, const struct conv *conv,
		       const dnnl_memory_desc_t *from,
		       const dnnl_memory_desc_t *to, struct err *err)
{
	dnnl_primitive_desc_t desc;
	dnnl_status_t status = dnnl_reorder_primitive_desc_create(
		&desc, from, conv->engine, to, conv->engine, NULL);

	if (status != dnnl_success)
		return failed(status, err);
	status = dnnl_primitive_create(reorder, desc);
	dnnl_primitive_desc_destroy(desc);
	return failed(status, err);
}

static int filters_new(struct conv *conv, struct conv_size *size, int pass,
		       struct err *err)
{
	bool back = pass == WEIGHTS;
	const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(
		size->desc[pass],
		back ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);

	if (dnnl_memory_desc_equal(desc, &conv->plain))
		return 0; /* w itself will do */
	if (failed(dnnl_memory_create(&size->w[pass], desc, conv->engine,
				      DNNL_MEMORY_ALLOCATE),
		   err) < 0)
		return -1;
	return reorder_new(&size->reorder[pass], conv,
			   back ? desc : &conv->plain,
			   back ? &conv->plain : desc, err);
}

static int narrow_new(const struct conv *conv, dnnl_memory_t *memory,
		      dnnl_primitive_t *reorder, const dnnl_memory_desc_t *wide,
		      const dnnl_memory_desc_t *narrow, struct err *err)
{
	if (!conv->narrow)
		return 0;
	if (failed(dnnl_memory_create(memory, narrow, conv->engine,
				      DNNL_MEMORY_ALLOCATE),
		   err) < 0)
		return -1;
	return reorder_new(reorder, conv, wide, narrow, err);
}

static void size_done(struct conv_size *size)
{
	dnnl_memory_t memories[] = { size->x,   size->y,    size->x16,
				     size->y16, size->w[0], size->w[1],
				     size->w[2] };

	for (int pass = 0; pass < PASSES; pass++) {
		dnnl_primitive_destroy(size->primitive[pass]);
		dnnl_primitive_desc_destroy(size->desc[pass]);
		dnnl_primitive_destroy(size->reorder[pass]);
	}
	dnnl_primitive_destroy(size->x_to_16);
	dnnl_primitive_destroy(size->y_to_16);
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++)
		dnnl_memory_destroy(memories[i]);
	memset(size, 0, sizeof(*size));
}

static int size_fill(struct conv *conv, struct conv_size *size, size_t batch,
		     struct err *err)
{
	struct shapes shapes;

	size->batch = batch;
	shapes_fill(conv, batch, &shapes);
	for (int pass = 0; pass < PASSES; pass++)
		if (pass_desc(conv, size, pass, &shapes, err) < 0 ||
		    filters_new(conv, size, pass, err) < 0)
			return -1;
	if (failed(dnnl_memory_create(&size->x, &shapes.x, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0 ||
	    failed(dnnl_memory_create(&size->y, &shapes.y, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0)
		return -1;
	if (narrow_new(conv, &size->x16, &size->x_to_16, &shapes.x,
		       &shapes.narrow_x, err) < 0)
		return -1;
	return narrow_new(conv, &size->y16, &size->y_to_16, &shapes.y,
			  &shapes.narrow_y, err);
}

static struct conv_size *size_of(struct conv *conv, size_t batch)
{
	struct conv_size *size;

	for (size_t i = 0; i < CONV_SIZES; i++)
		if (conv->size[i].batch == batch)
			return &conv->size[i];
	size = &conv->size[conv->next++ % CONV_SIZES];
	size_done(size);
	if (size_fill(conv, size, batch, NULL) < 0)
		abort(); /* another batch of it was fine: out of memory */
	return size;
}

/* ---- all of them ------------------------------------------------------------ */

static int conv_fill(struct conv *conv, size_t batch, struct err *err)
{
	const struct layer_spec *spec = &conv->spec;
	size_t filters = (size_t)spec->kernel * spec->kernel *
			 spec->in.channels * spec->out.channels;
	dnnl_memory_desc_t bias;

	if (failed(dnnl_engine_create(&conv->engine, dnnl_cpu, 0), err) < 0 ||
	    failed(dnnl_stream_create(&conv->stream, conv->engine,
				      dnnl_stream_default_flags),
		   err) < 0)
		return -1;
	filters_desc(&conv->plain, spec, dnnl_f32, dnnl_hwio);
	bias_desc(&bias, spec);
	conv->gradient =
		xcalloc_aligned(filters + spec->out.channels, sizeof(float));
	if (failed(dnnl_memory_create(&conv->w, &conv->plain, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0 ||
	    failed(dnnl_memory_create(&conv->bias, &bias, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0 ||
	    failed(dnnl_memory_create(&conv->dw, &conv->plain, conv->engine,
				      conv->gradient),
		   err) < 0 ||
	    failed(dnnl_memory_create(&conv->dbias, &bias, conv->engine,
				      conv->gradient + filters),
		   err) < 0)
		return -1;
	conv->next = 1;
	return size_fill(conv, &conv->size[0], batch, err);
}

struct conv *conv_new(const struct layer_spec *spec, bool narrow,
		      size_t batch_max, struct err *err)
{
	struct conv *conv = xcalloc(1, sizeof(*conv));

	mat_onednn_single_thread();
	conv->spec = *spec;
	conv->narrow = narrow;
	if (conv_fill(conv, batch_max, err) == 0)
		return conv;
	conv_free(conv);
	return NULL;
}

void conv_free(struct conv *conv)
{
	if (!conv)
		return;
	for (size_t i = 0; i < CONV_SIZES; i++)
		size_done(&conv->size[i]);
	dnnl_memory_destroy(conv->w);
	dnnl_memory_destroy(conv->bias);
	dnnl_memory_destroy(conv->dw);
	dnnl_memory_destroy(conv->dbias);
	dnnl_stream_destroy(conv->stream);
	dnnl_engine_destroy(conv->engine);
	free(conv->gradient);
	free(conv);
}

/* ---- at work ----------------------------------------------------------------- */

/* oneDNN's handles are not const, whatever they are read for. */
static void point(dnnl_memory_t memory, const float *at)
{
	union {
		const float *from;
		void *to;
	} cast = { at };

	dnnl_memory_set_data_handle(memory, cast.to);
}

static void run(const struct conv *conv, dnnl_primitive_t primitive,
		const dnnl_exec_arg_t *argument, int arguments)
{
	if (dnnl_primitive_execute(primitive, conv->stream, arguments,
				   argument) != dnnl_success)
		abort(); /* shapes that do not fit together: our mistake */
}

static void reorder(const struct conv *conv, dnnl_primitive_t primitive,
		    dnnl_memory_t from, dnnl_memory_t to)
{
	const dnnl_exec_arg_t argument[] = { { DNNL_ARG_FROM, from },
					     { DNNL_ARG_TO, to } };

	run(conv, primitive, argument, 2);
}

/* The images as the primitives take them. */
static dnnl_memory_t images(const struct conv *conv, dnnl_memory_t wide,
			    dnnl_memory_t narrow, dnnl_primitive_t to_16,
			    const float *at)
{
	point(wide, at);
	if (!conv->narrow)
		return wide;
	reorder(conv, to_16, wide, narrow);
	return narrow;
}

/* The last w, as a pass takes it. */
static dnnl_memory_t filters(const struct conv *conv,
			     const struct conv_size *size, int pass)
{
	if (!size->reorder[pass])
		return conv->w;
	reorder(conv, size->reorder[pass], conv->w, size->w[pass]);
	return size->w[pass];
}

void conv_forward(struct conv *conv, size_t batch, const float *x,
		  const float *w, const float *bias, float *y)
{
	struct conv_size *size = size_of(conv, batch);

	mat_onednn_single_thread();
	point(conv->w, w);
	point(conv->bias, bias);
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_SRC,
		  images(conv, size->x, size->x16, size->x_to_16, x) },
		{ DNNL_ARG_WEIGHTS, filters(conv, size, FORWARD) },
		{ DNNL_ARG_BIAS, conv->bias },
		{ DNNL_ARG_DST, size->y },
	};
	point(size->y, y);
	run(conv, size->primitive[FORWARD], argument, 4);
}

void conv_input(struct conv *conv, size_t batch, const float *g, float *dx)
{
	struct conv_size *size = size_of(conv, batch);
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_DIFF_DST,
		  images(conv, size->y, size->y16, size->y_to_16, g) },
		{ DNNL_ARG_WEIGHTS, filters(conv, size, INPUT) },
		{ DNNL_ARG_DIFF_SRC, size->x },
	};

	point(size->x, dx);
	run(conv, size->primitive[INPUT], argument, 3);
}

const float *conv_gradient(struct conv *conv, size_t batch, const float *x,
			   const float *g)
{
	struct conv_size *size = size_of(conv, batch);
	dnnl_memory_t dw = size->reorder[WEIGHTS] ? size->w[WEIGHTS] : conv->dw;
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_SRC,
		  images(conv, size->x, size->x16, size->x_to_16, x) },
		{ DNNL_ARG_DIFF_DST,
		  images(conv, size->y, size->y16, size->y_to_16, g) },
		{ DNNL_ARG_DIFF_WEIGHTS, dw },
		{ DNNL_ARG_DIFF_BIAS, conv->dbias },
	};

	run(conv, size->primitive[WEIGHTS], argument, 4);
	if (size->reorder[WEIGHTS])
		reorder(conv, size->reorder[WEIGHTS], dw, conv->dw);
	return conv->gradient;
}
