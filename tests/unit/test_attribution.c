/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <string.h>

#include "formula/apportion.h"
#include "formula/attribution.h"
#include "lib/rng.h"

#define TARGETS 12

static double use[TARGETS + 1], watts[TARGETS + 1];
static struct attribution result = { .target_w = watts };

static struct attribution_input random_input(struct rng *rng)
{
	struct attribution_input input = { .use = use };

	input.watts = 500 * rng_uniform(rng);
	input.idle_w = input.watts * 1.2 * rng_uniform(rng);
	input.targets = rng_below(rng, TARGETS + 1);
	for (size_t i = 0; i < input.targets; i++)
		use[i] = rng_below(rng, 4) ? 10 * rng_uniform(rng) : 0;
	input.rest = rng_below(rng, 4) ? rng_uniform(rng) : 0;
	return input;
}

static size_t policies(void)
{
	size_t n = 0;

	while (idle_policy_at(n))
		n++;
	return n;
}

static double sum(const struct attribution_input *input)
{
	double total = result.idle_w + result.unattributed_w;

	for (size_t i = 0; i < input->targets; i++)
		total += watts[i];
	return total;
}

/* ---- by hand -------------------------------------------------------------- */

static const struct {
	const char *policy;
	double a, b, idle, unattributed;
} by_hand[] = {
	/* P = 20 W, P_idle = 8 W, use 3 : 1 : 0, rest 2 */
	{ "none", 6, 2, 8, 4 },
	{ "uniform", 10, 6, 0, 4 },
	{ "proportional", 10, 10.0 / 3, 0, 20.0 / 3 },
};

START_TEST(each_policy_gives_what_its_definition_says)
{
	const double shares[] = { 3, 1, 0 };
	const struct attribution_input input = {
		.watts = 20, .idle_w = 8, .use = shares, .targets = 3, .rest = 2
	};
	const struct idle_policy *policy =
		idle_policy_find(by_hand[_i].policy, NULL);

	ck_assert_ptr_nonnull(policy);
	attribute(policy, &input, &result);
	ck_assert_double_eq_tol(watts[0], by_hand[_i].a, 1e-12);
	ck_assert_double_eq_tol(watts[1], by_hand[_i].b, 1e-12);
	ck_assert_double_eq(watts[2], 0);
	ck_assert_double_eq_tol(result.idle_w, by_hand[_i].idle, 1e-12);
	ck_assert_double_eq_tol(result.unattributed_w, by_hand[_i].unattributed,
				1e-12);
}
END_TEST

START_TEST(an_idle_machine_is_idle_under_every_policy)
{
	const double none[] = { 0, 0 };
	const struct attribution_input input = {
		.watts = 10, .idle_w = 9, .use = none, .targets = 2
	};

	for (size_t i = 0; i < policies(); i++) {
		attribute(idle_policy_at(i), &input, &result);
		ck_assert_double_eq_tol(result.idle_w, 9, 1e-12);
		ck_assert_double_eq_tol(result.unattributed_w, 1, 1e-12);
		ck_assert_double_eq(watts[0], 0);
	}
}
END_TEST

START_TEST(unknown_policy_is_refused_with_those_that_exist)
{
	struct err err = { 0 };

	ck_assert_ptr_null(idle_policy_find("unifrom", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "did you mean uniform?"));
	ck_assert_ptr_nonnull(
		strstr(err.text, "there are: none, uniform, proportional"));
}
END_TEST

/* ---- laws, for every policy ----------------------------------------------- */

#define TRIALS 3000

START_TEST(every_policy_sums_to_the_meter_and_nothing_is_negative)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution sum", trial, 0);
		struct attribution_input input = random_input(&rng);

		attribute(policy, &input, &result);
		ck_assert_double_eq_tol(sum(&input), input.watts,
					1e-12 * input.watts);
		ck_assert_double_le(fabs(result.residual_w),
				    APPORTION_TOLERANCE * input.watts);
		ck_assert_double_ge(result.idle_w, 0);
		ck_assert_double_ge(result.unattributed_w, 0);
		for (size_t i = 0; i < input.targets; i++) {
			ck_assert_double_ge(watts[i], 0);
			if (use[i] == 0)
				ck_assert_double_eq(watts[i], 0);
		}
	}
}
END_TEST

START_TEST(the_unit_of_use_does_not_matter)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);
	double before[TARGETS];

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution unit", trial, 0);
		struct attribution_input input = random_input(&rng);
		double unit = exp(40 * (rng_uniform(&rng) - 0.5));

		attribute(policy, &input, &result);
		memcpy(before, watts, sizeof(before));
		for (size_t i = 0; i < input.targets; i++)
			use[i] *= unit;
		input.rest *= unit;
		attribute(policy, &input, &result);
		for (size_t i = 0; i < input.targets; i++)
			ck_assert_double_eq_tol(watts[i], before[i],
						1e-12 * input.watts);
	}
}
END_TEST

START_TEST(twice_the_watts_are_twice_the_watts)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);
	double before[TARGETS];

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution double", trial, 0);
		struct attribution_input input = random_input(&rng);

		attribute(policy, &input, &result);
		memcpy(before, watts, sizeof(before));
		input.watts *= 2;
		input.idle_w *= 2;
		attribute(policy, &input, &result);
		for (size_t i = 0; i < input.targets; i++)
			ck_assert_double_eq_tol(watts[i], 2 * before[i],
						1e-12 * input.watts);
	}
}
END_TEST

START_TEST(the_order_of_targets_does_not_matter)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution order", trial, 0);
		struct attribution_input input = random_input(&rng);
		double before[TARGETS], was[TARGETS];
		size_t order[TARGETS];

		for (size_t i = 0; i < input.targets; i++)
			order[i] = i;
		rng_shuffle(&rng, order, input.targets);
		attribute(policy, &input, &result);
		memcpy(before, watts, sizeof(before));
		memcpy(was, use, sizeof(was));
		for (size_t i = 0; i < input.targets; i++)
			use[i] = was[order[i]];
		attribute(policy, &input, &result);
		for (size_t i = 0; i < input.targets; i++)
			ck_assert_double_eq_tol(watts[i], before[order[i]],
						1e-12 * input.watts);
	}
}
END_TEST

/* A target cut in two draws together what it drew alone; not so under uniform
 * and shapley, where what counts is how many ran: there the others keep their order. */
START_TEST(splitting_a_target_in_two_changes_nobody_else)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution split", trial, 0);
		struct attribution_input input = random_input(&rng);
		double before[TARGETS], part = rng_uniform(&rng);

		if (!input.targets || !strcmp(policy->name, "uniform") ||
		    !strcmp(policy->name, "shapley"))
			continue;
		attribute(policy, &input, &result);
		memcpy(before, watts, sizeof(before));
		use[input.targets++] = use[0] * part;
		use[0] *= 1 - part;
		attribute(policy, &input, &result);
		ck_assert_double_eq_tol(watts[0] + watts[input.targets - 1],
					before[0], 1e-12 * input.watts);
		for (size_t i = 1; i + 1 < input.targets; i++)
			ck_assert_double_eq_tol(watts[i], before[i],
						1e-12 * input.watts);
	}
}
END_TEST

START_TEST(who_used_more_is_not_charged_less)
{
	const struct idle_policy *policy = idle_policy_at((size_t)_i);

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		struct rng rng = rng_stream(1, "attribution more", trial, 0);
		struct attribution_input input = random_input(&rng);

		attribute(policy, &input, &result);
		for (size_t i = 1; i < input.targets; i++)
			if (use[i] >= use[i - 1])
				ck_assert_double_ge(watts[i], watts[i - 1]);
			else
				ck_assert_double_le(watts[i], watts[i - 1]);
	}
}
END_TEST

/* ---- targets within targets ------------------------------------------------ */

START_TEST(a_target_within_another_has_its_part_and_is_not_added)
{
	char names[7][8] = { "a", "a/1", "a/1/x", "a/2", "b", "c", "d" };
	struct tick_target target[] = {
		{ .name = names[0], .parent = -1, .use = 3 },
		{ .name = names[1], .parent = 0, .use = 1 },
		{ .name = names[2], .parent = 1, .use = 0.5 },
		{ .name = names[3], .parent = 0, .use = 9 }, /* more than all */
		{ .name = names[4], .parent = -1, .use = 1 },
		{ .name = names[5], .parent = 6, .use = 1 }, /* a circle */
		{ .name = names[6], .parent = 5, .use = 1 },
	};
	double weight[] = { 3, 1, 0.5, 9, 1, 1, 1 };
	struct tick tick = { .sensor = "s",
			     .elapsed_s = 2,
			     .energy = { .joules = 40 },
			     .use = 6,
			     .target = target,
			     .targets = 7 };
	struct weights weights = { .target = weight, .rest = 2 };
	struct apportion apportion = { 0 };

	ck_assert_int_eq(apportion_tick(&apportion, idle_policy_at(0), &tick,
					&weights, 8, NULL),
			 0);
	ck_assert_double_eq_tol(apportion.meter_w, 20, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.target_w[0], 6, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.target_w[1], 2, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.target_w[2], 1, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.target_w[3], 6, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.target_w[4], 2, 1e-12);
	ck_assert_double_eq(apportion.watts.target_w[5], 0);
	ck_assert_double_eq_tol(apportion.watts.unattributed_w, 4, 1e-12);
	ck_assert_double_eq_tol(apportion.watts.idle_w, 8, 1e-12);
	apportion_done(&apportion);
}
END_TEST

START_TEST(watts_that_do_not_add_up_are_an_error)
{
	struct tick tick = { .sensor = "s",
			     .elapsed_s = 1,
			     .energy = { .joules = 10 } };
	/* A model that gives more to the rest than there is, and not finite. */
	struct weights weights = { .rest = HUGE_VAL };
	struct apportion apportion = { 0 };
	struct err err = { 0 };

	if (apportion_tick(&apportion, idle_policy_at(0), &tick, &weights, 1,
			   &err) == 0)
		ck_abort_msg("nobody noticed");
	ck_assert_ptr_nonnull(strstr(err.text, "fault of this program"));
	apportion_done(&apportion);
}
END_TEST

Suite *attribution_suite(void);
Suite *attribution_suite(void)
{
	Suite *suite = suite_create("attribution");
	TCase *tcase = tcase_create("attribution");
	int n = (int)policies();

	tcase_add_loop_test(tcase, each_policy_gives_what_its_definition_says,
			    0, sizeof(by_hand) / sizeof(by_hand[0]));
	tcase_add_test(tcase, an_idle_machine_is_idle_under_every_policy);
	tcase_add_test(tcase, unknown_policy_is_refused_with_those_that_exist);
	tcase_add_loop_test(
		tcase, every_policy_sums_to_the_meter_and_nothing_is_negative,
		0, n);
	tcase_add_loop_test(tcase, the_unit_of_use_does_not_matter, 0, n);
	tcase_add_loop_test(tcase, twice_the_watts_are_twice_the_watts, 0, n);
	tcase_add_loop_test(tcase, the_order_of_targets_does_not_matter, 0, n);
	tcase_add_loop_test(
		tcase, splitting_a_target_in_two_changes_nobody_else, 0, n);
	tcase_add_loop_test(tcase, who_used_more_is_not_charged_less, 0, n);
	tcase_add_test(tcase,
		       a_target_within_another_has_its_part_and_is_not_added);
	tcase_add_test(tcase, watts_that_do_not_add_up_are_an_error);
	suite_add_tcase(suite, tcase);
	return suite;
}
