/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tracker -- watts as a sum of non-negative terms, learnt tick by tick.
 *
 *	struct tracker tracker;
 *	double x[] = { 1, 2.1e9, 3.0e9 };
 *
 *	tracker_init(&tracker, 3, (const double[]){ 0.4, 0.3, 0.3 });
 *	tracker_learn(&tracker, x, 31.5);
 *	watts = tracker_predict(&tracker, x);
 *	sigma = tracker_sigma(&tracker, x);
 *
 * Keeps X'WX and X'Wy with exponential forgetting, and solves for b >= 0 after
 * each tick (active set on the normal equations, columns scaled to unit
 * diagonal; Lawson and Hanson 1974, chapter 23).  The first reading gives a weak
 * prior: the part of its watts that each term is said to have.  Readings far from what was expected count less (Huber 1964); several in a row
 * on one side mean that the machine has changed, and most of what was learnt is
 * forgotten.
 */
#ifndef FORMULA_TRACKER_H
#define FORMULA_TRACKER_H

#include <stddef.h>

#include "formula/gain.h"

#define TRACKER_TERMS_MAX GAIN_TERMS_MAX

struct tracker {
	size_t terms, ticks;
	struct gains *gains;
	double gram[TRACKER_TERMS_MAX][TRACKER_TERMS_MAX];
	double moment[TRACKER_TERMS_MAX];
	double prior[TRACKER_TERMS_MAX];
	double b[TRACKER_TERMS_MAX]; /* >= 0 */
	/* (X'WX)^-1 */
	double inverse[TRACKER_TERMS_MAX][TRACKER_TERMS_MAX];
	double variance; /* of a reading, W^2 */
	int surprises;   /* in a row; negative: below what was expected */
};

/* `scaled`: a bit for each term whose watts depend on the frequency (gain.h). */
void tracker_init(struct tracker *tracker, size_t terms, const double *prior,
		  unsigned scaled);
void tracker_done(struct tracker *tracker);
void tracker_learn(struct tracker *tracker, const double *x, double speed,
		   double watts);
/* Watts of each term at that speed: `b` has room for all. */
void tracker_at(const struct tracker *tracker, double speed, double *b);
double tracker_predict(const struct tracker *tracker, const double *x,
		       double speed);
/* What is not known of tracker_at()'s watts, and 1 sigma of the prediction. */
void tracker_covariance(
	const struct tracker *tracker, double speed,
	double covariance[TRACKER_TERMS_MAX][TRACKER_TERMS_MAX]);
double tracker_sigma(const struct tracker *tracker, const double *x,
		     double speed);

#endif
