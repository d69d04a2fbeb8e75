/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting by CPU, on machines that are not there: a pretended perf and a /sys
 * whose CPUs come and go. */
#include <check.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "sensor/counter.h"
#include "sensor/engine_sites.h"
#include "sensor/sysfs.h"
#include "tests/unit/tree.h"

#define FAKES_MAX 64

static struct tree tree;
static struct engine *engine;

/* ---- a pretended kernel ---------------------------------------------------- */

static struct fake {
	int cpu, fd, feed; /* -1: closed by the test */
	struct perf_event_attr attr;
	unsigned long flags;
	bool leader;
} fake[FAKES_MAX];
static size_t fakes;
static size_t group_events;
static int refuse_cpu;

static void feed(const struct fake *f, uint64_t value, uint64_t enabled,
		 uint64_t running)
{
	uint64_t word[3 + EVENT_GROUP_MAX] = { group_events, enabled, running };

	for (size_t i = 0; i < group_events; i++)
		word[3 + i] = value + i;
	ck_assert_int_gt(
		send(f->feed, word, (3 + group_events) * sizeof(*word), 0), 0);
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu,
		     int group_fd, unsigned long flags)
{
	int pair[2];

	(void)pid;
	if (cpu == refuse_cpu) {
		errno = ENODEV;
		return -1;
	}
	ck_assert_uint_lt(fakes, FAKES_MAX);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	fake[fakes] = (struct fake){ .cpu = cpu,
				     .fd = pair[0],
				     .feed = pair[1],
				     .attr = *attr,
				     .flags = flags,
				     .leader = group_fd < 0 };
	if (group_fd < 0)
		feed(&fake[fakes], 0, 0, 0);
	fakes++;
	return pair[0];
}

/* The last one that was opened on a CPU. */
static struct fake *on_cpu(int cpu)
{
	struct fake *found = NULL;

	for (size_t i = 0; i < fakes; i++)
		if (fake[i].cpu == cpu && fake[i].leader)
			found = &fake[i];
	return found;
}

static void go_offline(const struct fake *f)
{
	ck_assert_int_eq(send(f->feed, "", 0, 0), 0); /* read(2) gives 0 */
}

/* ---- a pretended machine --------------------------------------------------- */

static void put_cpu(int cpu, int package)
{
	char path[96], text[16];

	snprintf(path, sizeof(path),
		 "devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
	snprintf(text, sizeof(text), "%d\n", package);
	tree_put(&tree, path, text);
}

static void setup(void)
{
	tree_init(&tree);
	tree_put(&tree, "devices/system/cpu/online", "0-3\n");
	for (int cpu = 0; cpu < 4; cpu++)
		put_cpu(cpu, cpu / 2);
	sysfs_root = tree.root;
	engine_sites_pause_ns = 0;
	counter_open_fn = fake_open;
	fakes = 0;
	refuse_cpu = -2;
	log_start("test", LOG_QUIET);
}

static void teardown(void)
{
	engine_close(engine);
	for (size_t i = 0; i < fakes; i++)
		close(fake[i].feed);
	tree_done(&tree);
}

static void add_event(struct event_group *group, const char *name,
		      uint32_t type, uint64_t config)
{
	event_init(&group->event[group->events++], name, type, config);
}

static int start(const struct event_group *group)
{
	struct target all = { .kind = TARGET_MACHINE, .name = "all" };
	struct err err = { 0 };
	int slot;

	group_events = 1; /* of what is asked whether it can be counted */
	engine = engine_open("perf", group, 1, 1, "/proc", &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	for (size_t i = 0; i < fakes; i++)
		close(fake[i].feed);
	fakes = 0;
	group_events = group->events;
	slot = engine_add(engine, &all, &err);
	ck_assert_msg(slot >= 0, "%s", err.text);
	return slot;
}

static const union value *read_engine(int slot)
{
	ck_assert_int_eq(engine_read(engine, NULL), 0);
	return engine_counts(engine, slot);
}

START_TEST(one_cpu_of_each_package_where_that_is_asked)
{
	struct event_group group = { .name = "rapl", .one_cpu = true };
	const struct engine_shape *shape;
	int slot;

	add_event(&group, "ENERGY", 20, 2);
	slot = start(&group);
	shape = engine_shape(engine, slot);
	ck_assert_uint_eq(shape->columns, 6);
	ck_assert_int_eq(shape->column[0].package, 0);
	ck_assert_int_eq(shape->column[0].cpu, 0);
	ck_assert_int_eq(shape->column[3].package, 1);
	ck_assert_int_eq(shape->column[3].cpu, 2);
	ck_assert_str_eq(shape->column[5].event, "time_running");
}
END_TEST

START_TEST(all_cpus_stand_by_package)
{
	struct event_group group = { .name = "g" };
	const struct engine_shape *shape;
	int slot;

	put_cpu(1, 1);
	put_cpu(2, 0);
	add_event(&group, "A", PERF_TYPE_SOFTWARE, 0);
	slot = start(&group);
	shape = engine_shape(engine, slot);
	ck_assert_uint_eq(shape->columns, 12);
	ck_assert_int_eq(shape->column[3].cpu, 2);
	ck_assert_int_eq(shape->column[6].cpu, 1);
}
END_TEST

START_TEST(a_cpu_that_goes_and_comes_back_loses_nothing_else)
{
	struct event_group group = { .name = "g" };
	const union value *count;
	int slot;

	add_event(&group, "A", PERF_TYPE_SOFTWARE, 0);
	slot = start(&group);
	for (int cpu = 0; cpu < 4; cpu++)
		feed(on_cpu(cpu), 100 + (uint64_t)cpu, 1000, 1000);
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 100);
	ck_assert_uint_eq(count[9].integer, 103);

	tree_put(&tree, "devices/system/cpu/online", "0-2\n");
	for (int cpu = 0; cpu < 3; cpu++)
		feed(on_cpu(cpu), 150 + (uint64_t)cpu, 2000, 2000);
	count = read_engine(slot);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 9);
	ck_assert_uint_eq(count[0].integer, 50);
	ck_assert_uint_eq(count[6].integer, 50);

	tree_put(&tree, "devices/system/cpu/online", "0-3\n");
	for (int cpu = 0; cpu < 3; cpu++)
		feed(on_cpu(cpu), 151 + (uint64_t)cpu, 3000, 3000);
	count = read_engine(slot);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 12);
	ck_assert_uint_eq(count[0].integer, 1);
	ck_assert_uint_eq(count[9].integer, 0);
	for (int cpu = 0; cpu < 4; cpu++)
		feed(on_cpu(cpu), 160, 4000, 4000);
	count = read_engine(slot);
	ck_assert_uint_eq(count[9].integer, 160);
	ck_assert(engine_is_counting(engine, slot));
}
END_TEST

START_TEST(a_counter_that_died_unseen_is_opened_again)
{
	struct event_group group = { .name = "g" };
	const union value *count;
	int slot;

	add_event(&group, "A", PERF_TYPE_SOFTWARE, 0);
	slot = start(&group);
	for (int cpu = 0; cpu < 4; cpu++)
		feed(on_cpu(cpu), 10, 1000, 1000);
	read_engine(slot);
	for (int cpu = 0; cpu < 3; cpu++)
		feed(on_cpu(cpu), 20, 2000, 2000);
	go_offline(on_cpu(3));
	refuse_cpu = 3;
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 10);
	ck_assert_uint_eq(count[9].integer, 0);
	ck_assert_uint_eq(engine_total(engine, slot, 9), 10);
	refuse_cpu = -2;
	for (int cpu = 0; cpu < 3; cpu++)
		feed(on_cpu(cpu), 30, 3000, 3000);
	count = read_engine(slot); /* opened, and at 0 */
	ck_assert_uint_eq(count[9].integer, 0);
	for (int cpu = 0; cpu < 4; cpu++)
		feed(on_cpu(cpu), 40, 4000, 4000);
	count = read_engine(slot);
	ck_assert_uint_eq(count[9].integer, 40);
	ck_assert_uint_eq(engine_total(engine, slot, 9), 50);
}
END_TEST

static void be_hybrid(void)
{
	tree_put(&tree, "bus/event_source/devices/cpu_core/type", "4\n");
	tree_put(&tree, "bus/event_source/devices/cpu_core/cpus", "0-1\n");
	tree_put(&tree, "bus/event_source/devices/cpu_atom/type", "10\n");
	tree_put(&tree, "bus/event_source/devices/cpu_atom/cpus", "2-3\n");
}

START_TEST(cores_of_two_types_count_what_they_have)
{
	struct event_group group = { .name = "core" };
	const struct engine_shape *shape;
	int slot;

	be_hybrid();
	add_event(&group, "CYCLES", PERF_TYPE_HARDWARE, 0);
	slot = start(&group);
	shape = engine_shape(engine, slot);
	ck_assert_uint_eq(shape->columns, 12);
	ck_assert_uint_eq(on_cpu(1)->attr.config, UINT64_C(4) << 32);
	ck_assert_uint_eq(on_cpu(3)->attr.config, UINT64_C(10) << 32);
}
END_TEST

START_TEST(an_event_of_one_type_of_core_is_counted_there_alone)
{
	struct event_group group = { .name = "core" };
	int slot;

	be_hybrid();
	add_event(&group, "ATOM", 10, 0xc0);
	slot = start(&group);
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 6);
	ck_assert_int_eq(engine_shape(engine, slot)->column[0].cpu, 2);
	ck_assert_ptr_null(on_cpu(0));
}
END_TEST

START_TEST(a_thread_that_moves_between_types_is_counted_on_each)
{
	struct event_group group = { .name = "core" };
	struct target thread = { .kind = TARGET_THREAD,
				 .pid = (pid_t)getpid(),
				 .tid = (pid_t)getpid(),
				 .name = "thread" };
	const union value *count;
	int slot;

	be_hybrid();
	add_event(&group, "CLOCK", PERF_TYPE_SOFTWARE, 1);
	add_event(&group, "CYCLES", PERF_TYPE_HARDWARE, 0);
	group_events = 1;
	engine = engine_open("perf", &group, 1, 1, "/proc", NULL);
	ck_assert_ptr_nonnull(engine);
	fakes = 0;
	slot = engine_add(engine, &thread, NULL);
	ck_assert_int_ge(slot, 0);
	ck_assert_uint_eq(fakes, 3); /* the clock, and each type's cycles */
	ck_assert_uint_eq(engine_shape(engine, slot)->columns, 4);
	feed(&fake[0], 5, 1000, 1000);
	feed(&fake[1], 30, 1000, 600);
	feed(&fake[2], 12, 1000, 400);
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 5);
	ck_assert_uint_eq(count[1].integer, 42);
	ck_assert_uint_eq(count[2].integer, 1000);
	ck_assert_uint_eq(count[3].integer, 1000);
}
END_TEST

START_TEST(without_a_clock_the_types_times_add)
{
	struct event_group group = { .name = "core" };
	struct target thread = { .kind = TARGET_THREAD,
				 .pid = (pid_t)getpid(),
				 .tid = (pid_t)getpid(),
				 .name = "thread" };
	const union value *count;
	int slot;

	be_hybrid();
	add_event(&group, "CYCLES", PERF_TYPE_HARDWARE, 0);
	group_events = 1;
	engine = engine_open("perf", &group, 1, 1, "/proc", NULL);
	ck_assert_ptr_nonnull(engine);
	fakes = 0;
	slot = engine_add(engine, &thread, NULL);
	ck_assert_uint_eq(fakes, 2);
	feed(&fake[0], 30, 1000, 600);
	feed(&fake[1], 12, 1000, 300);
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 42);
	ck_assert_uint_eq(count[1].integer, 1000);
	ck_assert_uint_eq(count[2].integer, 900);
}
END_TEST

START_TEST(a_cgroup_is_counted_by_its_folder)
{
	struct event_group group = { .name = "core" };
	struct target target = { .kind = TARGET_CGROUP, .name = "/a" };
	struct err err = { 0 };

	add_event(&group, "A", PERF_TYPE_SOFTWARE, 1);
	start(&group);
	target.path = tree.root;
	ck_assert_int_ge(engine_add(engine, &target, NULL), 0);
	ck_assert(on_cpu(0)->flags & PERF_FLAG_PID_CGROUP);
	target.path = "/nowhere/at/all";
	ck_assert_int_lt(engine_add(engine, &target, &err), 0);
	ck_assert_int_eq(err.code, ESRCH);
}
END_TEST

START_TEST(shared_counters_are_corrected_on_request)
{
	struct event_group group = { .name = "g", .one_cpu = true };
	struct engine_options options = { .correct_multiplexing = true,
					  .cumulative_times = true };
	const union value *count;
	int slot;

	add_event(&group, "A", PERF_TYPE_SOFTWARE, 0);
	slot = start(&group);
	engine_set(engine, &options);
	feed(on_cpu(0), 100, 1000, 500);
	feed(on_cpu(2), 100, 1000, 0); /* never ran */
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 200);
	ck_assert_uint_eq(count[1].integer, 1000);
	ck_assert_uint_eq(count[2].integer, 500);
	ck_assert_uint_eq(count[3].integer, 100);
	feed(on_cpu(0), 140, 2000, 1500);
	feed(on_cpu(2), 100, 2000, 0);
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 40);
	ck_assert_uint_eq(count[1].integer, 2000);
	ck_assert_uint_eq(count[2].integer, 1500);
	/* Of this interval nothing was seen: as the one before. */
	feed(on_cpu(0), 140, 2500, 1500);
	/* And this has had its first turn, after 2500 without. */
	feed(on_cpu(2), 110, 3000, 250);
	count = read_engine(slot);
	ck_assert_uint_eq(count[0].integer, 20);
	ck_assert_uint_eq(count[1].integer, 2500);
	ck_assert_uint_eq(count[2].integer, 1500);
	ck_assert_uint_eq(count[3].integer, 120);
}
END_TEST

Suite *engine_perf_suite(void);
Suite *engine_perf_suite(void)
{
	Suite *suite = suite_create("engine_perf");
	TCase *tcase = tcase_create("by CPU");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, one_cpu_of_each_package_where_that_is_asked);
	tcase_add_test(tcase, all_cpus_stand_by_package);
	tcase_add_test(tcase,
		       a_cpu_that_goes_and_comes_back_loses_nothing_else);
	tcase_add_test(tcase, a_counter_that_died_unseen_is_opened_again);
	tcase_add_test(tcase, cores_of_two_types_count_what_they_have);
	tcase_add_test(tcase,
		       an_event_of_one_type_of_core_is_counted_there_alone);
	tcase_add_test(tcase,
		       a_thread_that_moves_between_types_is_counted_on_each);
	tcase_add_test(tcase, without_a_clock_the_types_times_add);
	tcase_add_test(tcase, a_cgroup_is_counted_by_its_folder);
	tcase_add_test(tcase, shared_counters_are_corrected_on_request);
	suite_add_tcase(suite, tcase);
	return suite;
}
