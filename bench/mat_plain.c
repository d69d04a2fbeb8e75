/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference: a matrix product as it stands in the book.  Rows of C are
 * swept from left to right, so that a compiler makes vectors of the inner loop
 * wherever B is not transposed; this also makes it the fastest one for narrow
 * outer products (mat_rule.c).
 */
#include "bench/mat_kind.h"

#include <stdio.h>
#include <string.h>

static void scale(float *row, size_t n, float beta)
{
	if (beta == 0.0f)
		memset(row, 0, n * sizeof(*row));
	else if (beta != 1.0f)
		for (size_t j = 0; j < n; j++)
			row[j] *= beta;
}

static void add_row(float *restrict c, const float *restrict b, size_t n,
		    float factor)
{
	for (size_t j = 0; j < n; j++)
		c[j] += factor * b[j];
}

static void add_column(float *c, const float *b, size_t ldb, size_t n,
		       float factor)
{
	for (size_t j = 0; j < n; j++)
		c[j] += factor * b[j * ldb];
}

static float at(const float *a, size_t lda, enum mat_op op, size_t i, size_t j)
{
	return op == MAT_YES ? a[j * lda + i] : a[i * lda + j];
}

static void plain_gemm(const struct mat_product *p)
{
	for (size_t i = 0; i < p->m; i++) {
		float *row = p->c + i * p->ldc;

		scale(row, p->n, p->beta);
		for (size_t q = 0; q < p->k; q++) {
			float factor = p->alpha * at(p->a, p->lda, p->ta, i, q);

			if (p->tb == MAT_YES)
				add_column(row, p->b + q, p->ldb, p->n, factor);
			else
				add_row(row, p->b + q * p->ldb, p->n, factor);
		}
	}
}

static void plain_describe(char *out, size_t size)
{
	snprintf(out, size, "plain C loops");
}

const struct mat_kind mat_kind_plain = {
	.name = "plain",
	.gemm = plain_gemm,
	.describe = plain_describe,
};
