/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gaussian clusters: a centre per class, unit noise around it.
 *
 * Centres are normal with a deviation that puts two of them a distance of
 * about DISTANCE apart whatever the number of features (two points of
 * deviation s in D dimensions are s · sqrt(2 D) apart), so that a pair of
 * classes overlaps by Φ(−DISTANCE/2), about 2 %: to be learnt, but not to
 * 100 %.
 */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define DISTANCE 4.0
#define HELD_OUT 10 /* every tenth */

/* "1000x20x4"; what stands there must be three numbers and nothing else. */
static int sizes_read(const char *text, size_t size[3], struct err *err)
{
	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(text, "0123456789");

		if (!digits || digits > 9 || text[digits] != (i < 2 ? 'x' : 0))
			return err_set(err, EINVAL,
				       "expected samples x features x classes "
				       "as in synthetic:1000x20x4");
		size[i] = strtoul(text, NULL, 10);
		text += digits + (i < 2);
	}
	if (size[0] < HELD_OUT || size[1] < 1 || size[1] > NET_WIDTH_MAX ||
	    size[2] < 2 || size[2] > DATASET_CLASSES_MAX)
		return err_set(err, EINVAL,
			       "%zux%zux%zu: at least %d samples, 1 … %d "
			       "features and 2 … %d classes",
			       size[0], size[1], size[2], HELD_OUT,
			       NET_WIDTH_MAX, DATASET_CLASSES_MAX);
	return 0;
}

static float *centres_new(size_t features, size_t classes, uint64_t seed)
{
	double deviation = DISTANCE / sqrt(2.0 * (double)features);
	float *centre = xcalloc(features * classes, sizeof(*centre));
	struct rng rng = rng_stream(seed, "synthetic centre", 0, 0);

	for (size_t i = 0; i < features * classes; i++)
		centre[i] = (float)(deviation * rng_normal(&rng));
	return centre;
}

/* A stream per sample: the first thousand of two thousand are the same as a
 * thousand. */
static void part_draw(struct dataset_part *part, size_t first,
		      const struct dataset *set, const float *centre,
		      uint64_t seed)
{
	for (size_t i = 0; i < part->samples; i++) {
		struct rng rng =
			rng_stream(seed, "synthetic sample", first + i, 0);
		size_t class = rng_below(&rng, set->classes);
		const float *c = centre + class * set->features;
		float *x = part->x + i * set->features;

		part->label[i] = (int32_t) class;
		for (size_t j = 0; j < set->features; j++)
			x[j] = c[j] + (float)rng_normal(&rng);
	}
}

static int synthetic_read(struct dataset *set, const char *sizes,
			  const struct dataset_options *options,
			  struct err *err)
{
	size_t size[3] = { 0 }, held_out;
	float *centre;

	if (sizes_read(sizes, size, err) < 0)
		return -1;
	held_out = size[0] / HELD_OUT;
	set->features = size[1];
	set->classes = size[2];
	if (dataset_part_new(&set->train, size[0] - held_out, size[1], err) <
		    0 ||
	    dataset_part_new(&set->test, held_out, size[1], err) < 0)
		return -1;
	centre = centres_new(set->features, set->classes, options->seed);
	part_draw(&set->train, 0, set, centre, options->seed);
	part_draw(&set->test, set->train.samples, set, centre, options->seed);
	free(centre);
	return 0;
}

const struct dataset_kind dataset_kind_synthetic = {
	.scheme = "synthetic",
	.form = "synthetic:NxDxC",
	.fields = dataset_fields,
	.scale = DATASET_SCALE_NONE,
	.read = synthetic_read,
};
