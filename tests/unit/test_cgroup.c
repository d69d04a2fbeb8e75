/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "sensor/cgroup.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct cgroup_tree *cgroups;
static char listed[8192];

static void make(const char *name)
{
	ck_assert_int_eq(mkdir(tree_path(&tree, name), 0755), 0);
}

static void drop(const char *name)
{
	ck_assert_int_eq(rmdir(tree_path(&tree, name)), 0);
}

static void put(void *arg, const struct cgroup *cgroup)
{
	(void)arg;
	snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed),
		 "%s%s ", cgroup->name, cgroup->leaf ? "" : "+");
}

static const char *list(void)
{
	listed[0] = '\0';
	cgroup_tree_walk(cgroups, put, NULL);
	return listed;
}

static void setup(void)
{
	tree_init(&tree);
	make("a");
	make("a/b");
	tree_put(&tree, "cgroup.procs", "1\n");
	cgroups = cgroup_tree_open(tree.root, NULL);
	ck_assert_ptr_nonnull(cgroups);
}

static void teardown(void)
{
	cgroup_tree_close(cgroups);
	tree_done(&tree);
}

static bool announced(void)
{
	struct pollfd fd = { cgroup_tree_fd(cgroups), POLLIN, 0 };

	return poll(&fd, 1, 1000) == 1;
}

START_TEST(names_are_paths_behind_the_base)
{
	ck_assert_str_eq(list(), "/a+ /a/b ");
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 2);
}
END_TEST

START_TEST(a_base_that_ends_with_a_slash_takes_it_from_the_names)
{
	char base[80];

	cgroup_tree_close(cgroups);
	snprintf(base, sizeof(base), "%s/", tree.root);
	cgroups = cgroup_tree_open(base, NULL);
	ck_assert_str_eq(list(), "a+ a/b ");
}
END_TEST

START_TEST(what_is_made_is_announced_with_what_is_in_it)
{
	make("c");
	make("c/d"); /* before anybody watches c */
	ck_assert(announced());
	ck_assert(cgroup_tree_follow(cgroups));
	ck_assert_ptr_nonnull(strstr(list(), "/c+ /c/d "));
	make("c/d/e");
	ck_assert(announced());
	cgroup_tree_follow(cgroups);
	ck_assert_ptr_nonnull(strstr(list(), "/c/d+ /c/d/e "));
}
END_TEST

START_TEST(what_is_removed_is_announced)
{
	drop("a/b");
	ck_assert(announced());
	ck_assert(cgroup_tree_follow(cgroups));
	ck_assert_str_eq(list(), "/a ");
	drop("a");
	ck_assert(announced());
	cgroup_tree_follow(cgroups);
	ck_assert_str_eq(list(), "");
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 0);
}
END_TEST

static uint64_t last_id;

static void take_id(void *arg, const struct cgroup *cgroup)
{
	(void)arg;
	last_id = cgroup->id;
}

START_TEST(the_same_name_again_is_another_cgroup)
{
	uint64_t first;

	cgroup_tree_walk(cgroups, take_id, NULL);
	first = last_id;
	drop("a/b");
	make("a/b");
	cgroup_tree_follow(cgroups);
	cgroup_tree_walk(cgroups, take_id, NULL);
	ck_assert_uint_ne(first, last_id);
	ck_assert_str_eq(list(), "/a+ /a/b ");
}
END_TEST

START_TEST(one_that_is_gone_before_it_is_looked_at_is_none)
{
	make("short");
	drop("short");
	cgroup_tree_follow(cgroups);
	ck_assert_str_eq(list(), "/a+ /a/b ");
}
END_TEST

START_TEST(looking_again_finds_the_difference)
{
	make("z");
	drop("a/b");
	ck_assert_int_eq(cgroup_tree_rescan(cgroups, NULL), 0);
	ck_assert_ptr_null(strstr(list(), "/a/b"));
	ck_assert_ptr_nonnull(strstr(list(), "/z "));
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 2);
}
END_TEST

static void lose_what_is_announced(void)
{
	char lost[4096];

	while (read(cgroup_tree_fd(cgroups), lost, sizeof(lost)) > 0)
		;
}

START_TEST(a_look_at_parts_finds_what_was_not_announced)
{
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%02d", i);
		make(name);
	}
	cgroup_tree_follow(cgroups);
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 102);
	ck_assert(!cgroup_tree_recheck(cgroups));
	make("n71/new");
	drop("n33");
	lose_what_is_announced();
	for (int i = 0; i < 2 * 64; i++)
		cgroup_tree_recheck(cgroups);
	list();
	ck_assert_ptr_nonnull(strstr(listed, "/n71+ /n71/new "));
	ck_assert_ptr_null(strstr(listed, "/n33 "));
	drop("n71/new");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%02d", i);
		if (i != 33)
			drop(name);
	}
}
END_TEST

START_TEST(a_count_that_stays_tells_of_one_that_was_not_announced)
{
	cgroup_tree_close(cgroups);
	tree_put(&tree, "cgroup.stat",
		 "nr_descendants 5\nnr_dying_descendants 1\n");
	cgroups = cgroup_tree_open(tree.root, NULL);
	make("unseen");
	lose_what_is_announced();
	ck_assert(!cgroup_tree_recheck(cgroups));
	tree_put(&tree, "cgroup.stat", "nr_descendants 6\n");
	ck_assert(!cgroup_tree_recheck(cgroups));
	ck_assert(cgroup_tree_recheck(cgroups));
	ck_assert_ptr_nonnull(strstr(list(), "/unseen "));
	ck_assert(!cgroup_tree_recheck(cgroups));
	drop("unseen");
	tree_put(&tree, "cgroup.stat", "nr_descendants 5\n");
	cgroup_tree_follow(cgroups);
	ck_assert(!cgroup_tree_recheck(cgroups));
	ck_assert(!cgroup_tree_recheck(cgroups));
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 2);
}
END_TEST

static void note_longest(void *arg, const struct cgroup *cgroup)
{
	size_t *longest = (size_t *)arg;

	if (strlen(cgroup->name) > *longest)
		*longest = strlen(cgroup->name);
}

START_TEST(names_may_be_as_long_as_paths)
{
	char name[320] = "", part[101];
	size_t longest = 0;

	memset(part, 'x', 100);
	part[100] = '\0';
	for (int i = 0; i < 3; i++) {
		snprintf(name + strlen(name), sizeof(name) - strlen(name),
			 "%s%s", i > 0 ? "/" : "", part);
		make(name);
	}
	ck_assert_int_eq(chdir(tree_path(&tree, name)), 0);
	ck_assert_int_eq(mkdir(part, 0755), 0);
	ck_assert_int_eq(chdir(part), 0);
	ck_assert_int_eq(mkdir(part, 0755), 0);
	ck_assert_int_eq(chdir(part), 0);
	ck_assert_int_eq(mkdir(part, 0755), 0);
	ck_assert_int_eq(cgroup_tree_rescan(cgroups, NULL), 0);
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 8);
	cgroup_tree_walk(cgroups, note_longest, &longest);
	ck_assert_uint_eq(longest, 6 * 101);
}
END_TEST

START_TEST(many_come_and_go)
{
	char name[32];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		make(name);
	}
	cgroup_tree_follow(cgroups);
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 502);
	for (int i = 0; i < 500; i += 2) {
		snprintf(name, sizeof(name), "n%d", i);
		drop(name);
	}
	cgroup_tree_follow(cgroups);
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 252);
	cgroup_tree_rescan(cgroups, NULL);
	ck_assert_uint_eq(cgroup_tree_count(cgroups), 252);
}
END_TEST

static const struct mounts {
	const char *text, *base;
} mounts[] = {
	{ "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", "/sys/fs/cgroup" },
	{ "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
	  "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
	  "cgroup /sys/fs/cgroup/perf_event cgroup rw,perf_event 0 0\n",
	  "/sys/fs/cgroup/perf_event" },
	/* hybrid: v2 beside v1; the controller decides */
	{ "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
	  "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
	  "/sys/fs/cgroup/unified" },
	{ "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
	  "cgroup /mnt/my\\040perf cgroup rw,relatime,perf_event 0 0\n",
	  "/mnt/my perf" },
	{ "tmpfs / tmpfs rw 0 0\nnonsense\n", NULL },
};

START_TEST(the_base_is_found_on_v1_v2_and_hybrid_hosts)
{
	char base[256];
	struct err err = { 0 };
	int status;

	tree_put(&tree, "proc/self/mounts", mounts[_i].text);
	status = cgroup_find_base(tree_path(&tree, "proc"), base, sizeof(base),
				  &err);
	if (!mounts[_i].base) {
		ck_assert_int_eq(status, -1);
		ck_assert_int_eq(err.code, ENOENT);
		return;
	}
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(base, mounts[_i].base);
}
END_TEST

START_TEST(a_folder_that_is_no_cgroup_file_system_is_refused)
{
	struct err err = { 0 };

	tree_put(&tree, "proc/self/mounts", mounts[2].text);
	ck_assert_int_eq(
		cgroup_check_base(tree.root, tree_path(&tree, "proc"), &err),
		-1);
	ck_assert_ptr_nonnull(strstr(err.text, "-p /sys/fs/cgroup/unified"));
}
END_TEST

START_TEST(a_process_says_in_which_cgroup_it_is)
{
	const char *text = "9:name=systemd:/s\n4:cpuset,perf_event:/v1/p:q\n"
			   "0::/v2/x\n";
	char path[64];

	ck_assert_int_eq(
		cgroup_parse_membership(text, true, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/v1/p:q");
	ck_assert_int_eq(
		cgroup_parse_membership(text, false, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/v2/x");
	ck_assert_int_eq(cgroup_parse_membership("9:cpu:/a\n:\n\n", false, path,
						 sizeof(path)),
			 -1);
}
END_TEST

Suite *cgroup_suite(void);
Suite *cgroup_suite(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tcase = tcase_create("tree");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, names_are_paths_behind_the_base);
	tcase_add_test(tcase,
		       a_base_that_ends_with_a_slash_takes_it_from_the_names);
	tcase_add_test(tcase, what_is_made_is_announced_with_what_is_in_it);
	tcase_add_test(tcase, what_is_removed_is_announced);
	tcase_add_test(tcase, the_same_name_again_is_another_cgroup);
	tcase_add_test(tcase, one_that_is_gone_before_it_is_looked_at_is_none);
	tcase_add_test(tcase, looking_again_finds_the_difference);
	tcase_add_test(tcase,
		       a_count_that_stays_tells_of_one_that_was_not_announced);
	tcase_add_test(tcase, a_look_at_parts_finds_what_was_not_announced);
	tcase_add_test(tcase, names_may_be_as_long_as_paths);
	tcase_add_test(tcase, many_come_and_go);
	tcase_add_loop_test(tcase, the_base_is_found_on_v1_v2_and_hybrid_hosts,
			    0, sizeof(mounts) / sizeof(mounts[0]));
	tcase_add_test(tcase,
		       a_folder_that_is_no_cgroup_file_system_is_refused);
	tcase_add_test(tcase, a_process_says_in_which_cgroup_it_is);
	suite_add_tcase(suite, tcase);
	return suite;
}
