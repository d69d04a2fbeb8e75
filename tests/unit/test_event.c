/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/event.h"

/* libpfm4 looks at this when it starts; Check forks, so each test starts it
 * afresh. */
static void be_a_skylake_server(void)
{
	setenv("LIBPFM_FORCE_PMU", "skx", 1);
}

static const struct encoding {
	const char *name;
	uint32_t type;
	uint64_t config;
} encodings[] = {
	{ "PERF_COUNT_SW_TASK_CLOCK", 1, 1 },
	{ "PERF_COUNT_SW_CPU_CLOCK", 1, 0 },
	{ "PERF_COUNT_SW_CONTEXT_SWITCHES", 1, 3 },
	{ "PERF_COUNT_SW_PAGE_FAULTS", 1, 2 },
	{ "PERF_COUNT_HW_INSTRUCTIONS", 0, 1 },
	{ "cpu-clock", 1, 0 },
	{ "task-clock", 1, 1 },
	{ "perf::PERF_COUNT_SW_TASK_CLOCK", 1, 1 },
};

START_TEST(software_events_have_the_kernels_numbers)
{
	const struct encoding *want = &encodings[_i];
	struct event event;
	struct err err = { 0 };

	ck_assert_msg(event_find(want->name, &event, &err) == 0, "%s",
		      err.text);
	ck_assert_str_eq(event.name, want->name);
	ck_assert_uint_eq(event.type, want->type);
	ck_assert_uint_eq(event.config, want->config);
	ck_assert(!event.exclude_user);
	ck_assert(!event.exclude_kernel);
}
END_TEST

static const struct encoding skylake[] = {
	{ "skx::INST_RETIRED:ANY_P", 4, 0xc0 },
	{ "INST_RETIRED:ANY_P", 4, 0xc0 },
};

START_TEST(a_pmus_events_are_encoded)
{
	const struct encoding *want = &skylake[_i];
	struct event event;
	struct err err = { 0 };

	be_a_skylake_server();
	ck_assert_msg(event_find(want->name, &event, &err) == 0, "%s",
		      err.text);
	ck_assert_uint_eq(event.type, want->type);
	ck_assert_uint_eq(event.config, want->config);
}
END_TEST

START_TEST(modifiers_say_what_is_left_out)
{
	struct event event;

	be_a_skylake_server();
	ck_assert_int_eq(event_find("INST_RETIRED:ANY_P:u", &event, NULL), 0);
	ck_assert(event.exclude_kernel);
	ck_assert(!event.exclude_user);
	ck_assert_int_eq(event_find("INST_RETIRED:ANY_P:k", &event, NULL), 0);
	ck_assert(event.exclude_user);
	ck_assert(!event.exclude_kernel);
}
END_TEST

START_TEST(a_misspelt_event_is_refused_with_the_nearest_one)
{
	struct event event = { .type = 77 };
	struct err err = { 0 };

	ck_assert_int_eq(event_find("perf_count_sw_task_clok", &event, &err),
			 -1);
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "perf_count_sw_task_clok"));
	ck_assert_ptr_nonnull(
		strstr(err.text, "did you mean PERF_COUNT_SW_TASK_CLOCK?"));
	ck_assert_uint_eq(event.type, 77);
}
END_TEST

START_TEST(nonsense_is_pointed_to_the_list)
{
	struct event event;
	struct err err = { 0 };

	ck_assert_int_eq(event_find("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
				    &event, &err),
			 -1);
	ck_assert_ptr_nonnull(strstr(err.text, "sensor list events"));
	ck_assert_int_eq(event_find("", &event, &err), -1);
}
END_TEST

START_TEST(a_wrong_unit_mask_is_answered_with_the_right_ones)
{
	struct event event;
	struct err err = { 0 };

	be_a_skylake_server();
	ck_assert_int_eq(event_find("skx::INST_RETIRED:NOPE", &event, &err),
			 -1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "INST_RETIRED has:"));
	ck_assert_ptr_nonnull(strstr(err.text, "ANY_P"));
}
END_TEST

START_TEST(a_name_longer_than_the_limit_is_refused)
{
	char name[EVENT_NAME_MAX + 10];
	struct event event;
	struct err err = { 0 };

	memset(name, 'A', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(event_find(name, &event, &err), -1);
	ck_assert_int_eq(err.code, ENAMETOOLONG);
}
END_TEST

START_TEST(a_group_takes_each_event_once_and_not_too_many)
{
	static const char *const names[] = {
		"PERF_COUNT_SW_TASK_CLOCK",
		"PERF_COUNT_SW_CPU_CLOCK",
		"PERF_COUNT_SW_CONTEXT_SWITCHES",
		"PERF_COUNT_SW_PAGE_FAULTS",
		"PERF_COUNT_SW_PAGE_FAULTS_MIN",
		"PERF_COUNT_SW_PAGE_FAULTS_MAJ",
		"PERF_COUNT_SW_CPU_MIGRATIONS",
		"cpu-clock",
		"task-clock",
		"context-switches",
		"page-faults",
		"minor-faults",
		"major-faults",
		"cpu-migrations",
		"perf::PERF_COUNT_SW_TASK_CLOCK",
		"perf::PERF_COUNT_SW_CPU_CLOCK",
		"perf::PERF_COUNT_SW_PAGE_FAULTS",
	};
	struct event_group group = { .name = "core" };
	struct err err = { 0 };

	for (size_t i = 0; i < EVENT_GROUP_MAX; i++)
		ck_assert_msg(event_group_add(&group, names[i], &err) == 0,
			      "%s", err.text);
	ck_assert_uint_eq(group.events, EVENT_GROUP_MAX);
	ck_assert_int_eq(event_group_add(&group, names[EVENT_GROUP_MAX], &err),
			 -1);
	ck_assert_int_eq(err.code, E2BIG);
	group.events = 1;
	ck_assert_int_eq(event_group_add(&group, names[0], &err), -1);
	ck_assert_int_eq(err.code, EEXIST);
	ck_assert_int_eq(event_group_add(&group, "nope", &err), -1);
	ck_assert_uint_eq(group.events, 1);
}
END_TEST

static void see(void *arg, const struct event_info *info)
{
	size_t *seen = (size_t *)arg;

	if (*seen == 0)
		ck_assert_str_eq(info->pmu, "perf");
	*seen += !strcmp(info->name, "PERF_COUNT_SW_TASK_CLOCK") ? 1000 : 1;
}

START_TEST(the_list_begins_with_the_kernels_events)
{
	size_t seen = 0;

	ck_assert_int_eq(event_walk(see, &seen, NULL), 0);
	ck_assert_uint_gt(seen, 1000);
}
END_TEST

START_TEST(the_task_clock_is_known_by_any_name)
{
	struct event event;

	ck_assert_int_eq(event_find("task-clock", &event, NULL), 0);
	ck_assert(event_is_task_clock(&event));
	ck_assert_int_eq(event_find("cpu-clock", &event, NULL), 0);
	ck_assert(!event_is_task_clock(&event));
}
END_TEST

Suite *event_suite(void);
Suite *event_suite(void)
{
	Suite *suite = suite_create("event");
	TCase *tests = tcase_create("names");

	tcase_add_loop_test(tests, software_events_have_the_kernels_numbers, 0,
			    sizeof(encodings) / sizeof(encodings[0]));
	tcase_add_loop_test(tests, a_pmus_events_are_encoded, 0,
			    sizeof(skylake) / sizeof(skylake[0]));
	tcase_add_test(tests, modifiers_say_what_is_left_out);
	tcase_add_test(tests, a_misspelt_event_is_refused_with_the_nearest_one);
	tcase_add_test(tests, nonsense_is_pointed_to_the_list);
	tcase_add_test(tests,
		       a_wrong_unit_mask_is_answered_with_the_right_ones);
	tcase_add_test(tests, a_name_longer_than_the_limit_is_refused);
	tcase_add_test(tests, a_group_takes_each_event_once_and_not_too_many);
	tcase_add_test(tests, the_list_begins_with_the_kernels_events);
	tcase_add_test(tests, the_task_clock_is_known_by_any_name);
	suite_add_tcase(suite, tests);
	return suite;
}
