/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "sensor/energy.h"

static const struct energy package = { 3.0, 0.3, 1.0, 1.0, ENERGY_ACCUMULATOR };
static const struct energy model = { 1.0, 0.4, 0.5, 2.0, ENERGY_GENERIC };

START_TEST(a_sum_carries_the_worst_class_and_the_widest_scale)
{
	struct energy sum = ENERGY_NONE;

	energy_add(&sum, &package);
	ck_assert_int_eq(sum.source, ENERGY_ACCUMULATOR);
	energy_add(&sum, &model);
	energy_add(&sum, &package);
	ck_assert_double_eq_tol(sum.joules, 7.0, 1e-12);
	ck_assert_int_eq(sum.source, ENERGY_GENERIC);
	ck_assert_double_eq(sum.scale_lo, 0.5);
	ck_assert_double_eq(sum.scale_hi, 2.0);
}
END_TEST

START_TEST(sigmas_add_in_squares)
{
	struct energy sum = ENERGY_NONE;

	energy_add(&sum, &package);
	energy_add(&sum, &model);
	ck_assert_double_eq_tol(sum.sigma_j, 0.5, 1e-12);
}
END_TEST

START_TEST(nothing_added_changes_nothing)
{
	const struct energy none = ENERGY_NONE;
	struct energy sum = package;

	energy_add(&sum, &none);
	ck_assert_double_eq(sum.joules, package.joules);
	ck_assert_double_eq(sum.sigma_j, package.sigma_j);
	ck_assert_int_eq(sum.source, package.source);
	ck_assert_double_eq(sum.scale_hi, 1.0);
}
END_TEST

START_TEST(models_are_called_estimated_and_meters_are_not)
{
	char out[ENERGY_LABEL_MAX];

	ck_assert_str_eq(energy_label(ENERGY_ACCUMULATOR, 1, 1, out),
			 "class 1 (hardware accumulator)");
	ck_assert_str_eq(energy_label(ENERGY_GENERIC, 0.5, 2, out),
			 "estimated (class 7, −50/+100 %)");
	ck_assert_str_eq(energy_label(ENERGY_CALIBRATED, 1, 1, out),
			 "estimated (class 5)");
	for (int source = ENERGY_WALL; source <= ENERGY_UNKNOWN; source++) {
		double lo, hi;

		energy_source_scale((enum energy_source)source, &lo, &hi);
		energy_label((enum energy_source)source, lo, hi, out);
		ck_assert_int_eq(!strncmp(out, "estimated", 9), source >= 5);
		ck_assert_str_ne(energy_source_name((enum energy_source)source),
				 "");
	}
}
END_TEST

START_TEST(a_class_that_does_not_exist_is_unknown)
{
	ck_assert_str_eq(energy_source_name((enum energy_source)99), "unknown");
	ck_assert_str_eq(energy_source_name((enum energy_source) - 1),
			 "unknown");
}
END_TEST

Suite *energy_suite(void);
Suite *energy_suite(void)
{
	Suite *suite = suite_create("energy");
	TCase *tcase = tcase_create("energy");

	tcase_add_test(tcase,
		       a_sum_carries_the_worst_class_and_the_widest_scale);
	tcase_add_test(tcase, sigmas_add_in_squares);
	tcase_add_test(tcase, nothing_added_changes_nothing);
	tcase_add_test(tcase, models_are_called_estimated_and_meters_are_not);
	tcase_add_test(tcase, a_class_that_does_not_exist_is_unknown);
	suite_add_tcase(suite, tcase);
	return suite;
}
