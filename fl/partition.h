/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * partition -- which device owns which samples.
 *
 *	struct partition *split = partition_new("dirichlet:0.5", &set->train,
 *						set->classes, 20, seed, &err);
 *
 *	for (size_t i = 0; i < partition_samples(split, 3); i++)
 *		use(partition_of(split, 3)[i]);
 *	partition_free(split);
 *
 * Kinds: "iid" (a shuffled deck, dealt evenly), "dirichlet:A" (each class is
 * spread over the devices by shares drawn from Dirichlet(A, …, A): the smaller
 * A, the fewer classes a device sees), "shards:K" (K runs of samples sorted by
 * class), "natural" (whoever produced a sample owns it, for data sets that
 * say so; users are dealt out in turn among fewer devices).  To add one: a file partition_KIND.c that exports one `struct
 * partition_kind`, and a line in the table in partition.c; the shared suite in
 * tests/unit/test_partition.c runs over it.
 *
 * Laws: every sample belongs to exactly one device; every device owns at least
 * one; the same seed gives the same partition.
 */
#ifndef FL_PARTITION_H
#define FL_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "bench/dataset.h"
#include "lib/err.h"

/* So that a line of a run's documents stays below what a source reads. */
#define PARTITION_DEVICES_MAX 20000

struct partition {
	size_t devices;
	size_t *start;  /* devices + 1 offsets into `sample` */
	size_t *sample; /* indices of samples, ascending per device */
};

struct partition *partition_new(const char *spec,
				const struct dataset_part *part, size_t classes,
				size_t devices, uint64_t seed, struct err *err);
void partition_free(struct partition *partition); /* accepts NULL */

size_t partition_samples(const struct partition *partition, size_t device);
const size_t *partition_of(const struct partition *partition, size_t device);
/* How many samples of each class a device owns, into count[classes]. */
void partition_classes(const struct partition *partition, size_t device,
		       const struct dataset_part *part, size_t classes,
		       size_t *count);

/* NULL-terminated, for --help and tests. */
const char *const *partition_kinds(void);

/* For kinds: what is to be divided, and among how many. */
struct partition_task {
	const int32_t *label;
	const uint32_t *user; /* NULL: the data set does not say */
	size_t samples, classes, devices;
	uint64_t seed;
	const char *argument; /* behind "KIND:", or NULL */
};

struct partition_kind {
	const char *name;
	/* Say for each sample which device owns it. */
	int (*divide)(const struct partition_task *task, uint32_t *owner,
		      struct err *err);
	const char *summary;
};

/* For kinds: the samples of each class, one class behind the other, in the
 * order of rng_stream(seed, "partition classes", class, 0); start[classes + 1]
 * says where each begins. */
void partition_by_class(const struct partition_task *task, size_t *sample,
			size_t *start);

#endif
