/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "bench/probe.h"
#include "tests/unit/tree.h"

/* A clock that a step moves, and that counts how often it is asked. */
static struct clock_virtual steps_clock;
static int64_t (*real_now)(struct clock *clock);
static size_t asked;

static struct tree tree;
static char proc[128], sys[128];
static struct probe_place place;

static int64_t counted_now(struct clock *clock)
{
	asked++;
	return real_now(clock);
}

static void put_stat(unsigned int user, unsigned int steal)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "cpu  %u 0 0 9 0 0 0 %u 0 0\ncpu0 %u 0 0 9 0 0 0 %u 0 0\n"
		 "intr 1\n",
		 user, steal, user, steal);
	tree_put(&tree, "proc/stat", text);
}

static void setup(void)
{
	tree_init(&tree);
	put_stat(0, 0);
	tree_put(&tree, "sys/empty", "");
	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	clock_virtual_init(&steps_clock, 1000);
	real_now = steps_clock.clock.now_ns;
	steps_clock.clock.now_ns = counted_now;
	asked = 0;
	place = (struct probe_place){ &steps_clock.clock, proc, sys, NULL };
}

static void teardown(void)
{
	tree_done(&tree);
}

static struct probe *opened(void)
{
	struct err err;
	struct probe *probe = probe_open(NULL, 0, &place, &err);

	ck_assert_msg(probe != NULL, "%s", err.text);
	return probe;
}

static void work_for(double seconds)
{
	clock_virtual_set_ns(&steps_clock,
			     steps_clock.ns + llround(seconds * 1e9));
}

/* A window of steps that take `first` seconds in its first half and `second`
 * afterwards. */
static struct probe_window window_of(struct probe *probe, double seconds,
				     double first, double second)
{
	int64_t begin_ns = steps_clock.ns;
	struct probe_window window;

	ck_assert_int_eq(probe_begin(probe, seconds, NULL), 0);
	while (probe_goes_on(probe))
		work_for(1e-9 * (double)(steps_clock.ns - begin_ns) <
					 seconds / 2
				 ? first
				 : second);
	ck_assert_int_eq(probe_end(probe, &window, NULL), 0);
	return window;
}

START_TEST(a_window_holds_whole_steps_until_its_time_is_up)
{
	struct probe *probe = opened();
	struct probe_window window = window_of(probe, 0.1, 1e-3, 1e-3);

	ck_assert_uint_eq(window.steps, 100);
	ck_assert_double_eq_tol(window.seconds, 0.1, 1e-12);
	ck_assert_uint_eq(window.flags, 0);
	ck_assert_int_eq(window.time_ms, 1000);
	probe_close(probe);
}
END_TEST

START_TEST(a_step_longer_than_the_window_is_one_step)
{
	struct probe *probe = opened();
	struct probe_window window = window_of(probe, 0.1, 2.5, 2.5);

	ck_assert_uint_eq(window.steps, 1);
	ck_assert_double_eq_tol(window.seconds, 2.5, 1e-12);
	probe_close(probe);
}
END_TEST

START_TEST(a_probe_measures_one_window_after_another)
{
	struct probe *probe = opened();

	window_of(probe, 0.1, 1e-3, 1e-3);
	ck_assert_uint_eq(window_of(probe, 0.05, 1e-3, 1e-3).steps, 50);
	probe_close(probe);
}
END_TEST

/* A look costs some 30 ns, so 100 µs between two keep it below a thousandth. */
START_TEST(the_clock_is_looked_at_every_100_us)
{
	struct probe *probe = opened();
	struct probe_window window = window_of(probe, 0.1, 1e-6, 1e-6);

	ck_assert_double_eq_tol(window.seconds, 0.1, 2 * PROBE_CHECK_S);
	ck_assert_uint_le(asked, 1.1 * 0.1 / PROBE_CHECK_S);
	ck_assert_uint_ge(asked, 500);
	probe_close(probe);
}
END_TEST

START_TEST(halves_that_differ_make_a_window_unsteady)
{
	struct probe *probe = opened();

	ck_assert_uint_eq(window_of(probe, 0.1, 1e-4, 1.2e-4).flags,
			  PROBE_UNSTEADY);
	ck_assert_uint_eq(window_of(probe, 0.1, 1e-4, 1.05e-4).flags, 0);
	probe_close(probe);
}
END_TEST

START_TEST(too_few_steps_say_nothing_about_steadiness)
{
	struct probe *probe = opened();

	ck_assert_uint_eq(window_of(probe, 0.1, 0.02, 0.04).flags, 0);
	probe_close(probe);
}
END_TEST

/* Two seconds, while the hypervisor takes so many ticks of 10 ms. */
static struct probe_window window_stolen(unsigned int ticks)
{
	struct probe *probe = opened();
	struct probe_window window;

	ck_assert_int_eq(probe_begin(probe, 2.0, NULL), 0);
	while (probe_goes_on(probe))
		work_for(0.1);
	put_stat(0, ticks);
	ck_assert_int_eq(probe_end(probe, &window, NULL), 0);
	ck_assert_double_eq_tol(window.stolen_s, 0.01 * ticks, 1e-9);
	probe_close(probe);
	return window;
}

START_TEST(stolen_time_is_flagged_above_a_hundredth)
{
	ck_assert_uint_eq(window_stolen(3).flags, PROBE_STOLEN);
}
END_TEST

START_TEST(a_little_stolen_time_is_not_flagged)
{
	ck_assert_uint_eq(window_stolen(1).flags, 0);
}
END_TEST

START_TEST(other_tasks_make_a_window_busy)
{
	struct probe *probe = opened();
	struct probe_window window;

	ck_assert_int_eq(probe_begin(probe, 1.0, NULL), 0);
	while (probe_goes_on(probe))
		work_for(0.1);
	put_stat(50, 0);
	ck_assert_int_eq(probe_end(probe, &window, NULL), 0);
	ck_assert_uint_eq(window.flags, PROBE_BUSY);
	ck_assert_double_eq_tol(window.others_s, 0.5, 0.05);
	probe_close(probe);
}
END_TEST

START_TEST(a_cpu_that_got_too_hot_is_flagged)
{
	static const char *const file =
		"sys/devices/system/cpu/cpu0/thermal_throttle/"
		"core_throttle_count";
	struct probe_window window;
	struct probe *probe;

	tree_put(&tree, file, "7\n");
	probe = opened();
	ck_assert_uint_eq(window_of(probe, 0.1, 1e-3, 1e-3).flags, 0);
	ck_assert_int_eq(probe_begin(probe, 0.1, NULL), 0);
	while (probe_goes_on(probe))
		work_for(0.01);
	tree_put(&tree, file, "8\n");
	ck_assert_int_eq(probe_end(probe, &window, NULL), 0);
	ck_assert_uint_eq(window.flags, PROBE_THROTTLED);
	probe_close(probe);
}
END_TEST

START_TEST(a_rest_lasts_as_long_as_asked)
{
	struct probe *probe = opened();
	struct probe_window window;

	ck_assert_int_eq(probe_idle(probe, 95.0, &window, NULL), 0);
	ck_assert_double_eq_tol(window.seconds, 95.0, 1e-9);
	ck_assert_uint_eq(window.steps, 0);
	probe_close(probe);
}
END_TEST

/* ---- reference work -------------------------------------------------------*/

static double pass_s;
static size_t passes;

static void fake_pass(void)
{
	passes++;
	work_for(pass_s);
}

/* A window with a pass of so many seconds. */
static struct probe_window window_with_pass(double seconds, double step,
					    double pass)
{
	struct probe_window window;
	struct probe *probe;

	pass_s = pass;
	passes = 0;
	place.pass = fake_pass;
	probe = opened();
	window = window_of(probe, seconds, step, step);
	probe_close(probe);
	return window;
}

START_TEST(reference_work_is_timed_between_steps_and_is_not_theirs)
{
	struct probe_window window = window_with_pass(1, 1e-3, 5e-4);

	ck_assert_uint_eq(window.steps, 1000);
	ck_assert_double_eq_tol(window.seconds, 1, 1e-9);
	ck_assert_double_eq_tol(window.reference_s, 5e-4, 1e-12);
	ck_assert_uint_eq(window.references, passes);
	ck_assert_uint_ge(passes, 40);
	ck_assert_uint_le(passes, 1 / PROBE_REFERENCE_S);
	ck_assert_uint_eq(window.flags, 0);
}
END_TEST

START_TEST(slow_reference_work_does_not_make_a_window_unsteady)
{
	struct probe_window window = window_with_pass(0.2, 1e-3, 0.05);

	ck_assert_uint_eq(window.flags, 0);
	ck_assert_uint_eq(window.steps, 200);
}
END_TEST

START_TEST(a_long_step_is_followed_by_one_pass)
{
	struct probe_window window = window_with_pass(1, 0.25, 5e-4);

	ck_assert_uint_eq(window.steps, 4);
	ck_assert_uint_eq(window.references, 3);
}
END_TEST

START_TEST(a_window_too_short_for_a_pass_has_none)
{
	struct probe_window window =
		window_with_pass(PROBE_REFERENCE_S / 4, 1e-4, 5e-4);

	ck_assert_uint_eq(window.references, 0);
	ck_assert_double_eq(window.reference_s, 0);
}
END_TEST

START_TEST(a_rest_has_no_reference_work)
{
	struct probe_window window;
	struct probe *probe;

	passes = 0;
	place.pass = fake_pass;
	probe = opened();
	ck_assert_int_eq(probe_idle(probe, 1, &window, NULL), 0);
	ck_assert_uint_eq(passes, 0);
	ck_assert_uint_eq(window.references, 0);
	probe_close(probe);
}
END_TEST

/* 50 W whatever runs: what is left is 50 W times the seconds of the steps. */
START_TEST(the_share_of_the_passes_is_taken_off_the_joules)
{
	struct err err;
	struct meter *meter = meter_open("model:idle=50,cpu=0", &err);
	struct probe_window window;
	struct probe *probe;

	ck_assert_msg(meter != NULL, "%s", err.text);
	probe = probe_open(&meter, 1, NULL, &err);
	ck_assert_msg(probe != NULL, "%s", err.text);
	ck_assert_int_eq(probe_begin(probe, 0.2, &err), 0);
	while (probe_goes_on(probe))
		;
	ck_assert_int_eq(probe_end(probe, &window, &err), 0);
	ck_assert_uint_ge(window.references, 1);
	ck_assert_double_gt(window.reference_s, 0);
	ck_assert_double_ge(window.energy[0].joules, 49.9 * window.seconds);
	probe_close(probe);
	meter_close(meter);
}
END_TEST

START_TEST(joules_of_a_window_come_from_its_meter)
{
	struct err err;
	struct meter *meter = meter_open("model:idle=50,cpu=0", &err);
	struct probe_window window;
	struct probe *probe;

	ck_assert_msg(meter != NULL, "%s", err.text);
	probe = probe_open(&meter, 1, NULL, &err);
	ck_assert_msg(probe != NULL, "%s", err.text);
	ck_assert_int_eq(probe_begin(probe, 0.05, &err), 0);
	while (probe_goes_on(probe))
		;
	ck_assert_int_eq(probe_end(probe, &window, &err), 0);
	ck_assert_int_eq(window.energy[0].source, ENERGY_GENERIC);
	ck_assert_double_ge(window.energy[0].joules, 50 * window.seconds);
	ck_assert_double_le(window.energy[0].joules,
			    50 * (window.seconds + 0.05));
	ck_assert_uint_gt(window.steps, 1000);
	probe_close(probe);
	meter_close(meter);
}
END_TEST

START_TEST(every_flag_has_a_name_of_its_own)
{
	size_t n = 0;

	for (; probe_flag_name(n); n++)
		for (size_t i = 0; i < n; i++)
			ck_assert_str_ne(probe_flag_name(n),
					 probe_flag_name(i));
	ck_assert_uint_eq(1u << n, 2 * PROBE_SLOWED);
}
END_TEST

Suite *probe_suite(void);
Suite *probe_suite(void)
{
	Suite *suite = suite_create("probe");
	TCase *tcase = tcase_create("window");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_window_holds_whole_steps_until_its_time_is_up);
	tcase_add_test(tcase, a_step_longer_than_the_window_is_one_step);
	tcase_add_test(tcase, a_probe_measures_one_window_after_another);
	tcase_add_test(tcase, the_clock_is_looked_at_every_100_us);
	tcase_add_test(tcase, halves_that_differ_make_a_window_unsteady);
	tcase_add_test(tcase, too_few_steps_say_nothing_about_steadiness);
	tcase_add_test(tcase, stolen_time_is_flagged_above_a_hundredth);
	tcase_add_test(tcase, a_little_stolen_time_is_not_flagged);
	tcase_add_test(tcase, other_tasks_make_a_window_busy);
	tcase_add_test(tcase, a_cpu_that_got_too_hot_is_flagged);
	tcase_add_test(tcase, a_rest_lasts_as_long_as_asked);
	tcase_add_test(tcase,
		       reference_work_is_timed_between_steps_and_is_not_theirs);
	tcase_add_test(tcase,
		       slow_reference_work_does_not_make_a_window_unsteady);
	tcase_add_test(tcase, a_long_step_is_followed_by_one_pass);
	tcase_add_test(tcase, a_window_too_short_for_a_pass_has_none);
	tcase_add_test(tcase, a_rest_has_no_reference_work);
	tcase_add_test(tcase, the_share_of_the_passes_is_taken_off_the_joules);
	tcase_add_test(tcase, joules_of_a_window_come_from_its_meter);
	tcase_add_test(tcase, every_flag_has_a_name_of_its_own);
	suite_add_tcase(suite, tcase);
	return suite;
}
