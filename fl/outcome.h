/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outcome -- what a round gave, and what a run amounts to in the end.
 *
 *	struct outcome *outcome = outcome_new(clients, &targets, &err);
 *
 *	outcome_add(outcome, &round);
 *	printf("%g\n", outcome_jain(outcome->spent_j, outcome->clients));
 *	outcome_free(outcome);
 *
 * Fairness is Jain's index (Jain, Chiu and Hawe 1984): (Σx)² / (n Σx²), 1 when
 * all have the same, 1/n when one has everything.
 */
#ifndef FL_OUTCOME_H
#define FL_OUTCOME_H

#include <stddef.h>

#include "fl/client.h"
#include "lib/err.h"
#include "lib/field.h"

#define OUTCOME_TARGETS_MAX 64
/* The mean of so many last rounds is judged beside the last one, which
 * depends much on who happened to take part in it. */
#define OUTCOME_LAST 5

struct round_result {
	size_t round;          /* from 1 */
	double time_s;         /* when it ended */
	double accuracy, loss; /* of the model after it, on the test part */
	double energy_j, energy_sigma_j; /* whole fleet, this round */
	double energy_total_j, energy_total_sigma_j;
	double left_share;         /* of all budgets; NAN where there is none */
	const struct reply *reply; /* one for each client, by number */
	size_t replies;
	size_t in, ran_dry, skipped[SKIP_KINDS];
};

struct target {
	double accuracy;
	size_t round; /* the first that reached it; 0: none did */
	double time_s, energy_total_j, energy_total_sigma_j;
};

struct outcome {
	size_t clients, rounds;
	double *spent_j; /* by client */
	double *updates; /* by client: how often it gave one */
	size_t ran_dry, skipped[SKIP_KINDS]; /* client-rounds */
	struct target target[OUTCOME_TARGETS_MAX];
	size_t targets;
	struct target best; /* the first round with the best accuracy */
	double last[OUTCOME_LAST];
	double accuracy, loss; /* after the last round */
	double time_s, energy_total_j, energy_total_sigma_j, left_share;
};

struct outcome *outcome_new(size_t clients, const struct field_list *targets,
			    struct err *err);
void outcome_free(struct outcome *outcome); /* accepts NULL */

void outcome_add(struct outcome *outcome, const struct round_result *round);

/* Mean accuracy of the last rounds (at most OUTCOME_LAST). */
double outcome_accuracy_last(const struct outcome *outcome);
/* 1 where all are 0. */
double outcome_jain(const double *x, size_t n);

#endif
