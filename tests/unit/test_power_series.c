/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formula/power_series.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct power_history history;
static FILE *file;
static char path[512];

static void setup(void)
{
	tree_init(&tree);
	history = (struct power_history){ 0 };
	snprintf(path, sizeof(path), "%s/power.jsonl", tree.root);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
}

static void teardown(void)
{
	power_history_done(&history);
	tree_done(&tree);
}

/* A row of a tick that lasted two seconds. */
static void row(int tick, const char *target, double watts, double meter_w,
		double sigma_w)
{
	fprintf(file,
		"{\"timestamp\":%d,\"sensor\":\"s\",\"target\":\"%s\","
		"\"power\":%.17g,\"metadata\":{\"idle_policy\":\"none\","
		"\"meter_w\":%.17g,\"sigma_w\":%.17g,\"source\":1,"
		"\"idle_w\":3,\"elapsed_ns\":2000000000}}\n",
		2000 * (tick + 1), target, watts, meter_w, sigma_w);
}

static const struct power_series *read_back(void)
{
	struct err err = { 0 };

	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(power_history_read(&history, path, &err) == 0, "%s",
		      err.text);
	return history.series[0];
}

static const struct series_target *find(const struct power_series *series,
					const char *target)
{
	for (size_t i = 0; i < series->targets; i++)
		if (!strcmp(series->target[i].target, target))
			return &series->target[i];
	ck_abort_msg("no target %s", target);
}

START_TEST(many_ticks_become_few_bins_and_no_joule_is_lost)
{
	const struct power_series *series;
	const struct series_target *a, *late;
	double a_j = 0, meter_j = 0, seconds = 0;
	int ticks = 5 * SERIES_BINS_MAX + 3;

	for (int t = 0; t < ticks; t++) {
		row(t, "a", t % 7, t % 7 + 3, 0);
		row(t, t < ticks - 1 ? "idle" : "late", 3, t % 7 + 3, 0);
	}
	series = read_back();
	ck_assert_uint_eq(history.count, 1);
	ck_assert_str_eq(series->label, "power.jsonl");
	ck_assert_uint_eq(series->ticks, (size_t)ticks);
	ck_assert_uint_eq(series->ticks_per_bin, 8);
	ck_assert_uint_eq(series->bins, (size_t)(ticks + 7) / 8);
	a = find(series, "a");
	late = find(series, "late");
	for (size_t i = 0; i < series->bins; i++) {
		a_j += (double)a->bin_j[i];
		meter_j += series->bin[i].meter_j;
		seconds += series->bin[i].seconds;
		ck_assert(i == 0 ||
			  series->bin[i].time_s > series->bin[i - 1].time_s);
	}
	ck_assert_double_eq_tol(a_j, a->joules, 1e-6 * a_j);
	ck_assert_double_eq_tol(meter_j, series->meter_j, 1e-9 * meter_j);
	ck_assert_double_eq(seconds, 2.0 * ticks);
	/* (0 + … + 6) / 7 = 3 W in whole weeks. */
	ck_assert_double_eq_tol(a->joules / seconds, 3, 0.01);
	ck_assert_double_eq_tol(power_series_watts(series, a, 3), 3, 1);
	ck_assert_double_eq(late->joules, 6);
	ck_assert_double_eq(late->bin_j[0], 0);
	ck_assert_double_gt((double)late->bin_j[series->bins - 1], 0);
}
END_TEST

START_TEST(residuals_are_what_rows_lack_and_sigmas_cover_them)
{
	static const double residuals[] = { 0, 0.5, -1.5, 4, 0 };
	const struct power_series *series;

	for (int t = 0; t < 5; t++) {
		row(t, "a", 5, 10 + residuals[t], 0.5);
		row(t, "idle", 5, 10 + residuals[t], 0.5);
	}
	series = read_back();
	ck_assert_uint_eq(series->residuals, 5);
	for (size_t t = 0; t < 5; t++)
		ck_assert_double_eq(series->residual[t], residuals[t]);
	ck_assert_double_eq(series->residual_worst, 4);
	ck_assert_uint_eq(series->sigmas, 5);
	ck_assert_uint_eq(series->within_1, 3);
	ck_assert_uint_eq(series->within_2, 4);
	/* Five times 0.5 W of 2 s, in squares. */
	ck_assert_double_eq_tol(find(series, "a")->variance, 5, 1e-12);
}
END_TEST

START_TEST(policies_and_sensors_are_series_of_their_own)
{
	for (int t = 0; t < 3; t++)
		for (int k = 0; k < 4; k++)
			fprintf(file,
				"{\"timestamp\":%d,\"sensor\":\"%s\","
				"\"target\":\"a\",\"power\":%d,\"metadata\":"
				"{\"idle_policy\":\"%s\",\"elapsed_ns\":"
				"1000000000}}\n",
				1000 * (t + 1), k < 2 ? "x" : "y", k,
				k % 2 ? "uniform" : "none");
	read_back();
	ck_assert_uint_eq(history.count, 4);
	ck_assert_str_eq(history.series[0]->label, "power.jsonl, x, none");
	ck_assert_str_eq(history.series[3]->label, "power.jsonl, y, uniform");
	ck_assert_double_eq(history.series[3]->target[0].joules, 9);
}
END_TEST

START_TEST(smartwatts_meter_is_rapl_and_its_sum_global)
{
	static const char *const rows[][3] = {
		{ "rapl", "0", "20" }, { "global", "0", "18" },
		{ "rapl", "1", "10" }, { "global", "1", "11" },
		{ "a", "0", "9" },     { "a", "1", "5" },
	};
	const struct power_series *series;

	for (int t = 0; t < 3; t++) {
		for (size_t i = 0; i < 6; i++)
			fprintf(file,
				"{\"timestamp\":%d,\"sensor\":\"s\","
				"\"target\":\"%s\",\"power\":%s,\"metadata\":"
				"{\"scope\":\"cpu\",\"socket\":\"%s\"}}\n",
				1000 * (t + 1), rows[i][0], rows[i][2],
				rows[i][1]);
		fprintf(file,
			"{\"timestamp\":%d,\"sensor\":\"s\",\"target\":\"f\","
			"\"metadata\":{\"scope\":\"cpu\",\"socket\":\"1\","
			"\"layer_frequency\":2100,\"error\":0.25}}\n",
			1000 * (t + 1));
	}
	series = read_back();
	ck_assert_uint_eq(series->targets, 1);
	ck_assert(series->smartwatts);
	ck_assert_double_eq(series->residual[2], 1);
	/* The first tick has no length. */
	ck_assert_double_eq(series->meter_j, 60);
	ck_assert_double_eq(series->target[0].joules, 28);
	ck_assert_uint_eq(history.errors, 1);
	ck_assert_str_eq(history.error[0].label, "cpu 1");
	ck_assert_uint_eq(history.error[0].count, 3);
	ck_assert_double_eq(history.error[0].error_w[1], 0.25);
}
END_TEST

START_TEST(a_place_without_power_reports_is_an_error)
{
	struct err err = { 0 };

	fprintf(file, "{\"schema\":\"fedwatts.gap/1\"}\n");
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(power_history_read(&history, path, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no power reports in"));
}
END_TEST

Suite *power_series_suite(void);

Suite *power_series_suite(void)
{
	Suite *suite = suite_create("power_series");
	TCase *tests = tcase_create("power_series");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, many_ticks_become_few_bins_and_no_joule_is_lost);
	tcase_add_test(tests,
		       residuals_are_what_rows_lack_and_sigmas_cover_them);
	tcase_add_test(tests, policies_and_sensors_are_series_of_their_own);
	tcase_add_test(tests, smartwatts_meter_is_rapl_and_its_sum_global);
	tcase_add_test(tests, a_place_without_power_reports_is_an_error);
	suite_add_tcase(suite, tests);
	return suite;
}
