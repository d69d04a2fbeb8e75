/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_window -- a window that walks over the images of a batch: what pools
 * and convolutions have in common.
 *
 *	struct layer_window at;
 *
 *	for (layer_window_first(&at, spec, batch); at.more;
 *	     layer_window_next(&at))
 *		for (size_t i = 0; i < at.rows; i++)
 *			for (size_t j = 0; j < at.columns; j++)
 *				use(x + layer_window_in(&at, i, j), y + at.out);
 *
 * Offsets are those of the pixel's first channel.  Only the places of the
 * window that lie within the image are visited: rows `row` … of the kernel.
 */
#ifndef BENCH_LAYER_WINDOW_H
#define BENCH_LAYER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/net_spec.h"
#include "lib/err.h"

struct layer_window {
	const struct layer_spec *spec;
	bool more;
	size_t samples, sample, y, x; /* which window */
	size_t out;                   /* offset of its output */
	size_t base;                  /* offset of its first place within */
	size_t row, column;           /* of the kernel, of that place */
	size_t rows, columns;         /* places within the image */
};

void layer_window_first(struct layer_window *at, const struct layer_spec *spec,
			size_t samples);
void layer_window_next(struct layer_window *at);

static inline size_t layer_window_in(const struct layer_window *at, size_t i,
				     size_t j)
{
	return at->base + (i * at->spec->in.width + j) * at->spec->in.channels;
}

/* The output's height and width from the input's; EINVAL where the kernel is
 * larger than the (padded) image.  Leaves out.channels: those of the input. */
int layer_window_shape(struct layer_spec *spec, struct err *err);

#endif
