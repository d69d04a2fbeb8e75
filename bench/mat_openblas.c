/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door to CBLAS, which is OpenBLAS here.
 */
#include "bench/mat_kind.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

static enum CBLAS_TRANSPOSE op_of(enum mat_op op)
{
	return op == MAT_YES ? CblasTrans : CblasNoTrans;
}

static void openblas_gemm(const struct mat_product *p)
{
	cblas_sgemm(CblasRowMajor, op_of(p->ta), op_of(p->tb), (blasint)p->m,
		    (blasint)p->n, (blasint)p->k, p->alpha, p->a,
		    (blasint)p->lda, p->b, (blasint)p->ldb, p->beta, p->c,
		    (blasint)p->ldc);
}

/* mat_prepare() has said so already, in the environment; who did not call it
 * (a test) gets one thread all the same. */
static void openblas_open(void)
{
	openblas_set_num_threads(1);
}

static const char *openblas_core(void)
{
	return openblas_get_corename();
}

/* openblas_get_config() is "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH … core". */
static void openblas_describe(char *out, size_t size)
{
	const char *config = openblas_get_config();
	const char *blank = strchr(config, ' ');
	size_t length = strlen(config);

	if (blank)
		length = (size_t)(blank - config) + 1 + strcspn(blank + 1, " ");
	snprintf(out, size, "%.*s (%s)", (int)length, config,
		 openblas_get_corename());
}

const struct mat_kind mat_kind_openblas = {
	.name = "openblas",
	.gemm = openblas_gemm,
	.open = openblas_open,
	.describe = openblas_describe,
	.core = openblas_core,
};
