/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset -- samples to learn from and to be tested on.
 *
 *	struct dataset *set = dataset_open("fashion-mnist", seed, &err);
 *
 *	use(set->train.x, set->train.label, set->train.samples);
 *	dataset_free(set);
 *
 * SET is "fashion-mnist" (where Debian's dataset-fashion-mnist puts it, or
 * FEDWATTS_FASHION_MNIST), "idx:DIR" (the four MNIST-named files, plain or
 * .gz), "csv:FILE" (last column is the class; a header is recognised; features
 * are standardised by the training part; the last fifth of a seeded shuffle is
 * the test part), "synthetic:NxDxC" (N samples of D features in C classes:
 * Gaussian clusters, a tenth held out).
 *
 * Features are floats (images: 0 … 1), x is samples × features, row-major.
 * To add a kind: a file dataset_KIND.c and a line in the table in dataset.c.
 */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Features of all samples of a part, in floats. */
#define DATASET_FLOATS_MAX ((size_t)1 << 30)
/* More different values in a CSV's last column are hardly classes. */
#define DATASET_CLASSES_MAX 1000

struct dataset_part {
	float *x;
	int32_t *label;
	size_t samples;
};

struct dataset {
	char name[256];
	size_t features, classes;
	struct dataset_part train, test;
};

struct dataset *dataset_open(const char *set, uint64_t seed, struct err *err);
void dataset_free(struct dataset *set); /* accepts NULL */

/* Where fashion-mnist was found, or NULL: for doctor. */
const char *dataset_fashion_mnist(void);

#endif
