/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_score -- how far predictions are from what was measured.
 *
 *	struct power_score score;
 *
 *	power_score_init(&score, &table);
 *	power_score_add(&score, &table, &model, watts, beyond, part);
 *	mape = power_tally_mape(&score.all);
 *	power_score_done(&score);
 *
 * Everything is tallied over rows: in all, by group, and by frequency where
 * there are at most POWER_SCORE_STRATA of them.
 */
#ifndef FORMULA_POWER_SCORE_H
#define FORMULA_POWER_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/power_model.h"
#include "formula/power_table.h"

#define POWER_SCORE_STRATA 32

struct power_tally {
	size_t rows;
	double relative; /* sum of |prediction / watts − 1| */
	double watts;    /* sum of |prediction − watts| */
	size_t inside;   /* the 95 % interval */
	size_t beyond;   /* what was learnt */
};

struct power_score {
	struct power_tally all;
	struct power_tally *group; /* as many as the table has */
	size_t groups;
	size_t strata; /* 0: no frequencies, or too many */
	double hertz[POWER_SCORE_STRATA];
	struct power_tally stratum[POWER_SCORE_STRATA];
};

void power_score_init(struct power_score *score,
		      const struct power_table *table);
void power_score_done(struct power_score *score);

/* The rows that `part` marks (NULL: all). */
void power_score_add(struct power_score *score, const struct power_table *table,
		     const struct power_model *model, const double *watts,
		     const bool *beyond, const bool *part);

/* NaN where there are no rows. */
double power_tally_mape(const struct power_tally *tally); /* 0.03: 3 % */
double power_tally_mae(const struct power_tally *tally);  /* watts */
double power_tally_coverage(const struct power_tally *tally);

/* The mean over groups of their MAPE. */
double power_score_group_mape(const struct power_score *score);

#endif
