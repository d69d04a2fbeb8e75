/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * product_kind -- what a precision has to do; product.h says what it means.
 *
 * A kind may keep what it narrowed in its `state`.  product_weights() announces
 * new weights, and `fresh` is false until the kind has narrowed them.
 */
#ifndef BENCH_PRODUCT_KIND_H
#define BENCH_PRODUCT_KIND_H

#include "bench/product.h"

struct product {
	const struct product_kind *kind;
	struct precision precision;
	const struct mat *mat;
	size_t in, out, rows_max;
	const float *w;
	bool fresh;    /* w was narrowed */
	uint64_t seed; /* of this step's random roundings */
	/* what the last forward() narrowed: NULL nothing */
	const float *x;
	size_t rows;
	void *state;
};

struct product_kind {
	const char *name;
	bool saves;
	/* Narrow results stay fp32. */
	bool not_narrow;
	int (*open)(struct product *product, struct err *err); /* optional */
	void (*close)(struct product *product);                /* optional */
	void (*forward)(struct product *product, size_t rows, const float *x,
			size_t ldx, float *y, size_t ldy);
	void (*input)(struct product *product, size_t rows, const float *g,
		      size_t ldg, float *dx, size_t lddx);
	void (*update)(struct product *product, size_t rows, const float *x,
		       size_t ldx, const float *g, size_t ldg,
		       const struct backward *to);
	/* input() and update() of one row at once, in place; optional. */
	void (*row)(struct product *product, const float *x, const float *g,
		    float *dx, const struct backward *to);
	const char *(*instructions)(void);
};

extern const struct product_kind product_kind_fp32, product_kind_bf16,
	product_kind_int8, product_kind_fp16, product_kind_fake;

#endif
