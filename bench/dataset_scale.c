/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features brought to a common scale, by the training part alone.  Rows that
 * are held as floats are changed in place; for rows as files have them the
 * figures are kept, and dataset_batch() applies them.
 */
#include "bench/dataset_kind.h"

#include <math.h>
#include <stdlib.h>

#include "lib/mem.h"

/* (x − centre) × scale, of each feature. */
struct change {
	float *centre, *scale;
};

/* Smaller spreads, beside the size of the values, are rounding. */
#define SPREAD_MIN  1e-7
#define SPREAD_TINY 1e-30

static float scale_for(double spread, double size)
{
	if (spread > SPREAD_MIN * fabs(size) && spread > SPREAD_TINY)
		return (float)(1.0 / spread);
	return 0.0f;
}

/* One training sample as floats; `scratch` has room for it. */
static const float *row(const struct dataset *set, size_t sample,
			float *scratch)
{
	if (set->train.x)
		return set->train.x + sample * set->features;
	dataset_raw_floats(set->train.raw, set->features, sample, scratch);
	return scratch;
}

/* Mean 0 and deviation 1; a constant column becomes 0. */
static void find_standard(const struct dataset *set, struct change *change)
{
	size_t features = set->features, n = set->train.samples;
	double *sum = xcalloc(2 * features, sizeof(*sum));
	double *square = sum + features;
	float *scratch = xcalloc(features, sizeof(*scratch));

	for (size_t i = 0; i < n; i++) {
		const float *x = row(set, i, scratch);

		for (size_t j = 0; j < features; j++)
			sum[j] += (double)x[j] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		const float *x = row(set, i, scratch);

		for (size_t j = 0; j < features; j++) {
			double d = (double)x[j] - sum[j];

			square[j] += d * d / (double)n;
		}
	}
	for (size_t j = 0; j < features; j++) {
		change->centre[j] = (float)sum[j];
		change->scale[j] = scale_for(sqrt(square[j]), sum[j]);
	}
	free(sum);
	free(scratch);
}

/* Least 0, largest 1; a constant column becomes 0. */
static void find_unit(const struct dataset *set, struct change *change)
{
	size_t features = set->features;
	float *scratch = xcalloc(features, sizeof(*scratch));
	float *least = change->centre, *largest = change->scale;

	for (size_t i = 0; i < set->train.samples; i++) {
		const float *x = row(set, i, scratch);

		for (size_t j = 0; j < features; j++) {
			if (!i || x[j] < least[j])
				least[j] = x[j];
			if (!i || x[j] > largest[j])
				largest[j] = x[j];
		}
	}
	for (size_t j = 0; j < features; j++) {
		double range = (double)largest[j] - (double)least[j];

		change->scale[j] = scale_for(range, (double)largest[j]);
	}
	free(scratch);
}

static void part_change(struct dataset_part *part, size_t features,
			const struct change *change)
{
	if (part->raw) {
		part->raw->centre = change->centre;
		part->raw->scale = change->scale;
		return;
	}
	for (size_t i = 0; i < part->samples; i++)
		for (size_t j = 0; j < features; j++) {
			float *x = part->x + i * features + j;

			*x = dataset_changed(*x, change->centre[j],
					     change->scale[j]);
		}
}

/* Bytes become 0 … 1 whatever they are. */
static void bytes_unit(struct dataset *set)
{
	set->train.raw->factor = 1.0f / 255.0f;
	set->test.raw->factor = 1.0f / 255.0f;
}

void dataset_rescale(struct dataset *set, enum dataset_scale scale)
{
	bool bytes = set->train.raw && set->train.raw->type == DATASET_U1;
	struct change change;

	if (bytes && scale != DATASET_SCALE_NONE &&
	    scale != DATASET_SCALE_STANDARD) {
		bytes_unit(set);
		return;
	}
	if (scale != DATASET_SCALE_UNIT && scale != DATASET_SCALE_STANDARD)
		return;
	change.centre = xcalloc(set->features, sizeof(float));
	change.scale = xcalloc(set->features, sizeof(float));
	dataset_store_take(set, change.centre);
	dataset_store_take(set, change.scale);
	if (scale == DATASET_SCALE_STANDARD)
		find_standard(set, &change);
	else
		find_unit(set, &change);
	part_change(&set->train, set->features, &change);
	part_change(&set->test, set->features, &change);
}
