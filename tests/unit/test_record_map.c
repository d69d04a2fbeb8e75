/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "bench/bench_record.h"
#include "bench/record_map.h"
#include "tests/unit/scratch.h"

static struct err err;
static struct records records;

static void setup(void)
{
	scratch_open();
	memset(&err, 0, sizeof(err));
	records = (struct records){ 0 };
}

static void teardown(void)
{
	records_done(&records);
	scratch_close();
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* What every map says, and `rest`. */
static struct record_map *map_with(const char *rest)
{
	struct record_map *map;
	struct doc *doc;
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"device\": \"{host}\", \"meter\": \"RAPL\", \"source\": 1, "
		 "\"model\": \"mlp:16-{width}-4\", \"batch\": \"{batch}\"%s}",
		 rest);
	doc = doc_parse(text, strlen(text), &err);
	ck_assert_msg(doc != NULL, "%s", err.text);
	map = record_map_from_doc(doc, "map.json", &err);
	doc_free(doc);
	return map;
}

static int rows_of(const char *rest, const char *file, const char *text)
{
	struct record_map *map = map_with(rest);
	int got;

	ck_assert_msg(map != NULL, "%s", err.text);
	put(file, text);
	got = record_map_rows(map, file, NULL, &records, &err);
	record_map_free(map);
	return got;
}

static struct bench_record record_at(size_t i)
{
	struct bench_record record;

	ck_assert_uint_lt(i, records.count);
	ck_assert_msg(bench_record_read(records.doc[i], &record, &err) == 0,
		      "%s", err.text);
	return record;
}

static void map_refused(const char *rest, const char *why)
{
	ck_assert_ptr_null(map_with(rest));
	ck_assert_msg(strstr(err.text, why) != NULL, "'%s' is not in '%s'", why,
		      err.text);
}

static void rows_refused(const char *text, const char *why)
{
	ck_assert_int_lt(rows_of(", \"seconds_per_step\": \"{ms}ms\", "
				 "\"energy_per_step\": \"{mj}mJ\"",
				 "t.csv", text),
			 0);
	ck_assert_msg(strstr(err.text, why) != NULL, "'%s' is not in '%s'", why,
		      err.text);
}

START_TEST(a_row_becomes_a_record_with_its_units)
{
	struct bench_record record;

	ck_assert_msg(rows_of(", \"seconds_per_step\": \"{ms}ms\", "
			      "\"energy_per_step\": \"{mWh}mWh\", "
			      "\"loss\": \"{what}\", \"meter_high\": 1.5",
			      "t.csv",
			      "host,width,batch,ms,mWh,what\n"
			      "lab,8,32.0,2.5,0.001,mse\n"
			      "lab,16,4,5,0.002,ce\n") == 0,
		      "%s", err.text);
	ck_assert_uint_eq(records.count, 2);
	record = record_at(0);
	ck_assert_str_eq(record.device, "lab");
	ck_assert_str_eq(record.meter, "RAPL");
	ck_assert_str_eq(record.config.model.text, "mlp:16-8-4");
	ck_assert_uint_eq(record.config.batch, 32);
	ck_assert_str_eq(record.config.precision, "fp32");
	ck_assert_str_eq(loss_name(record.config.loss), "mse");
	ck_assert_uint_eq(record.steps, 1);
	ck_assert_double_eq_tol(record.seconds, 2.5e-3, 1e-15);
	ck_assert_double_eq_tol(record.energy.joules, 3.6e-3, 1e-15);
	ck_assert_int_eq(record.energy.source, 1);
	ck_assert_double_eq(record.energy.scale_hi, 1.5);
	ck_assert_uint_eq(record_at(1).config.batch, 4);
}
END_TEST

START_TEST(totals_are_of_all_steps_and_watts_of_all_seconds)
{
	struct bench_record record;

	ck_assert_msg(rows_of(", \"steps\": \"{n}\", \"seconds\": \"{s}\", "
			      "\"watts\": \"{w}\"",
			      "t.tsv",
			      "host\twidth\tbatch\tn\ts\tw\n"
			      "lab\t8\t32\t100\t2\t15\n"
			      "lab\t8\t32\t100.5\t2\t15\n") == 0,
		      "%s", err.text);
	record = record_at(0);
	ck_assert_uint_eq(record.steps, 100);
	ck_assert_double_eq(record.seconds, 2);
	ck_assert_double_eq_tol(record.energy.joules, 30, 1e-12);
	record = record_at(1); /* a mean: of one step */
	ck_assert_uint_eq(record.steps, 1);
	ck_assert_double_eq_tol(record.seconds, 2 / 100.5, 1e-12);
	ck_assert_double_eq_tol(record.energy.joules, 30 / 100.5, 1e-12);
}
END_TEST

START_TEST(only_rows_of_a_wanted_meter_are_kept)
{
	struct record_map *map = map_with(", \"seconds\": \"1\", "
					  "\"energy\": \"1\"");

	put("t.csv", "host,width,batch\nlab,8,32\n");
	ck_assert_int_eq(record_map_rows(map, "t.csv", "RAPL", &records, &err),
			 0);
	ck_assert_uint_eq(records.count, 1);
	ck_assert_int_lt(record_map_rows(map, "t.csv", "wall", &records, &err),
			 0);
	ck_assert_ptr_nonnull(strstr(err.text, "no rows of meter wall"));
	record_map_free(map);
}
END_TEST

START_TEST(maps_that_leave_something_open_are_refused)
{
	map_refused("", "map.json: say one of seconds, seconds_per_step");
	map_refused(", \"seconds\": \"1\"",
		    "say one of energy, energy_per_step, watts");
	map_refused(", \"seconds\": \"1\", \"energy\": \"1\", \"watts\": \"1\"",
		    "say one of energy");
	map_refused(", \"second\": \"1\"", "seconds");
	map_refused(", \"source\": 9", "source");
	map_refused(", \"meter_high\": 0.5", "meter_high");
	map_refused(", \"seconds\": \"1\", \"watts\": \"1\", "
		    "\"delimiter\": \"::\"",
		    "one character");
}
END_TEST

START_TEST(rows_that_make_no_record_are_refused_with_the_place)
{
	rows_refused("", "t.csv: is empty");
	rows_refused("host,width,batch,ms,mj\n", "t.csv: no rows");
	rows_refused("host,width,batch,ms\nlab,8,32,1\n",
		     "t.csv:2: energy_per_step: there is no column 'mj'");
	rows_refused("host,width,batch,ms,mj\nlab,8,32,1\n",
		     "t.csv:2: 4 columns where the first line has 5");
	rows_refused("host,width,batch,ms,mj\nlab,8,32,fast,1\n",
		     "t.csv:2: seconds_per_step");
	rows_refused("host,width,batch,ms,mj\nlab,8,2.5,1,1\n",
		     "t.csv:2: batch: 2.5 is no whole number");
	rows_refused("host,width,batch,ms,mj\nlab,x,32,1,1\n", "mlp:16-x-4");
	rows_refused("host,width,batch,ms,mj\nlab,8,32,0,1\n",
		     "t.csv:2: seconds: 0 is not possible");
	rows_refused("host,width,batch,ms,mj\n,8,32,1,1\n", "t.csv:2: device");
}
END_TEST

START_TEST(a_brace_without_its_end_is_refused)
{
	ck_assert_int_lt(rows_of(", \"seconds\": \"{s\", \"watts\": \"1\"",
				 "t.csv", "host,width,batch,s\nlab,8,32,1\n"),
			 0);
	ck_assert_ptr_nonnull(strstr(err.text, "seconds: '{s' has no '}'"));
}
END_TEST

Suite *record_map_suite(void);
Suite *record_map_suite(void)
{
	Suite *suite = suite_create("record_map");
	TCase *tcase = tcase_create("rows");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_row_becomes_a_record_with_its_units);
	tcase_add_test(tcase, totals_are_of_all_steps_and_watts_of_all_seconds);
	tcase_add_test(tcase, only_rows_of_a_wanted_meter_are_kept);
	tcase_add_test(tcase, maps_that_leave_something_open_are_refused);
	tcase_add_test(tcase,
		       rows_that_make_no_record_are_refused_with_the_place);
	tcase_add_test(tcase, a_brace_without_its_end_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
