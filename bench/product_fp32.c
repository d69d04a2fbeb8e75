/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fp32: the products as mat.h has them.
 */
#include "bench/product_kind.h"

static void fp32_forward(struct product *p, size_t rows, const float *x,
			 size_t ldx, float *y, size_t ldy)
{
	mat_gemm(p->mat, MAT_NO, MAT_NO, rows, p->out, p->in, 1.0f, x, ldx,
		 p->w, p->out, 0.0f, y, ldy);
}

static void fp32_input(struct product *p, size_t rows, const float *g,
		       size_t ldg, float *dx, size_t lddx)
{
	mat_gemm(p->mat, MAT_NO, MAT_YES, rows, p->in, p->out, 1.0f, g, ldg,
		 p->w, p->out, 0.0f, dx, lddx);
}

static void fp32_update(struct product *p, size_t rows, const float *x,
			size_t ldx, const float *g, size_t ldg,
			const struct backward *to)
{
	mat_gemm(p->mat, MAT_YES, MAT_NO, p->in, p->out, rows, to->alpha, x,
		 ldx, g, ldg, to->beta, to->target, p->out);
}

const struct product_kind product_kind_fp32 = {
	.name = "fp32",
	.saves = true,
	.forward = fp32_forward,
	.input = fp32_input,
	.update = fp32_update,
	.instructions = mat_describe,
};
