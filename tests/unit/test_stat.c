/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>

#include "lib/stat.h"

static const double sample[] = { 2, 4, 4, 4, 5, 5, 7, 9 };

START_TEST(a_sample_is_described)
{
	ck_assert_double_eq(stat_mean(sample, 8), 5);
	ck_assert_double_eq_tol(stat_sd(sample, 8), sqrt(32.0 / 7), 1e-15);
	ck_assert_double_eq_tol(stat_cv(sample, 8), sqrt(32.0 / 7) / 5, 1e-15);
	ck_assert_double_eq(stat_median(sample, 8), 4.5);
}
END_TEST

/* As R's quantile(x, p, type = 7) and numpy.quantile give them. */
START_TEST(quantiles_are_of_type_seven)
{
	static const double x[] = { 9, 1, 4, 16 };

	ck_assert_double_eq(stat_quantile(x, 4, 0), 1);
	ck_assert_double_eq(stat_quantile(x, 4, 0.25), 3.25);
	ck_assert_double_eq(stat_quantile(x, 4, 0.5), 6.5);
	ck_assert_double_eq_tol(stat_quantile(x, 4, 0.9), 13.9, 1e-14);
	ck_assert_double_eq(stat_quantile(x, 4, 1), 16);
	ck_assert_double_eq(x[0], 9); /* not sorted in place */
	ck_assert_double_eq(stat_quantile(x, 1, 0.3), 9);
}
END_TEST

START_TEST(too_little_is_not_a_number)
{
	static const double damaged[] = { 1, (double)NAN, 2 };

	ck_assert_double_nan(stat_mean(sample, 0));
	ck_assert_double_nan(stat_sd(sample, 1));
	ck_assert_double_nan(stat_median(sample, 0));
	ck_assert_double_nan(stat_quantile(sample, 8, -0.1));
	ck_assert_double_nan(stat_quantile(sample, 8, 1.1));
	ck_assert_double_nan(stat_quantile(damaged, 3, 0.5));
	ck_assert_double_nan(stat_mean_interval(sample, 1, 0.95).lo);
	ck_assert_double_nan(stat_mean_interval(sample, 1, 0.95).hi);
	ck_assert_double_nan(stat_single_interval(sample, 1, 0.95).hi);
	ck_assert_double_nan(stat_normal_quantile((double)NAN));
	ck_assert_double_nan(stat_student_quantile(0.9, 0));
	ck_assert_double_nan(stat_student_quantile(1.5, 3));
}
END_TEST

/* By root search on the incomplete beta function in 30 digits (mpmath); the
 * first digits are those of every printed table. */
static const struct {
	double p, df, t;
} students[] = {
	{ 0.975, 1, 12.7062047361747 },    { 0.975, 2, 4.30265272974946 },
	{ 0.975, 4, 2.77644510519779 },    { 0.95, 5, 2.01504837333302 },
	{ 0.975, 9, 2.26215716279821 },    { 0.995, 10, 3.16927267261695 },
	{ 0.975, 30, 2.04227245630124 },   { 0.9, 2.5, 1.73025092880718 },
	{ 0.6, 7, 0.263166861352023 },     { 0.9995, 3, 12.9239786366875 },
	{ 0.975, 1000, 1.96233908082641 }, { 0.975, 1e6, 1.95996635681411 },
};

START_TEST(students_quantiles_are_those_of_the_tables)
{
	double t = stat_student_quantile(students[_i].p, students[_i].df);

	ck_assert_double_eq_tol(t, students[_i].t, 1e-9);
	ck_assert_double_eq_tol(
		stat_student_quantile(1 - students[_i].p, students[_i].df),
		-students[_i].t, 1e-9);
}
END_TEST

/* With one and two degrees of freedom there are closed forms. */
START_TEST(students_quantiles_agree_with_closed_forms)
{
	double p;

	for (p = 0.001; p < 0.5; p += 0.0007) {
		double one = -1 / tan(M_PI * p);
		double two = (2 * p - 1) / sqrt(2 * p * (1 - p));

		ck_assert_double_eq_tol(stat_student_quantile(p, 1), one,
					-1e-9 * one);
		ck_assert_double_eq_tol(stat_student_quantile(p, 2), two,
					-1e-9 * two);
	}
	ck_assert_double_eq(stat_student_quantile(0.5, 7), 0);
	ck_assert_double_infinite(stat_student_quantile(1, 7));
	ck_assert_double_infinite(stat_student_quantile(0, 7));
}
END_TEST

START_TEST(normal_quantiles_are_exact)
{
	ck_assert_double_eq(stat_normal_quantile(0.5), 0);
	ck_assert_double_eq_tol(stat_normal_quantile(0.975), 1.959963984540054,
				1e-14);
	ck_assert_double_eq_tol(stat_normal_quantile(0.9), 1.2815515655446005,
				1e-14);
	ck_assert_double_eq_tol(stat_normal_quantile(0.001),
				-3.0902323061678135, 1e-14);
	ck_assert_double_eq_tol(stat_normal_quantile(1e-10),
				-6.3613409024040562, 1e-13);
	ck_assert_double_infinite(stat_normal_quantile(0));
	ck_assert_double_infinite(stat_normal_quantile(1));
}
END_TEST

START_TEST(a_single_run_varies_more_than_the_mean)
{
	struct interval mean = stat_mean_interval(sample, 8, 0.95);
	struct interval single = stat_single_interval(sample, 8, 0.95);
	double t = 2.36462425159278; /* 0.975, 7 degrees of freedom */

	ck_assert_double_eq_tol(mean.hi - 5, t * sqrt(32.0 / 7 / 8), 1e-9);
	ck_assert_double_eq_tol(5 - mean.lo, mean.hi - 5, 1e-12);
	ck_assert_double_eq_tol(single.hi - 5, 3 * (mean.hi - 5), 1e-9);
}
END_TEST

/* 2000 samples of five: 95 % ± 4 standard errors. */
START_TEST(intervals_cover_what_they_promise)
{
	double mean_hits = 0, single_hits = 0;
	int i, j;

	for (i = 0; i < 2000; i++) {
		struct rng rng = rng_stream(5, "coverage", (uint64_t)i, 0);
		struct interval mean, single;
		double x[5], next;

		for (j = 0; j < 5; j++)
			x[j] = 10 + 3 * rng_normal(&rng);
		next = 10 + 3 * rng_normal(&rng);
		mean = stat_mean_interval(x, 5, 0.95);
		single = stat_single_interval(x, 5, 0.95);
		mean_hits += mean.lo <= 10 && 10 <= mean.hi;
		single_hits += single.lo <= next && next <= single.hi;
	}
	ck_assert_double_eq_tol(mean_hits / 2000, 0.95, 0.02);
	ck_assert_double_eq_tol(single_hits / 2000, 0.95, 0.02);
}
END_TEST

START_TEST(the_bootstrap_is_near_and_repeatable)
{
	struct rng rng = rng_stream(1, "bootstrap", 0, 0);
	struct rng same = rng;
	struct interval a, b;
	double x[200], standard;
	int i;

	for (i = 0; i < 200; i++)
		x[i] = rng_normal(&rng);
	same = rng;
	a = stat_bootstrap_interval(x, 200, 0.95, 4000, &rng);
	b = stat_bootstrap_interval(x, 200, 0.95, 4000, &same);
	ck_assert_double_eq(a.lo, b.lo);
	ck_assert_double_eq(a.hi, b.hi);
	standard = 1.96 * stat_sd(x, 200) / sqrt(200);
	ck_assert_double_eq_tol(a.hi - stat_mean(x, 200), standard, 0.02);
	ck_assert_double_eq_tol(stat_mean(x, 200) - a.lo, standard, 0.02);
	ck_assert_double_nan(stat_bootstrap_interval(x, 1, 0.9, 9, &rng).lo);
}
END_TEST

Suite *stat_suite(void);
Suite *stat_suite(void)
{
	Suite *suite = suite_create("stat");
	TCase *tests = tcase_create("stat");

	tcase_add_test(tests, a_sample_is_described);
	tcase_add_test(tests, quantiles_are_of_type_seven);
	tcase_add_test(tests, too_little_is_not_a_number);
	tcase_add_loop_test(tests, students_quantiles_are_those_of_the_tables,
			    0, sizeof(students) / sizeof(students[0]));
	tcase_add_test(tests, students_quantiles_agree_with_closed_forms);
	tcase_add_test(tests, normal_quantiles_are_exact);
	tcase_add_test(tests, a_single_run_varies_more_than_the_mean);
	tcase_add_test(tests, intervals_cover_what_they_promise);
	tcase_add_test(tests, the_bootstrap_is_near_and_repeatable);
	suite_add_tcase(suite, tests);
	return suite;
}
