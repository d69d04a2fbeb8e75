/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fl/run_log.h"
#include "fl/run_read.h"
#include "lib/mem.h"
#include "lib/text.h"

Suite *run_log_suite(void);

#define ROUNDS 3

static char folder[] = "/tmp/fl-run-log-XXXXXX";
static struct field_list to;
static char *path;

static void file_make(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/run.jsonl", folder);
	field_list_add(&to, path);
}

static void file_drop(void)
{
	unlink(path);
	rmdir(folder);
	free(path);
	field_list_done(&to);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

/* ---- a run in a few words ------------------------------------------------- */

static struct doc *header_make(const char *run, const char *version)
{
	char *text =
		xasprintf("{\"schema\":\"fedwatts.fl-run/1\",\"run\":\"%s\","
			  "\"version\":\"%s\",\"rounds\":%d,\"source\":7,"
			  "\"meter_scale\":[0.5,2.0],\"devices\":[{\"id\":0,"
			  "\"budget_j\":9.0},{\"id\":1}]}",
			  run, version, ROUNDS);
	struct doc *doc = doc_parse(text, strlen(text), NULL);

	ck_assert_ptr_nonnull(doc);
	free(text);
	return doc;
}

static struct doc *round_make(int round)
{
	char *text =
		xasprintf("{\"schema\":\"fedwatts.fl-round/1\",\"run\":\"a\","
			  "\"round\":%d,\"time_s\":%d.5,\"accuracy\":0.25,"
			  "\"loss\":1.5,\"energy_total_j\":%d.0,\"clients\":["
			  "{\"id\":0,\"action\":{\"steps\":3},\"spent_j\":2.5,"
			  "\"left_j\":%g},{\"id\":1,\"skip\":\"empty\"}]}",
			  round, round, 2 * round, 9.0 - 2.5 * round);
	struct doc *doc = doc_parse(text, strlen(text), NULL);

	ck_assert_ptr_nonnull(doc);
	free(text);
	return doc;
}

static struct doc *summary_make(void)
{
	static const char text[] =
		"{\"schema\":\"fedwatts.fl-summary/1\",\"run\":\"a\"}";

	return doc_parse(text, strlen(text), NULL);
}

static struct run_log *open(const char *run, const char *version, bool force,
			    struct err *err)
{
	struct doc *header = header_make(run, version);
	struct run_log *log = run_log_open(&to, header, force, err);

	doc_free(header);
	return log;
}

static void put(struct run_log *log, struct doc *doc)
{
	struct err err = { 0 };

	ck_assert_msg(!run_log_put(log, doc, &err), "%s", err.text);
	doc_free(doc);
}

/* The first `rounds` rounds, and the summary after the last. */
static void write_run(int rounds)
{
	struct err err = { 0 };
	struct run_log *log = open("a", "1", false, &err);

	ck_assert_msg(log != NULL, "%s", err.text);
	for (int i = 1; i <= rounds; i++)
		put(log, round_make(i));
	if (rounds == ROUNDS)
		put(log, summary_make());
	ck_assert_int_eq(run_log_close(log, &err), 0);
}

static char *content(void)
{
	struct text text = TEXT_INIT;

	ck_assert_int_eq(text_read_file(&text, path, 1 << 20, NULL), 0);
	return text_take(&text);
}

static void append(const char *text)
{
	FILE *file = fopen(path, "a");

	fputs(text, file);
	fclose(file);
}

static void refused(const char *run, const char *version, const char *says)
{
	char *before = content(), *after;
	struct err err = { 0 };

	ck_assert_ptr_null(open(run, version, false, &err));
	ck_assert_msg(strstr(err.text, says), "'%s' does not say '%s'",
		      err.text, says);
	after = content();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

/* ---- continuing ------------------------------------------------------------ */

START_TEST(a_run_in_pieces_is_the_run_in_one)
{
	char *whole, *pieces;

	write_run(ROUNDS);
	whole = content();
	unlink(path);
	write_run(0);
	write_run(1);
	append("{\"schema\":\"fedwatts.fl-rou"); /* a crash */
	write_run(2);
	write_run(ROUNDS);
	pieces = content();
	ck_assert_str_eq(whole, pieces);
	free(whole);
	free(pieces);
}
END_TEST

START_TEST(a_complete_run_is_left_alone)
{
	struct err err = { 0 };
	char *before, *after;
	struct run_log *log;

	write_run(ROUNDS);
	before = content();
	/* Even by another version: there is nothing to compare. */
	log = open("a", "2", false, &err);
	ck_assert_msg(log != NULL, "%s", err.text);
	ck_assert(run_log_complete(log));
	ck_assert_uint_eq(run_log_found(log), ROUNDS + 2);
	run_log_close(log, NULL);
	after = content();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	write_run(1);
	refused("b", "1", "another configuration");
	refused("a", "2", "begun by version 1");
	unlink(path);
	append("{\"schema\":\"fedwatts.bench-record/1\"}\n");
	refused("a", "1", "not a run of fl");
}
END_TEST

START_TEST(a_round_that_differs_is_refused)
{
	struct err err = { 0 };
	struct run_log *log;
	struct doc *doc;

	write_run(2);
	log = open("a", "1", false, &err);
	put(log, round_make(1));
	doc = round_make(3);
	ck_assert_int_lt(run_log_put(log, doc, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "document 3 is not what"));
	doc_free(doc);
	run_log_close(log, NULL);
}
END_TEST

START_TEST(force_replaces_what_exists)
{
	struct err err = { 0 };
	char *fresh, *forced;
	struct run_log *log;

	write_run(0);
	fresh = content();
	unlink(path);
	append("not even JSON");
	log = open("a", "1", true, &err);
	ck_assert_msg(log != NULL, "%s", err.text);
	ck_assert_uint_eq(run_log_found(log), 0);
	run_log_close(log, NULL);
	forced = content();
	ck_assert_str_eq(fresh, forced);
	free(fresh);
	free(forced);
}
END_TEST

/* ---- reading back ---------------------------------------------------------- */

START_TEST(what_was_written_is_read)
{
	struct err err = { 0 };
	struct run *run;

	write_run(2);
	append("{\"torn"); /* reported, not fatal */
	run = run_read(path, &err);
	ck_assert_msg(run != NULL, "%s", err.text);
	ck_assert_str_eq(run->name, "run");
	ck_assert_uint_eq(run->rounds, 2);
	ck_assert_uint_eq(run->devices, 2);
	ck_assert_ptr_null(run->summary);
	ck_assert_double_eq(run->energy_total_j[1], 4.0);
	ck_assert_double_eq(run->left_j[0], 9.0);
	ck_assert_double_eq(run->left_j[2], 4.0);
	ck_assert_double_nan(run->left_j[run->left_stride]);
	ck_assert_double_eq(run->updates[0], 2.0);
	ck_assert_double_eq(run->updates[1], 0.0);
	ck_assert_double_eq(run->in[0], 1.0);
	ck_assert_int_eq(run->source, 7);
	run_free(run);
}
END_TEST

static void unreadable(const char *text, const char *says)
{
	struct err err = { 0 };

	unlink(path);
	append(text);
	ck_assert_ptr_null(run_read(path, &err));
	ck_assert_msg(strstr(err.text, says), "'%s' does not say '%s'",
		      err.text, says);
}

#define HEADER                                                          \
	"{\"schema\":\"fedwatts.fl-run/1\",\"run\":\"a\",\"rounds\":1," \
	"\"source\":7,\"meter_scale\":[1,1],\"devices\":[{\"id\":0}]}\n"
#define ROUND(number, client)                                                 \
	"{\"schema\":\"fedwatts.fl-round/1\",\"run\":\"a\",\"round\":" number \
	",\"time_s\":1.0,\"accuracy\":0.5,\"loss\":1.0,"                      \
	"\"energy_total_j\":1.0,\"clients\":[{\"id\":" client "}]}\n"

START_TEST(damage_is_named)
{
	unreadable("", "no rounds");
	unreadable("{\"schema\":\"x\"}\n", "not a run");
	unreadable(HEADER, "no rounds");
	unreadable(HEADER ROUND("2", "0"), "round 2 where 1 was due");
	unreadable(HEADER ROUND("1", "5"), "there is no device 5");
	unreadable(HEADER ROUND("1", "-1"), "there is no device -1");
	unreadable(HEADER ROUND("1", "0") ROUND("2", "0"), "more rounds");
	unreadable(HEADER "{\"run\":\"b\"}\n", "belongs to another run");
	unreadable("{\"schema\":\"fedwatts.fl-run/1\",\"rounds\":1,"
		   "\"source\":77,\"meter_scale\":[1,1],\"devices\":[]}\n",
		   "no class 77");
	unreadable("{\"schema\":\"fedwatts.fl-run/1\",\"rounds\":-1,"
		   "\"source\":7,\"meter_scale\":[1,1],"
		   "\"devices\":[{\"id\":0}]}\n",
		   "damaged?");
}
END_TEST

Suite *run_log_suite(void)
{
	Suite *suite = suite_create("run_log");
	TCase *tcase = tcase_create("run_log");

	tcase_add_checked_fixture(tcase, file_make, file_drop);
	tcase_add_test(tcase, a_run_in_pieces_is_the_run_in_one);
	tcase_add_test(tcase, a_complete_run_is_left_alone);
	tcase_add_test(tcase, anything_else_is_refused);
	tcase_add_test(tcase, a_round_that_differs_is_refused);
	tcase_add_test(tcase, force_replaces_what_exists);
	tcase_add_test(tcase, what_was_written_is_read);
	tcase_add_test(tcase, damage_is_named);
	suite_add_tcase(suite, tcase);
	return suite;
}
