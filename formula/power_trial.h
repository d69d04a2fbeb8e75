/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_trial -- a model, or the way models are made, put to the test.
 *
 *	struct power_trial trial = { .kind = POWER_TRIAL_HALVES,
 *				     .seed = 1, .splits = 20 };
 *
 *	power_trial_run(&trial, &table, &map, NULL, sink, &err);
 *	printf("%.1f %%\n", 100 * trial.mape);
 *	power_trial_done(&trial);
 *
 * Leave one out: each group in turn is tested by a model of all others.
 * Halves: a random half of the groups (the larger one of an odd number) trains,
 * the other is tested; split i of a seed is the same whatever their number.
 */
#ifndef FORMULA_POWER_TRIAL_H
#define FORMULA_POWER_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include "formula/power_model.h"
#include "formula/power_score.h"
#include "lib/sink.h"

enum power_trial_kind {
	POWER_TRIAL_MODEL,
	POWER_TRIAL_LEAVE_ONE_OUT,
	POWER_TRIAL_HALVES
};

struct power_trial {
	enum power_trial_kind kind;
	uint64_t seed;
	size_t splits; /* halves: how many; else found out */
	/* All tests together, by row. */
	struct power_score total;
	/* Means over the splits. */
	double mape, coverage;
	double stratum_mape[POWER_SCORE_STRATA];
	double stratum_coverage[POWER_SCORE_STRATA];
};

/* `model` for POWER_TRIAL_MODEL, else NULL.  A fedwatts.power-score/1 for each
 * split goes to `sink`, then one of all. */
int power_trial_run(struct power_trial *trial, const struct power_table *table,
		    const struct power_map *map,
		    const struct power_model *model, struct sink *sink,
		    struct err *err);
struct doc *power_trial_to_doc(const struct power_trial *trial,
			       const struct power_table *table);
void power_trial_done(struct power_trial *trial);

#endif
