/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formula/apportion.h"
#include "formula/power_report.h"
#include "lib/doc.h"
#include "lib/source.h"
#include "tests/unit/tree.h"

static struct tree tree;
static char path[512];

static char names[3][16] = { "/a/b", "process:7:x", "within" };
static char pod[] = ",\"pod\":\"web\"", parent[] = "/a/b";
static struct tick_target target[3];
static double weight[3] = { 3, 1, 1 };
static struct tick tick;
static struct weights weights = { .target = weight, .rest = 2 };
static struct apportion apportion;

static void setup(void)
{
	tree_init(&tree);
	snprintf(path, sizeof(path), "%s/power.jsonl", tree.root);
	for (int i = 0; i < 3; i++)
		target[i] = (struct tick_target){ .name = names[i],
						  .parent = i == 2 ? 0 : -1 };
	target[0].names = pod;
	target[2].within = parent;
	tick = (struct tick){
		.time_ms = 1783600000123,
		.sensor = "node1",
		.elapsed_s = 0.5,
		.energy = { 10, 0.1, 0.5, 2, ENERGY_GENERIC },
		.meter = "model",
		.use = 6,
		.target = target,
		.targets = 3,
	};
}

static void teardown(void)
{
	apportion_done(&apportion);
	tree_done(&tree);
}

/* The tick under a policy, into `uri`. */
static void report(const char *policy, const char *uri)
{
	struct tick_watts watts = { .tick = &tick,
				    .model = "proportional",
				    .policy = policy,
				    .idle_w = 8,
				    .idle_from = "given",
				    .watts = &apportion.watts,
				    .excess = isnan(tick.use) ? (double)NAN : 0,
				    .predicted_w = 21.5,
				    .kernel_w = (double)NAN };
	struct power_reports *reports = power_reports_new();
	struct err err = { 0 };
	struct sink *sink = sink_open(uri, &err);

	ck_assert_msg(sink != NULL, "%s", err.text);
	ck_assert_int_eq(apportion_tick(&apportion,
					idle_policy_find(policy, NULL), &tick,
					&weights, 8, NULL),
			 0);
	watts.meter_w = apportion.meter_w;
	ck_assert_int_eq(power_reports_put(reports, &watts, sink, &err), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	power_reports_free(reports);
}

/* The index-th report in the file; yours. */
static struct doc *line(size_t index)
{
	struct source *source = source_open(path, NULL, NULL);
	struct doc *doc = NULL;

	for (size_t i = 0; i <= index; i++) {
		doc_free(doc);
		doc = NULL;
		if (source_next(source, &doc, NULL) != 1)
			break;
	}
	source_close(source);
	return doc;
}

static const char *text_at(const struct doc *doc, const char *key)
{
	const struct doc *metadata = doc_get(doc, "metadata");

	return doc_string(doc_get(doc_get(doc, key) ? doc : metadata, key), "");
}

static double real_at(const struct doc *doc, const char *key)
{
	const struct doc *metadata = doc_get(doc, "metadata");

	return doc_real(doc_get(doc_get(doc, key) ? doc : metadata, key),
			(double)NAN);
}

START_TEST(a_report_is_what_powerapi_reads)
{
	struct doc *doc;

	report("none", path);
	doc = line(0);
	ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), 0), 1783600000123);
	ck_assert_str_eq(text_at(doc, "sensor"), "node1");
	ck_assert_str_eq(text_at(doc, "target"), "/a/b");
	ck_assert_int_eq(doc_kind(doc_get(doc, "power")), DOC_REAL);
	ck_assert_double_eq_tol(real_at(doc, "power"), 6, 1e-12);
	ck_assert_str_eq(text_at(doc, "scope"), "cpu");
	ck_assert_str_eq(text_at(doc, "socket"), "0");
	ck_assert_str_eq(text_at(doc, "formula"), "proportional");
	ck_assert_double_eq_tol(real_at(doc, "ratio"), 0.3, 1e-12);
	ck_assert_str_eq(text_at(doc, "pod"), "web");
	ck_assert_uint_eq(doc_count(doc), 5);
	/* Flat, as PowerAPI's tags are. */
	for (size_t i = 0; i < doc_count(doc_get(doc, "metadata")); i++) {
		const struct doc *value;

		doc_key_at(doc_get(doc, "metadata"), i, &value);
		ck_assert(doc_kind(value) != DOC_OBJECT &&
			  doc_kind(value) != DOC_ARRAY);
	}
	doc_free(doc);
}
END_TEST

START_TEST(every_number_says_where_it_comes_from)
{
	struct doc *doc;

	report("none", path);
	doc = line(0);
	ck_assert_int_eq(
		doc_int(doc_get(doc_get(doc, "metadata"), "source"), -1), 7);
	ck_assert_str_eq(text_at(doc, "estimated"),
			 "estimated (class 7, −50/+100 %)");
	ck_assert_str_eq(text_at(doc, "idle_policy"), "none");
	ck_assert_str_eq(text_at(doc, "idle_w_from"), "given");
	ck_assert_str_eq(text_at(doc, "meter"), "model");
	ck_assert_double_eq(real_at(doc, "idle_w"), 8);
	ck_assert_double_eq(real_at(doc, "meter_w"), 20);
	ck_assert_double_eq(real_at(doc, "predicted_w"), 21.5);
	ck_assert_double_eq_tol(real_at(doc, "residual_w"), 0, 1e-12);
	ck_assert_double_eq_tol(real_at(doc, "sigma_w"), 0.06, 1e-12);
	ck_assert_double_eq(real_at(doc, "elapsed_ns"), 5e8);
	doc_free(doc);
	/* A counter's watts are not called estimated, and a sigma that nobody
	 * knows is not there. */
	tick.energy.source = ENERGY_ACCUMULATOR;
	tick.energy.sigma_j = (double)NAN;
	report("none", path);
	doc = line(5);
	ck_assert_str_eq(text_at(doc, "target"), "/a/b");
	ck_assert_str_eq(text_at(doc, "estimated"), "");
	ck_assert(isnan(real_at(doc, "sigma_w")));
	doc_free(doc);
}
END_TEST

/* By name; what lies within another says so and is not in the sum. */
START_TEST(rows_sum_to_the_meter_under_every_policy)
{
	const char *last = "";
	char previous[64] = "";
	double sum = 0;
	struct doc *doc;

	report(idle_policy_at((size_t)_i)->name, path);
	for (size_t i = 0; (doc = line(i)); i++) {
		last = text_at(doc, "target");
		if (!last)
			last = "";
		ck_assert_int_lt(strcmp(previous, last), 0);
		snprintf(previous, sizeof(previous), "%s", last);
		if (!strcmp(last, "within"))
			ck_assert_str_eq(text_at(doc, "within"), "/a/b");
		else
			sum += real_at(doc, "power");
		doc_free(doc);
	}
	ck_assert_double_eq_tol(sum, 20, 20e-9);
}
END_TEST

START_TEST(idle_is_a_target_only_where_it_has_watts_of_its_own)
{
	struct doc *doc;

	report("none", path);
	report("proportional", path);
	doc = line(1);
	ck_assert_str_eq(text_at(doc, "target"), "idle");
	doc_free(doc);
	for (size_t i = 5; (doc = line(i)); i++) {
		ck_assert_str_ne(text_at(doc, "target"), "idle");
		doc_free(doc);
	}
}
END_TEST

START_TEST(a_machine_that_counts_nothing_has_no_rest)
{
	struct doc *doc;

	tick.use = (double)NAN;
	weights.rest = 0;
	report("none", path);
	for (size_t i = 0; (doc = line(i)); i++) {
		ck_assert_str_ne(text_at(doc, "target"), "unattributed");
		doc_free(doc);
	}
}
END_TEST

/* powerapi.md 2.2: DIR/SENSOR-TARGET/PowerReport.csv. */
START_TEST(csv_is_powerapis_layout)
{
	char uri[512], line_text[512];
	FILE *file;

	snprintf(uri, sizeof(uri), "csv:%s/csv", tree.root);
	report("none", uri);
	snprintf(path, sizeof(path), "%s/csv/node1-/a/b/PowerReport.csv",
		 tree.root);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line_text, sizeof(line_text), file));
	ck_assert_int_eq(strncmp(line_text,
				 "timestamp,sensor,target,power,socket,",
				 strlen("timestamp,sensor,target,power,"
					"socket,")),
			 0);
	ck_assert_ptr_nonnull(fgets(line_text, sizeof(line_text), file));
	ck_assert_int_eq(
		strncmp(line_text, "1783600000123,node1,/a/b,6.0,0,", 31), 0);
	fclose(file);
}
END_TEST

Suite *power_report_suite(void);
Suite *power_report_suite(void)
{
	Suite *suite = suite_create("power_report");
	TCase *tcase = tcase_create("power_report");
	int policies = 0;

	while (idle_policy_at((size_t)policies))
		policies++;
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_report_is_what_powerapi_reads);
	tcase_add_test(tcase, every_number_says_where_it_comes_from);
	tcase_add_loop_test(tcase, rows_sum_to_the_meter_under_every_policy, 0,
			    policies);
	tcase_add_test(tcase,
		       idle_is_a_target_only_where_it_has_watts_of_its_own);
	tcase_add_test(tcase, a_machine_that_counts_nothing_has_no_rest);
	tcase_add_test(tcase, csv_is_powerapis_layout);
	suite_add_tcase(suite, tcase);
	return suite;
}
