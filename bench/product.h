/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * product -- the three matrix products of a layer with weights W (in × out), in
 * some precision.
 *
 *	struct product *p = product_new(PRECISION_BF16, mat, 784, 256, 32, &err);
 *
 *	product_weights(p, w);                        // W is new: once a step
 *	product_forward(p, 32, x, 784, y, 256);       // Y = X W
 *	product_input(p, 32, g, 256, dx, 784);        // dX = G W'
 *	product_update(p, 32, x, 784, g, 256, &to);   // W* = β W* + α X' G
 *	product_free(p);
 *
 * Everything that goes in and comes out is fp32; what a precision is made of
 * happens inside.  W* is fp32, too: the master weights.
 *
 * Precisions, and what of them is computed narrowly:
 *
 *	fp32       nothing
 *	bf16       operands are bf16 (8 bits of mantissa), sums fp32
 *	int8       operands are int8 with a scale per column of W and per row
 *	           or column of G, rounded at random where they are gradients;
 *	           sums are int32
 *	fp16       operands are kept in 16 bits and widened for an fp32 product
 *	fake-intN  operands are rounded to N bits (2 … 7) and stay fp32: what
 *	           that would do to accuracy.  It saves no energy.
 *
 * In a product not wider than NET_NARROW (the outputs of most nets) int8 and
 * fake-intN leave everything fp32: there is nothing to gain, and the loss is
 * next to it.
 *
 * To add one: a file product_NAME.c, a value of enum precision_kind and a line
 * in the table in product.c; tests/unit/test_product.c runs over the table.
 */
#ifndef BENCH_PRODUCT_H
#define BENCH_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"
#include "lib/err.h"

enum precision_kind {
	PRECISION_FP32,
	PRECISION_BF16,
	PRECISION_INT8,
	PRECISION_FP16,
	PRECISION_FAKE,
	PRECISION_KINDS
};

#define PRECISION_NAME_MAX 12

struct precision {
	enum precision_kind kind;
	unsigned int bits; /* fake-intN */
};

int precision_parse(const char *text, struct precision *precision,
		    struct err *err);
const char *precision_name(const struct precision *precision,
			   char out[static PRECISION_NAME_MAX]);
/* "fp32, bf16, int8, fp16, fake-intN" */
#define PRECISION_NAMES "fp32, bf16, int8, fp16, fake-int2 … fake-int7"
/* Does it do less work, or only as if? */
bool precision_saves(const struct precision *precision);
/* Which instructions it ends up on here, as the library itself says:
 * "oneDNN brg:avx512_core_bf16 (AVX-512, VNNI, BF16)". */
#define PRECISION_INSTRUCTIONS_MAX 128
const char *precision_instructions(const struct precision *precision);

/* Where a backward pass leaves the gradient g of the mean loss:
 * target = beta · target + alpha · batch · g. */
struct backward {
	float alpha, beta;
	float *target;
};

struct product;

/* `seed` names the random rounding of this product. */
struct product *product_new(struct precision precision, const struct mat *mat,
			    size_t in, size_t out, size_t rows_max,
			    struct err *err);
void product_free(struct product *product); /* accepts NULL */

/* The step's weights, and the number that its random roundings are drawn
 * from.  Borrowed until the next call. */
void product_weights(struct product *product, const float *w, uint64_t seed);
void product_forward(struct product *product, size_t rows, const float *x,
		     size_t ldx, float *y, size_t ldy);
void product_input(struct product *product, size_t rows, const float *g,
		   size_t ldg, float *dx, size_t lddx);
/* product_input() and product_update() of contiguous rows, in that order, for a
 * target that may be the weights: one row is done in one pass over them. */
void product_back(struct product *product, size_t rows, const float *x,
		  const float *g, float *dx, const struct backward *to);
/* `x` may be what the last product_forward() had, and is not narrowed again
 * then; product_forget() where the same place holds something else. */
void product_update(struct product *product, size_t rows, const float *x,
		    size_t ldx, const float *g, size_t ldg,
		    const struct backward *to);
void product_forget(struct product *product);

#endif
