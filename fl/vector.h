/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vector -- an update as a rule sees it: n numbers, single or double.
 *
 *	struct vector delta = vector_float(update, n);
 *
 *	vector_add(sum, weight, &delta);	// sum += weight · delta
 *
 * Updates travel as floats, sums are doubles, and a rule that reads updates
 * only through these functions runs on doubles as well: so a test compares it
 * with published or golden values to 1e-10.
 *
 * Laws: sums go from index 0 upward, in one fixed order; the memory is
 * borrowed.
 */
#ifndef FL_VECTOR_H
#define FL_VECTOR_H

#include <stddef.h>

struct vector {
	const float *single; /* one of the two */
	const double *wide;
	size_t n;
};

struct vector vector_float(const float *x, size_t n);
struct vector vector_double(const double *x, size_t n);

/* sum[i] += scale · x[i] */
void vector_add(double *sum, double scale, const struct vector *x);

#endif
