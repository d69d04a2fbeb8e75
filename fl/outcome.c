/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/outcome.h"

#include <errno.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "lib/mem.h"

struct outcome *outcome_new(size_t clients, const struct field_list *targets,
			    struct err *err)
{
	struct outcome *outcome = xcalloc(1, sizeof(*outcome));

	if (targets->count > OUTCOME_TARGETS_MAX) {
		err_set(err, EINVAL, "targets: more than %d",
			OUTCOME_TARGETS_MAX);
		goto fail;
	}
	for (size_t i = 0; i < targets->count; i++)
		if (kind_number("targets", "X,…", targets->item[i], 0.0, 1.0,
				&outcome->target[outcome->targets++].accuracy,
				err) < 0)
			goto fail;
	outcome->clients = clients;
	outcome->spent_j = xcalloc(clients, sizeof(double));
	outcome->updates = xcalloc(clients, sizeof(double));
	return outcome;
fail:
	outcome_free(outcome);
	return NULL;
}

void outcome_free(struct outcome *outcome)
{
	if (!outcome)
		return;
	free(outcome->spent_j);
	free(outcome->updates);
	free(outcome);
}

static void reach(struct target *target, const struct round_result *round)
{
	target->round = round->round;
	target->time_s = round->time_s;
	target->energy_total_j = round->energy_total_j;
	target->energy_total_sigma_j = round->energy_total_sigma_j;
}

void outcome_add(struct outcome *outcome, const struct round_result *round)
{
	for (size_t i = 0; i < round->replies; i++) {
		const struct reply *reply = &round->reply[i];

		outcome->spent_j[reply->client] += reply->work.joules;
		outcome->updates[reply->client] += reply->took_part;
	}
	outcome->ran_dry += round->ran_dry;
	for (int s = 0; s < SKIP_KINDS; s++)
		outcome->skipped[s] += round->skipped[s];
	for (size_t i = 0; i < outcome->targets; i++)
		if (!outcome->target[i].round &&
		    round->accuracy >= outcome->target[i].accuracy)
			reach(&outcome->target[i], round);
	if (!outcome->best.round || round->accuracy > outcome->best.accuracy) {
		outcome->best.accuracy = round->accuracy;
		reach(&outcome->best, round);
	}
	outcome->last[outcome->rounds++ % OUTCOME_LAST] = round->accuracy;
	outcome->accuracy = round->accuracy;
	outcome->loss = round->loss;
	outcome->time_s = round->time_s;
	outcome->energy_total_j = round->energy_total_j;
	outcome->energy_total_sigma_j = round->energy_total_sigma_j;
	outcome->left_share = round->left_share;
}

double outcome_accuracy_last(const struct outcome *outcome)
{
	size_t n =
		outcome->rounds < OUTCOME_LAST ? outcome->rounds : OUTCOME_LAST;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += outcome->last[i];
	return sum / (double)n;
}

double outcome_jain(const double *x, size_t n)
{
	double sum = 0.0, squares = 0.0;

	for (size_t i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	return squares > 0.0 ? sum * sum / ((double)n * squares) : 1.0;
}
