/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/source.h"
#include "sensor/hwpc_report.h"
#include "sensor/sampler.h"
#include "tests/unit/scratch.h"

#define MS INT64_C(1000000)

static struct machine *machine;
static struct engine *engine;
static struct target_set *targets;
static struct clock_virtual virtual;
static struct sampler_config config;
static struct sampler *sampler;
static pid_t child[3];
static size_t reloads;

static void setup(void)
{
	struct field_list meters = { 0 };
	struct err err = { 0 };

	scratch_open();
	field_list_add(&meters, "null");
	machine = machine_open(&meters, &err);
	ck_assert_msg(machine != NULL, "%s", err.text);
	field_list_done(&meters);
	clock_virtual_init(&virtual, 1000000);
	config = (struct sampler_config){
		.interval_ns = 100 * MS,
		.discovery_ns = 1000 * MS,
		.name = "here",
		.clock = &virtual.clock,
		.machine = machine,
		.sink = sink_open("out.jsonl", &err),
	};
	ck_assert_msg(config.sink != NULL, "%s", err.text);
}

static void end_child(int i)
{
	if (child[i] > 0) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
	}
	child[i] = 0;
}

static void teardown(void)
{
	for (int i = 0; i < 3; i++)
		end_child(i);
	sampler_free(sampler);
	engine_close(engine);
	target_set_free(targets);
	machine_close(machine);
	scratch_close();
}

static void run(void)
{
	struct err err = { 0 };

	sampler = sampler_new(&config);
	ck_assert_msg(sampler_start(sampler, &err) == 0, "%s", err.text);
	ck_assert_msg(sampler_run(sampler, &err) == 0, "%s", err.text);
	ck_assert_int_eq(sink_close(config.sink, &err), 0);
}

/* "1000100 all|1000200 all|…": when, and of whom, there are documents. */
static const char *story(void)
{
	static char text[4096];
	struct source *source = source_open("out.jsonl", NULL, NULL);
	struct doc *doc;

	text[0] = '\0';
	while (source_next(source, &doc, NULL) > 0) {
		struct hwpc_report report;
		const char *name;

		ck_assert_int_eq(hwpc_report_read(doc, &report, NULL), 0);
		name = strrchr(report.target, ':');
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%lld %s|", (long long)report.time_ms - 1000000,
			 name ? name + 1 : report.target);
		hwpc_report_done(&report);
		doc_free(doc);
	}
	source_close(source);
	return text;
}

/* ---- time ------------------------------------------------------------------ */

START_TEST(reports_come_after_each_full_interval)
{
	config.duration_ns = 300 * MS;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|300 all|");
	ck_assert_uint_eq(sampler_tally(sampler)->ticks, 3);
	ck_assert_uint_eq(sampler_tally(sampler)->late, 0);
	ck_assert_uint_eq(sampler_tally(sampler)->missed, 0);
}
END_TEST

START_TEST(the_rest_of_a_duration_is_reported_where_asked)
{
	config.duration_ns = 250 * MS;
	config.keep_rest = true;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|250 all|");
}
END_TEST

START_TEST(the_rest_of_a_duration_is_left_where_not_asked)
{
	config.duration_ns = 250 * MS;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|");
	ck_assert_int_eq(clock_now_ns(&virtual.clock), 250 * MS);
}
END_TEST

/* A clock whose third sleep takes far too long. */
static int sleeps;
static int64_t extra_ns;
static int (*usual_sleep)(struct clock *clock, int64_t due_ns);

static int oversleep(struct clock *clock, int64_t due_ns)
{
	return usual_sleep(clock, ++sleeps == 3 ? due_ns + extra_ns : due_ns);
}

static void oversleep_by(int64_t ns)
{
	extra_ns = ns;
	usual_sleep = virtual.clock.sleep_until_ns;
	virtual.clock.sleep_until_ns = oversleep;
}

START_TEST(missed_ticks_are_counted_and_not_made_up_for)
{
	oversleep_by(250 * MS);
	config.duration_ns = 800 * MS;
	run();
	ck_assert_str_eq(story(),
			 "100 all|200 all|550 all|600 all|700 all|800 all|");
	ck_assert_uint_eq(sampler_tally(sampler)->missed, 2);
	ck_assert_uint_eq(sampler_tally(sampler)->late, 1);
	ck_assert_int_eq(sampler_tally(sampler)->worst_ns, 250 * MS);
}
END_TEST

START_TEST(a_late_tick_does_not_shift_the_next)
{
	oversleep_by(30 * MS);
	config.duration_ns = 500 * MS;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|330 all|400 all|500 all|");
	ck_assert_uint_eq(sampler_tally(sampler)->late, 1);
	ck_assert_uint_eq(sampler_tally(sampler)->missed, 0);
}
END_TEST

static bool stop_after(void *arg)
{
	return clock_now_ns(&virtual.clock) >= *(int64_t *)arg;
}

START_TEST(it_stops_when_it_is_told_to)
{
	int64_t when = 300 * MS;

	config.stop = stop_after;
	config.arg = &when;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|");
}
END_TEST

START_TEST(what_was_not_reported_yet_comes_at_the_end_where_asked)
{
	int64_t when = 300 * MS;

	config.stop = stop_after;
	config.arg = &when;
	config.keep_rest = true;
	run();
	ck_assert_str_eq(story(), "100 all|200 all|300 all|");
}
END_TEST

START_TEST(a_long_interval_is_slept_in_pieces)
{
	usual_sleep = virtual.clock.sleep_until_ns;
	virtual.clock.sleep_until_ns = oversleep;
	config.interval_ns = config.duration_ns = 60000 * MS;
	run();
	ck_assert_str_eq(story(), "60000 all|");
	ck_assert_int_ge(sleeps, 60);
}
END_TEST

/* ---- targets --------------------------------------------------------------- */

/* A process of its own whose command has that name. */
static void start_child(int i, const char *name)
{
	char path[64];

	child[i] = fork();
	if (child[i] == 0) {
		FILE *comm = fopen("/proc/self/comm", "w");

		if (comm && fputs(name, comm) >= 0)
			fclose(comm);
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)child[i]);
	for (int tries = 0; tries < 1000; tries++) {
		if (!strncmp(scratch_read(path), name, strlen(name)))
			return;
		usleep(1000);
	}
	ck_abort_msg("%s did not start", name);
}

static void count_processes(void)
{
	struct event_group group = { .name = "core" };
	struct err err = { 0 };

	ck_assert_int_eq(event_group_add(&group, HWPC_TASK_CLOCK, &err), 0);
	engine = engine_open("clock", &group, 1, 1, "/proc", &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	targets = target_set_new("/proc");
	config.engine = engine;
	config.targets = targets;
}

/* Things that happen at their virtual time. */
static bool play(void *arg)
{
	int64_t now_ns = clock_now_ns(&virtual.clock);

	(void)arg;
	if (now_ns >= 150 * MS && now_ns < 350 * MS)
		end_child(0);
	if (now_ns >= 350 * MS && child[2] == 0)
		start_child(2, "fwtest-c");
	return false;
}

START_TEST(targets_follow_all_by_name_come_and_go)
{
	start_child(0, "fwtest-b");
	start_child(1, "fwtest-a");
	count_processes();
	target_set_add_pattern(targets, "fwtest-?");
	config.discovery_ns = 200 * MS;
	config.duration_ns = 600 * MS;
	config.stop = play;
	run();
	/* by the whole name: process:PID:NAME */
	if (child[1] > 9999)
		ck_assert_str_eq(story(), "100 all|100 fwtest-b|100 fwtest-a|"
					  "200 all|200 fwtest-b|200 fwtest-a|"
					  "300 all|300 fwtest-a|"
					  "400 all|400 fwtest-a|"
					  "500 all|500 fwtest-a|500 fwtest-c|"
					  "600 all|600 fwtest-a|600 fwtest-c|");
	else
		ck_assert_ptr_nonnull(strstr(story(), "600 fwtest-c|"));
	ck_assert_uint_eq(sampler_targets(sampler), 2);
}
END_TEST

/* At 250 ms others are asked for, and at 450 ms none. */
static bool reload(void *arg)
{
	struct target_set *before = targets;
	int64_t now_ns = clock_now_ns(&virtual.clock);
	size_t wanted = now_ns < 250 * MS ? 0 : now_ns < 450 * MS ? 1 : 2;

	(void)arg;
	if (reloads >= wanted)
		return false;
	reloads = wanted;
	targets = target_set_new("/proc");
	if (wanted == 1)
		for (int i = 1; i < 3; i++)
			ck_assert_int_eq(
				target_set_add_pid(targets, child[i], NULL), 0);
	sampler_retarget(sampler, targets);
	target_set_free(before);
	return false;
}

START_TEST(other_targets_take_over_and_common_ones_go_on)
{
	start_child(0, "fwtest-a");
	start_child(1, "fwtest-b");
	start_child(2, "fwtest-c");
	count_processes();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(target_set_add_pid(targets, child[i], NULL),
				 0);
	config.duration_ns = 600 * MS;
	config.stop = reload;
	config.end_with_targets = true;
	run();
	/* Those that are left have a last report. */
	if (child[0] > 9999 && child[2] > child[0])
		ck_assert_str_eq(
			story(),
			"100 all|100 fwtest-a|100 fwtest-b|"
			"200 all|200 fwtest-a|200 fwtest-b|"
			"300 all|300 fwtest-a|300 fwtest-b|300 fwtest-c|"
			"400 all|400 fwtest-b|400 fwtest-c|"
			"500 all|500 fwtest-b|500 fwtest-c|"
			"600 all|");
	else
		ck_assert_ptr_nonnull(strstr(story(), "400 fwtest-c|"));
	ck_assert_uint_eq(sampler_targets(sampler), 0);
}
END_TEST

START_TEST(it_ends_with_its_last_target_where_asked)
{
	start_child(0, "fwtest-b");
	count_processes();
	ck_assert_int_eq(target_set_add_pid(targets, child[0], NULL), 0);
	config.end_with_targets = true;
	config.stop = play;
	run();
	ck_assert_str_eq(story(),
			 "100 all|100 fwtest-b|200 all|200 fwtest-b|300 all|");
}
END_TEST

START_TEST(a_place_that_fails_ends_it)
{
	struct err err = { 0 };
	struct sink *full = sink_open("jsonl:/dev/full", &err);

	if (!full) {
		printf("skip: %s\n", err.text);
		return;
	}
	sink_close(config.sink, NULL);
	config.sink = full;
	config.duration_ns = 300 * MS;
	sampler = sampler_new(&config);
	ck_assert_int_eq(sampler_start(sampler, &err), 0);
	ck_assert_int_eq(sampler_run(sampler, &err), -1);
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_uint_eq(sampler_tally(sampler)->ticks, 0);
	sink_close(full, NULL);
}
END_TEST

Suite *sampler_suite(void);
Suite *sampler_suite(void)
{
	Suite *suite = suite_create("sampler");
	TCase *tests = tcase_create("ticks");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, reports_come_after_each_full_interval);
	tcase_add_test(tests, the_rest_of_a_duration_is_reported_where_asked);
	tcase_add_test(tests, the_rest_of_a_duration_is_left_where_not_asked);
	tcase_add_test(tests, missed_ticks_are_counted_and_not_made_up_for);
	tcase_add_test(tests, a_late_tick_does_not_shift_the_next);
	tcase_add_test(tests, it_stops_when_it_is_told_to);
	tcase_add_test(tests,
		       what_was_not_reported_yet_comes_at_the_end_where_asked);
	tcase_add_test(tests, a_long_interval_is_slept_in_pieces);
	tcase_add_test(tests, targets_follow_all_by_name_come_and_go);
	tcase_add_test(tests, other_targets_take_over_and_common_ones_go_on);
	tcase_add_test(tests, it_ends_with_its_last_target_where_asked);
	tcase_add_test(tests, a_place_that_fails_ends_it);
	suite_add_tcase(suite, tests);
	return suite;
}
