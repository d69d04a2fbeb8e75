/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>

#include "formula/split.h"
#include "formula/tracker.h"

static const double prior[] = { 0.4, 0.3, 0.3 };
static struct tracker tracker;

static void setup(void)
{
	tracker_init(&tracker, 3, prior, 1u << 1);
}

static void teardown(void)
{
	tracker_done(&tracker);
}

static double steps(double speed)
{
	return speed < 0.8 ? 0.5 : speed < 1.2 ? 1 : 1.8;
}

/* 10 W + gain(speed) 4 W a GHz + 2 W a GB/s. */
static double load(int t, double speed, double *x)
{
	x[0] = 1;
	x[1] = 1 + (t * 7 % 11) / 4.0;
	x[2] = 1 + (t * 5 % 13) / 3.0;
	return 10 + 4 * steps(speed) * x[1] + 2 * x[2];
}

static void learn(int ticks, const double *speeds, int n)
{
	for (int t = 0; t < ticks; t++) {
		double x[3], speed = speeds[t % n];
		double watts = load(t, speed, x);

		tracker_learn(&tracker, x, speed, watts);
	}
}

START_TEST(steps_of_voltage_are_found)
{
	static const double speeds[] = { 0.6, 1.0, 1.4 };
	double b[TRACKER_TERMS_MAX];

	learn(300, speeds, 3);
	for (int i = 0; i < 3; i++) {
		tracker_at(&tracker, speeds[i], b);
		ck_assert_double_eq_tol(b[0], 10, 0.3);
		ck_assert_double_eq_tol(b[1], 4 * steps(speeds[i]), 0.15);
		ck_assert_double_eq_tol(b[2], 2, 0.1);
	}
}
END_TEST

START_TEST(a_frequency_never_seen_lies_between_its_neighbours)
{
	static const double speeds[] = { 0.6, 1.0, 1.4 };
	double low[TRACKER_TERMS_MAX], b[TRACKER_TERMS_MAX];
	double high[TRACKER_TERMS_MAX];

	learn(300, speeds, 3);
	tracker_at(&tracker, 0.6, low);
	tracker_at(&tracker, 1.2, b);
	tracker_at(&tracker, 1.4, high);
	ck_assert_double_gt(b[1], low[1]);
	ck_assert_double_lt(b[1], high[1]);
	ck_assert_double_gt(gains_variance(tracker.gains, 1.2),
			    gains_variance(tracker.gains, 1.0));
}
END_TEST

START_TEST(one_frequency_has_a_gain_of_one)
{
	static const double speeds[] = { 0.7 };

	learn(100, speeds, 1);
	ck_assert_double_eq_tol(gains_at(tracker.gains, 1, 0.7), 1, 1e-9);
	ck_assert_double_eq(gains_at(tracker.gains, 0, 0.7), 1);
}
END_TEST

START_TEST(frequencies_beyond_reason_do_no_harm)
{
	static const double speeds[] = { -1, 0, 1e9, HUGE_VAL, 1 };
	double b[TRACKER_TERMS_MAX];

	learn(100, speeds, 5);
	tracker_at(&tracker, 1, b);
	for (int j = 0; j < 3; j++)
		ck_assert(isfinite(b[j]) && b[j] >= 0);
}
END_TEST

START_TEST(parts_sum_to_the_meter_whatever_was_learnt)
{
	static const double speeds[] = { 0.6, 1.4 };
	const double work[3] = { 1, 3, 2 };
	struct split split;

	for (int ticks = 1; ticks < 40; ticks += 6) {
		struct split_part part = { 0 };

		learn(ticks, speeds, 2);
		split_init(&split, &tracker, 1.4, 40, work);
		for (int i = 1; i <= 4; i++) {
			const double own[3] = { 1, 0.3 * i, 0.2 * i };

			split_add(&split, own, &part);
		}
		ck_assert_double_eq_tol(part.whole, 40, 1e-9);
		ck_assert_double_eq_tol(part.above + split.idle, 40, 1e-9);
	}
}
END_TEST

START_TEST(sigma_is_what_the_terms_leave_open)
{
	static const double speeds[] = { 1 };
	const double work[3] = { 1, 3, 2 };
	struct split_part all = { 0 }, some = { 0 }, later = { 0 };
	struct split split;

	learn(3, speeds, 1);
	split_init(&split, &tracker, 1, 26, work);
	split_add(&split, work, &all);
	/* Whose all of it is there is no doubt. */
	ck_assert_double_eq_tol(all.whole_variance, split.noise, 1e-9);
	split_add(&split, (const double[]){ 1, 3, 0 }, &some);
	ck_assert_double_gt(some.whole_variance, 0);
	learn(200, speeds, 1);
	split_init(&split, &tracker, 1, 26, work);
	split_add(&split, (const double[]){ 1, 3, 0 }, &later);
	ck_assert_double_lt(later.whole_variance, some.whole_variance);
	ck_assert_double_lt(later.above_variance, some.above_variance);
}
END_TEST

START_TEST(a_dead_meter_has_no_parts)
{
	const double work[3] = { 1, 3, 2 };
	struct split_part part = { 0 };
	struct split split;

	split_init(&split, &tracker, 1, (double)NAN, work);
	split_add(&split, work, &part);
	ck_assert_double_eq(part.whole, 0);
	ck_assert_double_eq(part.whole_variance, 0);
	ck_assert_double_eq(split.idle, 0);
}
END_TEST

Suite *gain_suite(void);
Suite *gain_suite(void)
{
	Suite *suite = suite_create("gain");
	TCase *tcase = tcase_create("gain");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, steps_of_voltage_are_found);
	tcase_add_test(tcase,
		       a_frequency_never_seen_lies_between_its_neighbours);
	tcase_add_test(tcase, one_frequency_has_a_gain_of_one);
	tcase_add_test(tcase, frequencies_beyond_reason_do_no_harm);
	tcase_add_test(tcase, parts_sum_to_the_meter_whatever_was_learnt);
	tcase_add_test(tcase, sigma_is_what_the_terms_leave_open);
	tcase_add_test(tcase, a_dead_meter_has_no_parts);
	suite_add_tcase(suite, tcase);
	return suite;
}
