/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "lib/clock.h"

START_TEST(virtual_time_moves_only_when_slept_or_set)
{
	struct clock_virtual own;
	struct clock *clock = &own.clock;

	clock_virtual_init(&own, 1700000000000);
	ck_assert_int_eq(clock_now_ns(clock), 0);
	ck_assert_int_eq(clock_now_ns(clock), 0);
	ck_assert_int_eq(clock_sleep_until_ns(clock, 3600000000000), 0);
	ck_assert_int_eq(clock_now_ns(clock), 3600000000000);
	ck_assert_int_eq(clock_wall_ms(clock), 1700003600000);
	/* What is past is no reason to go back. */
	ck_assert_int_eq(clock_sleep_until_ns(clock, 5), 0);
	ck_assert_int_eq(clock_now_ns(clock), 3600000000000);
	clock_virtual_set_ns(&own, 2000000);
	ck_assert_int_eq(clock_wall_ms(clock), 1700000000002);
}
END_TEST

START_TEST(real_sleep_ends_when_due)
{
	struct clock *clock = clock_real();
	int64_t due_ns = clock_now_ns(clock) + 20000000;

	ck_assert_int_eq(clock_sleep_until_ns(clock, due_ns), 0);
	ck_assert_int_ge(clock_now_ns(clock), due_ns);
	/* And at once, when that was long ago. */
	ck_assert_int_eq(clock_sleep_until_ns(clock, due_ns), 0);
	ck_assert_int_eq(clock_sleep_until_ns(clock, -1), 0);
}
END_TEST

static void ignore(int signal)
{
	(void)signal;
}

START_TEST(a_signal_ends_real_sleep)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct clock *clock = clock_real();
	int64_t start_ns = clock_now_ns(clock);

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(clock_sleep_until_ns(clock, start_ns + 3000000000),
			 -1);
	ck_assert_int_lt(clock_now_ns(clock) - start_ns, 3000000000);
}
END_TEST

START_TEST(wall_time_is_unix_time)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	int64_t wall_ms = clock_wall_ms(clock_real());

	ck_assert_int_ge(wall_ms, now_ms);
	ck_assert_int_lt(wall_ms, now_ms + 60000);
}
END_TEST

START_TEST(time_asleep_only_grows)
{
	struct clock_virtual clock;
	int64_t asleep_ns = clock_asleep_ns(clock_real());

	ck_assert_int_ge(asleep_ns, 0);
	ck_assert_int_ge(clock_asleep_ns(clock_real()), asleep_ns - 1000000);
	clock_virtual_init(&clock, 5000);
	ck_assert_int_eq(clock_asleep_ns(&clock.clock), 0);
	clock.slept_ns = 2000000000;
	ck_assert_int_eq(clock_asleep_ns(&clock.clock), 2000000000);
	ck_assert_int_eq(clock_wall_ms(&clock.clock), 7000);
	clock.clock.asleep_ns = NULL;
	ck_assert_int_eq(clock_asleep_ns(&clock.clock), 0);
}
END_TEST

START_TEST(sleeping_costs_no_cpu_time)
{
	struct clock *clock = clock_real();
	int64_t cpu_ns = clock_thread_cpu_ns();
	int64_t start_ns = clock_now_ns(clock);

	clock_sleep_until_ns(clock, start_ns + 100000000);
	ck_assert_int_lt(clock_thread_cpu_ns() - cpu_ns, 50000000);
	while (clock_thread_cpu_ns() - cpu_ns < 1000000)
		;
	ck_assert_int_ge(clock_now_ns(clock) - start_ns, 100000000);
}
END_TEST

Suite *clock_suite(void);
Suite *clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, virtual_time_moves_only_when_slept_or_set);
	tcase_add_test(tests, real_sleep_ends_when_due);
	tcase_add_test(tests, a_signal_ends_real_sleep);
	tcase_add_test(tests, wall_time_is_unix_time);
	tcase_add_test(tests, time_asleep_only_grows);
	tcase_add_test(tests, sleeping_costs_no_cpu_time);
	suite_add_tcase(suite, tests);
	return suite;
}
