/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * narrow -- matrix products of narrow operands with an fp32 result, by oneDNN.
 *
 *	struct narrow *narrow = narrow_new();
 *	struct narrow_operand a = { NARROW_U8, x, 784, MAT_NO }, b = { … };
 *
 *	narrow_gemm(narrow, 32, 256, 784, &a, &b, scale, 0.0f, y, 256);
 *	narrow_free(narrow);
 *
 * is C = β C + (op(A) op(B)) · scale, with a scale for each column of C (NULL:
 * none); shapes and strides are those of mat.h.  Sums are fp32 for bf16 and
 * int32 for the others.  A shape that is new makes its primitive first; the
 * last NARROW_SHAPES of them are kept.  On the calling thread alone.
 */
#ifndef BENCH_NARROW_H
#define BENCH_NARROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"

#define NARROW_SHAPES 12

enum narrow_type { NARROW_BF16, NARROW_U8, NARROW_S8 };

struct narrow_operand {
	enum narrow_type type;
	const void *at;
	size_t ld;
	enum mat_op op;
};

struct narrow;

struct narrow *narrow_new(void);
void narrow_free(struct narrow *narrow); /* accepts NULL */
void narrow_gemm(struct narrow *narrow, size_t m, size_t n, size_t k,
		 const struct narrow_operand *a, const struct narrow_operand *b,
		 const float *scale, float beta, float *c, size_t ldc);

/* What oneDNN runs a product of such operands on here ("brg:avx512_core_vnni
 * (AVX-512, VNNI)"): its own name, and the most that it uses;
 * NULL: on nothing. */
const char *narrow_implementation(enum narrow_type a, enum narrow_type b);

#endif
