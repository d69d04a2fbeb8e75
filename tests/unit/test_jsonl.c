/* SPDX-License-Identifier: BSD-3-Clause */
/* Compression, rotation and following: both ends of jsonl. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/append.h"
#include "lib/frames.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "tests/unit/scratch.h"

static struct layout *layout;
static struct err err;

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	err = (struct err){ 0 };
	layout = layout_new("hwpc", LAYOUT_TABLES);
	layout_add(layout, COLUMN_INT, "g", "0", "0", "A", "groups", "g", "0",
		   "0", "A", NULL);
	layout_end(layout);
}

static void teardown(void)
{
	layout_free(layout);
	scratch_close();
}

static struct sink *must_open(const char *uri)
{
	struct sink *sink = sink_open(uri, &err);

	ck_assert_msg(sink != NULL, "%s: %s", uri, err.text);
	return sink;
}

static int put(struct sink *sink, int64_t time_ms)
{
	union value value = { .integer = (uint64_t)time_ms * 3 };
	struct row row = { "all", layout, &value, NULL };
	struct batch batch = { time_ms, "node", &row, 1 };

	return sink_put(sink, &batch, &err);
}

static void must_close(struct sink *sink)
{
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
}

/* Timestamps 0, 1, 2, …: how many there are. */
static int count(const char *uri, bool torn)
{
	struct source *source = source_open(uri, NULL, &err);
	struct doc *doc;
	int n = 0, got;

	ck_assert_msg(source != NULL, "%s: %s", uri, err.text);
	while ((got = source_next(source, &doc, &err)) > 0) {
		ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), -1), n);
		doc_free(doc);
		n++;
	}
	ck_assert_msg(got == 0, "%s", err.text);
	ck_assert_int_eq(source_torn(source), torn);
	source_close(source);
	return n;
}

static off_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : -1;
}

/* ---- compressed ---------------------------------------------------------- */

START_TEST(a_compressed_file_is_smaller_and_is_continued)
{
	for (int run = 0; run < 3; run++) {
		struct sink *sink = must_open("a.jsonl.zst");

		for (int i = 0; i < 1000; i++)
			ck_assert_int_eq(put(sink, 1000 * run + i), 0);
		must_close(sink);
		ck_assert_int_eq(count("a.jsonl.zst", false), 1000 * (run + 1));
	}
	ck_assert_int_lt(size_of("a.jsonl.zst"), 3000 * 90 / 4);
}
END_TEST

START_TEST(the_first_put_of_a_second_is_written_at_once)
{
	struct sink *sink = must_open("a.zst");

	ck_assert_int_eq(put(sink, 0), 0);
	ck_assert_int_eq(count("a.zst", false), 1);
	ck_assert_int_eq(put(sink, 1), 0);
	ck_assert_int_eq(count("a.zst", false), 1);
	ck_assert_int_eq(sink_flush(sink, &err), 0);
	ck_assert_int_eq(count("a.zst", false), 2);
	must_close(sink);
}
END_TEST

START_TEST(a_torn_frame_is_read_as_far_as_it_goes_and_mended)
{
	struct sink *sink = must_open("a.zst");
	off_t whole;
	int there;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(put(sink, i), 0);
	ck_assert_int_eq(sink_flush(sink, &err), 0);
	whole = size_of("a.zst");
	for (int i = 5; i < 2000; i++)
		ck_assert_int_eq(put(sink, i), 0);
	must_close(sink);
	/* All of a crash's possible ends would take long. */
	ck_assert_int_eq(truncate("a.zst", whole + 1 + 37 * _i), 0);
	there = count("a.zst", true);
	ck_assert_int_ge(there, 5);
	sink = must_open("a.zst");
	ck_assert_int_eq(size_of("a.zst"), whole);
	ck_assert_int_eq(put(sink, 5), 0);
	must_close(sink);
	ck_assert_int_eq(count("a.zst", false), 6);
}
END_TEST

START_TEST(somebodys_file_is_not_written_to)
{
	scratch_write("a.zst", "not compressed at all\n");
	ck_assert_ptr_null(sink_open("a.zst", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "is not zstd's at byte 0"));
	ck_assert_int_eq(size_of("a.zst"), 22);
}
END_TEST

START_TEST(damage_in_the_middle_is_an_error)
{
	struct sink *sink = must_open("a.zst");
	struct source *source;
	struct doc *doc;
	FILE *file;
	int got;

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(put(sink, i), 0);
	must_close(sink);
	file = fopen("a.zst", "r+");
	fseek(file, 40, SEEK_SET);
	fputs("xxxxxxxxxxxxxxxxxxxx", file);
	fclose(file);
	source = source_open("a.zst", NULL, &err);
	while ((got = source_next(source, &doc, &err)) > 0)
		doc_free(doc);
	ck_assert_int_eq(got, -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a.zst"));
	source_close(source);
}
END_TEST

START_TEST(a_full_disk_is_told_and_nothing_half_is_left)
{
	struct rlimit limit = { 400, RLIM_INFINITY };
	struct sink *sink = must_open("a.zst");
	int n = 0, there;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (n < 100 && put(sink, n) == 0 && sink_flush(sink, &err) == 0)
		n++;
	ck_assert_int_eq(sink_close(sink, NULL), -1);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "File too large"));
	there = count("a.zst", false);
	ck_assert_int_eq(there, n);
}
END_TEST

/* ---- rotation ------------------------------------------------------------ */

START_TEST(a_file_is_moved_away_when_it_is_large)
{
	char name[64];
	int parts = 0;

	for (int run = 0; run < 2; run++) {
		struct sink *sink = must_open("a.jsonl?rotate=1kB");

		for (int i = 0; i < 50; i++)
			ck_assert_int_eq(put(sink, 50 * run + i), 0);
		must_close(sink);
	}
	do
		snprintf(name, sizeof(name), "a.%d.jsonl", ++parts);
	while (access(name, F_OK) == 0);
	ck_assert_int_gt(parts, 5);
	ck_assert_int_eq(count("a.jsonl?parts=1", false), 100);
}
END_TEST

START_TEST(a_file_is_moved_away_when_it_is_old)
{
	struct sink *sink;

	scratch_write("a.jsonl", "{\"timestamp\":0}\n");
	ck_assert_int_eq(system("touch -d 2020-01-01 a.jsonl"), 0);
	sink = must_open("a.jsonl?rotate=1h");
	ck_assert_int_eq(put(sink, 1), 0);
	ck_assert_int_eq(put(sink, 2), 0);
	must_close(sink);
	ck_assert_str_eq(scratch_read("a.1.jsonl"), "{\"timestamp\":0}\n");
	ck_assert_int_eq(access("a.2.jsonl", F_OK), -1);
	ck_assert_int_eq(count("a.jsonl?parts=1", false), 3);
}
END_TEST

START_TEST(compressed_parts_keep_their_ending)
{
	struct sink *sink = must_open("a.jsonl.zst?rotate=1B");

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(put(sink, i), 0);
		ck_assert_int_eq(sink_flush(sink, &err), 0);
	}
	must_close(sink);
	ck_assert_int_eq(access("a.2.jsonl.zst", F_OK), 0);
	ck_assert_int_eq(count("a.jsonl.zst?parts=1", false), 3);
}
END_TEST

/* ---- following ----------------------------------------------------------- */

#define FOLLOWED 2000

static void *write_slowly(void *uri)
{
	struct sink *sink = sink_open(uri, NULL);

	for (int i = 0; i < FOLLOWED; i++) {
		put(sink, i);
		if (i % 100 == 0)
			usleep(5000);
		if (i % 500 == 0)
			sink_flush(sink, NULL);
	}
	sink_close(sink, NULL);
	return NULL;
}

static char growing[][32] = { "a.jsonl", "a.jsonl?rotate=3kB", "a.jsonl.zst",
			      "a.jsonl.zst?rotate=200B" };

START_TEST(a_growing_file_is_followed_through_rotations)
{
	char uri[64];
	pthread_t thread;
	struct source *source;
	struct doc *doc;

	snprintf(uri, sizeof(uri), "%.*s?follow=1",
		 (int)strcspn(growing[_i], "?"), growing[_i]);
	must_close(must_open(growing[_i]));
	source = source_open(uri, NULL, &err);
	ck_assert_msg(source != NULL, "%s", err.text);
	ck_assert_int_eq(
		pthread_create(&thread, NULL, write_slowly, growing[_i]), 0);
	for (int i = 0; i < FOLLOWED; i++) {
		ck_assert_int_eq(source_next(source, &doc, &err), 1);
		ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), -1), i);
		doc_free(doc);
	}
	pthread_join(thread, NULL);
	raise(SIGTERM); /* it ends when it is told to */
	ck_assert_int_eq(source_next(source, &doc, &err), 0);
	source_close(source);
}
END_TEST

START_TEST(names_of_parts_are_put_before_the_ending)
{
	static const char *const names[][2] = {
		{ "a.jsonl", "a.7.jsonl" },
		{ "a", "a.7" },
		{ ".a", ".a.7" },
		{ "d.x/a", "d.x/a.7" },
		{ "a.b.zst", "a.7.b.zst" },
		{ "a.zst", "a.7.zst" },
		{ "d.x/a.zst", "d.x/a.7.zst" },
		{ "a.b.c", "a.b.7.c" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = append_numbered(names[i][0], 7);

		ck_assert_str_eq(name, names[i][1]);
		free(name);
	}
}
END_TEST

Suite *jsonl_suite(void);

Suite *jsonl_suite(void)
{
	Suite *suite = suite_create("jsonl");
	TCase *tcase = tcase_create("jsonl");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, a_compressed_file_is_smaller_and_is_continued);
	tcase_add_test(tcase, the_first_put_of_a_second_is_written_at_once);
	tcase_add_loop_test(tcase,
			    a_torn_frame_is_read_as_far_as_it_goes_and_mended,
			    0, 12);
	tcase_add_test(tcase, somebodys_file_is_not_written_to);
	tcase_add_test(tcase, damage_in_the_middle_is_an_error);
	tcase_add_test(tcase, a_full_disk_is_told_and_nothing_half_is_left);
	tcase_add_test(tcase, a_file_is_moved_away_when_it_is_large);
	tcase_add_test(tcase, a_file_is_moved_away_when_it_is_old);
	tcase_add_test(tcase, compressed_parts_keep_their_ending);
	tcase_add_loop_test(tcase, a_growing_file_is_followed_through_rotations,
			    0, sizeof(growing) / sizeof(growing[0]));
	tcase_add_test(tcase, names_of_parts_are_put_before_the_ending);
	suite_add_tcase(suite, tcase);
	return suite;
}
