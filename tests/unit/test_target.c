/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/target.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct target_set *set;

static void put_process(int pid, const char *name, int parent, int start)
{
	char path[32], line[256];

	snprintf(path, sizeof(path), "%d/stat", pid);
	snprintf(line, sizeof(line),
		 "%d (%s) S %d 5 6 7 8 9 10 11 12 13 14 15 0 0 18 19 20 21 "
		 "%d 23\n",
		 pid, name, parent, start);
	tree_put(&tree, path, line);
}

static void end_process(int pid)
{
	char path[32];

	snprintf(path, sizeof(path), "%d/stat", pid);
	ck_assert_int_eq(remove(tree_path(&tree, path)), 0);
}

static void setup(void)
{
	tree_init(&tree);
	put_process(1, "init", 0, 1);
	put_process(10, "worker", 1, 100);
	put_process(11, "worker", 10, 110);
	put_process(12, "other", 1, 120);
	set = target_set_new(tree.root);
}

static void teardown(void)
{
	target_set_free(set);
	tree_done(&tree);
}

/* ---- a watcher that writes down what it is told ---------------------------- */

static char story[1024];
static int refuse;

static int appeared(void *arg, const struct target *target)
{
	(void)arg;
	snprintf(story + strlen(story), sizeof(story) - strlen(story),
		 "+%s%s%s ", target->name, target->within[0] ? "<" : "",
		 target->within);
	return refuse ? -1 : 0;
}

static void vanished(void *arg, const struct target *target)
{
	(void)arg;
	snprintf(story + strlen(story), sizeof(story) - strlen(story), "-%s ",
		 target->name);
}

static const char *scan(void)
{
	struct target_watch watch = { appeared, vanished, NULL };
	struct err err = { 0 };

	story[0] = '\0';
	ck_assert_msg(target_set_scan(set, &watch, &err) == 0, "%s", err.text);
	return story;
}

START_TEST(a_process_appears_once_and_vanishes_once)
{
	ck_assert_int_eq(target_set_add_pid(set, 12, NULL), 0);
	ck_assert_str_eq(scan(), "+process:12:other ");
	ck_assert_str_eq(scan(), "");
	ck_assert_uint_eq(target_set_count(set), 1);
	ck_assert(!target_set_is_open(set));
	end_process(12);
	ck_assert_str_eq(scan(), "-process:12:other ");
	ck_assert_uint_eq(target_set_count(set), 0);
	ck_assert_str_eq(scan(), "");
}
END_TEST

START_TEST(a_pid_that_is_used_again_is_another_process)
{
	target_set_add_pid(set, 12, NULL);
	scan();
	put_process(12, "other", 1, 999);
	ck_assert_str_eq(scan(), "-process:12:other ");
	ck_assert_uint_eq(target_set_count(set), 0);
}
END_TEST

START_TEST(a_pattern_finds_what_comes_later)
{
	target_set_add_pattern(set, "work*");
	ck_assert(target_set_is_open(set));
	ck_assert_str_eq(scan(), "+process:10:worker +process:11:worker ");
	put_process(13, "working", 1, 130);
	put_process(14, "idling", 1, 140);
	ck_assert_str_eq(scan(), "+process:13:working ");
	end_process(10);
	ck_assert_str_eq(scan(), "-process:10:worker ");
	/* the pid comes back, as somebody else who matches too */
	put_process(10, "worker", 1, 5000);
	ck_assert_str_eq(scan(), "+process:10:worker ");
}
END_TEST

START_TEST(a_pid_reused_between_two_scans_vanishes_and_appears)
{
	target_set_add_pattern(set, "work*");
	scan();
	put_process(11, "worker", 1, 7777);
	ck_assert_ptr_nonnull(strstr(scan(), "-process:11:worker "));
	ck_assert_ptr_nonnull(strstr(story, "+process:11:worker "));
	ck_assert_uint_eq(target_set_count(set), 2);
}
END_TEST

START_TEST(a_process_that_changes_its_name_stays)
{
	target_set_add_pattern(set, "other");
	scan();
	put_process(12, "renamed", 1, 120);
	ck_assert_str_eq(scan(), "");
	ck_assert_uint_eq(target_set_count(set), 1);
}
END_TEST

START_TEST(the_sensor_does_not_match_itself)
{
	put_process((int)getpid(), "worker", 1, 4);
	target_set_add_pattern(set, "worker");
	ck_assert_str_eq(scan(), "+process:10:worker +process:11:worker ");
}
END_TEST

START_TEST(who_is_refused_is_not_offered_again)
{
	refuse = 1;
	target_set_add_pid(set, 12, NULL);
	ck_assert_str_eq(scan(), "+process:12:other ");
	ck_assert_str_eq(scan(), "");
	end_process(12);
	ck_assert_str_eq(scan(), "");
}
END_TEST

START_TEST(descendants_of_a_tree_lie_within_it)
{
	ck_assert_int_eq(target_set_add_tree(set, 10, "make", NULL), 0);
	target_set_add_pattern(set, "worker");
	ck_assert_str_eq(scan(), "+process:10:make "
				 "+process:11:worker<process:10:make ");
}
END_TEST

START_TEST(one_process_named_twice_is_one_target)
{
	target_set_add_pid(set, 12, NULL);
	target_set_add_pid(set, 12, NULL);
	target_set_add_pattern(set, "other");
	ck_assert_str_eq(scan(), "+process:12:other ");
}
END_TEST

START_TEST(a_process_that_does_not_exist_is_refused)
{
	struct err err = { 0 };

	ck_assert_int_eq(target_set_add_pid(set, 4711, &err), -1);
	ck_assert_int_eq(err.code, ESRCH);
	ck_assert_ptr_nonnull(strstr(err.text, "4711"));
}
END_TEST

START_TEST(an_unreadable_proc_is_an_error)
{
	struct target_watch watch = { appeared, vanished, NULL };
	struct target_set *lost = target_set_new("/nowhere");
	struct err err = { 0 };

	target_set_add_pattern(lost, "*");
	ck_assert_int_eq(target_set_scan(lost, &watch, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
	target_set_free(lost);
}
END_TEST

Suite *target_suite(void);
Suite *target_suite(void)
{
	Suite *suite = suite_create("target");
	TCase *tests = tcase_create("sets");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_process_appears_once_and_vanishes_once);
	tcase_add_test(tests, a_pid_that_is_used_again_is_another_process);
	tcase_add_test(tests, a_pattern_finds_what_comes_later);
	tcase_add_test(tests,
		       a_pid_reused_between_two_scans_vanishes_and_appears);
	tcase_add_test(tests, a_process_that_changes_its_name_stays);
	tcase_add_test(tests, the_sensor_does_not_match_itself);
	tcase_add_test(tests, who_is_refused_is_not_offered_again);
	tcase_add_test(tests, descendants_of_a_tree_lie_within_it);
	tcase_add_test(tests, one_process_named_twice_is_one_target);
	tcase_add_test(tests, a_process_that_does_not_exist_is_refused);
	tcase_add_test(tests, an_unreadable_proc_is_an_error);
	suite_add_tcase(suite, tests);
	return suite;
}
