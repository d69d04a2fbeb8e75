/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sensor/cputime.h"
#include "tests/unit/tree.h"

/* ---- a machine made of files ----------------------------------------------- */

static struct tree tree;
static char proc[96], sys[96];

static void setup(void)
{
	tree_init(&tree);
	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	tree_put(&tree, "proc/stat",
		 "cpu  300 0 0 100 0 0 0 7 0 0\n"
		 "cpu0 100 0 0 50 0 0 0 3 0 0\n"
		 "cpu1 200 0 0 50 0 0 0 4 0 0\n"
		 "intr 1 2 3\nctxt 4\n");
}

static void teardown(void)
{
	tree_done(&tree);
}

#define CPUACCT "sys/fs/cgroup/cpu,cpuacct/"

static void put_cpuacct(const char *usage, int is_root)
{
	tree_put(&tree, CPUACCT "cpuacct.usage_percpu", usage);
	if (is_root)
		tree_put(&tree, CPUACCT "release_agent", "\n");
}

static void put_schedstat(uint64_t run0, uint64_t run1)
{
	char *text =
		xasprintf("version 15\ntimestamp 4294900000\n"
			  "cpu0 0 0 0 0 0 0 %llu 5 6\n"
			  "domain0 3 0 0\n"
			  "cpu1 0 0 0 0 0 0 %llu 5 6\n",
			  (unsigned long long)run0, (unsigned long long)run1);

	tree_put(&tree, "proc/schedstat", text);
	free(text);
}

static void put_stat(int user0, int user1, int steal0)
{
	char *text = xasprintf("cpu  0 0 0 0 0 0 0 0 0 0\n"
			       "cpu0 %d 0 0 50 0 0 0 %d 0 0\n"
			       "cpu1 %d 0 0 50 0 0 0 0 0 0\nintr 1\n",
			       user0, steal0, user1);

	tree_put(&tree, "proc/stat", text);
	free(text);
}

static struct cputime *open_here(void)
{
	struct err err = { 0 };
	struct cputime *cputime = cputime_open_at(proc, sys, &err);

	ck_assert_msg(cputime != NULL, "%s", err.text);
	return cputime;
}

START_TEST(ticks_alone_give_steps_of_ten_milliseconds)
{
	struct cputime *cputime = open_here();
	struct cputime_reading reading;

	ck_assert_str_eq(cputime_source_name(cputime), "stat");
	ck_assert_double_eq_tol(cputime_resolution_s(cputime), 0.01, 1e-12);
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_uint_eq(reading.cpus, 2);
	ck_assert_double_eq_tol(reading.busy_s, 3.0, 1e-9);
	ck_assert_double_eq_tol(reading.steal_s, 0.07, 1e-9);
	ck_assert_int_eq(reading.busy_ns[1], 2000000000);
	ck_assert_int_eq(cputime_cpu(cputime, 1), 1);
	put_stat(101, 200, 5);
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_double_eq_tol(reading.busy_s, 3.01, 1e-9);
	cputime_close(cputime);
}
END_TEST

START_TEST(the_root_cgroup_is_preferred)
{
	struct cputime *cputime;
	struct cputime_reading reading;

	put_cpuacct("1500000000 2500000000 0 0 \n", 1);
	put_schedstat(7, 8);
	cputime = open_here();
	ck_assert_str_eq(cputime_source_name(cputime), "cpuacct");
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	/* CPUs that are possible but never were online do not count */
	ck_assert_uint_eq(reading.cpus, 2);
	ck_assert_double_eq_tol(reading.busy_s, 4.0, 1e-9);
	tree_put(&tree, CPUACCT "cpuacct.usage_percpu",
		 "1500000001 2500000000 0 0");
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_int_eq(reading.busy_ns[0], 1500000001);
	cputime_close(cputime);
}
END_TEST

START_TEST(a_containers_own_cgroup_is_not_the_machine)
{
	struct cputime *cputime;

	put_cpuacct("1500000000 2500000000 \n", 0);
	put_schedstat(7, 8);
	cputime = open_here();
	ck_assert_str_eq(cputime_source_name(cputime), "schedstat");
	cputime_close(cputime);
}
END_TEST

START_TEST(schedstat_is_read_by_cpu)
{
	struct cputime *cputime;
	struct cputime_reading reading;

	put_schedstat(5000000123, 6000000456);
	cputime = open_here();
	ck_assert_str_eq(cputime_source_name(cputime), "schedstat");
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_int_eq(reading.busy_ns[0], 5000000123);
	ck_assert_int_eq(reading.busy_ns[1], 6000000456);
	cputime_close(cputime);
}
END_TEST

START_TEST(a_schedstat_that_never_counted_is_not_believed)
{
	struct cputime *cputime;

	put_schedstat(0, 0);
	cputime = open_here();
	ck_assert_str_eq(cputime_source_name(cputime), "stat");
	cputime_close(cputime);
}
END_TEST

static int64_t busy_of_cpu0(struct cputime *cputime)
{
	struct cputime_reading reading;

	usleep(11000); /* /proc/stat is asked every 10 ms at most */
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	return reading.busy_ns[0];
}

START_TEST(a_task_that_is_never_switched_out_is_seen_by_its_ticks)
{
	struct cputime *cputime;

	put_schedstat(1000000000, 1);
	put_stat(500, 0, 0);
	cputime = open_here();
	ck_assert_int_eq(busy_of_cpu0(cputime), 1000000000);
	put_stat(600, 0, 0); /* 1 s of ticks, no switch */
	ck_assert_int_eq(busy_of_cpu0(cputime), 2000000000);
	/* It is switched out: what it really used is 0.99 s.  Time does not
	 * run backwards meanwhile. */
	put_schedstat(1990000000, 1);
	ck_assert_int_eq(busy_of_cpu0(cputime), 2000000000);
	put_schedstat(2500000000, 1);
	put_stat(651, 0, 0);
	ck_assert_int_eq(busy_of_cpu0(cputime), 2500000000);
	cputime_close(cputime);
}
END_TEST

START_TEST(a_counter_that_runs_backwards_does_not_take_time_back)
{
	struct cputime *cputime = open_here();
	struct cputime_reading reading;

	put_stat(1, 1, 0);
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_double_eq_tol(reading.busy_s, 3.0, 1e-9);
	ck_assert_double_eq_tol(reading.steal_s, 0.07, 1e-9);
	cputime_close(cputime);
}
END_TEST

START_TEST(a_cpu_that_comes_online_later_starts_at_zero)
{
	struct cputime *cputime = open_here();
	struct cputime_reading reading;

	tree_put(&tree, "proc/stat",
		 "cpu0 100 0 0 0 0 0 0 0\ncpu1 200 0 0 0 0 0 0 0\n"
		 "cpu7 900 0 0 0 0 0 0 0\nintr 1\n");
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_uint_eq(reading.cpus, 3);
	ck_assert_int_eq(cputime_cpu(cputime, 2), 7);
	ck_assert_double_eq_tol(reading.busy_s, 3.0, 1e-9);
	tree_put(&tree, "proc/stat", "cpu7 901 0 0 0 0 0 0 0\nintr 1\n");
	ck_assert_int_eq(cputime_read(cputime, &reading, NULL), 0);
	ck_assert_double_eq_tol(reading.busy_s, 3.01, 1e-9);
	cputime_close(cputime);
}
END_TEST

START_TEST(a_missing_or_senseless_proc_is_an_error)
{
	struct err err = { 0 };

	ck_assert_ptr_null(cputime_open("/nowhere", &err));
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/stat"));
	tree_put(&tree, "proc/stat", "no CPUs here\n");
	ck_assert_ptr_null(cputime_open(proc, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "no line of a CPU"));
}
END_TEST

static const struct line {
	const char *text;
	int cpu;
	size_t figures;
} lines[] = {
	{ "cpu0 1 2 3\n", 0, 3 },
	{ "cpu12 1 2 3 4 5 6 7 8 9 10 11 12", 12, CPUTIME_FIGURES_MAX },
	{ "cpu  1 2 3\n", -1, 0 },
	{ "cpu", -1, 0 },
	{ "cpux 1", -1, 0 },
	{ "cpu3", -1, 0 },
	{ "cpu3 ", 3, 0 },
	{ "cpu3 x", 3, 0 },
	{ "cpu99999999999999999999 1", -1, 0 },
	{ "cpu4 99999999999999999999999 2", 4, 2 },
	{ "intr 1 2", -1, 0 },
	{ "", -1, 0 },
};

START_TEST(lines_are_taken_apart_or_refused)
{
	const struct line *line = &lines[_i];
	uint64_t figure[CPUTIME_FIGURES_MAX];
	size_t figures = 0;

	ck_assert_int_eq(cputime_parse_line(line->text, figure,
					    CPUTIME_FIGURES_MAX, &figures),
			 line->cpu);
	if (line->cpu >= 0)
		ck_assert_uint_eq(figures, line->figures);
}
END_TEST

/* ---- this machine ---------------------------------------------------------- */

static void burn(double seconds)
{
	clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	while (clock() < end)
		;
}

START_TEST(work_makes_this_machine_busy)
{
	struct err err = { 0 };
	struct cputime *cputime = cputime_open(NULL, &err);
	struct cputime_reading before, after;
	double room;

	ck_assert_msg(cputime != NULL, "%s", err.text);
	ck_assert_int_eq(cputime_read(cputime, &before, &err), 0);
	burn(0.3);
	ck_assert_int_eq(cputime_read(cputime, &after, &err), 0);
	room = 2 * cputime_resolution_s(cputime) * (double)after.cpus;
	ck_assert_double_ge(after.busy_s - before.busy_s, 0.3 - room);
	ck_assert_double_le(after.busy_s - before.busy_s,
			    1e-9 * (double)(after.ns - before.ns) *
					    (double)after.cpus +
				    room);
	cputime_close(cputime);
}
END_TEST

Suite *cputime_suite(void);
Suite *cputime_suite(void)
{
	Suite *suite = suite_create("cputime");
	TCase *files = tcase_create("files");
	TCase *real = tcase_create("machine");

	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, ticks_alone_give_steps_of_ten_milliseconds);
	tcase_add_test(files, the_root_cgroup_is_preferred);
	tcase_add_test(files, a_containers_own_cgroup_is_not_the_machine);
	tcase_add_test(files, schedstat_is_read_by_cpu);
	tcase_add_test(files, a_schedstat_that_never_counted_is_not_believed);
	tcase_add_test(files,
		       a_task_that_is_never_switched_out_is_seen_by_its_ticks);
	tcase_add_test(files,
		       a_counter_that_runs_backwards_does_not_take_time_back);
	tcase_add_test(files, a_cpu_that_comes_online_later_starts_at_zero);
	tcase_add_test(files, a_missing_or_senseless_proc_is_an_error);
	tcase_add_loop_test(files, lines_are_taken_apart_or_refused, 0,
			    sizeof(lines) / sizeof(lines[0]));
	suite_add_tcase(suite, files);
	tcase_add_test(real, work_makes_this_machine_busy);
	suite_add_tcase(suite, real);
	return suite;
}
