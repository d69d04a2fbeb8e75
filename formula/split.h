/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * split -- the watts that a meter reads, among those who did the work, by what a
 * tracker has learnt.
 *
 *	struct split split;
 *
 *	split_init(&split, &tracker, speed, watts, all_work);
 *	split_part(&split, its_work, &part);
 *	// part.above: its part of the watts above idle; part.whole: of all
 *
 * Term 0 of the tracker is idle; a work's x[0] is not looked at.  With b the
 * watts of each term, x a target's work, s all work, P the meter and A = P -
 * b[0], a target's parts are A (b x) / (b s) and P (b x) / (b s): the parts of
 * disjoint works sum to A and P, whatever b.
 *
 * Variances are to first order (JCGM 100:2008, 5.2.2): of the terms as the
 * tracker knows them, and of the reading, which is the tracker's residual.
 */
#ifndef FORMULA_SPLIT_H
#define FORMULA_SPLIT_H

#include "formula/tracker.h"

struct split_part {
	double above, above_variance;
	double whole, whole_variance;
};

struct split {
	size_t terms;
	double watts, idle;
	double idle_variance; /* of `idle` */
	double noise;         /* variance of `watts` */
	double b[TRACKER_TERMS_MAX];
	double covariance[TRACKER_TERMS_MAX][TRACKER_TERMS_MAX];
	double work[TRACKER_TERMS_MAX];
	double by_above, by_whole; /* watts of the meter for one of the model */
};

/* A meter that reads nothing (NaN, 0) gives nothing. */
void split_init(struct split *split, const struct tracker *tracker,
		double speed, double watts, const double *work);
/* Adds to `part`. */
void split_add(const struct split *split, const double *work,
	       struct split_part *part);

#endif
