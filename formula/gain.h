/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gain -- how many watts the same work takes at each frequency.
 *
 *	struct gains *gains = gains_new(terms, 1u << CYCLES | 1u << MISSES);
 *
 *	gains_add(gains, x, speed, watts, weight);
 *	gains_pool(gains, gram, moment);	// X'WX, X'Wy of scaled terms
 *	gains_fit(gains, b, variance);
 *	watts = b[0] + gains_at(gains, speed) * b[CYCLES] * x[CYCLES] …
 *	gains_free(gains);
 *
 * Dynamic power goes with activity, frequency and the square of the voltage,
 * and how voltage follows frequency is a secret of each machine.  Here it is
 * one factor for each narrow band of frequencies, common to all terms that are
 * scaled: what readings say in the band, drawn towards a smooth curve p + q f^2
 * through all bands (p, q >= 0; a constant voltage is q = 0, one that is
 * proportional to frequency p = 0).  A frequency never seen has the curve's.
 * The factors' mean, weighted with what is known of them, is 1.
 *
 * Readings are kept as X'WX and X'Wy for each band; `speed` is relative to
 * anything (here, the base frequency).  What does not scale has one band.
 */
#ifndef FORMULA_GAIN_H
#define FORMULA_GAIN_H

#include <stdbool.h>
#include <stddef.h>

#define GAIN_TERMS_MAX 8

struct gains;

/* `scaled`: a bit for each term that goes with the gain. */
struct gains *gains_new(size_t terms, unsigned scaled);
bool gains_is_scaled(const struct gains *gains, size_t term);
void gains_free(struct gains *gains); /* accepts NULL */

void gains_add(struct gains *gains, const double *x, double speed, double watts,
	       double weight);
/* The prior: readings that no frequency is needed for. */
void gains_add_term(struct gains *gains, size_t term, double speed, double xx,
		    double xy);
/* All readings count `keep` of what they did. */
void gains_forget(struct gains *gains, double keep);
/* Of all bands, as if each had a gain of 1. */
void gains_pool(const struct gains *gains,
		double gram[GAIN_TERMS_MAX][GAIN_TERMS_MAX],
		double moment[GAIN_TERMS_MAX]);
/* Given the watts `b` of each term and the variance of a reading. */
void gains_fit(struct gains *gains, const double *b, double variance);
/* 1 for a term that is not scaled. */
double gains_at(const struct gains *gains, size_t term, double speed);
/* Of the gain at that speed. */
double gains_variance(const struct gains *gains, double speed);

#endif
