/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents through batches and out again: equal, and in their order. */
#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "sensor/regroup.h"
#include "tests/unit/scratch.h"

static struct err err;

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	err = (struct err){ 0 };
}

static void teardown(void)
{
	scratch_close();
}

/* From in.jsonl to `uri`. */
static int through(const char *uri)
{
	struct source *source = source_open("in.jsonl", NULL, &err);
	struct sink *sink = sink_open(uri, &err);
	struct regroup *regroup = regroup_new(sink);
	struct doc *doc;
	int status = 0;

	ck_assert_ptr_nonnull(source);
	ck_assert_ptr_nonnull(sink);
	while (status == 0 && source_next(source, &doc, &err) > 0)
		status = regroup_put(regroup, doc, &err);
	if (status == 0)
		status = regroup_flush(regroup, &err);
	regroup_free(regroup);
	source_close(source);
	ck_assert_int_eq(sink_close(sink, NULL), 0);
	return status;
}

#define START "{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"t\","

static const char *const same[] = {
	(START
	 "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":1,\"B\":2},"
	 "\"1\":{\"A\":9007199254740993}},\"1\":{\"0\":{\"A\":0}}},"
	 "\"h\":{\"0\":{\"0\":{\"C\":5}}}},"
	 "\"metadata\":{\"a\":[1,null,0.5],\"b\":{\"c\":\"\xc3\xa4\"}}}\n"),
	(START "\"power\":12.5,\"metadata\":{\"socket\":\"0\"}}\n"),
	(START "\"power\":1e-07}\n"),
	/* Not quite reports: as they are. */
	(START "\"power\":12.5,\"more\":1}\n"),
	(START "\"power\":\"much\"}\n"),
	(START "\"power\":1.0,\"groups\":{}}\n"),
	(START "\"groups\":{}}\n"),
	(START "\"groups\":{\"g\":{}}}\n"),
	(START "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":-1}}}}}\n"),
	(START "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":0.5}}}}}\n"),
	(START "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":{\"B\":1}}}}}}\n"),
	(START "\"groups\":{\"g\":{\"0\":{\"0\":1}}}}\n"),
	("{\"schema\":\"fedwatts.gap/1\",\"documents\":3}\n"),
	("{\"timestamp\":\"2020-07-06\",\"sensor\":\"n\",\"target\":\"t\","
	 "\"power\":1.0}\n"),
	("{}\n"),
};

#define SAME ((int)(sizeof(same) / sizeof(same[0])))

START_TEST(a_document_comes_out_as_it_went_in)
{
	scratch_write("in.jsonl", same[_i]);
	ck_assert_msg(through("out.jsonl") == 0, "%s", err.text);
	ck_assert_str_eq(scratch_read("out.jsonl"), same[_i]);
}
END_TEST

START_TEST(all_of_them_stay_in_order)
{
	char all[8192] = "";

	for (int k = 0; k < 2; k++)
		for (int i = 0; i < SAME; i++)
			strncat(all, same[i], sizeof(all) - strlen(all) - 1);
	scratch_write("in.jsonl", all);
	ck_assert_msg(through("out.jsonl") == 0, "%s", err.text);
	ck_assert_str_eq(scratch_read("out.jsonl"), all);
}
END_TEST

START_TEST(whole_reals_in_a_report_are_counts_again)
{
	scratch_write("in.jsonl", START
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":7.0}}}}}\n");
	ck_assert_int_eq(through("out.jsonl"), 0);
	ck_assert_str_eq(scratch_read("out.jsonl"), START
			 "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":7}}}}}\n");
}
END_TEST

START_TEST(tables_take_the_reports_of_a_tick_at_once)
{
	scratch_write("in.jsonl", START
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":7}}}}}\n"
		      "{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"a\","
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":8,\"B\":9}}}}}\n"
		      "{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"p\","
		      "\"power\":5}\n");
	ck_assert_msg(through("csv:out") == 0, "%s", err.text);
	ck_assert_str_eq(scratch_read("out/g.csv"),
			 "timestamp,sensor,target,socket,cpu,A,B\n"
			 "1000,n,a,0,0,8,9\n"
			 "1000,n,t,0,0,7,\n");
	ck_assert_str_eq(scratch_read("out/n-p/PowerReport.csv"),
			 "timestamp,sensor,target,power,socket\r\n"
			 "1000,n,p,5.0,\r\n");
	ck_assert_msg(through("csv:flat?layout=master") == 0, "%s", err.text);
	ck_assert_str_eq(scratch_read("flat/power.csv"),
			 "timestamp,sensor,target,power\r\n"
			 "1970-01-01T00:00:01.000+00:00,n,p,5.0\r\n");
}
END_TEST

Suite *regroup_suite(void);

Suite *regroup_suite(void)
{
	Suite *suite = suite_create("regroup");
	TCase *tcase = tcase_create("regroup");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_document_comes_out_as_it_went_in, 0, SAME);
	tcase_add_test(tcase, all_of_them_stay_in_order);
	tcase_add_test(tcase, whole_reals_in_a_report_are_counts_again);
	tcase_add_test(tcase, tables_take_the_reports_of_a_tick_at_once);
	suite_add_tcase(suite, tcase);
	return suite;
}
