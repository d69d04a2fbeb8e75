/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bare_conv -- one pass of a convolution and nothing else, in whatever order of
 * images and weights oneDNN likes best: what a step is measured against.
 *
 *	struct bare_conv *conv = bare_conv_new(spec, 32, BARE_FORWARD);
 *
 *	bare_conv_run(conv);
 *	bare_conv_free(conv);
 */
#ifndef TESTS_BARE_CONV_H
#define TESTS_BARE_CONV_H

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net_spec.h"
#include "lib/mem.h"

enum bare_pass { BARE_FORWARD, BARE_INPUT, BARE_WEIGHTS };

struct bare_conv {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_desc_t forward, desc;
	dnnl_primitive_t primitive;
	dnnl_memory_t x, w, bias, y;
	enum bare_pass pass;
};

static void bare_check(dnnl_status_t status)
{
	if (status != dnnl_success)
		abort();
}

static dnnl_memory_desc_t bare_desc(int dims, dnnl_dim_t a, dnnl_dim_t b,
				    dnnl_dim_t c, dnnl_dim_t d)
{
	dnnl_dims_t size = { a, b, c, d };
	dnnl_memory_desc_t desc;

	bare_check(dnnl_memory_desc_init_by_tag(
		&desc, dims, size, dnnl_f32,
		dims == 1 ? dnnl_x : dnnl_format_tag_any));
	return desc;
}

static dnnl_memory_t bare_memory(const struct bare_conv *conv,
				 dnnl_query_t query, int index)
{
	const dnnl_memory_desc_t *desc =
		dnnl_primitive_desc_query_md(conv->desc, query, index);
	dnnl_memory_t memory;
	float *at;

	bare_check(dnnl_memory_create(&memory, desc, conv->engine,
				      DNNL_MEMORY_ALLOCATE));
	bare_check(dnnl_memory_get_data_handle(memory, (void **)&at));
	for (size_t i = 0; i < dnnl_memory_desc_get_size(desc) / 4; i++)
		at[i] = (float)(i % 17) / 17.0f - 0.5f;
	return memory;
}

static void bare_conv_open(struct bare_conv *conv,
			   const struct layer_spec *spec, dnnl_dim_t batch)
{
	dnnl_memory_desc_t x = bare_desc(4, batch, spec->in.channels,
					 spec->in.height, spec->in.width);
	dnnl_memory_desc_t y = bare_desc(4, batch, spec->out.channels,
					 spec->out.height, spec->out.width);
	dnnl_memory_desc_t w =
		bare_desc(4, spec->out.channels, spec->in.channels,
			  spec->kernel, spec->kernel);
	dnnl_memory_desc_t b = bare_desc(1, spec->out.channels, 0, 0, 0);
	dnnl_dims_t stride = { spec->stride, spec->stride };
	dnnl_dims_t pad = { spec->pad, spec->pad };
	dnnl_convolution_desc_t desc;

	bare_check(dnnl_convolution_forward_desc_init(
		&desc, dnnl_forward_training, dnnl_convolution_direct, &x, &w,
		&b, &y, stride, pad, pad));
	bare_check(dnnl_primitive_desc_create(&conv->forward, &desc, NULL,
					      conv->engine, NULL));
	if (conv->pass == BARE_INPUT)
		bare_check(dnnl_convolution_backward_data_desc_init(
			&desc, dnnl_convolution_direct, &x, &w, &y, stride, pad,
			pad));
	if (conv->pass == BARE_WEIGHTS)
		bare_check(dnnl_convolution_backward_weights_desc_init(
			&desc, dnnl_convolution_direct, &x, &w, &b, &y, stride,
			pad, pad));
	bare_check(dnnl_primitive_desc_create(
		&conv->desc, &desc, NULL, conv->engine,
		conv->pass == BARE_FORWARD ? NULL : conv->forward));
	bare_check(dnnl_primitive_create(&conv->primitive, conv->desc));
}

static struct bare_conv *bare_conv_new(const struct layer_spec *spec,
				       size_t batch, enum bare_pass pass)
{
	struct bare_conv *conv = xcalloc(1, sizeof(*conv));

	conv->pass = pass;
	bare_check(dnnl_engine_create(&conv->engine, dnnl_cpu, 0));
	bare_check(dnnl_stream_create(&conv->stream, conv->engine,
				      dnnl_stream_default_flags));
	bare_conv_open(conv, spec, (dnnl_dim_t)batch);
	conv->x = bare_memory(conv,
			      pass == BARE_INPUT ? dnnl_query_diff_src_md
						 : dnnl_query_src_md,
			      0);
	conv->w = bare_memory(conv,
			      pass == BARE_WEIGHTS ? dnnl_query_diff_weights_md
						   : dnnl_query_weights_md,
			      0);
	if (pass != BARE_INPUT)
		conv->bias = bare_memory(conv,
					 pass == BARE_WEIGHTS
						 ? dnnl_query_diff_weights_md
						 : dnnl_query_weights_md,
					 1);
	conv->y = bare_memory(conv,
			      pass == BARE_FORWARD ? dnnl_query_dst_md
						   : dnnl_query_diff_dst_md,
			      0);
	return conv;
}

static void bare_conv_run(const struct bare_conv *conv)
{
	static const int names[][4] = {
		[BARE_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
				   DNNL_ARG_BIAS },
		[BARE_INPUT] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS,
				 DNNL_ARG_DIFF_DST, 0 },
		[BARE_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS,
				   DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS },
	};
	const int *name = names[conv->pass];
	const dnnl_exec_arg_t argument[] = { { name[0], conv->x },
					     { name[1], conv->w },
					     { name[2], conv->y },
					     { name[3], conv->bias } };

	bare_check(dnnl_primitive_execute(conv->primitive, conv->stream,
					  conv->bias ? 4 : 3, argument));
}

static void bare_conv_free(struct bare_conv *conv)
{
	if (!conv)
		return;
	dnnl_primitive_destroy(conv->primitive);
	dnnl_primitive_desc_destroy(conv->desc);
	if (conv->pass != BARE_FORWARD)
		dnnl_primitive_desc_destroy(conv->forward);
	dnnl_memory_destroy(conv->x);
	dnnl_memory_destroy(conv->w);
	dnnl_memory_destroy(conv->bias);
	dnnl_memory_destroy(conv->y);
	dnnl_stream_destroy(conv->stream);
	dnnl_engine_destroy(conv->engine);
	free(conv);
}

#endif
