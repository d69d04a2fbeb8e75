/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "formula/lstsq.h"
#include "lib/rng.h"

#define ROWS_MAX 60
#define TERMS    8

static double x[ROWS_MAX * TERMS], y[ROWS_MAX], weight[ROWS_MAX];
static double b[TERMS], covariance[TERMS * TERMS];

/* NIST StRD "Norris" (lower difficulty, 36 rows): certified values. */
START_TEST(norris_of_nist_is_met_to_nine_digits)
{
	/* clang-format off */
	static const double norris[36][2] = { /* y, x */
		{ 0.1, 0.2 }, { 338.8, 337.4 }, { 118.1, 118.2 },
		{ 888.0, 884.6 }, { 9.2, 10.1 }, { 228.1, 226.5 },
		{ 668.5, 666.3 }, { 998.5, 996.3 }, { 449.1, 448.6 },
		{ 778.9, 777.0 }, { 559.2, 558.2 }, { 0.3, 0.4 },
		{ 0.1, 0.6 }, { 778.1, 775.5 }, { 668.8, 666.9 },
		{ 339.3, 338.0 }, { 448.9, 447.5 }, { 10.8, 11.6 },
		{ 557.7, 556.0 }, { 228.3, 228.1 }, { 998.0, 995.8 },
		{ 888.8, 887.6 }, { 119.6, 120.2 }, { 0.3, 0.3 },
		{ 0.6, 0.3 }, { 557.6, 556.8 }, { 339.3, 339.1 },
		{ 888.0, 887.2 }, { 998.5, 999.0 }, { 778.9, 779.0 },
		{ 10.2, 11.1 }, { 117.6, 118.3 }, { 228.9, 229.2 },
		{ 668.4, 669.1 }, { 449.2, 448.9 }, { 0.2, 0.5 },
	};
	/* clang-format on */
	double squares = 0, variance;

	for (int i = 0; i < 36; i++) {
		x[2 * i] = 1;
		x[2 * i + 1] = norris[i][1];
		y[i] = norris[i][0];
	}
	ck_assert_int_eq(lstsq_plain(x, y, NULL, 36, 2, b, covariance, NULL),
			 0);
	ck_assert_double_eq_tol(b[0], -0.262323073774029, 1e-9);
	ck_assert_double_eq_tol(b[1], 1.00211681802045, 1e-12);
	for (int i = 0; i < 36; i++) {
		double r = y[i] - b[0] - b[1] * x[2 * i + 1];

		squares += r * r;
	}
	variance = squares / 34;
	ck_assert_double_eq_tol(sqrt(variance), 0.884796396144373, 1e-9);
	ck_assert_double_eq_tol(sqrt(variance * covariance[0]),
				0.232818234301152, 1e-9);
	ck_assert_double_eq_tol(sqrt(variance * covariance[3]),
				0.429796848199937e-03, 1e-12);
}
END_TEST

/* min |x b - y| with b >= 0, solved by hand: the plain solution has a negative
 * term, so that one is 0 and the other is fitted alone. */
START_TEST(a_term_that_would_be_negative_is_zero)
{
	const double rows[] = { 1, 0, 1, 1, 1, 2 };
	const double falling[] = { 3, 2, 1 };

	ck_assert_int_eq(lstsq_plain(rows, falling, NULL, 3, 2, b, NULL, NULL),
			 0);
	ck_assert_double_eq_tol(b[0], 3, 1e-12);
	ck_assert_double_eq_tol(b[1], -1, 1e-12);
	ck_assert_int_eq(lstsq_nonnegative(rows, falling, NULL, 3, 2, b,
					   covariance, NULL),
			 0);
	ck_assert_double_eq_tol(b[0], 2, 1e-12);
	ck_assert(b[1] == 0);
	ck_assert_double_eq_tol(covariance[0], 1.0 / 3, 1e-12);
	ck_assert(covariance[1] == 0 && covariance[3] == 0);
}
END_TEST

START_TEST(terms_of_very_different_size_do_not_disturb_each_other)
{
	struct rng rng = rng_stream(7, "lstsq sizes", 0, 0);
	const double truth[3] = { 2e-3, 3e-11, 5e-10 };

	for (int i = 0; i < 40; i++) {
		x[3 * i] = 1;
		x[3 * i + 1] = 1e9 * (1 + rng_uniform(&rng));
		x[3 * i + 2] = 1e7 * (1 + 3 * rng_uniform(&rng));
		y[i] = 0;
		for (int j = 0; j < 3; j++)
			y[i] += truth[j] * x[3 * i + j];
	}
	ck_assert_int_eq(lstsq_nonnegative(x, y, NULL, 40, 3, b, NULL, NULL),
			 0);
	for (int j = 0; j < 3; j++)
		ck_assert_double_eq_tol(b[j] / truth[j], 1, 1e-9);
}
END_TEST

START_TEST(a_dependent_term_is_refused_or_dropped)
{
	struct err err = { 0 };

	for (int i = 0; i < 10; i++) {
		x[3 * i] = 1;
		x[3 * i + 1] = i;
		x[3 * i + 2] = 2 + 3 * i; /* of the first two */
		y[i] = 5 + 0.5 * i;
	}
	ck_assert_int_eq(lstsq_plain(x, y, NULL, 10, 3, b, NULL, &err), -1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "dependent"));
	ck_assert_int_eq(lstsq_nonnegative(x, y, NULL, 10, 3, b, NULL, NULL),
			 0);
	for (int i = 0; i < 10; i++)
		ck_assert_double_eq_tol(b[0] + b[1] * i + b[2] * (2 + 3 * i),
					y[i], 1e-9);
	ck_assert(b[0] >= 0 && b[1] >= 0 && b[2] >= 0);
}
END_TEST

START_TEST(a_term_that_is_always_zero_is_dropped)
{
	for (int i = 0; i < 6; i++) {
		x[2 * i] = 0;
		x[2 * i + 1] = i + 1;
		y[i] = 2 * (i + 1);
	}
	ck_assert_int_eq(
		lstsq_nonnegative(x, y, NULL, 6, 2, b, covariance, NULL), 0);
	ck_assert(b[0] == 0);
	ck_assert_double_eq_tol(b[1], 2, 1e-12);
	ck_assert_int_eq(lstsq_plain(x, y, NULL, 6, 2, b, NULL, NULL), -1);
}
END_TEST

START_TEST(bad_input_is_refused_by_name)
{
	struct err err = { 0 };

	memset(x, 0, sizeof(x));
	ck_assert_int_eq(lstsq_plain(x, y, NULL, 1, 2, b, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "too few"));
	x[3] = (double)NAN;
	ck_assert_int_eq(lstsq_nonnegative(x, y, NULL, 4, 2, b, NULL, &err),
			 -1);
	ck_assert_ptr_nonnull(strstr(err.text, "row 1"));
	x[3] = 0;
	weight[2] = -1;
	ck_assert_int_eq(lstsq_plain(x, y, weight, 4, 2, b, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "row 2"));
	weight[2] = 0;
	ck_assert_int_eq(
		lstsq_plain(x, y, NULL, 4, LSTSQ_TERMS_MAX + 1, b, NULL, &err),
		-1);
}
END_TEST

static size_t random_problem(struct rng *rng, size_t terms)
{
	size_t rows = terms + rng_below(rng, ROWS_MAX - terms + 1);
	double correlation = rng_uniform(rng);

	for (size_t i = 0; i < rows; i++) {
		double common = rng_normal(rng);

		y[i] = rng_normal(rng);
		weight[i] = 0.1 + rng_uniform(rng);
		for (size_t j = 0; j < terms; j++)
			x[i * terms + j] = correlation * common +
					   (1 - correlation) * rng_normal(rng);
	}
	return rows;
}

static double slope(size_t rows, size_t terms, size_t j)
{
	double sum = 0;

	for (size_t i = 0; i < rows; i++) {
		double r = y[i];

		for (size_t k = 0; k < terms; k++)
			r -= x[i * terms + k] * b[k];
		sum += weight[i] * x[i * terms + j] * r;
	}
	return sum;
}

/* Kuhn and Tucker: b >= 0; the slope is 0 where b > 0, and not positive where
 * b = 0.  They hold at the minimum and nowhere else. */
START_TEST(random_problems_end_at_the_minimum)
{
	int at_zero = 0, above_zero = 0;

	for (uint64_t trial = 0; trial < 2000; trial++) {
		struct rng rng = rng_stream(1, "lstsq kkt", trial, 0);
		size_t terms = 1 + rng_below(&rng, TERMS);
		size_t rows = random_problem(&rng, terms);

		ck_assert_int_eq(lstsq_nonnegative(x, y, weight, rows, terms, b,
						   NULL, NULL),
				 0);
		for (size_t j = 0; j < terms; j++) {
			ck_assert_double_ge(b[j], 0);
			if (b[j] > 0)
				ck_assert_double_eq_tol(slope(rows, terms, j),
							0, 1e-8);
			else
				ck_assert_double_le(slope(rows, terms, j),
						    1e-8);
			*(b[j] > 0 ? &above_zero : &at_zero) += 1;
		}
	}
	ck_assert_int_gt(at_zero, 1000);
	ck_assert_int_gt(above_zero, 1000);
}
END_TEST

START_TEST(plain_solutions_leave_no_slope_and_the_inverse_is_one)
{
	for (uint64_t trial = 0; trial < 300; trial++) {
		struct rng rng = rng_stream(2, "lstsq plain", trial, 0);
		size_t terms = 1 + rng_below(&rng, 5);
		size_t rows = random_problem(&rng, terms);

		if (lstsq_plain(x, y, weight, rows, terms, b, covariance, NULL))
			continue;
		for (size_t j = 0; j < terms; j++)
			ck_assert_double_eq_tol(slope(rows, terms, j), 0, 1e-7);
		/* (X'WX) C = 1 */
		for (size_t j = 0; j < terms; j++)
			for (size_t k = 0; k < terms; k++) {
				double sum = 0;

				for (size_t l = 0; l < terms; l++)
					for (size_t i = 0; i < rows; i++)
						sum += weight[i] *
						       x[i * terms + j] *
						       x[i * terms + l] *
						       covariance[l * terms +
								  k];
				ck_assert_double_eq_tol(sum, j == k, 1e-5);
			}
	}
}
END_TEST

/* A row with weight 4 is that row four times. */
START_TEST(a_weight_is_a_number_of_rows)
{
	double once[2], four[2];

	for (int i = 0; i < 9; i++) {
		x[2 * i] = 1;
		x[2 * i + 1] = i < 6 ? i : 5;
		y[i] = i < 6 ? i * i : 25;
		weight[i] = i == 5 ? 4 : 1;
	}
	ck_assert_int_eq(lstsq_plain(x, y, weight, 6, 2, once, NULL, NULL), 0);
	ck_assert_int_eq(lstsq_plain(x, y, NULL, 9, 2, four, NULL, NULL), 0);
	ck_assert_double_eq_tol(once[0], four[0], 1e-10);
	ck_assert_double_eq_tol(once[1], four[1], 1e-10);
}
END_TEST

Suite *lstsq_suite(void);
Suite *lstsq_suite(void)
{
	Suite *suite = suite_create("lstsq");
	TCase *tcase = tcase_create("lstsq");

	tcase_add_test(tcase, norris_of_nist_is_met_to_nine_digits);
	tcase_add_test(tcase, a_term_that_would_be_negative_is_zero);
	tcase_add_test(tcase,
		       terms_of_very_different_size_do_not_disturb_each_other);
	tcase_add_test(tcase, a_dependent_term_is_refused_or_dropped);
	tcase_add_test(tcase, a_term_that_is_always_zero_is_dropped);
	tcase_add_test(tcase, bad_input_is_refused_by_name);
	tcase_add_test(tcase, random_problems_end_at_the_minimum);
	tcase_add_test(tcase,
		       plain_solutions_leave_no_slope_and_the_inverse_is_one);
	tcase_add_test(tcase, a_weight_is_a_number_of_rows);
	suite_add_tcase(suite, tcase);
	return suite;
}
