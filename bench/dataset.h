/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset -- samples to learn from and to be tested on.
 *
 *	struct dataset *set = dataset_open("fashion-mnist", seed, &err);
 *
 *	dataset_batch(&set->train, set->features, sample, 32, x, label);
 *	dataset_free(set);
 *
 * A SET is a kind, where it lies, and parameters:
 *
 *	fashion-mnist             where Debian's package puts it, or
 *	                          FEDWATTS_FASHION_MNIST
 *	idx:DIR                   the four MNIST-named files
 *	csv:FILE, tsv:FILE, …:DIR a table, or DIR/train.csv and DIR/test.csv;
 *	                          a header is recognised
 *	npy:DIR, npz:FILE         NumPy arrays x and y, or x_train, y_train,
 *	                          x_test and y_test
 *	cifar:DIR                 CIFAR-10 or -100 in their binary form
 *	leaf:DIR                  LEAF's JSON, in DIR/train and DIR/test
 *	heart:DIR or FILE         UCI heart disease; centres are the users
 *	har:DIR                   UCI human activity; subjects are the users
 *	synthetic:NxDxC           N samples of D features in C classes
 *
 * with ?scale=none|unit|standard (as files have it; to 0 … 1; to mean 0 and
 * deviation 1 of the training part, which are applied to both) and ?test=SHARE
 * (what is held out, by a seeded shuffle within each user where users are
 * known, whatever parts the files have); csv and tsv also take label=, user=,
 * missing= and header=.  Files may be gzip'd or xz'd (npz is packed already).
 *
 * A set keeps rows as its files have them where these are arrays: plain files
 * are mapped, so that they may be larger than memory, and dataset_batch() makes
 * floats of what it gathers.  Files must stay as they are while a set is open.
 *
 * To add a kind: dataset_kind.h.
 */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Features of all samples of a part that is held in memory, in floats. */
#define DATASET_FLOATS_MAX ((size_t)1 << 30)
/* More different values in a column of labels are hardly classes. */
#define DATASET_CLASSES_MAX 1000
#define DATASET_USERS_MAX   100000

struct dataset_raw;

struct dataset_part {
	float *x; /* samples × features, row-major; NULL: kept in `raw` */
	struct dataset_raw *raw;
	int32_t *label;
	uint32_t *user; /* who produced each; NULL: the set does not say */
	size_t samples;
};

struct dataset {
	char name[256];
	size_t features, classes;
	size_t users; /* 0 where the set does not say */
	struct dataset_part train, test;
	struct dataset_store *store; /* dataset_kind.h */
};

struct dataset *dataset_open(const char *set, uint64_t seed, struct err *err);
void dataset_free(struct dataset *set); /* accepts NULL */

/* The samples with these indices, as floats, n × features, and their labels.
 * Threads may do so at the same time. */
void dataset_batch(const struct dataset_part *part, size_t features,
		   const size_t *sample, size_t n, float *x, int32_t *label);

/* Where fashion-mnist was found, or NULL: for doctor. */
const char *dataset_fashion_mnist(void);
/* "fashion-mnist, idx:DIR, csv:FILE …": for --help, doctor and errors.  A
 * static buffer. */
const char *dataset_forms(void);

#endif
