/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npy -- an array as NumPy stores it (format versions 1 to 3).
 *
 *	struct npy array;
 *
 *	if (npy_parse(&array, bytes, length, &err) < 0)
 *		...
 *	// array.size[0] rows of array.type behind array.data
 *
 * What is read: whole numbers, reals of 16, 32 and 64 bits and booleans (0
 * and 1), in either byte order and in C's or Fortran's order.  Nothing is
 * copied.  numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef BENCH_NPY_H
#define BENCH_NPY_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/dataset_kind.h"
#include "lib/err.h"

#define NPY_DIMENSIONS_MAX 8

struct npy {
	enum dataset_type type;
	bool swapped; /* the other byte order than this machine's */
	bool fortran; /* the first index runs fastest */
	size_t dimensions;
	size_t size[NPY_DIMENSIONS_MAX];
	size_t elements;
	const unsigned char *data;
};

int npy_parse(struct npy *array, const unsigned char *bytes, size_t length,
	      struct err *err);

#endif
