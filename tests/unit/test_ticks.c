/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/ticks.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define CLOCK "PERF_COUNT_SW_TASK_CLOCK"

static struct ticks *ticks;
static const struct ticks_options by_clock = { .event = CLOCK };

static void teardown(void)
{
	ticks_free(ticks);
	ticks = NULL;
}

static int put(const char *text)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse(text, strlen(text), &err);
	int result;

	ck_assert_msg(doc != NULL, "%s in %s", err.text, text);
	result = ticks_put(ticks, doc, NULL);
	doc_free(doc);
	return result;
}

/* `joules` of package 0 and `use` seconds; no elapsed_ns if it is 0. */
static void put_all(int time, const char *sensor, double joules, double use,
		    double elapsed)
{
	char *metadata =
		xasprintf(",\"metadata\":{\"elapsed_ns\":%.0f}", 1e9 * elapsed);
	char *text = xasprintf(
		"{\"timestamp\":%d,\"sensor\":\"%s\",\"target\":\"all\","
		"\"groups\":{\"rapl\":{\"0\":{\"0\":{\"RAPL_ENERGY_PKG\":%.0f,"
		"\"time_enabled\":5}}},\"core\":{\"0\":{\"0\":{\"" CLOCK
		"\":%.0f}}}}%s}",
		time, sensor, joules * 0x1p32, 1e9 * use,
		elapsed > 0 ? metadata : "");

	ck_assert_int_eq(put(text), 0);
	free(text);
	free(metadata);
}

static void put_target(int time, const char *sensor, const char *name,
		       double use)
{
	char *text = xasprintf(
		"{\"timestamp\":%d,\"sensor\":\"%s\",\"target\":\"%s\","
		"\"groups\":{\"core\":{\"0\":{\"0\":{\"" CLOCK
		"\":%.0f},\"1\":{\"" CLOCK "\":%.0f}}}}}",
		time, sensor, name, 0.25e9 * use, 0.75e9 * use);

	ck_assert_int_eq(put(text), 0);
	free(text);
}

START_TEST(reports_of_one_time_are_one_tick)
{
	const struct tick *tick;

	ticks = ticks_new(&by_clock);
	put_all(1000, "s", 20, 1.5, 0.5);
	put_target(1000, "s", "b", 0.25);
	put_target(1000, "s", "a", 0.5);
	ck_assert_ptr_null(ticks_next(ticks));
	put_all(1500, "s", 10, 1, 0.5);
	tick = ticks_next(ticks);
	ck_assert_ptr_nonnull(tick);
	ck_assert_int_eq(tick->time_ms, 1000);
	ck_assert_str_eq(tick->sensor, "s");
	ck_assert_double_eq_tol(tick->energy.joules, 20, 1e-6);
	ck_assert_double_eq_tol(tick->elapsed_s, 0.5, 1e-12);
	ck_assert_double_eq_tol(tick->use, 1.5, 1e-12);
	ck_assert_uint_eq(tick->targets, 2);
	ck_assert_str_eq(tick->target[0].name, "a");
	ck_assert_double_eq_tol(tick->target[0].use, 0.5, 1e-12);
	ck_assert_int_eq(tick->target[0].parent, -1);
	ck_assert_ptr_null(ticks_next(ticks));
	ticks_end(ticks);
	tick = ticks_next(ticks);
	ck_assert_int_eq(tick->time_ms, 1500);
	ck_assert_uint_eq(tick->targets, 0);
	ck_assert_ptr_null(ticks_next(ticks));
	ck_assert_str_eq(ticks_lost(ticks), "");
	ck_assert(ticks_event_seen(ticks));
}
END_TEST

START_TEST(without_elapsed_time_timestamps_tell_it)
{
	const struct tick *tick;

	ticks = ticks_new(&by_clock);
	for (int i = 0; i < 3; i++)
		put_all(1000 + 200 * i, "s", 1, 1, 0);
	ticks_end(ticks);
	tick = ticks_next(ticks);
	ck_assert_int_eq(tick->time_ms, 1200);
	ck_assert_double_eq_tol(tick->elapsed_s, 0.2, 1e-12);
	ck_assert_int_eq(ticks_next(ticks)->time_ms, 1400);
	ck_assert_ptr_nonnull(
		strstr(ticks_lost(ticks), "tick 1000 of 's': the first one"));
	ck_assert_str_eq(ticks_lost(ticks), "");
}
END_TEST

static void check_ticks(int *seen)
{
	const struct tick *tick;

	while ((tick = ticks_next(ticks))) {
		ck_assert_int_eq(tick->time_ms, 1000 + *seen);
		ck_assert_double_eq_tol(tick->energy.joules, 1 + *seen, 1e-6);
		ck_assert_uint_eq(tick->targets, 3);
		for (int i = 0; i < 3; i++)
			ck_assert_double_eq_tol(tick->target[i].use, i, 1e-9);
		++*seen;
	}
}

/* However the reports of each tick are shuffled, nothing changes. */
START_TEST(the_order_within_a_tick_does_not_matter)
{
	int seen = 0;

	ticks = ticks_new(&by_clock);
	for (int t = 0; t < 200; t++) {
		struct rng rng = rng_stream(1, "ticks", (uint64_t)t, 0);
		size_t order[4] = { 0, 1, 2, 3 };

		rng_shuffle(&rng, order, 4);
		for (int i = 0; i < 4; i++) {
			char name[2] = { (char)('a' + order[i]), '\0' };

			if (order[i] == 3)
				put_all(1000 + t, "s", 1 + t, 1, 0.001);
			else
				put_target(1000 + t, "s", name,
					   (double)order[i]);
		}
		check_ticks(&seen);
	}
	ticks_end(ticks);
	check_ticks(&seen);
	ck_assert_int_eq(seen, 200);
}
END_TEST

START_TEST(sensors_do_not_wait_for_each_other)
{
	const struct tick *tick;

	ticks = ticks_new(&by_clock);
	put_all(1000, "x", 1, 1, 1);
	put_all(5, "y", 2, 1, 1);
	put_target(1000, "x", "a", 1);
	put_all(6, "y", 2, 1, 1);
	tick = ticks_next(ticks);
	ck_assert_str_eq(tick->sensor, "y");
	ck_assert_int_eq(tick->time_ms, 5);
	ck_assert_ptr_null(ticks_next(ticks));
	put_all(1001, "x", 1, 1, 1);
	tick = ticks_next(ticks);
	ck_assert_str_eq(tick->sensor, "x");
	ck_assert_uint_eq(tick->targets, 1);
}
END_TEST

START_TEST(an_all_that_comes_late_is_waited_for)
{
	const struct tick *tick;

	ticks = ticks_new(&by_clock);
	put_target(1000, "s", "a", 1);
	put_all(1001, "s", 1, 1, 1);
	put_all(1002, "s", 1, 1, 1);
	ck_assert_ptr_null(ticks_next(ticks));
	put_all(1000, "s", 7, 1, 1);
	tick = ticks_next(ticks);
	ck_assert_int_eq(tick->time_ms, 1000);
	ck_assert_double_eq_tol(tick->energy.joules, 7, 1e-6);
	ck_assert_int_eq(ticks_next(ticks)->time_ms, 1001);
	ck_assert_str_eq(ticks_lost(ticks), "");
}
END_TEST

START_TEST(an_all_that_never_comes_is_given_up_by_name)
{
	int seen = 0;

	ticks = ticks_new(&by_clock);
	put_target(1000, "s", "a", 1);
	for (int i = 1; i <= TICKS_HELD + 3; i++) {
		put_all(1000 + i, "s", 1, 1, 1);
		while (ticks_next(ticks))
			seen++;
	}
	ck_assert_int_ge(seen, TICKS_HELD);
	ck_assert_str_eq(ticks_lost(ticks), "tick 1000 of 's': no report of "
					    "target \"all\" came\n");
	/* And what comes after that is too late. */
	put_all(1000, "s", 1, 1, 1);
	put_target(1001, "s", "a", 1);
	ck_assert_ptr_nonnull(
		strstr(ticks_lost(ticks),
		       "tick 1001 of 's': a report came after its tick was "
		       "closed"));
}
END_TEST

START_TEST(a_machine_without_joules_is_told)
{
	ticks = ticks_new(&by_clock);
	ck_assert_int_eq(put("{\"timestamp\":1,\"sensor\":\"s\",\"target\":"
			     "\"all\",\"groups\":{}}"),
			 0);
	ck_assert_int_eq(put("{\"timestamp\":1,\"sensor\":\"s\",\"target\":"
			     "\"all\",\"groups\":{}}"),
			 0);
	ticks_end(ticks);
	ck_assert_ptr_null(ticks_next(ticks));
	ck_assert_ptr_nonnull(
		strstr(ticks_lost(ticks), "second report of target \"all\""));
}
END_TEST

START_TEST(counts_are_corrected_for_multiplexing)
{
	const struct ticks_options options = { .event = "CYCLES" };
	const struct tick *tick;

	ticks = ticks_new(&options);
	put_all(1000, "s", 1, 1, 1);
	ck_assert_int_eq(
		put("{\"timestamp\":1000,\"sensor\":\"s\",\"target\":\"a\","
		    "\"groups\":{\"core\":{\"0\":{\"0\":{\"time_enabled\":400,"
		    "\"CYCLES\":100,\"time_running\":100},\"1\":{\"CYCLES\":7,"
		    "\"time_enabled\":10,\"time_running\":10},\"2\":{\"CYCLES\""
		    ":0,\"time_enabled\":0,\"time_running\":0}}},\"other\":{"
		    "\"0\":{\"0\":{\"CYCLES\":1000}}}}}"),
		0);
	ticks_end(ticks);
	tick = ticks_next(ticks);
	ck_assert_double_eq_tol(tick->target[0].use, 407, 1e-9);
	ck_assert(isnan(tick->use));
	ck_assert_str_eq(ticks_events(ticks), "CYCLES");
}
END_TEST

START_TEST(an_event_that_nobody_counted_is_noticed)
{
	const struct ticks_options options = { .event = "CYCLES" };

	ticks = ticks_new(&options);
	put_all(1000, "s", 1, 1, 1);
	put_target(1000, "s", "a", 1);
	ck_assert(!ticks_event_seen(ticks));
	ck_assert_str_eq(ticks_events(ticks), CLOCK);
}
END_TEST

START_TEST(targets_know_their_parents_and_names)
{
	const struct tick *tick;

	ticks = ticks_new(&by_clock);
	put_all(1000, "s", 1, 1, 1);
	ck_assert_int_eq(
		put("{\"timestamp\":1000,\"sensor\":\"s\",\"target\":\"p\","
		    "\"groups\":{},\"metadata\":{\"within\":\"z\",\"pod\":"
		    "\"we\\\"b\",\"engine\":\"perf\",\"n\":3}}"),
		0);
	ck_assert_int_eq(
		put("{\"timestamp\":1000,\"sensor\":\"s\",\"target\":\"q\","
		    "\"groups\":{},\"metadata\":{\"within\":\"nowhere\"}}"),
		0);
	put_target(1000, "s", "z", 1);
	ticks_end(ticks);
	tick = ticks_next(ticks);
	ck_assert_uint_eq(tick->targets, 3);
	ck_assert_int_eq(tick->target[0].parent, 2);
	ck_assert_str_eq(tick->target[0].names, ",\"pod\":\"we\\\"b\"");
	ck_assert_int_eq(tick->target[1].parent, -1);
	ck_assert_ptr_null(tick->target[1].names);
	ck_assert(!tick->target[0].counted);
}
END_TEST

START_TEST(only_targets_that_match_are_kept)
{
	const struct ticks_options options = { .event = CLOCK, .target = "a*" };

	ticks = ticks_new(&options);
	put_all(1000, "s", 1, 1, 1);
	put_target(1000, "s", "ab", 1);
	put_target(1000, "s", "b", 1);
	ticks_end(ticks);
	ck_assert_uint_eq(ticks_next(ticks)->targets, 1);
}
END_TEST

/* ---- which joules ---------------------------------------------------------- */

#define TWO_METERS                                                              \
	"{\"timestamp\":1000,\"sensor\":\"s\",\"target\":\"all\",\"groups\":"   \
	"{\"meter_model\":{\"0\":{\"0\":{\"MACHINE_uj\":3000000}}},"            \
	"\"meter_nvml\":{\"0\":{\"0\":{\"GPU_uj\":5000000}}},"                  \
	"\"rapl\":{\"0\":{\"0\":{\"RAPL_ENERGY_PKG\":4294967296,"               \
	"\"RAPL_ENERGY_CORES\":2147483648,\"RAPL_ENERGY_DRAM\":2147483648,"     \
	"\"RAPL_ENERGY_PSYS\":42949672960}},"                                   \
	"\"1\":{\"7\":{\"RAPL_ENERGY_PKG\":8589934592}}}},"                     \
	"\"metadata\":{\"elapsed_ns\":1000000000,\"meters\":{"                  \
	"\"RAPL_ENERGY_PKG\":{\"source\":1,\"sigma_j\":0.3,\"meter\":\"perf\"}" \
	",\"RAPL_ENERGY_DRAM\":{\"source\":2,\"sigma_j\":0.4,\"meter\":"        \
	"\"perf\"},\"GPU_uj\":{\"source\":1,\"sigma_j\":1,\"meter\":\"nvml\"}," \
	"\"MACHINE_uj\":{\"source\":7,\"sigma_j\":1,\"meter\":\"model\","       \
	"\"scale_lo\":0.4,\"scale_hi\":3}}}}"

static const struct {
	const char *want;
	double joules, sigma, lo, hi;
	int source;
	const char *meter;
} meters[] = {
	{ NULL, 3.5, 0.5, 1, 1, 2, "perf" },
	{ "rapl", 3.5, 0.5, 1, 1, 2, "perf" },
	{ "model", 3, 1, 0.4, 3, 7, "model" },
	{ "nvml", 5, 1, 1, 1, 1, "nvml" },
};

START_TEST(joules_are_those_of_one_meter_and_nothing_twice)
{
	const struct ticks_options options = { .event = CLOCK,
					       .meter = meters[_i].want };
	const struct tick *tick;

	ticks = ticks_new(&options);
	ck_assert_int_eq(put(TWO_METERS), 0);
	ticks_end(ticks);
	tick = ticks_next(ticks);
	ck_assert_ptr_nonnull(tick);
	ck_assert_double_eq_tol(tick->energy.joules, meters[_i].joules, 1e-9);
	ck_assert_double_eq_tol(tick->energy.sigma_j, meters[_i].sigma, 1e-9);
	ck_assert_double_eq(tick->energy.scale_lo, meters[_i].lo);
	ck_assert_double_eq(tick->energy.scale_hi, meters[_i].hi);
	ck_assert_int_eq(tick->energy.source, meters[_i].source);
	ck_assert_str_eq(tick->meter, meters[_i].meter);
}
END_TEST

START_TEST(a_meter_that_is_not_there_is_told)
{
	const struct ticks_options options = { .event = CLOCK,
					       .meter = "battery" };

	ticks = ticks_new(&options);
	ck_assert_int_eq(put(TWO_METERS), 0);
	ticks_end(ticks);
	ck_assert_ptr_null(ticks_next(ticks));
	ck_assert_ptr_nonnull(strstr(ticks_lost(ticks), "has no joules"));
}
END_TEST

START_TEST(joules_beyond_reason_are_told)
{
	static const double joules[] = { -1, 1.1e9, 2e9 };

	ticks = ticks_new(&by_clock);
	for (int i = 0; i < 3; i++)
		put_all(1000 + i, "s", joules[i], 1, 1);
	ticks_end(ticks);
	ck_assert_ptr_null(ticks_next(ticks));
	ck_assert_ptr_nonnull(strstr(ticks_lost(ticks),
				     "tick 1002 of 's': its joules are "
				     "negative, or more than any machine's"));
}
END_TEST

START_TEST(what_is_no_report_is_refused)
{
	ticks = ticks_new(&by_clock);
	ck_assert_int_eq(put("{}"), -1);
	ck_assert_int_eq(put("{\"timestamp\":1,\"sensor\":\"s\",\"target\":"
			     "\"a\",\"groups\":{\"x\":3}}"),
			 -1);
}
END_TEST

Suite *ticks_suite(void);
Suite *ticks_suite(void)
{
	Suite *suite = suite_create("ticks");
	TCase *tcase = tcase_create("ticks");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, reports_of_one_time_are_one_tick);
	tcase_add_test(tcase, without_elapsed_time_timestamps_tell_it);
	tcase_add_test(tcase, the_order_within_a_tick_does_not_matter);
	tcase_add_test(tcase, sensors_do_not_wait_for_each_other);
	tcase_add_test(tcase, an_all_that_comes_late_is_waited_for);
	tcase_add_test(tcase, an_all_that_never_comes_is_given_up_by_name);
	tcase_add_test(tcase, a_machine_without_joules_is_told);
	tcase_add_test(tcase, counts_are_corrected_for_multiplexing);
	tcase_add_test(tcase, an_event_that_nobody_counted_is_noticed);
	tcase_add_test(tcase, targets_know_their_parents_and_names);
	tcase_add_test(tcase, only_targets_that_match_are_kept);
	tcase_add_loop_test(tcase,
			    joules_are_those_of_one_meter_and_nothing_twice, 0,
			    sizeof(meters) / sizeof(meters[0]));
	tcase_add_test(tcase, a_meter_that_is_not_there_is_told);
	tcase_add_test(tcase, joules_beyond_reason_are_told);
	tcase_add_test(tcase, what_is_no_report_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
