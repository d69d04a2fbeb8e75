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
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "lib/mem.h"

enum { FORWARD, INPUT, WEIGHTS, PASSES };

/* A pass over so many images. */
struct conv_pass {
	size_t images; /* 0: free */
	dnnl_primitive_desc_t desc;
	dnnl_primitive_t primitive;
	/* fp32, channels last. */
	dnnl_memory_t x, y;
	/* The same in bf16, where the pass reads it; NULL in fp32. */
	dnnl_memory_t x16, y16;
	dnnl_primitive_t x_to_16, y_to_16;
	/* w in oneDNN's order (NULL: as it stands), and the way there or back. */
	dnnl_memory_t w;
	dnnl_primitive_t reorder;
	uint64_t weights;      /* which ones were reordered last */
	dnnl_memory_t scratch; /* or NULL */
};

/* What a thread works with. */
struct conv_lane {
	dnnl_stream_t stream;
	struct conv_pass pass[PASSES][CONV_SIZES];
	size_t next[PASSES]; /* to be replaced */
};

struct conv {
	struct layer_spec spec;
	bool narrow, blocked_x, blocked_y;
	size_t values; /* of w and bias */
	dnnl_engine_t engine;
	dnnl_memory_desc_t plain; /* of w: (K, K, in, out) */
	dnnl_memory_t w, bias, dw, dbias;
	uint64_t weights;       /* counts conv_weights() */
	float *part, *gradient; /* part: of a later block */
	size_t lanes;
	struct conv_lane *lane;
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
			const struct net_shape *shape, dnnl_data_type_t type,
			bool blocked)
{
	dnnl_format_tag_t tag = blocked ? dnnl_nChw16c : dnnl_nhwc;
	dnnl_dims_t dims = { (dnnl_dim_t)batch, shape->channels, shape->height,
			     shape->width };

	/* The same thing, and the primitives for it are found by this name. */
	if (shape->channels == 1)
		tag = dnnl_nchw;
	dnnl_memory_desc_init_by_tag(desc, 4, dims, type, tag);
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

/* ---- one pass -------------------------------------------------------- */

/* ReLU in the same pass; memory that a primitive needs is the lane's, so that
 * threads do not meet in it. */
static dnnl_primitive_attr_t attributes(const struct layer_spec *spec, int pass)
{
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t ops;

	dnnl_primitive_attr_create(&attr);
	dnnl_primitive_attr_set_scratchpad_mode(attr,
						dnnl_scratchpad_mode_user);
	if (pass != FORWARD || spec->activation != ACT_RELU)
		return attr;
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

static void shapes_fill(const struct conv *conv, size_t images,
			struct shapes *shapes)
{
	const struct layer_spec *spec = &conv->spec;
	dnnl_dim_t stride = spec->stride, pad = spec->pad;
	dnnl_dim_t down = (spec->out.height - 1) * stride + spec->kernel;
	dnnl_dim_t right = (spec->out.width - 1) * stride + spec->kernel;

	memset(shapes, 0, sizeof(*shapes));
	images_desc(&shapes->x, images, &spec->in, dnnl_f32, conv->blocked_x);
	images_desc(&shapes->y, images, &spec->out, dnnl_f32, conv->blocked_y);
	images_desc(&shapes->narrow_x, images, &spec->in, type_of(conv),
		    conv->blocked_x);
	images_desc(&shapes->narrow_y, images, &spec->out, type_of(conv),
		    conv->blocked_y);
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

static dnnl_status_t forward_desc(const struct conv *conv, struct shapes *s,
				  dnnl_primitive_desc_t *made)
{
	dnnl_primitive_attr_t attr = attributes(&conv->spec, FORWARD);
	dnnl_convolution_desc_t desc;
	dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
		&desc, dnnl_forward_training, dnnl_convolution_direct,
		&s->narrow_x, &s->w, &s->bias, &s->y, s->stride, s->dilation,
		s->pad, s->pad_after);

	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(made, &desc, attr,
						    conv->engine, NULL);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

static dnnl_status_t backward_desc(const struct conv *conv, int pass,
				   struct shapes *s,
				   dnnl_primitive_desc_t forward,
				   dnnl_primitive_desc_t *made)
{
	dnnl_primitive_attr_t attr = attributes(&conv->spec, pass);
	dnnl_memory_desc_t dw = s->w;
	dnnl_convolution_desc_t desc;
	dnnl_status_t status;

	dw.data_type = dnnl_f32;
	if (pass == INPUT)
		status = dnnl_dilated_convolution_backward_data_desc_init(
			&desc, dnnl_convolution_direct, &s->x, &s->w,
			&s->narrow_y, s->stride, s->dilation, s->pad,
			s->pad_after);
	else
		status = dnnl_dilated_convolution_backward_weights_desc_init(
			&desc, dnnl_convolution_direct, &s->narrow_x, &dw,
			&s->bias, &s->narrow_y, s->stride, s->dilation, s->pad,
			s->pad_after);
	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(made, &desc, attr,
						    conv->engine, forward);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

static int pass_desc(const struct conv *conv, struct conv_pass *made, int pass,
		     struct shapes *s, struct err *err)
{
	dnnl_primitive_desc_t forward;
	dnnl_status_t status = forward_desc(conv, s, &forward);

	if (status == dnnl_success && pass == FORWARD) {
		made->desc = forward;
	} else if (status == dnnl_success) {
		status = backward_desc(conv, pass, s, forward, &made->desc);
		dnnl_primitive_desc_destroy(forward);
	}
	if (status == dnnl_success)
		status = dnnl_primitive_create(&made->primitive, made->desc);
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

static int filters_new(const struct conv *conv, struct conv_pass *made,
		       int pass, struct err *err)
{
	bool back = pass == WEIGHTS;
	const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(
		made->desc,
		back ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);

	if (dnnl_memory_desc_equal(desc, &conv->plain))
		return 0; /* w itself will do */
	if (failed(dnnl_memory_create(&made->w, desc, conv->engine,
				      DNNL_MEMORY_ALLOCATE),
		   err) < 0)
		return -1;
	return reorder_new(&made->reorder, conv, back ? desc : &conv->plain,
			   back ? &conv->plain : desc, err);
}

static int images_new(const struct conv *conv, dnnl_memory_t *wide,
		      dnnl_memory_t *narrow, dnnl_primitive_t *reorder,
		      const dnnl_memory_desc_t *wide_desc,
		      const dnnl_memory_desc_t *narrow_desc, struct err *err)
{
	if (failed(dnnl_memory_create(wide, wide_desc, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0)
		return -1;
	if (!conv->narrow)
		return 0;
	if (failed(dnnl_memory_create(narrow, narrow_desc, conv->engine,
				      DNNL_MEMORY_ALLOCATE),
		   err) < 0)
		return -1;
	return reorder_new(reorder, conv, wide_desc, narrow_desc, err);
}

static int scratch_new(const struct conv *conv, struct conv_pass *made,
		       struct err *err)
{
	const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(
		made->desc, dnnl_query_scratchpad_md, 0);

	if (!dnnl_memory_desc_get_size(desc))
		return 0;
	return failed(dnnl_memory_create(&made->scratch, desc, conv->engine,
					 DNNL_MEMORY_ALLOCATE),
		      err);
}

static void pass_done(struct conv_pass *pass)
{
	dnnl_memory_t memories[] = { pass->x,   pass->y, pass->x16,
				     pass->y16, pass->w, pass->scratch };

	dnnl_primitive_destroy(pass->primitive);
	dnnl_primitive_desc_destroy(pass->desc);
	dnnl_primitive_destroy(pass->reorder);
	dnnl_primitive_destroy(pass->x_to_16);
	dnnl_primitive_destroy(pass->y_to_16);
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++)
		dnnl_memory_destroy(memories[i]);
	memset(pass, 0, sizeof(*pass));
}

static int pass_fill(const struct conv *conv, struct conv_pass *made, int pass,
		     size_t images, struct err *err)
{
	struct shapes shapes;

	made->images = images;
	shapes_fill(conv, images, &shapes);
	if (pass_desc(conv, made, pass, &shapes, err) < 0 ||
	    filters_new(conv, made, pass, err) < 0 ||
	    scratch_new(conv, made, err) < 0 ||
	    images_new(conv, &made->x, &made->x16, &made->x_to_16, &shapes.x,
		       &shapes.narrow_x, err) < 0)
		return -1;
	return images_new(conv, &made->y, &made->y16, &made->y_to_16, &shapes.y,
			  &shapes.narrow_y, err);
}

static struct conv_pass *pass_of(struct conv *conv, size_t worker, int pass,
				 size_t images)
{
	struct conv_lane *lane = &conv->lane[worker];
	struct conv_pass *made;

	for (size_t i = 0; i < CONV_SIZES; i++)
		if (lane->pass[pass][i].images == images)
			return &lane->pass[pass][i];
	made = &lane->pass[pass][lane->next[pass]++ % CONV_SIZES];
	pass_done(made);
	mat_onednn_single_thread();
	if (pass_fill(conv, made, pass, images, NULL) < 0)
		abort(); /* other numbers of it were fine: out of memory */
	return made;
}

/* ---- all of them ------------------------------------------------------------ */

static int memory_fill(struct conv *conv, struct err *err)
{
	const struct layer_spec *spec = &conv->spec;
	size_t filters = conv->values - spec->out.channels;
	dnnl_memory_desc_t bias;

	filters_desc(&conv->plain, spec, dnnl_f32, dnnl_hwio);
	bias_desc(&bias, spec);
	conv->part = xcalloc_aligned(conv->values, sizeof(float));
	conv->gradient = xcalloc_aligned(conv->values, sizeof(float));
	if (failed(dnnl_memory_create(&conv->w, &conv->plain, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0 ||
	    failed(dnnl_memory_create(&conv->bias, &bias, conv->engine,
				      DNNL_MEMORY_NONE),
		   err) < 0 ||
	    failed(dnnl_memory_create(&conv->dw, &conv->plain, conv->engine,
				      conv->part),
		   err) < 0)
		return -1;
	return failed(dnnl_memory_create(&conv->dbias, &bias, conv->engine,
					 conv->part + filters),
		      err);
}

/* One lane gets its primitives now, to see that there are some. */
static int conv_fill(struct conv *conv, size_t images, size_t summed,
		     struct err *err)
{
	struct conv_lane *first = &conv->lane[0];

	if (failed(dnnl_engine_create(&conv->engine, dnnl_cpu, 0), err) < 0)
		return -1;
	for (size_t i = 0; i < conv->lanes; i++)
		if (failed(dnnl_stream_create(&conv->lane[i].stream,
					      conv->engine,
					      dnnl_stream_default_flags),
			   err) < 0)
			return -1;
	if (memory_fill(conv, err) < 0)
		return -1;
	for (int pass = 0; pass < PASSES; pass++) {
		first->next[pass] = 1;
		if (pass_fill(conv, &first->pass[pass][0], pass,
			      pass == WEIGHTS ? summed : images, err) < 0)
			return -1;
	}
	return 0;
}

struct conv *conv_new(const struct layer_spec *spec,
		      const struct conv_settings *settings, struct err *err)
{
	struct conv *conv = xcalloc(1, sizeof(*conv));

	mat_onednn_single_thread();
	conv->spec = *spec;
	conv->narrow = settings->narrow;
	conv->blocked_x = settings->blocked_x;
	conv->blocked_y = settings->blocked_y;
	conv->values =
		((size_t)spec->kernel * spec->kernel * spec->in.channels + 1) *
		spec->out.channels;
	conv->lanes = settings->threads;
	conv->lane = xcalloc(conv->lanes, sizeof(*conv->lane));
	if (conv_fill(conv, settings->images, settings->summed, err) == 0)
		return conv;
	conv_free(conv);
	return NULL;
}

static void lane_done(struct conv_lane *lane)
{
	for (int pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; i < CONV_SIZES; i++)
			pass_done(&lane->pass[pass][i]);
	dnnl_stream_destroy(lane->stream);
}

void conv_free(struct conv *conv)
{
	if (!conv)
		return;
	for (size_t i = 0; i < conv->lanes; i++)
		lane_done(&conv->lane[i]);
	dnnl_memory_destroy(conv->w);
	dnnl_memory_destroy(conv->bias);
	dnnl_memory_destroy(conv->dw);
	dnnl_memory_destroy(conv->dbias);
	dnnl_engine_destroy(conv->engine);
	free(conv->lane);
	free(conv->part);
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

static void run(const struct conv_lane *lane, dnnl_primitive_t primitive,
		const dnnl_exec_arg_t *argument, int arguments)
{
	if (dnnl_primitive_execute(primitive, lane->stream, arguments,
				   argument) != dnnl_success)
		abort(); /* shapes that do not fit together: our mistake */
}

static void reorder(const struct conv_lane *lane, dnnl_primitive_t primitive,
		    dnnl_memory_t from, dnnl_memory_t to)
{
	const dnnl_exec_arg_t argument[] = { { DNNL_ARG_FROM, from },
					     { DNNL_ARG_TO, to } };

	run(lane, primitive, argument, 2);
}

/* The images as a primitive reads them. */
static dnnl_memory_t images_at(const struct conv_lane *lane, dnnl_memory_t wide,
			       dnnl_memory_t narrow, dnnl_primitive_t to_16,
			       const float *at)
{
	point(wide, at);
	if (!to_16)
		return wide;
	reorder(lane, to_16, wide, narrow);
	return narrow;
}

/* The last w, as a pass takes it. */
static dnnl_memory_t filters(const struct conv *conv,
			     const struct conv_lane *lane,
			     struct conv_pass *pass)
{
	if (!pass->reorder)
		return conv->w;
	if (pass->weights != conv->weights)
		reorder(lane, pass->reorder, conv->w, pass->w);
	pass->weights = conv->weights;
	return pass->w;
}

void conv_weights(struct conv *conv, const float *w, const float *bias)
{
	point(conv->w, w);
	point(conv->bias, bias);
	conv->weights++;
}

void conv_forward(struct conv *conv, size_t worker, size_t images,
		  const float *x, float *y)
{
	struct conv_pass *pass = pass_of(conv, worker, FORWARD, images);
	const struct conv_lane *lane = &conv->lane[worker];

	mat_onednn_single_thread();
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_SRC,
		  images_at(lane, pass->x, pass->x16, pass->x_to_16, x) },
		{ DNNL_ARG_WEIGHTS, filters(conv, lane, pass) },
		{ DNNL_ARG_BIAS, conv->bias },
		{ DNNL_ARG_DST, pass->y },
		{ DNNL_ARG_SCRATCHPAD, pass->scratch },
	};
	point(pass->y, y);
	run(lane, pass->primitive, argument, pass->scratch ? 5 : 4);
}

void conv_input(struct conv *conv, size_t worker, size_t images, const float *g,
		float *dx)
{
	struct conv_pass *pass = pass_of(conv, worker, INPUT, images);
	const struct conv_lane *lane = &conv->lane[worker];

	mat_onednn_single_thread();
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_DIFF_DST,
		  images_at(lane, pass->y, pass->y16, pass->y_to_16, g) },
		{ DNNL_ARG_WEIGHTS, filters(conv, lane, pass) },
		{ DNNL_ARG_DIFF_SRC, pass->x },
		{ DNNL_ARG_SCRATCHPAD, pass->scratch },
	};

	point(pass->x, dx);
	run(lane, pass->primitive, argument, pass->scratch ? 4 : 3);
}

void conv_add(struct conv *conv, size_t worker, size_t images, const float *x,
	      const float *g, bool first)
{
	struct conv_pass *pass = pass_of(conv, worker, WEIGHTS, images);
	const struct conv_lane *lane = &conv->lane[worker];
	dnnl_memory_t dw = pass->reorder ? pass->w : conv->dw;
	float *to = first ? conv->gradient : conv->part;

	point(conv->dw, to);
	point(conv->dbias, to + conv->values - conv->spec.out.channels);
	mat_onednn_single_thread();
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_SRC,
		  images_at(lane, pass->x, pass->x16, pass->x_to_16, x) },
		{ DNNL_ARG_DIFF_DST,
		  images_at(lane, pass->y, pass->y16, pass->y_to_16, g) },
		{ DNNL_ARG_DIFF_WEIGHTS, dw },
		{ DNNL_ARG_DIFF_BIAS, conv->dbias },
		{ DNNL_ARG_SCRATCHPAD, pass->scratch },
	};

	run(lane, pass->primitive, argument, pass->scratch ? 5 : 4);
	if (pass->reorder)
		reorder(lane, pass->reorder, dw, conv->dw);
	for (size_t i = 0; !first && i < conv->values; i++)
		conv->gradient[i] += conv->part[i];
}

const float *conv_gradient(const struct conv *conv)
{
	return conv->gradient;
}
