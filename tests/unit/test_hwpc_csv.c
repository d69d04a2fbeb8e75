/* SPDX-License-Identifier: BSD-3-Clause */
/* CSV files by both ways, with and without documents: the same reports. */
#include "formula/hwpc_csv.h"
#include "formula/hwpc_rows.h"
#include "lib/source.h"
#include "tests/unit/scratch.h"

#define CORE "timestamp,sensor,target,socket,cpu,CYCLES,time_enabled\n"
#define RAPL "timestamp,sensor,target,socket,cpu,RAPL_ENERGY_PKG\n"

static struct hwpc_csv *opened(struct err *err)
{
	struct field_list files = { 0 };
	struct hwpc_csv *csv;

	ck_assert(hwpc_rows_files(".", &files));
	csv = hwpc_csv_open(&files, err);
	field_list_done(&files);
	return csv;
}

static void ck_same(const struct hwpc_report *a, const struct hwpc_report *b)
{
	ck_assert_int_eq(a->time_ms, b->time_ms);
	ck_assert_str_eq(a->sensor, b->sensor);
	ck_assert_str_eq(a->target, b->target);
	ck_assert_uint_eq(a->values, b->values);
	for (size_t i = 0; i < a->values; i++) {
		ck_assert_str_eq(a->value[i].group, b->value[i].group);
		ck_assert_str_eq(a->value[i].package, b->value[i].package);
		ck_assert_str_eq(a->value[i].cpu, b->value[i].cpu);
		ck_assert_str_eq(a->value[i].event, b->value[i].event);
		ck_assert(a->value[i].value == b->value[i].value);
	}
}

/* How many reports; `core` and `rapl` are the files. */
static int both(const char *core, const char *rapl, bool *torn)
{
	struct source *source;
	struct hwpc_csv *csv;
	const struct hwpc_report *report;
	struct doc *doc;
	int reports = 0, got;

	scratch_write("core.csv", core);
	scratch_write("rapl.csv", rapl);
	source = source_open("csv:.", NULL, NULL);
	csv = opened(NULL);
	ck_assert_ptr_nonnull(source);
	ck_assert_ptr_nonnull(csv);
	while ((got = hwpc_csv_next(csv, &report, NULL)) > 0) {
		struct hwpc_report other;

		ck_assert_int_eq(source_next(source, &doc, NULL), 1);
		ck_assert_int_eq(hwpc_report_read(doc, &other, NULL), 0);
		ck_same(report, &other);
		hwpc_report_done(&other);
		doc_free(doc);
		reports++;
	}
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(source_next(source, &doc, NULL), 0);
	ck_assert(hwpc_csv_torn(csv) == source_torn(source));
	if (torn)
		*torn = hwpc_csv_torn(csv);
	hwpc_csv_close(csv);
	source_close(source);
	return reports;
}

START_TEST(reports_are_those_of_documents)
{
	ck_assert_int_eq(both(CORE "1000,s,/a,0,0,1,5\n1000,s,/a,0,1,2,5\n"
				   "1000,s,/b,0,0,3,5\n1000,s,/b,0,1,4,5\n"
				   "2000,s,/a,0,0,5,5\n2000,s,/a,0,1,6,5\n",
			      RAPL "1000,s,all,0,0,77\n2000,s,all,0,0,78\n",
			      NULL),
			 5);
}
END_TEST

START_TEST(rows_may_come_in_any_order_and_twice)
{
	ck_assert_int_eq(both(CORE "1000,s,/b,1,10,1,5\n1000,s,/b,1,9,2,5\n"
				   "1000,s,/a,0,0,3,5\n1000,t,/a,0,0,4,5\n"
				   "1000,s,/b,0,1,5,5\n1000,s,all,0,0,9,5\n"
				   "1000,s,/a,0,0,6,7\n1000,s,/b,1,2,8,5\n",
			      RAPL "1000,t,all,0,0,77\n1000,s,all,1,0,8\n"
				   "1000,s,/a,0,0,1\n3000,s,all,0,0,78\n",
			      NULL),
			 6);
}
END_TEST

START_TEST(empty_and_quoted_cells_are_as_in_documents)
{
	bool torn;

	ck_assert_int_eq(
		both(CORE "1000,s,/a,0,0,,5\n1000,s,/b,0,0,3,\n"
			  "1000,s,/c,0,0,4,5\n1000,s,/d,0,0,,\n"
			  "1000,s,/e,0,0,,\n1000,s,/f,0,0,7,8\n"
			  "\"1001\",s,\"/a,\"\"b\",0,0,\"12\",\"13\"\r\n"
			  "1001,s,/z,0,0,9223372036854775807,13\n1002,s,/t,0,0",
		     RAPL "1000,s,all,0,0,1\n", &torn),
		9);
	ck_assert(torn);
}
END_TEST

START_TEST(what_cannot_be_right_is_refused)
{
	static const char *const bad[] = {
		CORE "1000,s,/a,0,0,9223372036854775808,1\n",
		CORE "1000,s,/a,0,0,18446744073709551617,1\n",
		CORE "1000,s,/a,0,0,-1,1\n",
		CORE "1000,s,/a,0,0,1\n",
		CORE "1000,s,/a,0,0,1,1\n999,s,/a,0,0,1,1\n",
		"timestamp,sensor,target,socket,cpu,A,A\n1,s,t,0,0,1,1\n",
		"timestamp,sensor,target,socket,A\n1,s,t,0,1\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct hwpc_report *report;
		struct hwpc_csv *csv;
		int got = -1;

		scratch_write("core.csv", bad[i]);
		csv = opened(NULL);
		while (csv && (got = hwpc_csv_next(csv, &report, NULL)) > 0)
			;
		hwpc_csv_close(csv);
		ck_assert_msg(got == -1, "%s", bad[i]);
	}
}
END_TEST

Suite *hwpc_csv_suite(void);
Suite *hwpc_csv_suite(void)
{
	Suite *suite = suite_create("hwpc_csv");
	TCase *tcase = tcase_create("files");

	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
	tcase_add_test(tcase, reports_are_those_of_documents);
	tcase_add_test(tcase, rows_may_come_in_any_order_and_twice);
	tcase_add_test(tcase, empty_and_quoted_cells_are_as_in_documents);
	tcase_add_test(tcase, what_cannot_be_right_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
