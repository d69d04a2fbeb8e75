/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/mat.h"
#include "bench/mat_kind.h"
#include "lib/mem.h"
#include "lib/rng.h"

static const char *const kinds[] = { "auto", "openblas", "onednn", "plain" };
#define KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))
#define PAD   3

/* One product: op(A) is m × k, op(B) is k × n; rows are PAD longer. */
struct product {
	enum mat_op ta, tb;
	size_t m, n, k;
	float alpha, beta;
	size_t lda, ldb, ldc, a_rows, b_rows;
	float *a, *b, *c;
};

static float *filled(size_t count, struct rng *rng)
{
	float *x = xcalloc_aligned(count, sizeof(*x));

	for (size_t i = 0; i < count; i++)
		x[i] = (float)(2.0 * rng_uniform(rng) - 1.0);
	return x;
}

static struct product product_new(enum mat_op ta, enum mat_op tb, size_t m,
				  size_t n, size_t k)
{
	struct rng rng = rng_stream(7, "mat", m * n, k);
	struct product p = { .ta = ta, .tb = tb, .m = m, .n = n, .k = k };

	p.lda = (ta ? m : k) + PAD;
	p.ldb = (tb ? k : n) + PAD;
	p.ldc = n + PAD;
	p.a_rows = ta ? k : m;
	p.b_rows = tb ? n : k;
	p.a = filled(p.a_rows * p.lda, &rng);
	p.b = filled(p.b_rows * p.ldb, &rng);
	p.c = filled(m * p.ldc, &rng);
	return p;
}

static void product_done(struct product *p)
{
	free(p->a);
	free(p->b);
	free(p->c);
}

static double at(const float *x, size_t ld, enum mat_op op, size_t i, size_t j)
{
	return (double)(op ? x[j * ld + i] : x[i * ld + j]);
}

/* What C must become, in double; `size` is Σ |terms|, for the tolerance. */
static double expected(const struct product *p, const float *before, size_t i,
		       size_t j, double *size)
{
	double sum = 0.0, old = 0.0;

	*size = 0.0;
	for (size_t q = 0; q < p->k; q++) {
		double term = at(p->a, p->lda, p->ta, i, q) *
			      at(p->b, p->ldb, p->tb, q, j);

		sum += term;
		*size += fabs(term);
	}
	if (p->beta != 0.0f)
		old = (double)p->beta * (double)before[i * p->ldc + j];
	*size = fabs((double)p->alpha) * *size + fabs(old);
	return (double)p->alpha * sum + old;
}

static void multiply(const struct mat *mat, struct product *p)
{
	mat_gemm(mat, p->ta, p->tb, p->m, p->n, p->k, p->alpha, p->a, p->lda,
		 p->b, p->ldb, p->beta, p->c, p->ldc);
}

static void check_product(const struct mat *mat, struct product *p)
{
	size_t count = p->m * p->ldc;
	float *before = xcalloc(count, sizeof(*before));

	memcpy(before, p->c, count * sizeof(*before));
	multiply(mat, p);
	for (size_t i = 0; i < p->m; i++) {
		for (size_t j = 0; j < p->n; j++) {
			double size, want = expected(p, before, i, j, &size);
			double got = (double)p->c[i * p->ldc + j];

			/* Each of k + 2 roundings costs 2^-24 at most. */
			ck_assert_msg(
				fabs(got - want) <=
					((double)p->k + 2.0) * 0x1p-23 * size,
				"%s %d%d %zux%zux%zu alpha %g beta %g at %zu,"
				"%zu: %.9g, not %.9g",
				mat_name(mat), p->ta, p->tb, p->m, p->n, p->k,
				(double)p->alpha, (double)p->beta, i, j, got,
				want);
		}
		ck_assert_mem_eq(p->c + i * p->ldc + p->n,
				 before + i * p->ldc + p->n,
				 PAD * sizeof(float));
	}
	free(before);
}

/* Around the edges of vectors, of the libraries' small kernels and of the
 * rules. */
static const size_t shapes[][3] = {
	{ 1, 1, 1 },     { 1, 10, 256 },  { 1, 256, 784 },  { 256, 10, 1 },
	{ 10, 256, 1 },  { 2, 3, 5 },     { 7, 17, 33 },    { 8, 10, 64 },
	{ 8, 256, 100 }, { 16, 16, 16 },  { 31, 15, 63 },   { 64, 64, 64 },
	{ 33, 65, 129 }, { 128, 10, 32 }, { 100, 128, 90 }, { 5, 300, 7 },
};
static const float alphas[] = { 1.0f, -0.5f };
static const float betas[] = { 0.0f, 1.0f, 0.75f };

START_TEST(every_kind_agrees_with_double_precision)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);

	ck_assert_ptr_nonnull(mat);
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (int t = 0; t < 4; t++)
			for (int f = 0; f < 6; f++) {
				struct product p = product_new(
					t & 1 ? MAT_YES : MAT_NO,
					t & 2 ? MAT_YES : MAT_NO, shapes[s][0],
					shapes[s][1], shapes[s][2]);

				p.alpha = alphas[f % 2];
				p.beta = betas[f / 2];
				check_product(mat, &p);
				product_done(&p);
			}
}
END_TEST

START_TEST(a_beta_of_zero_does_not_read_the_result)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct product p = product_new(MAT_NO, MAT_NO, shapes[s][0],
					       shapes[s][1], shapes[s][2]);

		p.alpha = 1.0f;
		for (size_t i = 0; i < p.m; i++)
			for (size_t j = 0; j < p.n; j++)
				p.c[i * p.ldc + j] = NAN;
		check_product(mat, &p);
		product_done(&p);
	}
}
END_TEST

START_TEST(the_same_product_has_the_same_bits)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);
	struct product p = product_new(MAT_YES, MAT_NO, 100, 70, 90);
	size_t bytes = p.m * p.ldc * sizeof(float);
	float *first = xmalloc(bytes), *start = xmalloc(bytes);

	p.alpha = -0.25f;
	p.beta = 1.0f;
	memcpy(start, p.c, bytes);
	multiply(mat, &p);
	memcpy(first, p.c, bytes);
	for (int round = 0; round < 20; round++) {
		memcpy(p.c, start, bytes);
		multiply(mat, &p);
		ck_assert_mem_eq(p.c, first, bytes);
	}
	free(first);
	free(start);
	product_done(&p);
}
END_TEST

static void *multiply_often(void *mat)
{
	for (int round = 0; round < 50; round++) {
		struct product p = product_new(MAT_NO, MAT_YES, 40, 50, 60);

		p.alpha = 1.0f;
		check_product(mat, &p);
		product_done(&p);
	}
	return NULL;
}

START_TEST(four_threads_may_multiply_at_once)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, multiply_often,
			       (void *)(uintptr_t)mat);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}
END_TEST

START_TEST(an_empty_product_touches_nothing)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);
	float c = 3.0f;

	mat_gemm(mat, MAT_NO, MAT_NO, 0, 1, 1, 1.0f, &c, 1, &c, 1, 0.0f, &c, 1);
	mat_gemm(mat, MAT_NO, MAT_NO, 1, 0, 1, 1.0f, &c, 1, &c, 1, 0.0f, &c, 1);
	ck_assert(c == 3.0f);
}
END_TEST

/* What a thread of its own has of it after a product. */
static void *multiply_and_ask(void *stack)
{
	const struct mat *mat = mat_open("onednn", NULL);
	struct product p = product_new(MAT_NO, MAT_NO, 32, 200, 200);

	mat_gemm(mat, p.ta, p.tb, p.m, p.n, p.k, 1.0f, p.a, p.lda, p.b, p.ldb,
		 0.0f, p.c, p.ldc);
	product_done(&p);
	sigaltstack(NULL, stack);
	return NULL;
}

/* oneDNN's kernels borrow the register of the other one. */
START_TEST(a_signal_has_a_stack_of_its_own)
{
	stack_t stack = { .ss_flags = SS_DISABLE };
	pthread_t thread;

	ck_assert_int_eq(
		pthread_create(&thread, NULL, multiply_and_ask, &stack), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(stack.ss_flags & SS_DISABLE, 0);
	ck_assert_uint_ge(stack.ss_size, (size_t)sysconf(_SC_MINSIGSTKSZ));
}
END_TEST

START_TEST(unknown_kind_is_refused_with_the_nearest_name)
{
	struct err err = { 0 };

	ck_assert_ptr_null(mat_open("openblass", &err));
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "did you mean openblas?"));
}
END_TEST

START_TEST(a_named_kind_serves_every_shape)
{
	const struct mat *mat = mat_open(kinds[_i], NULL);
	const char *served = mat_rule(mat, MAT_NO, MAT_NO, 8, 256, 784);

	ck_assert_str_eq(mat_name(mat), kinds[_i]);
	if (strcmp(kinds[_i], "auto") != 0)
		ck_assert_str_eq(served, kinds[_i]);
}
END_TEST

/* The rules of mat_rule.c where they are decided by the largest margin. */
START_TEST(rules_serve_the_measured_shapes_best)
{
	static const struct {
		enum mat_cpu cpu;
		enum mat_op ta, tb;
		size_t m, n, k;
		const char *kind;
	} row[] = {
		{ MAT_CPU_AMD512, 0, 0, 8, 256, 784, "onednn" },
		{ MAT_CPU_AMD512, 0, 0, 128, 10, 256, "openblas" },
		{ MAT_CPU_AMD512, 1, 0, 256, 10, 128, "openblas" },
		{ MAT_CPU_AMD512, 0, 1, 8, 256, 256, "onednn" },
		{ MAT_CPU_AMD512, 0, 1, 16, 64, 512, "openblas" },
		{ MAT_CPU_AMD512, 0, 0, 1, 256, 784, "openblas" },
		{ MAT_CPU_INTEL512, 0, 0, 1, 256, 784, "openblas" },
		{ MAT_CPU_INTEL512, 0, 0, 8, 256, 784, "onednn" },
		{ MAT_CPU_INTEL512, 0, 0, 8, 256, 256, "openblas" },
		{ MAT_CPU_INTEL512, 0, 0, 128, 10, 256, "onednn" },
		{ MAT_CPU_INTEL512, 1, 0, 784, 256, 128, "onednn" },
		{ MAT_CPU_X86, 0, 0, 1, 256, 784, "onednn" },
		{ MAT_CPU_X86, 1, 0, 784, 256, 32, "openblas" },
		{ MAT_CPU_OTHER, 0, 0, 32, 256, 784, "openblas" },
		{ MAT_CPU_AMD512, 1, 0, 256, 10, 1, "plain" },
		{ MAT_CPU_INTEL512, 1, 0, 256, 10, 1, "plain" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		ck_assert_str_eq(mat_rule_pick(row[i].cpu, row[i].ta, row[i].tb,
					       row[i].m, row[i].n, row[i].k)
					 ->name,
				 row[i].kind);
}
END_TEST

START_TEST(describe_names_both_libraries)
{
	ck_assert_ptr_nonnull(strstr(mat_describe(), "oneDNN "));
	ck_assert_ptr_nonnull(strstr(mat_describe(), "OpenBLAS "));
}
END_TEST

Suite *mat_suite(void);
Suite *mat_suite(void)
{
	Suite *suite = suite_create("mat");
	TCase *tc = tcase_create("kinds");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_kind_agrees_with_double_precision, 0,
			    KINDS);
	tcase_add_loop_test(tc, a_beta_of_zero_does_not_read_the_result, 0,
			    KINDS);
	tcase_add_loop_test(tc, the_same_product_has_the_same_bits, 0, KINDS);
	tcase_add_loop_test(tc, four_threads_may_multiply_at_once, 0, KINDS);
	tcase_add_loop_test(tc, an_empty_product_touches_nothing, 0, KINDS);
	tcase_add_loop_test(tc, a_named_kind_serves_every_shape, 0, KINDS);
	tcase_add_test(tc, a_signal_has_a_stack_of_its_own);
	tcase_add_test(tc, unknown_kind_is_refused_with_the_nearest_name);
	tcase_add_test(tc, rules_serve_the_measured_shapes_best);
	tcase_add_test(tc, describe_names_both_libraries);
	suite_add_tcase(suite, tc);
	return suite;
}
