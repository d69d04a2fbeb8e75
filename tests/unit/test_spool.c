/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/mem.h"
#include "lib/spool.h"
#include "tests/unit/scratch.h"

#define LIMIT 65536

static struct err err;

static struct spool *must_open(uint64_t limit)
{
	struct spool *spool = spool_open("s", limit, &err);

	ck_assert_msg(spool != NULL, "%s", err.text);
	return spool;
}

static void put(struct spool *spool, const char *text)
{
	ck_assert_msg(spool_put(spool, text, strlen(text), &err) == 0, "%s",
		      err.text);
}

static void expect(struct spool *spool, const char *text)
{
	const void *record;
	size_t length;
	int got = spool_next(spool, &record, &length, &err);

	if (!text) {
		ck_assert_int_eq(got, 0);
		return;
	}
	ck_assert_msg(got == 1, "%s", err.text);
	ck_assert_uint_eq(length, strlen(text));
	ck_assert_mem_eq(record, text, length);
}

static off_t size_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_size;
}

START_TEST(records_come_out_in_order)
{
	struct spool *spool = must_open(LIMIT);

	expect(spool, NULL);
	put(spool, "one");
	put(spool, "");
	put(spool, "three");
	ck_assert_int_eq(spool_sync(spool, &err), 0);
	ck_assert_uint_eq(spool_records(spool), 3);
	expect(spool, "one");
	expect(spool, "");
	put(spool, "four");
	expect(spool, "three");
	expect(spool, "four");
	expect(spool, NULL);
	ck_assert_int_eq(spool_done(spool, &err), 0);
	ck_assert_uint_eq(spool_records(spool), 0);
	ck_assert_uint_eq(spool_bytes(spool), 0);
	spool_close(spool);
	ck_assert_int_eq(access("s", F_OK), -1);
}
END_TEST

START_TEST(what_is_not_done_comes_again)
{
	struct spool *spool = must_open(LIMIT);

	put(spool, "one");
	put(spool, "two");
	put(spool, "three");
	expect(spool, "one");
	ck_assert_int_eq(spool_done(spool, &err), 0);
	expect(spool, "two");
	spool_rewind(spool);
	expect(spool, "two");
	ck_assert_uint_eq(spool_records(spool), 2);
	spool_close(spool);
	spool = must_open(LIMIT);
	ck_assert_uint_eq(spool_records(spool), 2);
	ck_assert_uint_eq(spool_cut(spool), 0);
	expect(spool, "two");
	expect(spool, "three");
	spool_close(spool);
}
END_TEST

/* Cut at every length: whole records stay, the torn one goes. */
START_TEST(a_torn_tail_is_cut_off)
{
	struct spool *spool = must_open(LIMIT);
	off_t first, all;
	uint64_t records;

	put(spool, "one");
	first = size_of("s");
	put(spool, "second");
	all = size_of("s");
	spool_close(spool);
	ck_assert_int_lt(_i, all);
	ck_assert_int_eq(truncate("s", _i), 0);
	spool = must_open(LIMIT);
	records = _i >= first;
	ck_assert_uint_eq(spool_records(spool), records);
	if (_i > 16)
		ck_assert_uint_eq(spool_cut(spool),
				  _i >= first ? _i - first : _i - 16);
	put(spool, "next");
	if (records)
		expect(spool, "one");
	expect(spool, "next");
	expect(spool, NULL);
	spool_close(spool);
}
END_TEST

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	unsigned char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

START_TEST(a_damaged_record_is_never_handed_out)
{
	struct spool *spool = must_open(LIMIT);
	off_t first, all;

	put(spool, "one");
	first = size_of("s");
	put(spool, "second");
	all = size_of("s");
	spool_close(spool);
	for (off_t at = first; at < all; at++) {
		flip("s", at);
		spool = must_open(LIMIT);
		ck_assert_uint_eq(spool_records(spool), 1);
		ck_assert_uint_gt(spool_cut(spool), 0);
		expect(spool, "one");
		expect(spool, NULL);
		spool_rewind(spool);
		put(spool, "second");
		spool_close(spool);
	}
}
END_TEST

START_TEST(a_damaged_head_repeats_but_loses_nothing)
{
	struct spool *spool = must_open(LIMIT);

	put(spool, "one");
	put(spool, "two");
	expect(spool, "one");
	ck_assert_int_eq(spool_done(spool, &err), 0);
	spool_close(spool);
	flip("s", 15);
	spool = must_open(LIMIT);
	expect(spool, "one");
	expect(spool, "two");
	spool_close(spool);
}
END_TEST

START_TEST(a_full_spool_refuses_whole_records_and_counts)
{
	struct spool *spool = must_open(100);
	char record[40] = "x";

	ck_assert_int_eq(spool_put(spool, record, 40, &err), 0);
	ck_assert_int_eq(spool_put(spool, record, 40, &err), -1);
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_uint_eq(spool_refused(spool), 1);
	ck_assert_int_eq(spool_put(spool, record, 20, &err), 0);
	ck_assert_uint_eq(spool_records(spool), 2);
	ck_assert_int_le(size_of("s"), 100);
	spool_close(spool);
}
END_TEST

START_TEST(room_of_what_is_done_comes_back)
{
	struct spool *spool = must_open(4096);
	char text[32];
	int in = 0, out = 0;

	/* A thousand records through a file that holds about a hundred. */
	while (out < 1000) {
		while (in - out < 80) {
			(void)snprintf(text, sizeof(text), "record %d", in++);
			put(spool, text);
		}
		for (int i = 0; i < 40; i++) {
			(void)snprintf(text, sizeof(text), "record %d", out++);
			expect(spool, text);
		}
		ck_assert_int_eq(spool_done(spool, &err), 0);
		ck_assert_int_le(size_of("s"), 4096);
	}
	ck_assert_uint_eq(spool_records(spool), in - out);
	spool_close(spool);
	spool = must_open(4096);
	(void)snprintf(text, sizeof(text), "record %d", out);
	expect(spool, text);
	spool_close(spool);
}
END_TEST

START_TEST(a_full_disk_leaves_no_half_record)
{
	struct rlimit before, limit;
	struct spool *spool = must_open(LIMIT);
	char *big = xcalloc(1, 300);
	int refused;

	signal(SIGXFSZ, SIG_IGN);
	put(spool, "one");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ 200, before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	refused = spool_put(spool, big, 300, &err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(refused, -1);
	ck_assert_ptr_nonnull(strstr(err.text, "write"));
	put(spool, "two");
	expect(spool, "one");
	expect(spool, "two");
	expect(spool, NULL);
	free(big);
	spool_close(spool);
}
END_TEST

START_TEST(a_spool_has_one_owner)
{
	struct spool *spool = must_open(LIMIT);

	ck_assert_ptr_null(spool_open("s", LIMIT, &err));
	ck_assert_int_eq(err.code, EBUSY);
	spool_close(spool);
}
END_TEST

START_TEST(somebodys_file_is_left_alone)
{
	scratch_write("s", "my thesis, in one long line of text\n");
	ck_assert_ptr_null(spool_open("s", LIMIT, &err));
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_str_eq(scratch_read("s"),
			 "my thesis, in one long line of text\n");
	ck_assert_ptr_null(spool_open("no/such/folder", LIMIT, &err));
	ck_assert_int_eq(err.code, ENOENT);
	spool_close(NULL);
}
END_TEST

/* What a killed process put is there, but for the piece in its hands. */
START_TEST(a_killed_process_loses_nothing_it_put)
{
	int pipes[2];
	pid_t child;
	int acknowledged = -1, next;
	char text[32];
	struct spool *spool;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		spool = spool_open("s", (uint64_t)1 << 30, NULL);
		for (int i = 0;; i++) {
			(void)snprintf(text, sizeof(text), "record %d", i);
			if (spool_put(spool, text, strlen(text), NULL) < 0 ||
			    write(pipes[1], &i, sizeof(i)) != sizeof(i))
				_exit(1);
		}
	}
	close(pipes[1]);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(read(pipes[0], &acknowledged, sizeof(int)),
				 sizeof(int));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(pipes[0], &next, sizeof(next)) == sizeof(next))
		acknowledged = next;
	spool = must_open((uint64_t)1 << 30);
	for (int i = 0; i <= acknowledged; i++) {
		(void)snprintf(text, sizeof(text), "record %d", i);
		expect(spool, text);
	}
	ck_assert_uint_le(spool_records(spool), (uint64_t)acknowledged + 2);
	spool_close(spool);
}
END_TEST

Suite *spool_suite(void);

Suite *spool_suite(void)
{
	Suite *suite = suite_create("spool");
	TCase *tcase = tcase_create("spool");

	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
	tcase_add_test(tcase, records_come_out_in_order);
	tcase_add_test(tcase, what_is_not_done_comes_again);
	tcase_add_loop_test(tcase, a_torn_tail_is_cut_off, 0, 41);
	tcase_add_test(tcase, a_damaged_record_is_never_handed_out);
	tcase_add_test(tcase, a_damaged_head_repeats_but_loses_nothing);
	tcase_add_test(tcase, a_full_spool_refuses_whole_records_and_counts);
	tcase_add_test(tcase, room_of_what_is_done_comes_back);
	tcase_add_test(tcase, a_full_disk_leaves_no_half_record);
	tcase_add_test(tcase, a_spool_has_one_owner);
	tcase_add_test(tcase, somebodys_file_is_left_alone);
	tcase_add_test(tcase, a_killed_process_loses_nothing_it_put);
	suite_add_tcase(suite, tcase);
	return suite;
}
