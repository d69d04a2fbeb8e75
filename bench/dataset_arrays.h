/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_arrays -- a data set of NumPy arrays, wherever they lie: x_train,
 * y_train, x_test and y_test, or x and y; the first dimension of each counts
 * samples.  user_train, user_test or user may say who produced them.
 */
#ifndef BENCH_DATASET_ARRAYS_H
#define BENCH_DATASET_ARRAYS_H

#include "bench/dataset_kind.h"
#include "bench/npy.h"

struct dataset_arrays {
	const char *place; /* for messages */
	void *self;
	/* 1, 0 when there is no such array, -1; bytes that live with the
	 * set.  Errors name the array. */
	int (*find)(void *self, struct dataset *set, const char *name,
		    const unsigned char **bytes, size_t *length,
		    struct err *err);
};

int dataset_arrays_read(struct dataset *set,
			const struct dataset_arrays *arrays, struct err *err);

#endif
