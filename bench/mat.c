/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/mat.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "lib/field.h"

struct mat {
	const char *name;
	const struct mat_kind *kind; /* NULL: by rule */
};

static const struct mat mats[] = {
	{ "auto", NULL },
	{ "openblas", &mat_kind_openblas },
	{ "onednn", &mat_kind_onednn },
	{ "plain", &mat_kind_plain },
};
#define MATS (sizeof(mats) / sizeof(mats[0]))

static enum mat_cpu here;

static void open_all(void)
{
	here = mat_cpu_here();
	for (size_t i = 0; i < MATS; i++)
		if (mats[i].kind && mats[i].kind->open)
			mats[i].kind->open();
}

static int unknown_kind(const char *kind, struct err *err)
{
	const char *names[MATS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < MATS; i++)
		names[i] = mats[i].name;
	near = field_nearest(kind, names);
	err_set(err, EINVAL, "matrix library '%s': unknown", kind);
	if (near)
		return err_remedy(err, "did you mean %s?", near);
	return err_remedy(err, "there are auto, openblas, onednn, plain");
}

const struct mat *mat_open(const char *kind, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	for (size_t i = 0; i < MATS; i++) {
		if (strcmp(mats[i].name, kind) != 0)
			continue;
		pthread_once(&once, open_all);
		return &mats[i];
	}
	unknown_kind(kind, err);
	return NULL;
}

const char *mat_name(const struct mat *mat)
{
	return mat->name;
}

static const struct mat_kind *pick(const struct mat *mat, enum mat_op ta,
				   enum mat_op tb, size_t m, size_t n, size_t k)
{
	return mat->kind ? mat->kind : mat_rule_pick(here, ta, tb, m, n, k);
}

const char *mat_rule(const struct mat *mat, enum mat_op ta, enum mat_op tb,
		     size_t m, size_t n, size_t k)
{
	return pick(mat, ta, tb, m, n, k)->name;
}

/* As many arguments as BLAS has. */
void mat_gemm(const struct mat *mat, /* NOLINT(readability-function-size) */
	      enum mat_op ta, enum mat_op tb, size_t m, size_t n, size_t k,
	      float alpha, const float *a, size_t lda, const float *b,
	      size_t ldb, float beta, float *c, size_t ldc)
{
	const struct mat_product product = {
		ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc,
	};

	if (m && n)
		pick(mat, ta, tb, m, n, k)->gemm(&product);
}

const char *mat_describe(void)
{
	static char text[2 * MAT_DESCRIBE_MAX + 2];
	char onednn[MAT_DESCRIBE_MAX], openblas[MAT_DESCRIBE_MAX];

	if (text[0])
		return text;
	mat_kind_onednn.describe(onednn, sizeof(onednn));
	mat_kind_openblas.describe(openblas, sizeof(openblas));
	snprintf(text, sizeof(text), "%s, %s", onednn, openblas);
	return text;
}
