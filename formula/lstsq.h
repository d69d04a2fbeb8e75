/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lstsq -- linear least squares, plain and non-negative.
 *
 *	minimise  sum_i  w_i (y_i - sum_j X_ij b_j)^2      over b  (b >= 0)
 *
 *	double b[3], covariance[9];
 *
 *	lstsq_nonnegative(X, y, weight, rows, 3, b, covariance, &err);
 *
 * X is row-major, rows × terms.  `weight` may be NULL (all 1).  Columns are
 * scaled to unit norm inside, so that terms of very different size (a constant
 * beside 1e9 operations) do not disturb each other.  Non-negative: Lawson and
 * Hanson, "Solving Least Squares Problems" (1974), chapter 23, on the QR
 * solution of each passive set.
 */
#ifndef FORMULA_LSTSQ_H
#define FORMULA_LSTSQ_H

#include <stddef.h>

#include "lib/err.h"

#define LSTSQ_TERMS_MAX 64

/* `covariance` (terms × terms, (X'WX)^-1 on the terms that are in use, 0
 * elsewhere; times the residual variance it is the covariance of b) may be
 * NULL.  EINVAL when there are fewer rows than terms, or the terms are
 * linearly dependent (lstsq_plain only; the other drops a dependent term). */
int lstsq_plain(const double *x, const double *y, const double *weight,
		size_t rows, size_t terms, double *b, double *covariance,
		struct err *err);
int lstsq_nonnegative(const double *x, const double *y, const double *weight,
		      size_t rows, size_t terms, double *b, double *covariance,
		      struct err *err);

#endif
