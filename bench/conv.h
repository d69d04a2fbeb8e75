/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv -- a convolution done directly, by oneDNN's primitives.
 *
 *	struct conv *conv = conv_new(spec, &settings, &err);
 *
 *	conv_weights(conv, w, bias);
 *	conv_forward(conv, worker, 2, x, y);       // y = relu(x * w + b)
 *	conv_input(conv, worker, 2, g, dx);        // with that w
 *	conv_add(conv, worker, 8, x, g, true);     // dw of these images …
 *	conv_add(conv, worker, 8, x8, g8, false);  // … and of these
 *	layer_put(dw, conv_gradient(conv), …);
 *	conv_free(conv);
 *
 * Images are channels last, or in blocks (layer_kind.h); w is (K, K, in, out), a row for each place and
 * channel as for a product of patches; oneDNN keeps its own order of it, which
 * is made anew after each conv_weights().  A number of images that is new makes
 * its primitives first, and the last CONV_SIZES of them are kept.
 *
 * Everything runs on the calling thread.  Threads may call conv_forward(),
 * conv_input() and conv_add() at once, each with a number of its own below
 * `threads`; of them only one conv_add().
 *
 * NULL with ENOTSUP where oneDNN has nothing fast: then patches do it
 * (layer_conv2d.c).
 */
#ifndef BENCH_CONV_H
#define BENCH_CONV_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/net_spec.h"
#include "lib/err.h"

#define CONV_SIZES 4

struct conv;

struct conv_settings {
	bool narrow;               /* operands are bf16 */
	bool blocked_x, blocked_y; /* layer_kind.h */
	size_t threads;
	/* So many images will forward and input mostly have, and sums. */
	size_t images, summed;
};

struct conv *conv_new(const struct layer_spec *spec,
		      const struct conv_settings *settings, struct err *err);
void conv_free(struct conv *conv); /* accepts NULL */

/* Borrowed until the next call. */
void conv_weights(struct conv *conv, const float *w, const float *bias);
void conv_forward(struct conv *conv, size_t worker, size_t images,
		  const float *x, float *y);
void conv_input(struct conv *conv, size_t worker, size_t images, const float *g,
		float *dx);
/* The gradient of w and, behind it, of the bias: a sum over the images, and,
 * but for the first call, over those before. */
void conv_add(struct conv *conv, size_t worker, size_t images, const float *x,
	      const float *g, bool first);
const float *conv_gradient(const struct conv *conv);

#endif
