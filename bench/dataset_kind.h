/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_kind -- how one form of data set is read.
 *
 * A kind is a file dataset_KIND.c that exports one `struct dataset_kind`, and
 * a line in the table in dataset.c; tests/unit/test_dataset.c runs over it.
 *
 * Laws: every label is below `classes`; both parts have samples; every feature
 * is finite; the same text and seed give the same bits.  A size that comes from
 * a file is checked by dataset_part_new() before memory is taken, and data are
 * read before room is made for what a header merely promises.
 */
#ifndef BENCH_DATASET_KIND_H
#define BENCH_DATASET_KIND_H

#include "bench/dataset.h"

struct dataset_kind {
	const char *scheme; /* "idx" */
	const char *form;   /* "idx:DIR" */
	/* Fill `set`, which is zeroed, from what stands behind the colon.  On
	 * an error dataset_open() frees what is there. */
	int (*read)(struct dataset *set, const char *rest, uint64_t seed,
		    struct err *err);
};

extern const struct dataset_kind dataset_kind_idx, dataset_kind_csv,
	dataset_kind_synthetic;

/* Room for samples × features; EFBIG beyond DATASET_FLOATS_MAX. */
int dataset_part_new(struct dataset_part *part, size_t samples, size_t features,
		     struct err *err);

#endif
