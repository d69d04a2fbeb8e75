/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fl/rule.h"
#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/rng.h"

Suite *rule_suite(void);

#define D       1000
#define CLIENTS 7

static struct rule *open(const char *spec, size_t clients, size_t parameters)
{
	struct err err = { 0 };
	struct rule *rule = rule_open(spec, clients, parameters, &err);

	ck_assert_msg(rule != NULL, "%s", err.text);
	return rule;
}

/* Updates of CLIENTS clients with samples and steps of their own. */
struct round {
	float *delta[CLIENTS];
	struct update update[CLIENTS];
};

static void round_make(struct round *round, uint64_t seed)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		struct rng rng = rng_stream(seed, "delta", k, 0);

		round->delta[k] = xcalloc(D, sizeof(float));
		for (size_t i = 0; i < D; i++)
			round->delta[k][i] = (float)rng_normal(&rng);
		round->update[k] = (struct update){
			.client = 2 * k + 1,
			.samples = 10.0 + 37.0 * (double)k,
			.steps = 5 + k,
			.delta = vector_float(round->delta[k], D),
		};
	}
}

static void round_done(struct round *round)
{
	for (size_t k = 0; k < CLIENTS; k++)
		free(round->delta[k]);
}

/* ---- laws that every kind keeps ---------------------------------------- */

START_TEST(the_order_in_which_updates_come_changes_no_bit)
{
	const char *kind = rule_kinds()[_i];
	struct rule *a = open(kind, 2 * CLIENTS, D);
	struct rule *b = open(kind, 2 * CLIENTS, D);
	double x[D] = { 0 }, y[D] = { 0 };

	for (uint64_t t = 0; t < 3; t++) {
		struct round round;
		struct update shuffled[CLIENTS];

		round_make(&round, t);
		for (size_t k = 0; k < CLIENTS; k++)
			shuffled[k] = round.update[(3 * k + t) % CLIENTS];
		rule_combine(a, x, round.update, CLIENTS);
		rule_combine(b, y, shuffled, CLIENTS);
		ck_assert_mem_eq(x, y, sizeof(x));
		round_done(&round);
	}
	ck_assert_double_ne(x[0], 0.0);
	rule_close(a);
	rule_close(b);
}
END_TEST

/* Weights sum to one: what all clients agree on is what happens. */
START_TEST(equal_updates_move_the_model_by_just_that)
{
	struct rule *rule = open(rule_kinds()[_i], 2 * CLIENTS, D);
	struct round round;
	double x[D];

	round_make(&round, 5);
	for (size_t k = 0; k < CLIENTS; k++) {
		round.update[k].delta = vector_float(round.delta[0], D);
		round.update[k].steps = 5;
	}
	for (size_t i = 0; i < D; i++)
		x[i] = (double)i;
	rule_combine(rule, x, round.update, CLIENTS);
	for (size_t i = 0; i < D; i++)
		ck_assert_double_eq_tol(x[i] - (double)i,
					(double)round.delta[0][i], 1e-9);
	round_done(&round);
	rule_close(rule);
}
END_TEST

START_TEST(a_round_without_updates_changes_nothing)
{
	struct rule *rule = open(rule_kinds()[_i], CLIENTS, 3);
	double x[3] = { 1.0, -2.0, 0.5 };

	rule_combine(rule, x, NULL, 0);
	ck_assert_double_eq(x[0], 1.0);
	ck_assert_double_eq(x[1], -2.0);
	ck_assert_double_eq(x[2], 0.5);
	rule_close(rule);
}
END_TEST

/* ---- fedavg ------------------------------------------------------------- */

START_TEST(fedavg_weighs_by_samples)
{
	struct rule *rule = open("fedavg", 2, 2);
	const float a[2] = { 1.0f, 0.0f }, b[2] = { 0.0f, 4.0f };
	const struct update updates[] = {
		{ 0, 30.0, 1, vector_float(a, 2) },
		{ 1, 10.0, 9, vector_float(b, 2) },
	};
	double x[2] = { 10.0, 20.0 };

	rule_combine(rule, x, updates, 2);
	ck_assert_double_eq_tol(x[0], 10.75, 1e-12);
	ck_assert_double_eq_tol(x[1], 21.0, 1e-12);
	rule_close(rule);
}
END_TEST

/* ---- golden vectors ------------------------------------------------------
 * Three clients with quadratic losses F_k(x) = ½ Σ_j A_kj (x_j − b_kj)², τ_k
 * exact gradient steps each, and a schedule of who takes part: the problem and
 * the models after each round are in fl-golden.json. */

#define GOLDEN_CLIENTS 3
#define GOLDEN_D       3

struct problem {
	double a[GOLDEN_CLIENTS][GOLDEN_D], b[GOLDEN_CLIENTS][GOLDEN_D];
	double n[GOLDEN_CLIENTS], eta;
	size_t tau[GOLDEN_CLIENTS];
	const struct doc *schedule;
};

static double at(const struct doc *array, size_t i)
{
	double value = doc_real(doc_at(array, i), (double)NAN);

	ck_assert(isfinite(value));
	return value;
}

static void problem_read(const struct doc *golden, struct problem *problem)
{
	const struct doc *doc = doc_get(golden, "_problem");

	problem->eta = doc_real(doc_get(doc, "eta"), (double)NAN);
	problem->schedule = doc_get(doc, "S");
	for (size_t k = 0; k < GOLDEN_CLIENTS; k++) {
		problem->n[k] = at(doc_get(doc, "n"), k);
		problem->tau[k] = (size_t)at(doc_get(doc, "tau"), k);
		for (size_t j = 0; j < GOLDEN_D; j++) {
			problem->a[k][j] = at(doc_at(doc_get(doc, "A"), k), j);
			problem->b[k][j] = at(doc_at(doc_get(doc, "b"), k), j);
		}
	}
}

static void local_steps(const struct problem *problem, size_t k,
			const double *x, double *delta)
{
	double y[GOLDEN_D];

	memcpy(y, x, sizeof(y));
	for (size_t s = 0; s < problem->tau[k]; s++)
		for (size_t j = 0; j < GOLDEN_D; j++)
			y[j] -= problem->eta * problem->a[k][j] *
				(y[j] - problem->b[k][j]);
	for (size_t j = 0; j < GOLDEN_D; j++)
		delta[j] = y[j] - x[j];
}

static void check_golden(const struct doc *golden, const char *spec,
			 const char *name)
{
	struct rule *rule = open(spec, GOLDEN_CLIENTS, GOLDEN_D);
	const struct doc *rounds = doc_get(golden, name);
	double x[GOLDEN_D] = { 0 };
	struct problem problem;

	problem_read(golden, &problem);
	ck_assert_uint_ge(doc_count(rounds), 1);
	for (size_t t = 0; t < doc_count(rounds); t++) {
		const struct doc *present = doc_at(problem.schedule, t);
		double delta[GOLDEN_CLIENTS][GOLDEN_D];
		struct update update[GOLDEN_CLIENTS];
		size_t n = doc_count(present);

		for (size_t i = 0; i < n; i++) {
			size_t k = (size_t)at(present, i);

			local_steps(&problem, k, x, delta[i]);
			update[i] = (struct update){
				k, problem.n[k], problem.tau[k],
				vector_double(delta[i], GOLDEN_D)
			};
		}
		rule_combine(rule, x, update, n);
		for (size_t j = 0; j < GOLDEN_D; j++)
			ck_assert_double_eq_tol(x[j], at(doc_at(rounds, t), j),
						1e-10);
	}
	rule_close(rule);
}

static const struct {
	const char *spec, *name;
} golden_rules[] = {
	{ "fedavg", "fedavg" },
};

START_TEST(golden_vectors_are_reproduced)
{
	const char *shared = getenv("FEDWATTS_SHARED");
	char *path = xasprintf("%s/golden/fl-golden.json",
			       shared ? shared : "../shared");
	struct err err = { 0 };
	struct doc *golden;

	if (access(path, R_OK)) {
		printf("skip: %s is not here (FEDWATTS_SHARED)\n", path);
		free(path);
		return;
	}
	golden = doc_read(path, &err);
	ck_assert_msg(golden != NULL, "%s", err.text);
	check_golden(golden, golden_rules[_i].spec, golden_rules[_i].name);
	doc_free(golden);
	free(path);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
	struct err err = { 0 };

	ck_assert_ptr_null(rule_open("fedavgg", 3, 3, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "did you mean 'fedavg'"));
	ck_assert_ptr_null(rule_open("fedavg:1", 3, 3, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "takes nothing"));
}
END_TEST

static int kinds(void)
{
	int n = 0;

	while (rule_kinds()[n])
		n++;
	return n;
}

Suite *rule_suite(void)
{
	Suite *suite = suite_create("rule");
	TCase *tcase = tcase_create("rule");

	tcase_add_loop_test(tcase,
			    the_order_in_which_updates_come_changes_no_bit, 0,
			    kinds());
	tcase_add_loop_test(tcase, equal_updates_move_the_model_by_just_that, 0,
			    kinds());
	tcase_add_loop_test(tcase, a_round_without_updates_changes_nothing, 0,
			    kinds());
	tcase_add_test(tcase, fedavg_weighs_by_samples);
	tcase_add_loop_test(
		tcase, golden_vectors_are_reproduced, 0,
		(int)(sizeof(golden_rules) / sizeof(golden_rules[0])));
	tcase_add_test(tcase, unknown_kinds_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
