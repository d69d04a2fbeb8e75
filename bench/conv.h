/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv -- a convolution done directly, by oneDNN's primitives.
 *
 *	struct conv *conv = conv_new(spec, false, &err);
 *
 *	conv_forward(conv, 32, x, w, bias, true, y);   // y = relu(x * w + b)
 *	conv_input(conv, 32, g, dx);                   // with that w
 *	conv_update(conv, 32, x, g);                   // conv_gradient(): dw
 *	conv_free(conv);
 *
 * Images are channels last; w is (K, K, in, out), a row for each place and
 * channel as for a product of patches; oneDNN keeps its own order of it, which
 * is made anew from w at each conv_forward().  A batch size that is new makes
 * its primitives first, and the last CONV_SIZES of them are kept.
 *
 * NULL with ENOTSUP where oneDNN has nothing fast: then patches do it
 * (layer_conv2d.c).  Everything runs on the calling thread.
 */
#ifndef BENCH_CONV_H
#define BENCH_CONV_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/net_spec.h"
#include "lib/err.h"

#define CONV_SIZES 4

struct conv;

/* `narrow`: operands are bf16. */
struct conv *conv_new(const struct layer_spec *spec, bool narrow,
		      size_t batch_max, struct err *err);
void conv_free(struct conv *conv); /* accepts NULL */

void conv_forward(struct conv *conv, size_t batch, const float *x,
		  const float *w, const float *bias, float *y);
void conv_input(struct conv *conv, size_t batch, const float *g, float *dx);
/* The gradient of w and, behind it, of the bias: a sum over the batch, borrowed
 * until the next call. */
const float *conv_gradient(struct conv *conv, size_t batch, const float *x,
			   const float *g);

#endif
