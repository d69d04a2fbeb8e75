/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <string.h>

#include "lib/line_protocol.h"

static const struct layout_series power_series = { .measurement =
							   "power_consumption",
						   .tagged = true };
static const struct layout_series power_master = { .measurement = "powerrep",
						   .field =
							   "power_estimation" };
static const struct layout_series hwpc_series = { .measurement = "hw pc",
						  .table_label = "group" };
static struct layout *power, *hwpc;
static struct line_writer writer;
static struct err err;

static void setup(void)
{
	err = (struct err){ 0 };
	writer = (struct line_writer){ .names = LAYOUT_NAMES_2_10 };
	power = layout_new("power", LAYOUT_TARGETS);
	layout_series(power, LAYOUT_NAMES_2_10, &power_series);
	layout_series(power, LAYOUT_NAMES_MASTER, &power_master);
	layout_add(power, COLUMN_REAL, "p", NULL, NULL, "power", "power", NULL);
	layout_end(power);
	hwpc = layout_new("hwpc", LAYOUT_TABLES);
	layout_key_columns(hwpc, "socket", "cpu");
	layout_series(hwpc, LAYOUT_NAMES_2_10, &hwpc_series);
	layout_add(hwpc, COLUMN_INT, "core", "0", "1", "A B", "a", NULL);
	layout_add(hwpc, COLUMN_INT, "core", "0", "1", "C", "c", NULL);
	layout_add(hwpc, COLUMN_INT, "core", "0", "2", "C", "d", NULL);
	layout_end(hwpc);
}

static void teardown(void)
{
	layout_free(power);
	layout_free(hwpc);
	line_writer_done(&writer);
}

static const char *lines(const struct layout *layout, const char *target,
			 const union value *value, const char *metadata)
{
	static struct text text;
	struct row row = { target, layout, value, metadata };
	struct batch batch = { 1783600000123, "n", &row, 1 };

	text_clear(&text);
	text_put(&text, "");
	ck_assert_msg(line_put_batch(&writer, &batch, &text, &err) == 0, "%s",
		      err.text);
	return text.data;
}

START_TEST(a_power_report_is_a_line_as_powerapi_writes_it)
{
	const union value value = { .real = 2.5 };

	ck_assert_str_eq(
		lines(power, "/a", &value, "{\"socket\":\"0\",\"ratio\":0.1}"),
		"power_consumption,sensor=n,socket=0,target=/a power=2.5 "
		"1783600000123\n");
	writer.names = LAYOUT_NAMES_MASTER;
	ck_assert_str_eq(lines(power, "/a", &value, "{\"socket\":\"0\"}"),
			 "powerrep,sensor=n,target=/a power_estimation=2.5 "
			 "1783600000123\n");
	writer.measurement = "mine";
	ck_assert_str_eq(lines(power, "/a", &value, NULL),
			 "mine,sensor=n,target=/a power_estimation=2.5 "
			 "1783600000123\n");
}
END_TEST

START_TEST(counters_of_one_place_share_a_line)
{
	const union value value[] = { { .integer = 1 },
				      { .integer = UINT64_MAX },
				      { .integer = 3 } };

	ck_assert_str_eq(lines(hwpc, "all", value, NULL),
			 "hw\\ pc,cpu=1,group=core,sensor=n,socket=0,"
			 "target=all A\\ B=1i,C=9223372036854775807i "
			 "1783600000123\n"
			 "hw\\ pc,cpu=2,group=core,sensor=n,socket=0,"
			 "target=all C=3i 1783600000123\n");
}
END_TEST

static const struct {
	const char *target, *tag;
} escapes[] = {
	{ "a,b=c d", ",target=a\\,b\\=c\\ d" },
	{ "/x\\x2dy", ",target=/x\\x2dy" },
	{ "end\\", ",target=end\\ " },
	{ "two\nlines", ",target=two\\nlines" },
	{ "", "" },
};

START_TEST(what_separates_is_escaped)
{
	const union value value = { .real = 1 };
	char want[100];

	snprintf(want, sizeof(want),
		 "power_consumption,sensor=n%s power=1.0 1783600000123\n",
		 escapes[_i].tag);
	ck_assert_str_eq(lines(power, escapes[_i].target, &value, NULL), want);
}
END_TEST

START_TEST(what_is_no_number_is_no_line)
{
	const union value value = { .real = (double)NAN };

	ck_assert_str_eq(lines(power, "a", &value, NULL), "");
}
END_TEST

START_TEST(a_layout_without_series_is_passed_over)
{
	const union value value[] = { { .integer = 1 },
				      { .integer = 2 },
				      { .integer = 3 } };

	writer.names = LAYOUT_NAMES_MASTER;
	ck_assert_str_eq(lines(hwpc, "all", value, NULL), "");
}
END_TEST

Suite *line_protocol_suite(void);

Suite *line_protocol_suite(void)
{
	Suite *suite = suite_create("line_protocol");
	TCase *tcase = tcase_create("line_protocol");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_power_report_is_a_line_as_powerapi_writes_it);
	tcase_add_test(tcase, counters_of_one_place_share_a_line);
	tcase_add_loop_test(tcase, what_separates_is_escaped, 0,
			    sizeof(escapes) / sizeof(escapes[0]));
	tcase_add_test(tcase, what_is_no_number_is_no_line);
	tcase_add_test(tcase, a_layout_without_series_is_passed_over);
	suite_add_tcase(suite, tcase);
	return suite;
}
