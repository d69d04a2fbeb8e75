/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/smartwatts.h"
#include "formula/smartwatts_layer.h"
#include "formula/smartwatts_reader.h"
#include "lib/doc.h"
#include "lib/mem.h"

static struct smartwatts_settings settings;
static struct text said;
static struct err err;

static struct smartwatts_learning learning_of(size_t min, size_t window)
{
	return (struct smartwatts_learning){ .min_samples = min,
					     .window = window,
					     .error_window = window,
					     .threshold = 2.0,
					     .tdp = 400.0 };
}

static void setup(void)
{
	settings = (struct smartwatts_settings){
		.scope = { { .name = "cpu",
			     .event = "RAPL_ENERGY_PKG",
			     .disable = "disable-cpu-formula",
			     .learning = learning_of(2, 4) },
			   { .name = "dram",
			     .event = "RAPL_ENERGY_DRAM",
			     .disable = "disable-dram-formula",
			     .disabled = true,
			     .learning = learning_of(2, 4) } },
		.base_clock = 100,
		.base_freq = 2100,
		.period_s = 1.0,
	};
	text_clear(&said);
	text_put(&said, "");
	err = (struct err){ 0 };
}

static void teardown(void)
{
	text_done(&said);
}

/* ---- the twelve unit cases that SmartWatts publishes ------------------------ */

START_TEST(watts_are_capped_as_smartwatts_caps_them)
{
	/* target, global, intercept; power, ratio */
	static const double cases[8][5] = {
		{ 0, 0, 0, 0, 0 },       { 0, 0, 10, 0, 0 },
		{ 50, 100, 0, 50, 0.5 }, { 100, 100, 0, 100, 1 },
		{ 200, 100, 0, 200, 2 }, { -200, 100, 0, 0, 0 },
		{ 100, 100, 200, 0, 0 }, { 20, 110, 10, 11, 0.1 },
	};
	const double *c = cases[_i];
	double ratio;

	ck_assert_double_eq_tol(smartwatts_cap(c[0], c[1], c[2], &ratio), c[3],
				1e-12);
	ck_assert_double_eq_tol(ratio, c[4], 1e-12);
}
END_TEST

START_TEST(frequencies_are_multiples_of_the_base_clock)
{
	/* EPYC 7351, Xeon Gold 5220, a base clock of 133 MHz */
	static const int cases[3][5] = {
		{ 100, 2400, 2400, 12, 29 },
		{ 100, 2200, 2200, 10, 39 },
		{ 133, 2666, 2660, 10, 30 },
	};
	const int *c = cases[_i];

	settings.base_clock = c[0];
	settings.base_freq = c[1];
	ck_assert_int_eq(smartwatts_base_frequency(&settings), c[2]);
	for (int ratio = c[3]; ratio <= c[4]; ratio++) {
		int64_t frequency = ratio * c[0];

		ck_assert_int_eq(
			smartwatts_layer_frequency(&settings, frequency),
			frequency);
		ck_assert_int_eq(
			smartwatts_layer_frequency(&settings, frequency + 99),
			frequency);
	}
	ck_assert_int_eq(smartwatts_layer_frequency(&settings, c[0] - 1), 0);
	ck_assert_int_eq(smartwatts_layer_frequency(&settings, 1000000),
			 100 * c[0]);
}
END_TEST

START_TEST(history_keeps_the_newest)
{
	static const double x[3][3] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } };
	struct smartwatts_learning learning = learning_of(2, 2);
	struct smartwatts_layer *layer = smartwatts_layer_new(2100, &learning);

	for (int i = 0; i < 3; i++)
		smartwatts_layer_sample(layer, x[i], 3, 1 + i);
	ck_assert_uint_eq(layer->samples, 2);
	/* A ring: the oldest stands where the next will. */
	ck_assert_uint_eq(layer->sample_next, 1);
	ck_assert_double_eq(layer->watts[1], 2);
	ck_assert_double_eq(layer->watts[0], 3);
	for (size_t j = 0; j < 3; j++) {
		ck_assert_double_eq(layer->x[2 * j + 1], x[1][j]);
		ck_assert_double_eq(layer->x[2 * j], x[2][j]);
	}
	smartwatts_layer_free(layer);
}
END_TEST

/* ---- what a layer does ------------------------------------------------------- */

START_TEST(an_even_number_of_errors_has_the_mean_of_two_as_median)
{
	static const double error[] = { 5, 1, 3, 100 };
	struct smartwatts_learning learning = learning_of(2, 4);
	struct smartwatts_layer *layer = smartwatts_layer_new(2100, &learning);

	for (int i = 0; i < 3; i++)
		smartwatts_layer_error(layer, error[i]);
	ck_assert_double_eq(smartwatts_layer_error_of(layer), 3);
	smartwatts_layer_error(layer, error[3]);
	ck_assert_double_eq(smartwatts_layer_error_of(layer), 4);
	learning.mean = true;
	ck_assert_double_eq(smartwatts_layer_error_of(layer), 27.25);
	smartwatts_layer_learn(layer);
	ck_assert_uint_eq(layer->errors, 0);
	smartwatts_layer_free(layer);
}
END_TEST

START_TEST(a_full_window_has_an_intercept_and_less_has_none)
{
	struct smartwatts_learning learning = learning_of(3, 4);
	struct smartwatts_layer *layer = smartwatts_layer_new(2100, &learning);

	for (int i = 1; i <= 4; i++) {
		double x = 1e9 * i;

		smartwatts_layer_sample(layer, &x, 1, 10 + 2.0 * i);
		ck_assert_int_eq(smartwatts_layer_learn(layer), i >= 3);
		ck_assert_int_eq(layer->model.fitted, i >= 3);
		if (i == 3)
			ck_assert_double_eq(layer->model.intercept, 0);
	}
	ck_assert_double_eq_tol(layer->model.intercept, 10, 1e-3);
	ck_assert_int_eq(layer->model.id, 2);
	ck_assert_uint_eq(strlen(layer->model.hash), 40);
	/* Out of bounds: the old model stays. */
	learning.tdp = 5;
	ck_assert(!smartwatts_layer_learn(layer));
	ck_assert_int_eq(layer->model.id, 2);
	smartwatts_layer_free(layer);
}
END_TEST

START_TEST(coefficients_look_as_numpy_prints_them)
{
	static const struct {
		size_t n;
		double coef[8];
		const char *text;
	} cases[] = {
		{ 4,
		  { 1.5e-9, 0, 2.34567890123e-8, 0 },
		  "[1.5000000e-09 0.0000000e+00 2.3456789e-08 0.0000000e+00]" },
		{ 2, { 0, 0 }, "[0. 0.]" },
		{ 3, { 0.5, 1.25, 3 }, "[0.5  1.25 3.  ]" },
		{ 2, { 123, 0.25 }, "[123.     0.25]" },
		{ 1, { 1e-9 }, "[1.e-09]" },
		{ 5,
		  { 1.2345678901234e-9, 1.2345678901234e-9, 1.2345678901234e-9,
		    1.2345678901234e-9, 1.2345678901234e-9 },
		  "[1.23456789e-09 1.23456789e-09 1.23456789e-09 "
		  "1.23456789e-09\n 1.23456789e-09]" },
	};
	struct text text = TEXT_INIT;

	smartwatts_put_coef(cases[_i].coef, cases[_i].n, &text);
	ck_assert_str_eq(text.data, cases[_i].text);
	text_done(&text);
}
END_TEST

/* ---- ticks ------------------------------------------------------------------- */

static int say(void *self, const struct smartwatts_result *result,
	       struct err *e)
{
	(void)self;
	(void)e;
	text_printf(&said, "%lld/%s:", (long long)result->time_ms,
		    result->package);
	for (size_t i = 0; i < result->powers; i++)
		text_printf(&said, " %s", result->power[i].target);
	text_put(&said, result->layer ? " +\n" : "\n");
	return 0;
}

static int put(struct smartwatts *smartwatts, const char *json)
{
	struct smartwatts_reader *reader =
		smartwatts_reader_new(&settings, smartwatts);
	struct doc *doc = doc_parse(json, strlen(json), &err);
	const struct smartwatts_report *report;
	int failed = -1;

	ck_assert_msg(doc != NULL, "%s", err.text);
	report = smartwatts_reader_read(reader, doc, &err);
	if (report)
		failed = smartwatts_put(smartwatts, report, &err);
	smartwatts_reader_free(reader);
	doc_free(doc);
	return failed;
}

static int put_all(struct smartwatts *smartwatts, int tick, double aperf)
{
	char *json = xasprintf(
		"{\"timestamp\":%d,\"sensor\":\"s\",\"target\":\"all\","
		"\"groups\":{\"rapl\":{\"0\":{\"7\":{\"RAPL_ENERGY_PKG\":"
		"%.0f}}},\"msr\":{\"0\":{\"0\":{\"APERF\":%.0f,\"MPERF\":"
		"1000}}}}}",
		tick, 4294967296.0 * (10 + tick % 3), aperf);
	int failed = put(smartwatts, json);

	free(json);
	return failed;
}

static int put_target(struct smartwatts *smartwatts, int tick,
		      const char *target)
{
	char *json = xasprintf(
		"{\"timestamp\":%d,\"sensor\":\"s\",\"target\":\"%s\","
		"\"groups\":{\"core\":{\"0\":{\"0\":{\"B\":%d000000000,\"A\":5,"
		"\"time_running\":3}}}}}",
		tick, target, 1 + tick % 3);
	int failed = put(smartwatts, json);

	free(json);
	return failed;
}

START_TEST(the_sixth_tick_brings_the_first)
{
	struct smartwatts *smartwatts = smartwatts_new(&settings, say, NULL);

	for (int t = 1; t <= 5; t++) {
		ck_assert_int_eq(put_all(smartwatts, t, 1000), 0);
		ck_assert_int_eq(put_target(smartwatts, t, "/b"), 0);
		ck_assert_int_eq(put_target(smartwatts, t, "/a"), 0);
	}
	ck_assert_str_eq(said.data, "");
	ck_assert_int_eq(put_target(smartwatts, 6, "/b"), 0);
	ck_assert_str_eq(said.data, "1/0: rapl\n");
	ck_assert_int_eq(smartwatts_end(smartwatts, &err), 0);
	/* Two samples make a model; the sixth has no "all". */
	ck_assert_str_eq(said.data, "1/0: rapl\n2/0: rapl\n"
				    "3/0: rapl global /b /a +\n"
				    "4/0: rapl global /b /a +\n"
				    "5/0: rapl global /b /a +\n");
	ck_assert_ptr_nonnull(
		strstr(smartwatts_lost(smartwatts), "no report of target"));
	smartwatts_free(smartwatts);
}
END_TEST

START_TEST(a_report_that_comes_too_late_begins_a_new_tick)
{
	struct smartwatts *smartwatts = smartwatts_new(&settings, say, NULL);

	for (int t = 1; t <= 6; t++) {
		put_all(smartwatts, t, 1000);
		put_target(smartwatts, t, "/a");
	}
	ck_assert_str_eq(said.data, "1/0: rapl\n");
	ck_assert_int_eq(put_target(smartwatts, 1, "/late"), 0);
	ck_assert_str_eq(said.data, "1/0: rapl\n2/0: rapl\n");
	smartwatts_free(smartwatts);
}
END_TEST

START_TEST(a_second_report_replaces_the_first_in_its_place)
{
	struct smartwatts *smartwatts = smartwatts_new(&settings, say, NULL);

	for (int t = 1; t <= 3; t++) {
		put_all(smartwatts, t, 1000);
		put_target(smartwatts, t, "/b");
		put_target(smartwatts, t, "/a");
		put_target(smartwatts, t, "/b");
	}
	smartwatts_end(smartwatts, &err);
	ck_assert_ptr_nonnull(strstr(said.data, "3/0: rapl global /b /a +"));
	smartwatts_free(smartwatts);
}
END_TEST

START_TEST(what_kills_smartwatts_is_an_error_with_its_cause)
{
	static const struct {
		const char *all, *target, *message;
	} cases[] = {
		{ "{\"rapl\":{\"0\":{\"0\":{\"RAPL_ENERGY_PKG\":1}}}}",
		  "{\"core\":{\"0\":{\"0\":{\"A\":1}}}}", "no group \"msr\"" },
		{ "{\"msr\":{\"0\":{\"0\":{\"APERF\":1,\"MPERF\":1}}}}",
		  "{\"core\":{\"0\":{\"0\":{\"A\":1}}}}", "no group \"rapl\"" },
		{ "{\"rapl\":{\"0\":{\"0\":{\"X\":1}}},\"msr\":{\"0\":{\"0\":"
		  "{\"APERF\":1,\"MPERF\":1}}}}",
		  "{\"core\":{\"0\":{\"0\":{\"A\":1}}}}",
		  "does not count RAPL_ENERGY_PKG (--disable-cpu-formula" },
		{ "{\"rapl\":{\"0\":{\"0\":{\"RAPL_ENERGY_PKG\":1}}},\"msr\":{"
		  "\"0\":{\"0\":{\"APERF\":1,\"MPERF\":100}}}}",
		  "{\"core\":{\"0\":{\"0\":{\"A\":1}}}}",
		  "21 MHz is below the base clock of 100 MHz" },
		{ "{\"rapl\":{\"0\":{\"0\":{\"RAPL_ENERGY_PKG\":1}}},\"msr\":{"
		  "\"0\":{\"0\":{\"APERF\":1,\"MPERF\":1}}}}",
		  "{\"other\":{\"0\":{\"0\":{\"A\":1}}}}",
		  "has no group \"core\"" },
	};
	struct smartwatts *smartwatts = smartwatts_new(&settings, say, NULL);
	char *all = xasprintf("{\"timestamp\":1,\"sensor\":\"s\",\"target\":"
			      "\"all\",\"groups\":%s}",
			      cases[_i].all);
	char *target = xasprintf("{\"timestamp\":1,\"sensor\":\"s\",\"target\":"
				 "\"/t\",\"groups\":%s}",
				 cases[_i].target);

	ck_assert_int_eq(put(smartwatts, all), 0);
	ck_assert_int_eq(put(smartwatts, target), 0);
	ck_assert_int_eq(smartwatts_end(smartwatts, &err), -1);
	ck_assert_msg(strstr(err.text, cases[_i].message) != NULL, "%s",
		      err.text);
	ck_assert_ptr_nonnull(strstr(err.text, "tick 1 of 's', package 0"));
	free(all);
	free(target);
	smartwatts_free(smartwatts);
}
END_TEST

START_TEST(a_report_without_groups_is_refused)
{
	struct smartwatts *smartwatts = smartwatts_new(&settings, say, NULL);

	ck_assert_int_eq(put(smartwatts, "{\"timestamp\":1,\"sensor\":\"s\","
					 "\"target\":\"/t\",\"groups\":{}}"),
			 -1);
	ck_assert_ptr_nonnull(strstr(err.text, "has no groups"));
	smartwatts_free(smartwatts);
}
END_TEST

Suite *smartwatts_suite(void);
Suite *smartwatts_suite(void)
{
	Suite *suite = suite_create("smartwatts");
	TCase *tcase = tcase_create("smartwatts");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, watts_are_capped_as_smartwatts_caps_them, 0,
			    8);
	tcase_add_loop_test(tcase, frequencies_are_multiples_of_the_base_clock,
			    0, 3);
	tcase_add_test(tcase, history_keeps_the_newest);
	tcase_add_test(tcase,
		       an_even_number_of_errors_has_the_mean_of_two_as_median);
	tcase_add_test(tcase, a_full_window_has_an_intercept_and_less_has_none);
	tcase_add_loop_test(tcase, coefficients_look_as_numpy_prints_them, 0,
			    6);
	tcase_add_test(tcase, the_sixth_tick_brings_the_first);
	tcase_add_test(tcase, a_report_that_comes_too_late_begins_a_new_tick);
	tcase_add_test(tcase, a_second_report_replaces_the_first_in_its_place);
	tcase_add_loop_test(
		tcase, what_kills_smartwatts_is_an_error_with_its_cause, 0, 5);
	tcase_add_test(tcase, a_report_without_groups_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
