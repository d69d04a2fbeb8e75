/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/cgroup.h"
#include "sensor/counter.h"
#include "sensor/engine.h"

/* ---- a process that does what it is told ----------------------------------- */

#define BURN_S  0.03
#define BURN_NS 30000000
/* perf's clock and the scheduler's may differ a little while a hypervisor takes
 * the CPU away. */
#define LEAST_NS (BURN_NS / 100 * 99)

static void burn(void)
{
	struct timespec now, start;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((double)(now.tv_sec - start.tv_sec) +
			 1e-9 * (double)(now.tv_nsec - start.tv_nsec) <
		 BURN_S);
}

static void *burn_thread(void *unused)
{
	burn();
	return unused;
}

static void *idle_thread(void *unused)
{
	pause();
	return unused;
}

/* b: burn. t: burn in a new thread. i: a thread that idles. c: burn in a child
 * and wait for it. */
static void obey(int fd)
{
	pthread_t thread;
	char order;

	while (read(fd, &order, 1) == 1) {
		if (order == 'b')
			burn();
		if (order == 't') {
			pthread_create(&thread, NULL, burn_thread, NULL);
			pthread_join(thread, NULL);
		}
		if (order == 'i')
			pthread_create(&thread, NULL, idle_thread, NULL);
		if (order == 'c') {
			pid_t child = fork();

			if (child == 0) {
				burn();
				usleep(150000); /* long enough to be seen */
				_exit(0);
			}
			waitpid(child, NULL, 0);
		}
		if (write(fd, &order, 1) != 1)
			break;
	}
	_exit(0);
}

struct servant {
	pid_t pid;
	int fd;
	struct target target;
};

static struct servant servant;

static void start_servant(enum target_kind kind)
{
	int end[2];
	struct process process;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	servant.pid = fork();
	if (servant.pid == 0) {
		close(end[0]);
		obey(end[1]);
	}
	close(end[1]);
	servant.fd = end[0];
	ck_assert_int_eq(process_read("/proc", servant.pid, &process, NULL), 0);
	servant.target = (struct target){ .kind = kind,
					  .pid = servant.pid,
					  .start = process.start,
					  .name = "servant" };
}

static void order(char what)
{
	char answer;

	ck_assert_int_eq(write(servant.fd, &what, 1), 1);
	ck_assert_int_eq(read(servant.fd, &answer, 1), 1);
}

static void end_servant(void)
{
	if (servant.pid > 0) {
		close(servant.fd);
		waitpid(servant.pid, NULL, 0);
	}
	servant.pid = 0;
}

/* ---- every kind ------------------------------------------------------------ */

static struct engine *engine;

static void make_group(struct event_group *group)
{
	*group = (struct event_group){ .name = "core" };
	ck_assert_int_eq(
		event_group_add(group, "PERF_COUNT_SW_TASK_CLOCK", NULL), 0);
}

/* Loop tests go over the kinds; one that is not permitted here is skipped. */
static bool open_kind(int i)
{
	struct event_group group;
	struct err err = { 0 };

	make_group(&group);
	engine =
		engine_open(engine_kinds[i]->name, &group, 1, 1, "/proc", &err);
	if (!engine)
		printf("skip: %s\n", err.text);
	else
		ck_assert_str_eq(engine_name(engine), engine_kinds[i]->name);
	return engine != NULL;
}

static int add(void)
{
	struct err err = { 0 };
	int slot = engine_add(engine, &servant.target, &err);

	ck_assert_msg(slot >= 0, "%s", err.text);
	return slot;
}

static uint64_t read_clock(int slot)
{
	struct err err = { 0 };

	ck_assert_msg(engine_read(engine, &err) == 0, "%s", err.text);
	return engine_counts(engine, slot)[0].integer;
}

static void teardown(void)
{
	engine_close(engine);
	engine = NULL;
	end_servant();
}

START_TEST(a_busy_process_is_counted_from_the_time_it_is_added)
{
	uint64_t idle, busy;
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	order('b');
	slot = add();
	idle = read_clock(slot);
	order('b');
	busy = read_clock(slot);
	ck_assert_uint_lt(idle, BURN_NS / 2);
	ck_assert_uint_ge(busy, LEAST_NS);
	ck_assert_uint_lt(busy, 2 * BURN_NS);
	ck_assert_uint_eq(engine_total(engine, slot, 0), idle + busy);
	ck_assert(engine_is_counting(engine, slot));
}
END_TEST

START_TEST(the_columns_are_the_events_and_two_times)
{
	const struct engine_shape *shape;
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	slot = add();
	shape = engine_shape(engine, slot);
	ck_assert_uint_eq(shape->columns, 3);
	ck_assert_str_eq(shape->column[0].event, "PERF_COUNT_SW_TASK_CLOCK");
	ck_assert_str_eq(shape->column[1].event, "time_enabled");
	ck_assert_str_eq(shape->column[2].event, "time_running");
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(shape->column[i].group, "core");
	order('b');
	read_clock(slot);
	ck_assert_uint_ge(engine_counts(engine, slot)[1].integer, LEAST_NS);
	ck_assert_uint_le(engine_counts(engine, slot)[2].integer,
			  engine_counts(engine, slot)[1].integer);
}
END_TEST

START_TEST(threads_count_old_and_new)
{
	uint64_t before, after;
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	order('i');
	slot = add();
	before = read_clock(slot);
	order('t');
	after = read_clock(slot);
	ck_assert_uint_lt(before, BURN_NS / 2);
	ck_assert_uint_ge(after, LEAST_NS);
	ck_assert_uint_lt(after, 2 * BURN_NS);
}
END_TEST

START_TEST(children_do_not_count_for_a_process)
{
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	slot = add();
	order('c');
	ck_assert_uint_lt(read_clock(slot), BURN_NS / 2);
}
END_TEST

START_TEST(children_count_for_a_tree)
{
	char what = 'c';
	uint64_t sum = 0;
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_TREE);
	slot = add();
	ck_assert_int_eq(write(servant.fd, &what, 1), 1);
	for (int i = 0; i < 30; i++) { /* a tick of 10 ms */
		usleep(10000);
		sum += read_clock(slot);
	}
	ck_assert_int_eq(read(servant.fd, &what, 1), 1);
	sum += read_clock(slot);
	ck_assert_uint_ge(sum, LEAST_NS);
	ck_assert_uint_lt(sum, 2 * BURN_NS);
}
END_TEST

START_TEST(a_process_that_ended_keeps_its_counts_for_one_reading)
{
	uint64_t before;
	int slot;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	slot = add();
	order('b');
	before = read_clock(slot);
	end_servant();
	read_clock(slot);
	/* perf looks whether an idle process is there, so it may need a tick
	 * more to notice */
	ck_assert(engine_is_counting(engine, slot));
	read_clock(slot);
	read_clock(slot);
	ck_assert(!engine_is_counting(engine, slot));
	ck_assert_uint_ge(engine_total(engine, slot, 0), before);
	engine_remove(engine, slot);
}
END_TEST

START_TEST(a_slot_is_used_again)
{
	int first, second;

	if (!open_kind(_i))
		return;
	start_servant(TARGET_PROCESS);
	first = add();
	order('b');
	read_clock(first);
	engine_remove(engine, first);
	second = add();
	ck_assert_int_eq(first, second);
	ck_assert_uint_eq(engine_total(engine, second, 0), 0);
	ck_assert_uint_lt(read_clock(second), BURN_NS / 2);
}
END_TEST

START_TEST(nobody_cannot_be_counted)
{
	struct target nobody = { .pid = (1 << 22) + 1, .name = "nobody" };
	struct err err = { 0 };

	if (!open_kind(_i))
		return;
	ck_assert_int_eq(engine_add(engine, &nobody, &err), -1);
	ck_assert_int_eq(err.code, ESRCH);
	ck_assert_int_eq(engine_read(engine, NULL), 0);
}
END_TEST

/* ---- cgroups --------------------------------------------------------------- */

/* Named by the parent of all tests, who removes what a failed one left. */
static char outer[300], inner[320];

static void name_cgroups(void)
{
	char base[PATH_MAX];

	outer[0] = inner[0] = '\0';
	if (cgroup_find_base("/proc", base, sizeof(base), NULL) < 0)
		return;
	snprintf(outer, sizeof(outer), "%.200s/fwunit%d", base, (int)getpid());
	snprintf(inner, sizeof(inner), "%s/inner", outer);
}

static void end_cgroups(void)
{
	const char *const folder[] = { inner, outer };

	end_servant();
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 100 && *folder[i] && rmdir(folder[i]) < 0 &&
				errno == EBUSY;
		     j++)
			usleep(10000);
}

static void cgroup_teardown(void)
{
	engine_close(engine);
	engine = NULL;
	end_cgroups();
}

/* A cgroup in a cgroup, with the servant in it; false where that cannot be
 * had. */
static bool open_cgroups(void)
{
	char path[340];
	FILE *file;

	if (!*outer || mkdir(outer, 0755) < 0 || mkdir(inner, 0755) < 0) {
		printf("skip: cgroups cannot be made here\n");
		return false;
	}
	start_servant(TARGET_PROCESS);
	snprintf(path, sizeof(path), "%s/cgroup.procs", inner);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "%d\n", (int)servant.pid);
	ck_assert_int_eq(fclose(file), 0);
	return true;
}

static int add_cgroup(const char *folder, struct err *err)
{
	struct target target = { .kind = TARGET_CGROUP,
				 .path = folder,
				 .name = folder };

	return engine_add(engine, &target, err);
}

/* Of every CPU, since it was added. */
static uint64_t clock_of(int slot)
{
	const struct engine_shape *shape = engine_shape(engine, slot);
	uint64_t sum = 0;

	for (size_t i = 0; i < shape->columns; i += 3) {
		ck_assert_str_eq(shape->column[i].event,
				 "PERF_COUNT_SW_TASK_CLOCK");
		sum += engine_total(engine, slot, i);
	}
	return sum;
}

START_TEST(a_cgroup_counts_those_below_it_and_keeps_what_they_did)
{
	struct err err = { 0 };
	int below, above;
	uint64_t before;

	if (!open_kind(_i) || !open_cgroups())
		return;
	below = add_cgroup(inner, &err);
	if (below < 0) {
		ck_assert_msg(err.code == ENOTSUP, "%s", err.text);
		return;
	}
	above = add_cgroup(outer, &err);
	ck_assert_msg(above >= 0, "%s", err.text);
	order('b');
	ck_assert_int_eq(engine_read(engine, NULL), 0);
	ck_assert_uint_ge(clock_of(below), LEAST_NS);
	ck_assert_uint_lt(clock_of(below), 2 * BURN_NS);
	before = clock_of(above);
	ck_assert_uint_ge(before, LEAST_NS);
	engine_remove(engine, below);
	ck_assert_int_eq(engine_read(engine, NULL), 0);
	ck_assert_uint_ge(clock_of(above), before);
	order('b');
	ck_assert_int_eq(engine_read(engine, NULL), 0);
	ck_assert_uint_ge(clock_of(above), before + LEAST_NS);
	ck_assert_uint_lt(clock_of(above), before + 2 * BURN_NS);
}
END_TEST

START_TEST(a_busy_cgroup_is_counted_up_to_now)
{
	char what = 'b';
	int slot;

	if (!open_kind(_i) || !open_cgroups())
		return;
	ck_assert_int_eq(write(servant.fd, &what, 1), 1);
	slot = add_cgroup(inner, NULL);
	if (slot < 0)
		return;
	/* it need not leave the CPU to be seen */
	for (uint64_t ns = 0; ns < BURN_NS / 10; ns = clock_of(slot))
		ck_assert_int_eq(engine_read(engine, NULL), 0);
	ck_assert_int_eq(read(servant.fd, &what, 1), 1);
}
END_TEST

/* ---- choosing -------------------------------------------------------------- */

static int deny(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		unsigned long flags)
{
	(void)attr, (void)pid, (void)cpu, (void)group_fd, (void)flags;
	errno = EACCES;
	return -1;
}

static int allow_self(struct perf_event_attr *attr, pid_t pid, int cpu,
		      int group_fd, unsigned long flags)
{
	(void)attr, (void)cpu, (void)group_fd, (void)flags;
	if (pid == 0)
		return dup(0);
	errno = EACCES;
	return -1;
}

START_TEST(auto_takes_the_clock_where_perf_is_forbidden_and_says_so)
{
	struct event_group group;
	struct err err = { 0 };

	counter_open_fn = deny;
	make_group(&group);
	engine = engine_open("auto", &group, 1, 1, "/proc", &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	ck_assert_str_eq(engine_name(engine), "clock");
	ck_assert_ptr_nonnull(strstr(engine_remarks(engine), "not permitted"));
}
END_TEST

START_TEST(auto_counts_by_the_clock_what_perf_may_not)
{
	struct event_group group;
	int slot;

	counter_open_fn = allow_self;
	make_group(&group);
	engine = engine_open("auto", &group, 1, 1, "/proc", NULL);
	ck_assert_str_eq(engine_name(engine), "perf");
	start_servant(TARGET_PROCESS);
	slot = add();
	ck_assert_str_eq(engine_slot_name(engine, slot), "clock");
	order('b');
	ck_assert_uint_ge(read_clock(slot), LEAST_NS);
}
END_TEST

START_TEST(auto_takes_tally_for_many_targets_where_it_may)
{
	struct event_group group;

	make_group(&group);
	ck_assert(!engine_prefers_tally(1));
	ck_assert(engine_prefers_tally(1000));
	engine = engine_open("auto", &group, 1, 1000, "/proc", NULL);
	ck_assert_ptr_nonnull(engine);
	if (strcmp(engine_name(engine), "tally") != 0)
		ck_assert_ptr_nonnull(
			strstr(engine_remarks(engine), "not tally: "));
	else
		ck_assert_str_eq(engine_remarks(engine), "");
}
END_TEST

START_TEST(perf_by_name_fails_where_it_is_forbidden)
{
	struct event_group group;
	struct err err = { 0 };

	counter_open_fn = deny;
	make_group(&group);
	ck_assert_ptr_null(engine_open("perf", &group, 1, 1, "/proc", &err));
	ck_assert_int_eq(err.code, EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "perf_event_paranoid"));
}
END_TEST

START_TEST(the_clock_counts_nothing_but_time)
{
	struct event_group group;
	struct err err = { 0 };

	make_group(&group);
	event_group_add(&group, "PERF_COUNT_SW_PAGE_FAULTS", NULL);
	ck_assert_ptr_null(engine_open("clock", &group, 1, 1, "/proc", &err));
	ck_assert_int_eq(err.code, ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.text, "PERF_COUNT_SW_PAGE_FAULTS"));
}
END_TEST

START_TEST(an_unknown_engine_is_refused)
{
	struct event_group group;
	struct err err = { 0 };

	make_group(&group);
	ck_assert_ptr_null(engine_open("steam", &group, 1, 1, "/proc", &err));
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "steam"));
}
END_TEST

START_TEST(two_groups_stand_side_by_side)
{
	struct event_group groups[2];
	const struct engine_shape *shape;
	int slot;

	make_group(&groups[0]);
	make_group(&groups[1]);
	groups[1].name[0] = 'x';
	event_group_add(&groups[1], "PERF_COUNT_SW_PAGE_FAULTS", NULL);
	engine = engine_open("perf", groups, 2, 1, "/proc", NULL);
	if (!engine)
		return;
	start_servant(TARGET_PROCESS);
	slot = add();
	shape = engine_shape(engine, slot);
	ck_assert_uint_eq(shape->columns, 7);
	ck_assert_str_eq(shape->column[3].group, "xore");
	ck_assert_str_eq(shape->column[4].event, "PERF_COUNT_SW_PAGE_FAULTS");
	order('b');
	read_clock(slot);
	ck_assert_uint_ge(engine_counts(engine, slot)[0].integer, LEAST_NS);
	ck_assert_uint_ge(engine_counts(engine, slot)[3].integer, LEAST_NS);
	ck_assert_uint_lt(engine_counts(engine, slot)[4].integer, BURN_NS);
	ck_assert_uint_ge(engine_counts(engine, slot)[5].integer, LEAST_NS);
}
END_TEST

static int kinds(void)
{
	int n = 0;

	while (engine_kinds[n])
		n++;
	return n;
}

Suite *engine_suite(void);
Suite *engine_suite(void)
{
	Suite *suite = suite_create("engine");
	TCase *each = tcase_create("every kind");
	TCase *cgroups = tcase_create("cgroups");
	TCase *choice = tcase_create("choosing");

	tcase_add_checked_fixture(each, NULL, teardown);
	tcase_add_loop_test(each,
			    a_busy_process_is_counted_from_the_time_it_is_added,
			    0, kinds());
	tcase_add_loop_test(each, the_columns_are_the_events_and_two_times, 0,
			    kinds());
	tcase_add_loop_test(each, threads_count_old_and_new, 0, kinds());
	tcase_add_loop_test(each, children_do_not_count_for_a_process, 0,
			    kinds());
	tcase_add_loop_test(each, children_count_for_a_tree, 0, kinds());
	tcase_add_loop_test(
		each, a_process_that_ended_keeps_its_counts_for_one_reading, 0,
		kinds());
	tcase_add_loop_test(each, a_slot_is_used_again, 0, kinds());
	tcase_add_loop_test(each, nobody_cannot_be_counted, 0, kinds());
	suite_add_tcase(suite, each);
	tcase_add_unchecked_fixture(cgroups, name_cgroups, end_cgroups);
	tcase_add_checked_fixture(cgroups, NULL, cgroup_teardown);
	tcase_add_loop_test(
		cgroups, a_cgroup_counts_those_below_it_and_keeps_what_they_did,
		0, kinds());
	tcase_add_loop_test(cgroups, a_busy_cgroup_is_counted_up_to_now, 0,
			    kinds());
	suite_add_tcase(suite, cgroups);
	tcase_add_checked_fixture(choice, NULL, teardown);
	tcase_add_test(
		choice,
		auto_takes_the_clock_where_perf_is_forbidden_and_says_so);
	tcase_add_test(choice, auto_counts_by_the_clock_what_perf_may_not);
	tcase_add_test(choice, auto_takes_tally_for_many_targets_where_it_may);
	tcase_add_test(choice, perf_by_name_fails_where_it_is_forbidden);
	tcase_add_test(choice, the_clock_counts_nothing_but_time);
	tcase_add_test(choice, an_unknown_engine_is_refused);
	tcase_add_test(choice, two_groups_stand_side_by_side);
	suite_add_tcase(suite, choice);
	return suite;
}
