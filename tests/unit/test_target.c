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

/* ---- threads and cgroups --------------------------------------------------- */

START_TEST(threads_of_a_process_come_and_go)
{
	tree_put(&tree, "12/task/12/comm", "other\n");
	tree_put(&tree, "12/task/15/comm", "helper\n");
	ck_assert_int_eq(target_set_add_threads(set, 12, NULL), 0);
	ck_assert_str_eq(scan(), "+thread:12:12:other +thread:12:15:helper ");
	tree_put(&tree, "12/task/16/comm", "late\n");
	ck_assert_str_eq(scan(), "+thread:12:16:late ");
	remove(tree_path(&tree, "12/task/15/comm"));
	remove(tree_path(&tree, "12/task/15"));
	ck_assert_str_eq(scan(), "-thread:12:15:helper ");
	ck_assert_int_eq(target_set_add_threads(set, 4711, NULL), -1);
}
END_TEST

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "cg/%s", name);
	mkdir(tree_path(&tree, "cg"), 0755);
	ck_assert_int_eq(mkdir(tree_path(&tree, path), 0755), 0);
}

static void drop(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "cg/%s", name);
	ck_assert_int_eq(rmdir(tree_path(&tree, path)), 0);
}

static int want(const char *path, const char *unit, bool all, struct err *err)
{
	struct field_list paths = { 0 }, units = { 0 };
	char base[512];
	struct target_cgroups wish = { base, &paths, &units, all, "" };
	int status;

	snprintf(base, sizeof(base), "%s", tree_path(&tree, "cg"));
	if (path)
		field_list_add(&paths, path);
	if (unit)
		field_list_add(&units, unit);
	status = target_set_add_cgroups(set, &wish, err);
	field_list_done(&paths);
	field_list_done(&units);
	return status;
}

static const char *follow(void)
{
	struct target_watch watch = { appeared, vanished, NULL };

	story[0] = '\0';
	target_set_follow(set, &watch);
	return story;
}

START_TEST(leaf_cgroups_are_targets_as_they_come_and_go)
{
	make("a");
	make("a/b");
	ck_assert_int_eq(want(NULL, NULL, false, NULL), 0);
	ck_assert_str_eq(scan(), "+/a/b ");
	make("a/b/c"); /* b is no leaf any more */
	ck_assert_str_eq(follow(), "-/a/b +/a/b/c ");
	ck_assert_str_eq(follow(), "");
	ck_assert_str_eq(scan(), "");
	drop("a/b/c");
	ck_assert_str_eq(follow(), "+/a/b -/a/b/c ");
	ck_assert_int_ge(target_set_fd(set), 0);
}
END_TEST

START_TEST(of_nested_cgroups_each_says_in_which_it_lies)
{
	make("a");
	make("a/b");
	make("a/b/c");
	ck_assert_int_eq(want(NULL, NULL, true, NULL), 0);
	ck_assert_str_eq(scan(), "+/a +/a/b</a +/a/b/c</a/b ");
}
END_TEST

START_TEST(cgroups_are_named_by_path_or_pattern)
{
	struct err err = { 0 };

	make("a");
	make("a/b");
	make("x");
	ck_assert_int_eq(want("a", NULL, false, NULL), 0);
	ck_assert_str_eq(scan(), "+/a ");
	target_set_free(set);
	set = target_set_new(tree.root);
	ck_assert_int_eq(want("/?", NULL, false, NULL), 0);
	ck_assert_str_eq(scan(), "+/x ");
	make("y");
	ck_assert_str_eq(follow(), "+/y ");
	target_set_free(set);
	set = target_set_new(tree.root);
	ck_assert_int_eq(want("/none", NULL, false, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "none"));
}
END_TEST

START_TEST(units_are_found_wherever_they_are)
{
	struct err err = { 0 };

	make("system.slice");
	make("system.slice/cron.service");
	make("system.slice/cron.service/inner");
	ck_assert_int_eq(want(NULL, "cron", false, NULL), 0);
	ck_assert_str_eq(scan(), "+unit:cron.service ");
	target_set_free(set);
	set = target_set_new(tree.root);
	ck_assert_int_eq(want(NULL, "web*", false, NULL), 0);
	ck_assert_str_eq(scan(), "");
	make("system.slice/web-1.service");
	ck_assert_str_eq(follow(), "+unit:web-1.service ");
	target_set_free(set);
	set = target_set_new(tree.root);
	ck_assert_int_eq(want(NULL, "ssh", false, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "unit 'ssh': not running"));
}
END_TEST

START_TEST(a_process_lies_within_its_cgroup)
{
	make("a");
	make("a/b");
	tree_put(&tree, "12/cgroup", "0::/a/b\n");
	tree_put(&tree, "11/cgroup", "0::/elsewhere\n");
	ck_assert_int_eq(want(NULL, NULL, true, NULL), 0);
	target_set_add_pid(set, 11, NULL);
	target_set_add_pid(set, 12, NULL);
	ck_assert_str_eq(scan(), "+/a +/a/b</a +process:11:worker "
				 "+process:12:other</a/b ");
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
	tcase_add_test(tests, threads_of_a_process_come_and_go);
	tcase_add_test(tests, leaf_cgroups_are_targets_as_they_come_and_go);
	tcase_add_test(tests, of_nested_cgroups_each_says_in_which_it_lies);
	tcase_add_test(tests, cgroups_are_named_by_path_or_pattern);
	tcase_add_test(tests, units_are_found_wherever_they_are);
	tcase_add_test(tests, a_process_lies_within_its_cgroup);
	suite_add_tcase(suite, tests);
	return suite;
}
