/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is the tally's own; what it has in common with the others is in
 * test_engine.c.  Where BPF is not permitted, there is nothing to be tried.
 */
#include <check.h>
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "sensor/cgroup.h"
#include "sensor/engine_sites.h"
#include "sensor/sysfs.h"
#include "tests/unit/tree.h"

#define BURN_NS 30000000

static struct tree tree;
static struct engine *engine;
static struct event_group group;
/* Named by the parent of all tests, who removes what a failed one left. */
static pid_t parent;
static char outer[400], inner[420];

static void setup(void)
{
	tree_init(&tree);
	log_start("test", LOG_QUIET);
	group = (struct event_group){ .name = "core" };
	ck_assert_int_eq(
		event_group_add(&group, "PERF_COUNT_SW_TASK_CLOCK", NULL), 0);
	ck_assert_int_eq(
		event_group_add(&group, "PERF_COUNT_SW_PAGE_FAULTS", NULL), 0);
}

static void remove_cgroup(const char *path)
{
	for (int i = 0; i < 100 && *path && rmdir(path) < 0 && errno == EBUSY;
	     i++)
		usleep(10000);
}

static void name_cgroups(const char *base)
{
	snprintf(outer, sizeof(outer), "%.300s/fwtally%d", base, (int)parent);
	snprintf(inner, sizeof(inner), "%s/inner", outer);
}

static void teardown(void)
{
	engine_close(engine);
	engine = NULL;
	remove_cgroup(inner);
	remove_cgroup(outer);
	sysfs_root = "/sys";
	tree_done(&tree);
}

static bool open_engine(const char *name)
{
	struct err err = { 0 };

	engine = engine_open(name, &group, 1, 100, "/proc", &err);
	if (!engine)
		printf("skip: %s\n", err.text);
	return engine != NULL;
}

/* A cgroup in a cgroup, below a mount. */
static bool make_cgroups(const char *base)
{
	name_cgroups(base);
	if (mkdir(outer, 0755) == 0 && mkdir(inner, 0755) == 0)
		return true;
	printf("skip: cgroups cannot be made in %s\n", base);
	return false;
}

static bool make_cgroups_here(void)
{
	char base[300];

	return cgroup_find_base("/proc", base, sizeof(base), NULL) == 0 &&
	       make_cgroups(base);
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A child burns in `inner`, and ends. */
static void burn_in_it(void)
{
	char path[440];
	pid_t child = fork();
	uint64_t start = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", inner);
	if (child == 0) {
		file = fopen(path, "w");
		if (!file || fprintf(file, "0\n") < 0 || fclose(file) != 0)
			_exit(1);
		start = cpu_ns();
		while (cpu_ns() - start < BURN_NS)
			;
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static int add(enum target_kind kind, const char *path, struct err *err)
{
	struct target target = { .kind = kind,
				 .pid = getpid(),
				 .tid = getpid(),
				 .path = path,
				 .name = "it" };

	return engine_add(engine, &target, err);
}

static uint64_t sum_of(int slot, const char *event)
{
	const struct engine_shape *shape = engine_shape(engine, slot);
	uint64_t sum = 0;

	for (size_t i = 0; i < shape->columns; i++)
		if (!strcmp(shape->column[i].event, event))
			sum += engine_counts(engine, slot)[i].integer;
	return sum;
}

static uint64_t read_clock(int slot)
{
	ck_assert_int_eq(engine_read(engine, NULL), 0);
	return sum_of(slot, "PERF_COUNT_SW_TASK_CLOCK");
}

/* ---- cgroup v1 ------------------------------------------------------------- */

/* The mount of a controller of v1 that tally knows. */
static bool find_v1(char *out, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts)) != NULL) {
		found = !strcmp(mount->mnt_type, "cgroup") &&
			(hasmntopt(mount, "perf_event") ||
			 hasmntopt(mount, "cpuacct"));
		if (found)
			snprintf(out, size, "%s", mount->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static void before_all(void)
{
	parent = getpid();
}

static void after_all(void)
{
	char base[300];

	if (cgroup_find_base("/proc", base, sizeof(base), NULL) == 0) {
		name_cgroups(base);
		remove_cgroup(inner);
		remove_cgroup(outer);
	}
	if (find_v1(base, sizeof(base))) {
		name_cgroups(base);
		remove_cgroup(inner);
		remove_cgroup(outer);
	}
}

/* The target is not the task's own cgroup but one above it. */
START_TEST(on_v1_a_task_s_cgroups_are_walked)
{
	struct err err = { 0 };
	char base[300];
	uint64_t ns;
	int slot;

	if (!find_v1(base, sizeof(base)) || !open_engine("tally") ||
	    !make_cgroups(base))
		return;
	slot = add(TARGET_CGROUP, outer, &err);
	ck_assert_msg(slot >= 0, "%s", err.text);
	burn_in_it();
	ns = read_clock(slot);
	ck_assert_uint_ge(ns, BURN_NS / 100 * 99);
	ck_assert_uint_lt(ns, 2 * BURN_NS);
	ck_assert_uint_gt(sum_of(slot, "PERF_COUNT_SW_PAGE_FAULTS"), 0);
}
END_TEST

START_TEST(cgroups_of_two_hierarchies_are_refused)
{
	struct err err = { 0 };
	char v1[300], v2[300];

	if (!find_v1(v1, sizeof(v1)) ||
	    cgroup_find_base("/proc", v2, sizeof(v2), NULL) < 0 ||
	    !strcmp(v1, v2) || !open_engine("tally"))
		return;
	ck_assert_int_ge(add(TARGET_CGROUP, v1, &err), 0);
	ck_assert_int_lt(add(TARGET_CGROUP, v2, &err), 0);
	ck_assert_int_eq(err.code, ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.text, "one hierarchy"));
}
END_TEST

/* ---- CPUs ------------------------------------------------------------------ */

static void put_cpu(int cpu)
{
	char name[80];

	snprintf(name, sizeof(name),
		 "devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
	tree_put(&tree, name, "0\n");
	snprintf(name, sizeof(name),
		 "devices/system/cpu/cpu%d/topology/core_id", cpu);
	tree_put(&tree, name, cpu ? "1\n" : "0\n");
}

/* As far as sysfs tells; the counters are real. */
START_TEST(a_cpu_that_goes_and_comes_back_changes_columns_only)
{
	struct err err = { 0 };
	int slot;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || !make_cgroups_here())
		return;
	put_cpu(0);
	put_cpu(1);
	tree_put(&tree, "devices/system/cpu/online", "0-1\n");
	sysfs_root = tree.root;
	engine_sites_pause_ns = 0;
	if (!open_engine("tally"))
		return;
	slot = add(TARGET_CGROUP, inner, &err);
	ck_assert_msg(slot >= 0, "%s", err.text);
	burn_in_it();
	ck_assert_uint_gt(read_clock(slot), 0);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 8);
	tree_put(&tree, "devices/system/cpu/online", "0\n");
	read_clock(slot);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 4);
	tree_put(&tree, "devices/system/cpu/online", "0-1\n");
	ck_assert_uint_eq(read_clock(slot), 0);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 8);
	burn_in_it();
	ck_assert_uint_ge(read_clock(slot), BURN_NS / 2);
	ck_assert_uint_lt(sum_of(slot, "PERF_COUNT_SW_PAGE_FAULTS"), 100000);
	ck_assert(engine_is_counting(engine, slot));
}
END_TEST

/* ---- what it leaves to others ---------------------------------------------- */

START_TEST(threads_are_left_to_perf)
{
	struct err err = { 0 };
	int slot;

	if (!open_engine("tally"))
		return;
	ck_assert_int_lt(add(TARGET_THREAD, NULL, &err), 0);
	ck_assert_int_eq(err.code, ENOTSUP);
	engine_close(engine);
	ck_assert(open_engine("auto"));
	ck_assert_str_eq(engine_name(engine), "tally");
	slot = add(TARGET_THREAD, NULL, &err);
	ck_assert_msg(slot >= 0, "%s", err.text);
	ck_assert_str_eq(engine_slot_name(engine, slot), "perf");
}
END_TEST

START_TEST(groups_of_one_cpu_are_left_to_perf)
{
	if (!open_engine("tally"))
		return;
	engine_close(engine);
	group.one_cpu = true;
	ck_assert(open_engine("auto"));
	ck_assert_str_eq(engine_name(engine), "perf");
	ck_assert_ptr_nonnull(
		strstr(engine_remarks(engine), "not tally: tally counts on"));
}
END_TEST

/* ---- targets that did nothing ---------------------------------------------- */

START_TEST(of_an_idle_target_cumulative_times_stay)
{
	struct engine_options options = { .cumulative_times = true };
	struct err err = { 0 };
	uint64_t ns;
	int slot;

	if (!open_engine("tally") || !make_cgroups_here())
		return;
	engine_set(engine, &options);
	slot = add(TARGET_CGROUP, inner, &err);
	ck_assert_msg(slot >= 0, "%s", err.text);
	burn_in_it();
	ck_assert_uint_gt(read_clock(slot), 0);
	ns = sum_of(slot, "time_running");
	ck_assert_uint_gt(ns, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(read_clock(slot), 0);
		ck_assert_uint_eq(sum_of(slot, "time_running"), ns);
	}
}
END_TEST

Suite *engine_tally_suite(void);
Suite *engine_tally_suite(void)
{
	Suite *suite = suite_create("engine_tally");
	TCase *tests = tcase_create("tally");

	tcase_add_unchecked_fixture(tests, before_all, after_all);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, on_v1_a_task_s_cgroups_are_walked);
	tcase_add_test(tests, cgroups_of_two_hierarchies_are_refused);
	tcase_add_test(tests,
		       a_cpu_that_goes_and_comes_back_changes_columns_only);
	tcase_add_test(tests, threads_are_left_to_perf);
	tcase_add_test(tests, groups_of_one_cpu_are_left_to_perf);
	tcase_add_test(tests, of_an_idle_target_cumulative_times_stay);
	suite_add_tcase(suite, tests);
	return suite;
}
