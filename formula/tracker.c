/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/tracker.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define N TRACKER_TERMS_MAX

/* What was found to serve on generated machines with seeds below 100
 * (tests/e2e/formula_scenario.py); those it is judged by are others.  Results
 * depend little on any of them. */
#define KEEP          0.998 /* of what is known, from tick to tick */
#define PRIOR         0.003 /* of a reading, for each term */
#define RELAX         20    /* ticks before readings are doubted */
#define HUBER         3.0   /* sigmas */
#define SURPRISE      4.0   /* sigmas */
#define SURPRISES_MAX 5
#define FORGET        0.05 /* what is kept when the machine has changed */
#define ROUNDS        2    /* between terms and gains */

void tracker_init(struct tracker *tracker, size_t terms, const double *prior,
		  unsigned scaled)
{
	memset(tracker, 0, sizeof(*tracker));
	tracker->terms = terms;
	tracker->gains = gains_new(terms, scaled);
	memcpy(tracker->prior, prior, terms * sizeof(double));
}

void tracker_done(struct tracker *tracker)
{
	gains_free(tracker->gains);
	tracker->gains = NULL;
}

void tracker_at(const struct tracker *tracker, double speed, double *b)
{
	for (size_t j = 0; j < tracker->terms; j++)
		b[j] = tracker->b[j] * gains_at(tracker->gains, j, speed);
}

double tracker_predict(const struct tracker *tracker, const double *x,
		       double speed)
{
	double b[N], sum = 0;

	tracker_at(tracker, speed, b);
	for (size_t j = 0; j < tracker->terms; j++)
		sum += b[j] * x[j];
	return sum;
}

void tracker_covariance(const struct tracker *tracker, double speed,
			double covariance[N][N])
{
	double of_gain = gains_variance(tracker->gains, speed), by[N];
	bool scaled[N];

	for (size_t i = 0; i < tracker->terms; i++) {
		by[i] = gains_at(tracker->gains, i, speed);
		scaled[i] = gains_is_scaled(tracker->gains, i);
	}
	for (size_t i = 0; i < tracker->terms; i++)
		for (size_t j = 0; j < tracker->terms; j++)
			covariance[i][j] =
				by[i] * by[j] * tracker->inverse[i][j] *
					tracker->variance +
				(scaled[i] && scaled[j]
					 ? tracker->b[i] * tracker->b[j] *
						   of_gain
					 : 0);
}

double tracker_sigma(const struct tracker *tracker, const double *x,
		     double speed)
{
	double covariance[N][N], sum = 0;

	tracker_covariance(tracker, speed, covariance);
	for (size_t i = 0; i < tracker->terms; i++)
		for (size_t j = 0; j < tracker->terms; j++)
			sum += x[i] * covariance[i][j] * x[j];
	return sqrt(fmax(sum, 0));
}

/* ---- b >= 0 ------------------------------------------------------------------ */

/* The terms in use, scaled to a unit diagonal. */
struct active {
	size_t n, term[N];
	double scale[N];
	double factor[N][N]; /* Cholesky, lower */
};

static bool active_factor(const struct tracker *tracker, struct active *active)
{
	for (size_t i = 0; i < active->n; i++) {
		for (size_t j = 0; j <= i; j++) {
			double sum = tracker->gram[active->term[i]]
						  [active->term[j]] *
				     active->scale[active->term[i]] *
				     active->scale[active->term[j]];

			for (size_t k = 0; k < j; k++)
				sum -= active->factor[i][k] *
				       active->factor[j][k];
			if (i == j && !(sum > 1e-12))
				return false;
			active->factor[i][j] =
				i == j ? sqrt(sum) : sum / active->factor[j][j];
		}
	}
	return true;
}

/* Solves for the right-hand side in `v`, in place (scaled). */
static void active_solve(const struct active *active, double *v)
{
	for (size_t i = 0; i < active->n; i++) {
		for (size_t k = 0; k < i; k++)
			v[i] -= active->factor[i][k] * v[k];
		v[i] /= active->factor[i][i];
	}
	for (size_t i = active->n; i-- > 0;) {
		for (size_t k = i + 1; k < active->n; k++)
			v[i] -= active->factor[k][i] * v[k];
		v[i] /= active->factor[i][i];
	}
}

static void active_drop(struct active *active, size_t at)
{
	active->n--;
	memmove(&active->term[at], &active->term[at + 1],
		(active->n - at) * sizeof(active->term[0]));
}

/* The term whose watts would fall fastest, or -1 (scaled by its diagonal, so
 * that terms of any size compare). */
static int entering(const struct tracker *tracker, const struct active *active,
		    const bool *barred)
{
	double most = 1e-9 * sqrt(fmax(tracker->variance, 1e-12));
	int best = -1;

	for (size_t j = 0; j < tracker->terms; j++) {
		double slope = tracker->moment[j];
		bool in = barred[j] || active->scale[j] == 0;

		for (size_t k = 0; k < active->n; k++)
			in |= active->term[k] == j;
		if (in)
			continue;
		for (size_t k = 0; k < tracker->terms; k++)
			slope -= tracker->gram[j][k] * tracker->b[k];
		if (slope * active->scale[j] > most) {
			most = slope * active->scale[j];
			best = (int)j;
		}
	}
	return best;
}

/* From the b there is towards the solution, as far as all stay above 0. */
static void step(struct tracker *tracker, struct active *active,
		 const double *goal)
{
	double most = 1;
	size_t first = active->n;

	for (size_t i = 0; i < active->n; i++) {
		double b = tracker->b[active->term[i]];

		if (goal[i] <= 0 && b / (b - goal[i]) < most) {
			most = b > 0 ? b / (b - goal[i]) : 0;
			first = i;
		}
	}
	for (size_t i = 0; i < active->n; i++) {
		double *b = &tracker->b[active->term[i]];

		*b = fmax(*b + most * (goal[i] - *b), 0);
	}
	if (first < active->n) {
		tracker->b[active->term[first]] = 0;
		active_drop(active, first);
	}
}

static bool settle(struct tracker *tracker, struct active *active)
{
	while (active->n > 0) {
		double goal[N] = { 0 };
		size_t n = active->n;

		if (!active_factor(tracker, active))
			return false;
		for (size_t i = 0; i < n; i++)
			goal[i] = tracker->moment[active->term[i]] *
				  active->scale[active->term[i]];
		active_solve(active, goal);
		for (size_t i = 0; i < n; i++)
			goal[i] *= active->scale[active->term[i]];
		step(tracker, active, goal);
		if (active->n == n)
			return true;
	}
	return true;
}

/* Of all terms, those that were found to be 0 too: how much they may yet be is
 * part of what is not known.  Where they are sums of each other, of those in
 * use. */
static void invert(struct tracker *tracker, const struct active *used)
{
	struct active all = *used, *active = &all;

	all.n = 0;
	for (size_t j = 0; j < tracker->terms; j++)
		if (all.scale[j] > 0)
			all.term[all.n++] = j;
	if (!active_factor(tracker, active)) {
		all = *used;
		if (!active_factor(tracker, active))
			return;
	}
	memset(tracker->inverse, 0, sizeof(tracker->inverse));
	for (size_t j = 0; j < active->n; j++) {
		double v[N] = { 0 };

		v[j] = active->scale[active->term[j]];
		active_solve(active, v);
		for (size_t i = 0; i < active->n; i++)
			tracker->inverse[active->term[i]][active->term[j]] =
				v[i] * active->scale[active->term[i]];
	}
}

static void solve(struct tracker *tracker)
{
	struct active active = { 0 };
	bool barred[N] = { false };

	for (size_t j = 0; j < tracker->terms; j++) {
		if (tracker->gram[j][j] > 0)
			active.scale[j] = 1 / sqrt(tracker->gram[j][j]);
		tracker->b[j] = 0;
	}
	for (size_t round = 0; round < 3 * N; round++) {
		int j = entering(tracker, &active, barred);

		if (j < 0)
			break;
		active.term[active.n++] = (size_t)j;
		if (!settle(tracker, &active)) {
			/* It is a sum of the others. */
			barred[j] = true;
			active_drop(&active, active.n - 1);
			tracker->b[j] = 0;
		}
	}
	invert(tracker, &active);
}

/* ---- learning ------------------------------------------------------------------ */

/* Each term alone is worth what the prior says it is. */
static void prior_add(struct tracker *tracker, const double *x, double speed,
		      double watts)
{
	for (size_t j = 0; j < tracker->terms; j++)
		gains_add_term(tracker->gains, j, speed, PRIOR * x[j] * x[j],
			       PRIOR * x[j] * tracker->prior[j] * watts);
	tracker->variance = 0.01 * watts * watts;
}

/* How much the reading counts, given how far off it is. */
static double doubt(struct tracker *tracker, double residual)
{
	double sigma = sqrt(tracker->variance);
	double off = sigma > 0 ? residual / sigma : 0, clipped;

	if (tracker->ticks > RELAX && fabs(off) > SURPRISE)
		tracker->surprises =
			off > 0 ? (tracker->surprises > 0 ? tracker->surprises
							  : 0) +
					  1
				: (tracker->surprises < 0 ? tracker->surprises
							  : 0) -
					  1;
	else
		tracker->surprises = 0;
	if (tracker->surprises >= SURPRISES_MAX ||
	    tracker->surprises <= -SURPRISES_MAX) {
		gains_forget(tracker->gains, FORGET);
		tracker->surprises = 0;
		tracker->ticks = 1;
		return 1;
	}
	clipped = fmin(fabs(off), HUBER) * sigma;
	tracker->variance += 0.05 * (clipped * clipped - tracker->variance);
	if (tracker->ticks <= RELAX || fabs(off) <= HUBER)
		return 1;
	return HUBER / fabs(off);
}

void tracker_learn(struct tracker *tracker, const double *x, double speed,
		   double watts)
{
	double weight = 1;

	if (tracker->ticks == 0)
		prior_add(tracker, x, speed, watts);
	else
		weight = doubt(tracker,
			       watts - tracker_predict(tracker, x, speed));
	gains_forget(tracker->gains, KEEP);
	gains_add(tracker->gains, x, speed, watts, weight);
	tracker->ticks++;
	for (int round = 0; round < ROUNDS; round++) {
		gains_pool(tracker->gains, tracker->gram, tracker->moment);
		solve(tracker);
		gains_fit(tracker->gains, tracker->b, tracker->variance);
	}
	gains_pool(tracker->gains, tracker->gram, tracker->moment);
	solve(tracker);
}
