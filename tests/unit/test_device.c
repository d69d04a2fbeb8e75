/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "fl/device.h"
#include "lib/mem.h"
#include "lib/stat.h"

Suite *device_suite(void);

/* 1 J and 10 ms a step; 95 % of runs within 0.9 … 1.3 J, 9 … 11 ms. */
static struct device device_make(double scale, double budget_j)
{
	return (struct device){
		.id = 3,
		.scale_joules = scale,
		.scale_seconds = 1.0,
		.budget_j = budget_j,
		.step = {
			.seconds = { .mean = 0.010, .pi = { 0.009, 0.011 } },
			.joules = { .mean = 1.0, .pi = { 0.9, 1.3 } },
		},
	};
}

static const struct action ten = { 10, 32, "fp32" };

START_TEST(a_prediction_is_linear_in_steps_and_scale)
{
	struct device device = device_make(2.0, (double)INFINITY);
	struct action_cost cost;

	device_predict(&device, &ten, &cost);
	ck_assert_double_eq_tol(cost.joules, 20.0, 1e-12);
	ck_assert_double_eq_tol(cost.joules_hi, 26.0, 1e-12);
	ck_assert_double_eq_tol(cost.sigma_j, 20.0 * 0.4 / 2.0 / 1.959964,
				1e-5);
	ck_assert_double_eq_tol(cost.seconds, 0.1, 1e-12);
}
END_TEST

START_TEST(steps_within_a_budget_count_their_upper_cost)
{
	struct device device = device_make(2.0, (double)INFINITY);

	ck_assert_uint_eq(device_steps_within(&device, &ten, 2.59, 99), 0);
	ck_assert_uint_eq(device_steps_within(&device, &ten, 2.61, 99), 1);
	ck_assert_uint_eq(device_steps_within(&device, &ten, 26.01, 99), 10);
	ck_assert_uint_eq(device_steps_within(&device, &ten, 1e9, 99), 99);
	ck_assert_uint_eq(
		device_steps_within(&device, &ten, (double)INFINITY, 99), 99);
	ck_assert_uint_eq(device_steps_within(&device, &ten, -1.0, 99), 0);
}
END_TEST

START_TEST(noise_has_the_tables_repeatability)
{
	size_t n = 4000, outside = 0;
	double *spent = xcalloc(n, sizeof(*spent));

	for (size_t round = 0; round < n; round++) {
		struct device device = device_make(1.0, (double)INFINITY);
		struct work work;

		device_work(&device, &ten, round, 1, false, &work);
		spent[round] = work.joules / 10.0;
		outside += spent[round] < 0.9 || spent[round] > 1.3;
		ck_assert_uint_eq(work.steps, 10);
		ck_assert(!work.ran_dry);
	}
	ck_assert_double_eq_tol((double)outside / (double)n, 0.05, 0.012);
	ck_assert_double_eq_tol(stat_median(spent, n), 1.0, 0.01);
	free(spent);
}
END_TEST

START_TEST(an_interval_without_bounds_adds_no_noise)
{
	struct device device = device_make(1.0, (double)INFINITY);
	struct work work;

	device.step.joules.pi = (struct interval){ (double)NAN, (double)NAN };
	device.step.seconds.pi = (struct interval){ (double)NAN, (double)NAN };
	device_work(&device, &ten, 0, 1, false, &work);
	ck_assert_double_eq(work.joules, 10.0);
	ck_assert_double_eq(work.sigma_j, 0.0);
	ck_assert_double_eq_tol(work.seconds, 0.1, 1e-12);
}
END_TEST

START_TEST(who_does_not_watch_runs_dry)
{
	struct device device = device_make(1.0, 4.5);
	struct work work;

	device_work(&device, &ten, 0, 1, false, &work);
	ck_assert(work.ran_dry);
	ck_assert_uint_lt(work.steps, 10);
	ck_assert_double_eq_tol(work.joules, 4.5, 1e-12);
	ck_assert_double_eq(device_left(&device), 0.0);
	ck_assert_double_gt(work.seconds, 0.0);
}
END_TEST

START_TEST(who_watches_stops_in_time)
{
	for (size_t round = 0; round < 200; round++) {
		struct device device = device_make(1.0, 4.5);
		struct work work;

		device_work(&device, &ten, round, 1, true, &work);
		ck_assert(!work.ran_dry);
		ck_assert_uint_ge(work.steps, 3);
		ck_assert_uint_le(work.steps, 6);
		ck_assert_double_ge(device_left(&device), 0.0);
		/* It stopped because the next step did not fit. */
		ck_assert_double_lt(device_left(&device),
				    work.joules / (double)work.steps);
	}
}
END_TEST

START_TEST(nobody_ever_spends_more_than_there_is)
{
	for (size_t watch = 0; watch < 2; watch++) {
		struct device device = device_make(0.37, 123.4);
		struct work work;
		double sum = 0.0;

		for (size_t round = 0; round < 100; round++) {
			device_work(&device, &ten, round, 9, watch, &work);
			sum += work.joules;
			ck_assert_double_ge(device_left(&device), 0.0);
		}
		ck_assert_double_eq_tol(sum, device.spent_j, 1e-9);
		ck_assert_double_le(device.spent_j, 123.4);
		ck_assert_double_gt(device_left_sigma(&device), 0.0);
	}
}
END_TEST

START_TEST(scales_spread_evenly_in_the_logarithm)
{
	size_t n = 2000;
	double *scale = xcalloc(n, sizeof(*scale));
	double product = 0.0;

	for (size_t k = 0; k < n; k++) {
		struct device device = device_make(1.0, (double)INFINITY);

		device.id = k;
		device_scale(&device, 4.0, 1);
		scale[k] = log(device.scale_joules) / log(4.0);
		product += scale[k] * log(device.scale_seconds) / log(4.0);
		ck_assert_double_ge(scale[k], -1.0);
		ck_assert_double_le(scale[k], 1.0);
	}
	ck_assert_double_eq_tol(stat_mean(scale, n), 0.0, 0.05);
	ck_assert_double_eq_tol(stat_sd(scale, n), 1.0 / sqrt(3.0), 0.03);
	/* Joules and seconds have nothing to do with each other. */
	ck_assert_double_eq_tol(product / (double)n, 0.0, 0.03);
	free(scale);
}
END_TEST

START_TEST(a_spread_of_one_makes_all_alike)
{
	struct device device = device_make(7.0, (double)INFINITY);

	device_scale(&device, 1.0, 1);
	ck_assert_double_eq(device.scale_joules, 1.0);
	ck_assert_double_eq(device.scale_seconds, 1.0);
}
END_TEST

Suite *device_suite(void)
{
	Suite *suite = suite_create("device");
	TCase *tcase = tcase_create("device");

	tcase_add_test(tcase, a_prediction_is_linear_in_steps_and_scale);
	tcase_add_test(tcase, steps_within_a_budget_count_their_upper_cost);
	tcase_add_test(tcase, noise_has_the_tables_repeatability);
	tcase_add_test(tcase, an_interval_without_bounds_adds_no_noise);
	tcase_add_test(tcase, who_does_not_watch_runs_dry);
	tcase_add_test(tcase, who_watches_stops_in_time);
	tcase_add_test(tcase, nobody_ever_spends_more_than_there_is);
	tcase_add_test(tcase, scales_spread_evenly_in_the_logarithm);
	tcase_add_test(tcase, a_spread_of_one_makes_all_alike);
	suite_add_tcase(suite, tcase);
	return suite;
}
