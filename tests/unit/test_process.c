/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/process.h"
#include "tests/unit/tree.h"

#define FIGURES " 5 6 7 8 9 10 11 12 13 14 15 0 0 18 19 20 21 2200 23 24\n"

static const struct line {
	const char *text;
	const char *name; /* NULL: senseless */
} lines[] = {
	{ "42 (sh) S 4" FIGURES, "sh" },
	{ "42 (two words) S 4" FIGURES, "two words" },
	{ "42 (a) b) (c) R 4" FIGURES, "a) b) (c" },
	{ "42 () R 4" FIGURES, "" },
	{ "42 (sh) S 4", NULL },
	{ "42 (sh) S", NULL },
	{ "42 (sh)", NULL },
	{ "42 sh S 4" FIGURES, NULL },
	{ "42 )sh( S 4" FIGURES, NULL },
	{ "(sh) S 4" FIGURES, NULL },
	{ "-1 (sh) S 4" FIGURES, NULL },
	{ "42 (sh) S 4 x" FIGURES, NULL },
	{ "", NULL },
	{ "42 (this name is far longer than any that the kernel could ever "
	  "write into this place) S 4" FIGURES,
	  NULL },
};

START_TEST(a_line_of_stat_is_taken_apart_or_refused)
{
	const struct line *line = &lines[_i];
	struct process process = { .pid = 77 };
	int status = process_parse_stat(line->text, &process);

	if (!line->name) {
		ck_assert_int_eq(status, -1);
		ck_assert_int_eq(process.pid, 77);
		return;
	}
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(process.pid, 42);
	ck_assert_int_eq(process.parent, 4);
	ck_assert_str_eq(process.name, line->name);
	ck_assert_uint_eq(process.cpu_ticks, 14 + 15);
	ck_assert_uint_eq(process.start, 2200);
}
END_TEST

static struct tree tree;

static void setup(void)
{
	tree_init(&tree);
	tree_put(&tree, "10/stat", "10 (ten) S 1" FIGURES);
	tree_put(&tree, "10/task/10/stat", "");
	tree_put(&tree, "10/task/12/stat", "");
	tree_put(&tree, "11/stat", "11 (eleven) S 10" FIGURES);
	tree_put(&tree, "99/stat", "gibberish");
	tree_put(&tree, "self/stat", "10 (ten) S 1" FIGURES);
	tree_put(&tree, "0123/stat", "123 (zero) S 1" FIGURES);
}

static void teardown(void)
{
	tree_done(&tree);
}

static int count_pids(void *arg, const struct process *process)
{
	*(int *)arg += process->pid;
	return 0;
}

START_TEST(a_walk_meets_every_process_and_nothing_else)
{
	int sum = 0;

	ck_assert_int_eq(process_walk(tree.root, count_pids, &sum, NULL), 0);
	ck_assert_int_eq(sum, 10 + 11);
}
END_TEST

START_TEST(what_is_missing_or_senseless_is_told_apart)
{
	struct process process;
	struct err err = { 0 };

	ck_assert_int_eq(process_read(tree.root, 5, &process, &err), -1);
	ck_assert_int_eq(err.code, ESRCH);
	ck_assert_str_eq(err.text, "process 5: no such process");
	ck_assert_int_eq(process_read(tree.root, 99, &process, &err), -1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_int_eq(process_walk("/nowhere", count_pids, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
}
END_TEST

START_TEST(threads_are_listed)
{
	struct err err = { 0 };
	pid_t *tid;
	size_t count;

	ck_assert_int_eq(process_threads(tree.root, 10, &tid, &count, &err), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(tid[0] + tid[1], 22);
	free(tid);
	ck_assert_int_eq(process_threads(tree.root, 5, &tid, &count, &err), -1);
	ck_assert_int_eq(err.code, ESRCH);
}
END_TEST

START_TEST(this_process_finds_itself)
{
	struct process process;
	uint64_t before, after;
	clock_t end;

	ck_assert_int_eq(process_read("/proc", getpid(), &process, NULL), 0);
	ck_assert_int_eq(process.parent, getppid());
	ck_assert_int_eq(process_cpu_ns(getpid(), &before, NULL), 0);
	end = clock() + CLOCKS_PER_SEC / 50;
	while (clock() < end)
		;
	ck_assert_int_eq(process_cpu_ns(getpid(), &after, NULL), 0);
	ck_assert_uint_ge(after - before, 19000000);
	ck_assert_uint_le(after - before, 1000000000);
}
END_TEST

START_TEST(the_clock_of_nobody_is_refused)
{
	struct err err = { 0 };
	uint64_t ns = 7;

	/* beyond the largest pid there can be */
	ck_assert_int_eq(process_cpu_ns((1 << 22) + 1, &ns, &err), -1);
	ck_assert_int_eq(err.code, ESRCH);
	ck_assert_uint_eq(ns, 7);
}
END_TEST

Suite *process_suite(void);
Suite *process_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *files = tcase_create("files");
	TCase *real = tcase_create("machine");

	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_loop_test(files, a_line_of_stat_is_taken_apart_or_refused, 0,
			    sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(files, a_walk_meets_every_process_and_nothing_else);
	tcase_add_test(files, what_is_missing_or_senseless_is_told_apart);
	tcase_add_test(files, threads_are_listed);
	suite_add_tcase(suite, files);
	tcase_add_test(real, this_process_finds_itself);
	tcase_add_test(real, the_clock_of_nobody_is_refused);
	suite_add_tcase(suite, real);
	return suite;
}
