/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/split.h"

#include <math.h>
#include <string.h>

/* At or below idle, shares are all that is left to tell: this part of the
 * watts is given away by them. */
#define ABOVE_LEAST 1e-3

static double model_watts(const struct split *split, const double *work)
{
	double sum = 0;

	for (size_t j = 1; j < split->terms; j++)
		sum += split->b[j] * work[j];
	return sum;
}

void split_init(struct split *split, const struct tracker *tracker,
		double speed, double watts, const double *work)
{
	double sum;

	memset(split, 0, sizeof(*split));
	if (!(watts > 0))
		return;
	split->terms = tracker->terms;
	split->watts = watts;
	split->noise = tracker->variance;
	tracker_at(tracker, speed, split->b);
	tracker_covariance(tracker, speed, split->covariance);
	memcpy(split->work, work, split->terms * sizeof(double));
	split->idle = fmin(split->b[0], watts);
	split->idle_variance = split->covariance[0][0];
	sum = model_watts(split, work);
	if (!(sum > 0))
		return;
	split->by_whole = watts / sum;
	split->by_above = fmax(watts - split->idle, ABOVE_LEAST * watts) / sum;
}

void split_add(const struct split *split, const double *work,
	       struct split_part *part)
{
	double model = model_watts(split, work);
	double share = model * split->by_whole / split->watts;
	double off[TRACKER_TERMS_MAX] = { 0 };
	double own = 0, with_idle = 0, above;

	if (!(split->by_whole > 0))
		return;
	/* d(share)/db, but for the factor. */
	for (size_t j = 1; j < split->terms; j++)
		off[j] = work[j] - share * split->work[j];
	for (size_t i = 1; i < split->terms; i++) {
		with_idle += split->covariance[0][i] * off[i];
		for (size_t j = 1; j < split->terms; j++)
			own += off[i] * split->covariance[i][j] * off[j];
	}
	part->above += model * split->by_above;
	part->whole += model * split->by_whole;
	above = split->by_above * split->by_above * own -
		2 * share * split->by_above * with_idle +
		share * share * (split->idle_variance + split->noise);
	part->above_variance += fmax(above, 0);
	part->whole_variance += split->by_whole * split->by_whole * own +
				share * share * split->noise;
}
