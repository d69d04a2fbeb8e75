/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sensor/pmu.h"
#include "sensor/sysfs.h"
#include "tests/unit/tree.h"

#define DEVICES "bus/event_source/devices/"

static struct tree tree;

static void setup(void)
{
	tree_init(&tree);
	tree_put(&tree, DEVICES "power/type", "21\n");
	tree_put(&tree, DEVICES "power/events/energy-pkg", "event=0x02\n");
	tree_put(&tree, DEVICES "power/format/event", "config:0-7\n");
	tree_put(&tree, DEVICES "uncore_imc_0/type", "30\n");
	tree_put(&tree, DEVICES "uncore_imc_0/events/cas_count_read",
		 "event=0x04,umask=0x03\n");
	tree_put(&tree, DEVICES "uncore_imc_0/format/event", "config:0-7,21\n");
	tree_put(&tree, DEVICES "uncore_imc_0/format/umask", "config:8-15\n");
	tree_put(&tree, DEVICES "uncore_imc_0/format/edge", "config:18\n");
	tree_put(&tree, DEVICES "uncore_imc_0/format/filter", "config1:4-11\n");
	tree_put(&tree, DEVICES "broken/type", "7\n");
	tree_put(&tree, DEVICES "broken/format/key", "config:80\n");
	tree_put(&tree, DEVICES "msr/type", "9\n");
	tree_put(&tree, DEVICES "msr/events/aperf", "event=0x01\n");
	tree_put(&tree, "kernel/tracing/events/sched/sched_switch/id", "315\n");
	sysfs_root = tree.root;
}

static void teardown(void)
{
	tree_done(&tree);
}

static const struct known {
	const char *name;
	uint32_t type;
	uint64_t config, config1;
} known[] = {
	{ "power/energy-pkg/", 21, 2, 0 },
	{ "power/event=2/", 21, 2, 0 },
	{ "uncore_imc_0/cas_count_read/", 30, 0x304, 0 },
	{ "uncore_imc_0/event=0x104,umask=0xff,edge/", 30, 0x20ff04 | 0x40000,
	  0 },
	{ "uncore_imc_0/cas_count_read,filter=0x12/", 30, 0x304, 0x120 },
	{ "uncore_imc_0/config=0x99,config1=1/", 30, 0x99, 1 },
	{ "APERF", 9, 1, 0 },
	{ "aperf", 9, 1, 0 },
	{ "sched:sched_switch", 2, 315, 0 },
};

START_TEST(an_event_that_the_kernel_describes_is_found)
{
	struct event event;
	struct err err = { 0 };

	ck_assert_msg(pmu_find_event(known[_i].name, &event, &err) == 0, "%s",
		      err.text);
	ck_assert_str_eq(event.name, known[_i].name);
	ck_assert_uint_eq(event.type, known[_i].type);
	ck_assert_uint_eq(event.config, known[_i].config);
	ck_assert_uint_eq(event.config1, known[_i].config1);
}
END_TEST

static const struct unknown {
	const char *name, *says;
} unknown[] = {
	{ "uncore_imc_9/x/", "there is no PMU 'uncore_imc_9' here" },
	{ "power/energy-moon/", "no event and no key 'energy-moon'" },
	{ "power/event=steam/", "'steam' is no number" },
	{ "power/energy-pkg", "expected PMU/EVENT/" },
	{ "../type/x/", "expected PMU/EVENT/" },
	{ "power/../type/", "no event and no key" },
	{ "power//", "no event and no key ''" },
	{ "power/energy-pkg/z", "modifier 'z'" },
	{ "broken/key=1/", "makes no sense: 'config:80'" },
	{ "MPERF", "the msr PMU does not have it" },
	{ "sched:nothing", "no such tracepoint" },
	{ "whatever", "unknown" },
};

START_TEST(what_is_not_there_is_named)
{
	struct event event;
	struct err err = { 0 };

	ck_assert_int_eq(pmu_find_event(unknown[_i].name, &event, &err), -1);
	ck_assert_msg(strstr(err.text, unknown[_i].says) != NULL, "%s",
		      err.text);
}
END_TEST

START_TEST(modifiers_say_who_is_counted)
{
	struct event event;

	ck_assert_int_eq(pmu_find_event("power/energy-pkg/u", &event, NULL), 0);
	ck_assert(!event.exclude_user);
	ck_assert(event.exclude_kernel);
}
END_TEST

START_TEST(cores_are_told_apart_where_there_are_several)
{
	struct event event, there;
	struct pmu_cores cores;

	tree_put(&tree, DEVICES "cpu_core/type", "4\n");
	tree_put(&tree, DEVICES "cpu_core/cpus", "0-3\n");
	pmu_cores_read(&cores);
	event_init(&event, "CYCLES", 0, 0);
	ck_assert(pmu_event_on(&cores, &event, 0, &there));
	ck_assert_uint_eq(there.config, 0); /* one type: nothing to say */
	tree_put(&tree, DEVICES "cpu_atom/type", "10\n");
	tree_put(&tree, DEVICES "cpu_atom/cpus", "4,6-7\n");
	pmu_cores_read(&cores);
	ck_assert_uint_eq(cores.cores, 2);
	ck_assert(pmu_event_on(&cores, &event, 6, &there));
	ck_assert_uint_eq(there.config, UINT64_C(10) << 32);
	ck_assert(!pmu_event_on(&cores, &event, 5, &there));
	event_init(&event, "RAW", 4, 0xc0);
	ck_assert(pmu_event_on(&cores, &event, 1, &there));
	ck_assert(!pmu_event_on(&cores, &event, 4, &there));
	event_init(&event, "CLOCK", 1, 0);
	ck_assert(pmu_event_on(&cores, &event, 5, &there));
}
END_TEST

/* "NAME = ABOUT|" of each, in their order. */
static char seen[1024];

static void see_event(void *arg, const struct event_info *info)
{
	struct event event;

	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s = %s|",
		 info->name, info->about);
	ck_assert_int_eq(strncmp(info->name, info->pmu, strlen(info->pmu)), 0);
	/* A name that is shown can be counted. */
	if (strcmp(info->pmu, "msr") != 0)
		ck_assert_int_eq(event_find(info->name, &event, NULL), 0);
}

static void see_point(void *arg, const char *group, const char *name)
{
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s:%s|",
		 group, name);
}

START_TEST(what_there_is_can_be_listed)
{
	tree_put(&tree, DEVICES "power/events/energy-pkg.unit", "Joules\n");
	tree_put(&tree, DEVICES "power/events/energy-pkg.scale", "2.3e-10\n");
	seen[0] = '\0';
	pmu_walk(see_event, NULL);
	ck_assert_str_eq(
		seen, "msr/aperf/ = event=0x01|"
		      "power/energy-pkg/ = event=0x02, in Joules|"
		      "uncore_imc_0/cas_count_read/ = event=0x04,umask=0x03|");
	tree_put(&tree, "kernel/tracing/events/enable", "0\n");
	tree_put(&tree, "kernel/tracing/events/sched/enable", "0\n");
	tree_put(&tree, "kernel/tracing/events/sched/sched_migrate/id", "3\n");
	tree_put(&tree, "kernel/tracing/events/irq/irq_entry/id", "4\n");
	seen[0] = '\0';
	pmu_walk_tracepoints(see_point, NULL);
	ck_assert_str_eq(seen, "irq:irq_entry|sched:sched_migrate|"
			       "sched:sched_switch|");
	sysfs_root = "/nonexistent";
	seen[0] = '\0';
	pmu_walk(see_event, NULL);
	pmu_walk_tracepoints(see_point, NULL);
	ck_assert_str_eq(seen, "");
}
END_TEST

Suite *pmu_suite(void);
Suite *pmu_suite(void)
{
	Suite *suite = suite_create("pmu");
	TCase *tcase = tcase_create("described");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, an_event_that_the_kernel_describes_is_found,
			    0, sizeof(known) / sizeof(known[0]));
	tcase_add_loop_test(tcase, what_is_not_there_is_named, 0,
			    sizeof(unknown) / sizeof(unknown[0]));
	tcase_add_test(tcase, modifiers_say_who_is_counted);
	tcase_add_test(tcase, cores_are_told_apart_where_there_are_several);
	tcase_add_test(tcase, what_there_is_can_be_listed);
	suite_add_tcase(suite, tcase);
	return suite;
}
