/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <string.h>

#include "fl/policy.h"

Suite *policy_suite(void);

#define ROUNDS    30
#define STEPS_MIN 5

/* 1 J a step, 95 % of runs within 0.8 … 1.2 J. */
static struct device device_make(size_t id, double budget_j)
{
	return (struct device){
		.id = id,
		.scale_joules = 1.0,
		.scale_seconds = 1.0,
		.budget_j = budget_j,
		.step = {
			.seconds = { .mean = 0.010, .pi = { 0.009, 0.011 } },
			.joules = { .mean = 1.0, .pi = { 0.8, 1.2 } },
		},
	};
}

static struct policy_view view_make(const struct device *device, size_t round)
{
	return (struct policy_view){
		.device = device,
		.round = round,
		.rounds = ROUNDS,
		.turns = (double)(ROUNDS - round),
		.full = { 50, 32, "fp32" },
		.steps_min = STEPS_MIN,
		.seed = 1,
	};
}

static struct policy *open(const char *spec)
{
	struct err err = { 0 };
	struct policy *policy = policy_open(spec, &err);

	ck_assert_msg(policy != NULL, "%s", err.text);
	return policy;
}

/* ---- laws that every kind keeps ---------------------------------------- */

static const double budgets[] = { 0.5,   4.0,    30.0,   200.0,
				  777.7, 1500.0, 1900.0, (double)INFINITY };

#define BUDGETS (sizeof(budgets) / sizeof(budgets[0]))

static void check_decision(const struct policy *policy,
			   const struct policy_view *view,
			   const struct decision *decision)
{
	struct action_cost cost;

	if (decision->skip != SKIP_NO) {
		ck_assert(decision->skip == SKIP_EMPTY ||
			  decision->skip == SKIP_SAVING);
		return;
	}
	ck_assert_uint_ge(decision->action.steps, view->steps_min);
	ck_assert_uint_le(decision->action.steps, view->full.steps);
	ck_assert_uint_eq(decision->action.batch, view->full.batch);
	ck_assert_str_eq(decision->action.precision, "fp32");
	ck_assert_double_gt(device_left(view->device), 0.0);
	device_predict(view->device, &decision->action, &cost);
	if (policy_watches(policy))
		ck_assert_double_le(cost.joules_hi,
				    device_left(view->device) * (1 + 1e-12));
}

/* One device through a run; returns in how many rounds it ran dry. */
static size_t live(struct policy *policy, struct device *device, uint64_t seed)
{
	size_t dry = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		struct policy_view view = view_make(device, round);
		struct decision decision;
		struct work work;

		policy_decide(policy, &view, &decision);
		check_decision(policy, &view, &decision);
		if (decision.skip != SKIP_NO)
			continue;
		device_work(device, &decision.action, round, seed,
			    policy_watches(policy), &work);
		policy_learn(policy, &view, &decision, &work);
		ck_assert_double_ge(device_left(device), 0.0);
		dry += work.ran_dry;
	}
	return dry;
}

START_TEST(actions_stay_within_bounds_and_budgets)
{
	const char *kind = policy_kinds()[_i];

	for (uint64_t seed = 0; seed < 20; seed++)
		for (size_t b = 0; b < BUDGETS; b++) {
			struct policy *policy = open(kind);
			struct device device = device_make(b, budgets[b]);
			size_t dry = live(policy, &device, seed);

			if (policy_watches(policy))
				ck_assert_uint_eq(dry, 0);
			else
				ck_assert_uint_le(dry, 1);
			policy_close(policy);
		}
}
END_TEST

START_TEST(the_same_history_gives_the_same_decisions)
{
	const char *kind = policy_kinds()[_i];
	struct device a = device_make(1, 500.0), b = device_make(1, 500.0);
	struct policy *one = open(kind), *other = open(kind);

	live(one, &a, 4);
	live(other, &b, 4);
	ck_assert_double_eq(a.spent_j, b.spent_j);
	policy_close(one);
	policy_close(other);
}
END_TEST

START_TEST(without_a_budget_everything_is_done)
{
	struct device device = device_make(0, (double)INFINITY);
	struct policy *policy = open(policy_kinds()[_i]);
	struct policy_view view = view_make(&device, 0);
	struct decision decision;

	policy_decide(policy, &view, &decision);
	ck_assert_int_eq(decision.skip, SKIP_NO);
	ck_assert_uint_eq(decision.action.steps, 50);
	policy_close(policy);
}
END_TEST

/* ---- what each kind is for --------------------------------------------- */

START_TEST(none_trains_fully_until_it_is_empty)
{
	struct device device = device_make(0, 120.0);
	struct policy *policy = open("none");
	struct decision decision;
	size_t full = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		struct policy_view view = view_make(&device, round);
		struct work work;

		policy_decide(policy, &view, &decision);
		if (decision.skip != SKIP_NO)
			continue;
		ck_assert_uint_eq(decision.action.steps, 50);
		device_work(&device, &decision.action, round, 1, false, &work);
		full += !work.ran_dry;
	}
	/* 120 J pay for two rounds of about 50 J; the third is lost. */
	ck_assert_uint_eq(full, 2);
	ck_assert_int_eq(decision.skip, SKIP_EMPTY);
	ck_assert_double_eq(device_left(&device), 0.0);
	policy_close(policy);
}
END_TEST

START_TEST(uniform_spends_a_fair_share_each_round)
{
	struct device device = device_make(0, 720.0);
	struct policy *policy = open("uniform");
	struct policy_view view = view_make(&device, 0);
	struct decision decision;

	/* 720 J / 30 rounds = 24 J = 20 steps of at most 1.2 J. */
	policy_decide(policy, &view, &decision);
	ck_assert_int_eq(decision.skip, SKIP_NO);
	ck_assert_uint_eq(decision.action.steps, 20);
	/* What was not needed is spread over the rounds that remain. */
	device.spent_j = 20.0;
	view = view_make(&device, 10);
	policy_decide(policy, &view, &decision);
	ck_assert_uint_eq(decision.action.steps, 29);
	policy_close(policy);
}
END_TEST

START_TEST(uniform_saves_until_a_round_is_worth_it)
{
	/* 90 J / 30 = 3 J: fewer than 5 steps; with 15 turns left, 6 J fit. */
	struct device device = device_make(0, 90.5);
	struct policy *policy = open("uniform");
	struct policy_view view = view_make(&device, 0);
	struct decision decision;

	policy_decide(policy, &view, &decision);
	ck_assert_int_eq(decision.skip, SKIP_SAVING);
	view = view_make(&device, 15);
	policy_decide(policy, &view, &decision);
	ck_assert_int_eq(decision.skip, SKIP_NO);
	ck_assert_uint_eq(decision.action.steps, 5);
	/* Nothing will ever pay for the smallest round. */
	device.spent_j = 85.0;
	policy_decide(policy, &view, &decision);
	ck_assert_int_eq(decision.skip, SKIP_EMPTY);
	policy_close(policy);
}
END_TEST

START_TEST(uniform_leaves_little_unspent)
{
	struct device device = device_make(0, 700.0);
	struct policy *policy = open("uniform");

	live(policy, &device, 2);
	ck_assert_double_lt(device_left(&device), 0.05 * 700.0);
	policy_close(policy);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
	struct err err = { 0 };

	ck_assert_ptr_null(policy_open("unifrom", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "did you mean 'uniform'"));
	ck_assert_ptr_null(policy_open("none:3", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "takes nothing"));
}
END_TEST

static int kinds(void)
{
	int n = 0;

	while (policy_kinds()[n])
		n++;
	return n;
}

Suite *policy_suite(void)
{
	Suite *suite = suite_create("policy");
	TCase *tcase = tcase_create("policy");

	tcase_add_loop_test(tcase, actions_stay_within_bounds_and_budgets, 0,
			    kinds());
	tcase_add_loop_test(tcase, the_same_history_gives_the_same_decisions, 0,
			    kinds());
	tcase_add_loop_test(tcase, without_a_budget_everything_is_done, 0,
			    kinds());
	tcase_add_test(tcase, none_trains_fully_until_it_is_empty);
	tcase_add_test(tcase, uniform_spends_a_fair_share_each_round);
	tcase_add_test(tcase, uniform_saves_until_a_round_is_worth_it);
	tcase_add_test(tcase, uniform_leaves_little_unspent);
	tcase_add_test(tcase, unknown_kinds_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
