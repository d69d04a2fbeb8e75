/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>

#include "formula/tracker.h"

static const double prior[] = { 0.4, 0.6, 0 };
static struct tracker tracker;

/* 10 W + 4 W a GHz + 2 W a GIPS; `t` makes the load. */
static double load(int t, double *x)
{
	x[0] = 1;
	x[1] = 1 + (t * 7 % 11) / 4.0;
	x[2] = 1 + (t * 5 % 13) / 3.0;
	return 10 + 4 * x[1] + 2 * x[2];
}

static void learn(int from, int to, double factor)
{
	for (int t = from; t < to; t++) {
		double x[3], watts = load(t, x);

		tracker_learn(&tracker, x, 1, factor * watts);
	}
}

static void setup(void)
{
	tracker_init(&tracker, 3, prior, 0);
}

static void teardown(void)
{
	tracker_done(&tracker);
}

START_TEST(a_sum_of_terms_is_found)
{
	double x[3], watts = load(3, x);

	learn(0, 200, 1);
	ck_assert_double_eq_tol(tracker.b[0], 10, 0.2);
	ck_assert_double_eq_tol(tracker.b[1], 4, 0.1);
	ck_assert_double_eq_tol(tracker.b[2], 2, 0.1);
	ck_assert_double_eq_tol(tracker_predict(&tracker, x, 1), watts, 0.1);
	ck_assert_double_lt(tracker_sigma(&tracker, x, 1), 0.2);
}
END_TEST

START_TEST(the_first_reading_is_shared_by_the_prior)
{
	double x[3], watts = load(0, x);

	tracker_learn(&tracker, x, 1, watts);
	ck_assert_double_eq_tol(tracker_predict(&tracker, x, 1), watts,
				0.05 * watts);
	ck_assert_double_gt(tracker.b[0], 0);
	ck_assert_double_gt(tracker.b[1], 0);
}
END_TEST

START_TEST(no_term_is_ever_negative)
{
	for (int t = 0; t < 100; t++) {
		double x[3];

		load(t, x);
		/* Watts fall with the third. */
		tracker_learn(&tracker, x, 1, 20 + 4 * x[1] - 2 * x[2]);
		for (int j = 0; j < 3; j++)
			ck_assert_double_ge(tracker.b[j], 0);
	}
	ck_assert_double_eq(tracker.b[2], 0);
}
END_TEST

START_TEST(two_equal_columns_share_and_do_not_blow_up)
{
	for (int t = 0; t < 100; t++) {
		double x[3];

		load(t, x);
		x[2] = x[1];
		tracker_learn(&tracker, x, 1, 10 + 4 * x[1]);
	}
	ck_assert_double_eq_tol(tracker.b[1] + tracker.b[2], 4, 0.1);
	ck_assert_double_eq_tol(tracker.b[0], 10, 0.2);
}
END_TEST

START_TEST(one_wild_reading_changes_little)
{
	double x[3], watts = load(3, x);

	learn(0, 100, 1);
	load(5, x);
	tracker_learn(&tracker, x, 1, 5000);
	load(3, x);
	ck_assert_double_eq_tol(tracker_predict(&tracker, x, 1), watts,
				0.05 * watts);
}
END_TEST

START_TEST(a_machine_that_changed_is_learnt_anew)
{
	double x[3], watts = load(3, x);

	learn(0, 300, 1);
	learn(300, 330, 2);
	ck_assert_double_eq_tol(tracker_predict(&tracker, x, 1), 2 * watts,
				0.05 * 2 * watts);
}
END_TEST

START_TEST(watts_and_counts_may_have_any_unit)
{
	struct tracker other;

	tracker_init(&other, 3, prior, 0);
	for (int t = 0; t < 50; t++) {
		double x[3], watts = load(t, x);
		double scaled[3] = { x[0], 1e9 * x[1], 1e-6 * x[2] };

		tracker_learn(&tracker, x, 1, watts);
		tracker_learn(&other, scaled, 1, 1000 * watts);
	}
	ck_assert_double_eq_tol(other.b[0], 1000 * tracker.b[0], 1e-3);
	ck_assert_double_eq_tol(1e6 * other.b[1], tracker.b[1], 1e-6);
	ck_assert_double_eq_tol(1e-9 * other.b[2], tracker.b[2], 1e-6);
	tracker_done(&other);
}
END_TEST

Suite *tracker_suite(void);
Suite *tracker_suite(void)
{
	Suite *suite = suite_create("tracker");
	TCase *tcase = tcase_create("tracker");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_sum_of_terms_is_found);
	tcase_add_test(tcase, the_first_reading_is_shared_by_the_prior);
	tcase_add_test(tcase, no_term_is_ever_negative);
	tcase_add_test(tcase, two_equal_columns_share_and_do_not_blow_up);
	tcase_add_test(tcase, one_wild_reading_changes_little);
	tcase_add_test(tcase, a_machine_that_changed_is_learnt_anew);
	tcase_add_test(tcase, watts_and_counts_may_have_any_unit);
	suite_add_tcase(suite, tcase);
	return suite;
}
