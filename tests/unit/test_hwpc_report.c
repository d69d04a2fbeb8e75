/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"
#include "sensor/hwpc_report.h"

static struct doc *parse(const char *text)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse(text, strlen(text), &err);

	ck_assert_msg(doc != NULL, "%s", err.text);
	return doc;
}

static const char example[] =
	"{\"timestamp\":1783600000123,\"sensor\":\"node1\",\"target\":\"all\","
	"\"groups\":{\"rapl\":{\"0\":{\"2\":{\"RAPL_ENERGY_PKG\":85899345920,"
	"\"time_enabled\":1000102345,\"time_running\":1000102345}}},"
	"\"msr\":{\"1\":{\"3\":{\"TSC\":2100000000}}}},"
	"\"metadata\":{\"elapsed_ns\":1000123456,\"within\":\"x\"}}";

START_TEST(a_report_is_taken_apart)
{
	struct doc *doc = parse(example);
	struct hwpc_report report;
	struct err err = { 0 };

	ck_assert_msg(hwpc_report_read(doc, &report, &err) == 0, "%s",
		      err.text);
	ck_assert_int_eq(report.time_ms, 1783600000123);
	ck_assert_str_eq(report.sensor, "node1");
	ck_assert_str_eq(report.target, "all");
	ck_assert_uint_eq(report.values, 4);
	ck_assert_str_eq(report.value[0].group, "rapl");
	ck_assert_str_eq(report.value[0].package, "0");
	ck_assert_str_eq(report.value[0].cpu, "2");
	ck_assert_str_eq(report.value[0].event, "RAPL_ENERGY_PKG");
	ck_assert_double_eq(report.value[0].value * HWPC_RAPL_UNIT_J, 20.0);
	ck_assert_str_eq(report.value[3].group, "msr");
	ck_assert_str_eq(report.value[3].package, "1");
	ck_assert_str_eq(report.value[3].cpu, "3");
	ck_assert_double_eq_tol(report.elapsed_s, 1.000123456, 1e-12);
	ck_assert_str_eq(report.within, "x");
	hwpc_report_done(&report);
	ck_assert_uint_eq(report.values, 0);
	doc_free(doc);
}
END_TEST

START_TEST(what_is_optional_may_be_missing)
{
	struct doc *doc = parse("{\"timestamp\":1,\"sensor\":\"s\","
				"\"target\":\"t\",\"groups\":{}}");
	struct hwpc_report report;

	ck_assert_int_eq(hwpc_report_read(doc, &report, NULL), 0);
	ck_assert_uint_eq(report.values, 0);
	ck_assert_double_eq(report.elapsed_s, 0.0);
	ck_assert_ptr_null(report.within);
	ck_assert_ptr_null(report.metadata);
	hwpc_report_done(&report);
	doc_free(doc);
}
END_TEST

static const struct bad {
	const char *text, *says;
} bads[] = {
	{ "{\"sensor\":\"s\",\"target\":\"t\",\"groups\":{}}", "timestamp" },
	{ "{\"timestamp\":1.5,\"sensor\":\"s\",\"target\":\"t\","
	  "\"groups\":{}}",
	  "timestamp" },
	{ "{\"timestamp\":\"2026-07-09T12:26:40+soon\",\"sensor\":\"s\","
	  "\"target\":\"t\",\"groups\":{}}",
	  "timestamp" },
	{ "{\"timestamp\":1,\"target\":\"t\",\"groups\":{}}", "sensor" },
	{ "{\"timestamp\":1,\"sensor\":\"s\",\"target\":7,\"groups\":{}}",
	  "target" },
	{ "{\"timestamp\":1,\"sensor\":\"s\",\"target\":\"t\"}", "groups" },
	{ "{\"timestamp\":1,\"sensor\":\"s\",\"target\":\"t\","
	  "\"groups\":{\"core\":{\"0\":{\"1\":{\"X\":\"7\"}}}}}",
	  "groups: core: 0: 1: X: expected a number" },
	{ "{\"timestamp\":1,\"sensor\":\"s\",\"target\":\"t\","
	  "\"groups\":{\"core\":{\"0\":7}}}",
	  "groups: core: 0: expected an object" },
};

START_TEST(what_makes_no_sense_is_refused_by_name)
{
	struct doc *doc = parse(bads[_i].text);
	struct hwpc_report report = { .time_ms = 77 };
	struct err err = { 0 };

	ck_assert_int_eq(hwpc_report_read(doc, &report, &err), -1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_msg(strstr(err.text, bads[_i].says) != NULL, "%s", err.text);
	ck_assert_int_eq(report.time_ms, 77);
	doc_free(doc);
}
END_TEST

START_TEST(dates_are_times_as_well)
{
	static const char *const times[] = {
		"1783600000123",
		"\"1783600000123\"",
		"\"2026-07-09T12:26:40.123\"",
		"\"2026-07-09T12:26:40.123456Z\"",
		"\"2026-07-09 14:26:40.123+02:00\"",
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct hwpc_report report;
		struct err err = { 0 };
		char text[128];
		struct doc *doc;

		snprintf(text, sizeof(text),
			 "{\"timestamp\":%s,\"sensor\":\"s\",\"target\":\"t\","
			 "\"groups\":{}}",
			 times[i]);
		doc = parse(text);
		ck_assert_msg(hwpc_report_read(doc, &report, &err) == 0, "%s",
			      err.text);
		ck_assert_int_eq(report.time_ms, 1783600000123);
		hwpc_report_done(&report);
		doc_free(doc);
	}
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	struct layout *layout = hwpc_layout_new();
	union value value[] = { { .integer = 11 },
				{ .integer = 18446744073709551615ULL },
				{ .integer = 33 } };
	struct row row = { "process:7:sh", layout, value, NULL };
	struct batch batch = { 1783600000123, "laptop", &row, 1 };
	struct text text = TEXT_INIT;
	struct hwpc_report report;
	struct doc *doc;

	hwpc_layout_add(layout, "core", 0, 0, "CYCLES");
	hwpc_layout_add(layout, "core", 0, 1, "CYCLES");
	hwpc_layout_add(layout, "rapl", 1, 0, "RAPL_ENERGY_DRAM");
	layout_end(layout);
	batch_put_json(&batch, &row, &text);
	doc = parse(text.data);
	ck_assert_int_eq(hwpc_report_read(doc, &report, NULL), 0);
	ck_assert_str_eq(report.target, "process:7:sh");
	ck_assert_uint_eq(report.values, 3);
	ck_assert_str_eq(report.value[1].cpu, "1");
	ck_assert_str_eq(report.value[2].group, "rapl");
	ck_assert_str_eq(report.value[2].package, "1");
	ck_assert_double_eq(report.value[2].value, 33.0);
	ck_assert_ptr_nonnull(strstr(text.data, "18446744073709551615"));
	hwpc_report_done(&report);
	doc_free(doc);
	text_done(&text);
	layout_free(layout);
}
END_TEST

START_TEST(metadata_says_what_is_known_and_nothing_else)
{
	struct hwpc_meter meter = { .event = "MACHINE_uj",
				    .meter = "model",
				    .source = 7,
				    .sigma_j = 0.5,
				    .scale_lo = 0.5,
				    .scale_hi = 2.0,
				    .counts = true };
	struct hwpc_metadata metadata = { .elapsed_ns = 5 };
	struct text text = TEXT_INIT;

	hwpc_metadata_put(&metadata, &text);
	ck_assert_str_eq(text.data, "{\"elapsed_ns\":5}");
	text_clear(&text);
	metadata.engine = "perf";
	metadata.within = "process:1:\"x\"";
	metadata.cpu_time = "schedstat";
	metadata.bracket_ns = 9;
	metadata.meter = &meter;
	metadata.meters = 1;
	hwpc_metadata_put(&metadata, &text);
	ck_assert_str_eq(
		text.data,
		"{\"elapsed_ns\":5,\"engine\":\"perf\","
		"\"within\":\"process:1:\\\"x\\\"\",\"cpu_time\":\"schedstat\","
		"\"bracket_ns\":9,\"meters\":{\"MACHINE_uj\":{\"source\":7,"
		"\"sigma_j\":0.5,\"meter\":\"model\",\"scale_lo\":0.5,"
		"\"scale_hi\":2.0,\"counts\":true}}}");
	text_done(&text);
}
END_TEST

Suite *hwpc_report_suite(void);
Suite *hwpc_report_suite(void)
{
	Suite *suite = suite_create("hwpc_report");
	TCase *tests = tcase_create("reports");

	tcase_add_test(tests, a_report_is_taken_apart);
	tcase_add_test(tests, what_is_optional_may_be_missing);
	tcase_add_loop_test(tests, what_makes_no_sense_is_refused_by_name, 0,
			    sizeof(bads) / sizeof(bads[0]));
	tcase_add_test(tests, what_is_written_reads_back);
	tcase_add_test(tests, dates_are_times_as_well);
	tcase_add_test(tests, metadata_says_what_is_known_and_nothing_else);
	suite_add_tcase(suite, tests);
	return suite;
}
