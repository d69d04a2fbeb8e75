/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formula/power_board.h"

static struct power_board *board;

static void setup(void)
{
	board = power_board_new();
}

static void teardown(void)
{
	power_board_free(board);
}

static int put(const char *line, struct err *err)
{
	struct doc *doc = doc_parse(line, strlen(line), err);
	int result;

	ck_assert_ptr_nonnull(doc);
	result = power_board_put(board, doc, err);
	doc_free(doc);
	return result;
}

/* A row of a tick that lasted half a second, under a policy. */
static void report(int time_ms, const char *target, double watts,
		   const char *policy, const char *more)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"timestamp\":%d,\"sensor\":\"s\",\"target\":\"%s\","
		 "\"power\":%.17g,\"metadata\":{\"scope\":\"cpu\","
		 "\"socket\":\"0\",\"idle_policy\":\"%s\",\"meter_w\":20,"
		 "\"sigma_w\":0.1,\"source\":1,\"meter\":\"rapl\","
		 "\"elapsed_ns\":500000000%s}}",
		 time_ms, target, watts, policy, more);
	ck_assert_int_eq(put(line, NULL), 0);
}

static const struct board_target *find(const char *target, size_t policy)
{
	for (size_t i = 0; i < board->targets; i++)
		if (!strcmp(board->target[i].target, target) &&
		    board->target[i].policy == policy)
			return &board->target[i];
	ck_abort_msg("no target %s", target);
}

START_TEST(joules_are_watts_by_the_time_of_the_tick)
{
	for (int i = 1; i <= 3; i++) {
		report(500 * i, "a", 4 * i, "none", "");
		report(500 * i, "idle", 8, "none", "");
	}
	ck_assert_uint_eq(board->targets, 2);
	ck_assert_double_eq(find("a", 0)->joules, 12);
	ck_assert_double_eq(find("a", 0)->watts, 12);
	ck_assert_int_eq(find("idle", 0)->part, POWER_PART_IDLE);
	ck_assert_double_eq(board->sensor[0].joules, 30);
	ck_assert_double_eq(board->sensor[0].seconds, 1.5);
	/* Of 12 W and 8 W there is 0.1 W: the meter's is at most 0.1/12 of it. */
	ck_assert_double_eq_tol(board->sensor[0].sigma_w, 0.1 * 20 / 12, 1e-12);
}
END_TEST

START_TEST(policies_do_not_count_the_machine_twice)
{
	report(500, "a", 4, "none", "");
	report(500, "a", 12, "uniform", "");
	ck_assert_uint_eq(board->policies, 2);
	ck_assert_double_eq(find("a", 0)->joules, 2);
	ck_assert_double_eq(find("a", 1)->joules, 6);
	ck_assert_double_eq(board->sensor[0].joules, 10);
	ck_assert_double_eq_tol(board->sensor[0].sigma_w, 0.1 * 20 / 12, 1e-12);
}
END_TEST

START_TEST(a_history_shows_the_ticks_that_were_missed)
{
	const struct board_target *a;

	report(1000, "a", 1, "none", "");
	report(2000, "b", 1, "none", "");
	report(3000, "a", 3, "none", "");
	report(4000, "b", 1, "none", "");
	a = find("a", 0);
	ck_assert(!power_board_is_here(board, a));
	ck_assert_double_nan(board_history_at(&a->history, 4, 0));
	ck_assert_double_eq(board_history_at(&a->history, 4, 1), 3);
	ck_assert_double_nan(board_history_at(&a->history, 4, 2));
	ck_assert_double_eq(board_history_at(&a->history, 4, 3), 1);
	ck_assert_double_nan(board_history_at(&a->history, 4, 4));
	/* Long gone, and back: nothing of old is seen as new. */
	for (int i = 5; i < 200; i++)
		report(1000 * i, "b", 1, "none", "");
	report(200000, "a", 5, "none", "");
	a = find("a", 0);
	ck_assert_double_eq(board_history_at(&a->history, 200, 0), 5);
	for (size_t back = 1; back < POWER_BOARD_HISTORY; back++)
		ck_assert_double_nan(board_history_at(&a->history, 200, back));
}
END_TEST

START_TEST(names_are_what_people_say_and_no_orders_to_a_terminal)
{
	report(1000, "/kubepods/pod1", 1, "none",
	       ",\"pod\":\"web-1\",\"container\":\"nginx\"");
	report(1000, "/docker/4f", 1, "none", ",\"container\":\"db\"");
	report(1000, "/system.slice/cron", 1, "none",
	       ",\"unit\":\"cron.service\"");
	report(1000, "process:17:a\\u001b[2J\\u009bz", 1, "none", "");
	report(1000, "thread:17:18:w", 1, "none", ",\"within\":\"x\"");
	report(1000, "unit:ssh.service", 1, "none", "");
	report(1000, "process:17:", 1, "none", "");
	ck_assert_str_eq(board->target[0].name, "web-1/nginx");
	ck_assert_str_eq(board->target[1].name, "db");
	ck_assert_str_eq(board->target[2].name, "cron.service");
	ck_assert_str_eq(board->target[3].name, "a?[2J?z [17]");
	ck_assert_str_eq(board->target[4].name, "w [18]");
	ck_assert(board->target[4].within);
	ck_assert_str_eq(board->target[5].name, "ssh.service");
	ck_assert_str_eq(board->target[6].name, "process:17:");
}
END_TEST

START_TEST(packages_of_smartwatts_add_up)
{
	static const char *const rows[][3] = {
		{ "rapl", "0", "20" },   { "rapl", "1", "10" },
		{ "global", "0", "19" }, { "global", "1", "10.5" },
		{ "a", "0", "3" },       { "a", "1", "4" },
	};

	for (int tick = 1; tick <= 2; tick++)
		for (size_t i = 0; i < 6; i++) {
			char line[256];

			snprintf(line, sizeof(line),
				 "{\"timestamp\":%d,\"sensor\":\"s\","
				 "\"target\":\"%s\",\"power\":%s,\"metadata\":"
				 "{\"scope\":\"cpu\",\"socket\":\"%s\"}}",
				 1000 * tick, rows[i][0], rows[i][2],
				 rows[i][1]);
			ck_assert_int_eq(put(line, NULL), 0);
		}
	ck_assert_uint_eq(board->targets, 1);
	ck_assert_double_eq(find("a", 0)->watts, 7);
	ck_assert_double_eq(find("a", 0)->joules, 7); /* the first: 0 s */
	ck_assert_double_eq(board->sensor[0].meter_w, 30);
	ck_assert_double_eq(board->sensor[0].residual_w, 0.5);
	ck_assert_uint_eq(board->sensor[0].packages, 2);
	ck_assert_str_eq(board->sensor[0].package[1].name, "1");
	ck_assert_int_eq(board->sensor[0].source, POWER_ROW_NO_CLASS);
}
END_TEST

START_TEST(what_comes_behind_a_tick_says_packages_and_cpus)
{
	char name[] = "a", all[] = "s";
	struct tick_target target = {
		.name = name, .parent = -1, .use = 0.25, .counted = true
	};
	struct counts_package package = { .name = "1",
					  .joules = 5,
					  .dram_joules = (double)NAN };
	const struct tick tick = { .time_ms = 500,
				   .sensor = all,
				   .elapsed_s = 0.5,
				   .counts = { &package, 1 },
				   .target = &target,
				   .targets = 1 };
	struct doc *doc = power_board_live(&tick, true);

	report(500, "a", 4, "none", "");
	report(500, "a", 4, "uniform", "");
	ck_assert_int_eq(power_board_put(board, doc, NULL), 0);
	doc_free(doc);
	ck_assert_double_eq(find("a", 0)->cpus, 0.5);
	ck_assert_double_eq(find("a", 1)->cpus, 0.5);
	ck_assert_uint_eq(board->sensor[0].packages, 1);
	ck_assert_str_eq(board->sensor[0].package[0].name, "1");
	ck_assert_double_eq(board->sensor[0].package[0].watts, 10);
}
END_TEST

START_TEST(other_documents_are_passed_over_and_broken_ones_named)
{
	struct err err = { 0 };

	ck_assert_int_eq(put("{\"schema\":\"fedwatts.gap/1\"}", &err), 0);
	ck_assert_int_eq(put("{\"timestamp\":1,\"sensor\":\"s\","
			     "\"target\":\"all\",\"groups\":{}}",
			     &err),
			 0);
	ck_assert_uint_eq(board->sensors, 0);
	ck_assert_int_eq(put("{\"timestamp\":1,\"sensor\":\"s\","
			     "\"target\":\"a\",\"power\":\"x\"}",
			     &err),
			 -1);
	ck_assert_str_eq(err.text, "power report: power: expected a number, "
				   "found text");
	ck_assert_int_eq(put("{\"timestamp\":\"noon\",\"sensor\":\"s\","
			     "\"target\":\"a\",\"power\":1}",
			     &err),
			 -1);
}
END_TEST

START_TEST(a_copy_stands_still)
{
	struct power_board *copy;

	report(500, "a", 4, "none", "");
	copy = power_board_copy(board);
	report(1000, "a", 6, "none", "");
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "b%d", i);
		report(1000, name, 6, "none", "");
	}
	ck_assert_uint_eq(copy->targets, 1);
	ck_assert_double_eq(copy->target[0].watts, 4);
	ck_assert_str_eq(copy->target[0].name, "a");
	ck_assert_double_eq(find("a", 0)->watts, 6);
	power_board_free(copy);
}
END_TEST

Suite *power_board_suite(void);

Suite *power_board_suite(void)
{
	Suite *suite = suite_create("power_board");
	TCase *tests = tcase_create("power_board");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, joules_are_watts_by_the_time_of_the_tick);
	tcase_add_test(tests, policies_do_not_count_the_machine_twice);
	tcase_add_test(tests, a_history_shows_the_ticks_that_were_missed);
	tcase_add_test(tests,
		       names_are_what_people_say_and_no_orders_to_a_terminal);
	tcase_add_test(tests, packages_of_smartwatts_add_up);
	tcase_add_test(tests, what_comes_behind_a_tick_says_packages_and_cpus);
	tcase_add_test(tests,
		       other_documents_are_passed_over_and_broken_ones_named);
	tcase_add_test(tests, a_copy_stands_still);
	suite_add_tcase(suite, tests);
	return suite;
}
