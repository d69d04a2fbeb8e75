/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* The stratum of a frequency, or `strata`. */
static size_t stratum_of(const struct power_score *score, double hertz)
{
	size_t i = 0;

	while (i < score->strata && score->hertz[i] != hertz)
		i++;
	return i;
}

static int hertz_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void power_score_init(struct power_score *score,
		      const struct power_table *table)
{
	memset(score, 0, sizeof(*score));
	score->group = xcalloc(table->groups + 1, sizeof(*score->group));
	score->groups = table->groups;
	for (size_t i = 0; i < table->rows && table->hertz; i++) {
		if (stratum_of(score, table->hertz[i]) < score->strata)
			continue;
		if (score->strata == POWER_SCORE_STRATA) {
			score->strata = 0;
			return;
		}
		score->hertz[score->strata++] = table->hertz[i];
	}
	qsort(score->hertz, score->strata, sizeof(double), hertz_order);
}

void power_score_done(struct power_score *score)
{
	free(score->group);
	score->group = NULL;
}

static void tally(struct power_tally *tally, double watts, double guess,
		  struct interval pi, bool beyond)
{
	tally->rows++;
	tally->relative += fabs(guess / watts - 1);
	tally->watts += fabs(guess - watts);
	tally->inside += watts >= pi.lo && watts <= pi.hi;
	tally->beyond += beyond;
}

void power_score_add(struct power_score *score, const struct power_table *table,
		     const struct power_model *model, const double *watts,
		     const bool *beyond, const bool *part)
{
	for (size_t i = 0; i < table->rows; i++) {
		double real = table->watts[i], guess = watts[i];
		struct interval pi = power_fit_interval(&model->fit, guess);

		if (part && !part[i])
			continue;
		tally(&score->all, real, guess, pi, beyond[i]);
		tally(&score->group[table->group[i]], real, guess, pi,
		      beyond[i]);
		if (score->strata)
			tally(&score->stratum[stratum_of(score,
							 table->hertz[i])],
			      real, guess, pi, beyond[i]);
	}
}

double power_tally_mape(const struct power_tally *tally)
{
	return tally->relative / (double)tally->rows;
}

double power_tally_mae(const struct power_tally *tally)
{
	return tally->watts / (double)tally->rows;
}

double power_tally_coverage(const struct power_tally *tally)
{
	return (double)tally->inside / (double)tally->rows;
}

double power_score_group_mape(const struct power_score *score)
{
	double sum = 0;
	size_t n = 0;

	for (size_t g = 0; g < score->groups; g++)
		if (score->group[g].rows) {
			sum += power_tally_mape(&score->group[g]);
			n++;
		}
	return sum / (double)n;
}
