/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "formula/elastic_net.h"
#include "tests/data/elastic_net_golden.h"

#define TERMS    4
#define ROWS_MAX 60

static const struct elastic_net net = ELASTIC_NET_SMARTWATTS;
static double columns[TERMS * ROWS_MAX], watts[ROWS_MAX], residual[ROWS_MAX];

static double relative(double a, double b)
{
	return fabs(a - b) / fmax(fabs(b), 1e-12);
}

START_TEST(fits_are_scikit_learns)
{
	size_t rows = en_case[_i].rows;
	double coef[TERMS], b, pred;

	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < TERMS; j++)
			columns[j * rows + i] = en_case[_i].x[i * TERMS + j];
	memcpy(watts, en_case[_i].y, rows * sizeof(double));
	elastic_net_fit(&net, columns, watts, residual, rows, TERMS,
			en_case[_i].intercept, coef, &b);
	pred = b;
	for (size_t j = 0; j < TERMS; j++) {
		pred += coef[j] * en_case[_i].x[j];
		ck_assert_double_le(
			fabs(coef[j] - en_case[_i].coef[j]),
			1e-9 * fmax(fabs(en_case[_i].coef[j]), 1e-12));
	}
	ck_assert_double_le(relative(pred, en_case[_i].pred), 1e-9);
	ck_assert_double_le(fabs(b - en_case[_i].b), 1e-9);
}
END_TEST

START_TEST(columns_without_counts_get_no_watts)
{
	double zeros[2 * 10] = { 0 }, y[10], coef[2], b;

	for (size_t i = 0; i < 10; i++)
		y[i] = 10.0 + (double)i;
	elastic_net_fit(&net, zeros, y, residual, 10, 2, true, coef, &b);
	ck_assert_double_eq(coef[0], 0.0);
	ck_assert_double_eq(coef[1], 0.0);
	ck_assert_double_eq_tol(b, 14.5, 1e-12);
}
END_TEST

START_TEST(watts_of_zero_are_a_model_of_zero)
{
	double x[10], y[10] = { 0 }, coef[1] = { 1 }, b = 1;

	for (size_t i = 0; i < 10; i++)
		x[i] = 1e9;
	ck_assert_uint_eq(
		elastic_net_fit(&net, x, y, residual, 10, 1, false, coef, &b),
		0);
	ck_assert_double_eq(coef[0], 0.0);
	ck_assert_double_eq(b, 0.0);
}
END_TEST

Suite *elastic_net_suite(void);
Suite *elastic_net_suite(void)
{
	Suite *suite = suite_create("elastic_net");
	TCase *tcase = tcase_create("elastic_net");

	tcase_add_loop_test(tcase, fits_are_scikit_learns, 0,
			    sizeof(en_case) / sizeof(en_case[0]));
	tcase_add_test(tcase, columns_without_counts_get_no_watts);
	tcase_add_test(tcase, watts_of_zero_are_a_model_of_zero);
	suite_add_tcase(suite, tcase);
	return suite;
}
