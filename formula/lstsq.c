/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows are folded first: with X = QR (columns of unit norm, rows times
 * sqrt(w)) the sum of squares is |R b - Q'y|² plus a constant, so everything
 * after one QR decomposition is work on a square matrix of `terms`, however
 * many rows there were.
 */
#include "formula/lstsq.h"

#include <errno.h>
#include <float.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* A term whose part outside of the span of the others is shorter than this
 * (of its length 1) has lost eleven of its sixteen digits: it is dependent. */
#define DEPENDENT 1e-11

#define N LSTSQ_TERMS_MAX

/* |R b - c|², column-major, leading dimension `terms`; norm[j] undoes the
 * scaling. */
struct folded {
	size_t terms;
	double r[N * N];
	double c[N];
	double norm[N];
	double length; /* |y|, weighted: what rounding is relative to */
};

static int lapack_check(lapack_int info, const char *routine, struct err *err)
{
	if (!info)
		return 0;
	return err_set(err, EDOM, "least squares: LAPACK's %s ended with %d",
		       routine, (int)info);
}

static int input_check(const double *x, const double *y, const double *weight,
		       size_t rows, size_t terms, struct err *err)
{
	if (!terms || terms > N)
		return err_set(err, EINVAL,
			       "least squares: %zu terms (1 … %d are possible)",
			       terms, N);
	if (rows < terms || rows > INT_MAX)
		return err_set(err, EINVAL,
			       "least squares: %zu rows are too %s for %zu "
			       "terms",
			       rows, rows < terms ? "few" : "many", terms);
	for (size_t i = 0; i < rows; i++) {
		bool fine =
			isfinite(y[i]) &&
			(!weight || (isfinite(weight[i]) && weight[i] >= 0));

		for (size_t j = 0; j < terms; j++)
			fine = fine && isfinite(x[i * terms + j]);
		if (!fine)
			return err_set(err, EINVAL,
				       "least squares: row %zu has a value "
				       "that is not finite, or a negative "
				       "weight",
				       i);
	}
	return 0;
}

/* Column j of sqrt(w) X, divided by its length. */
static double column_fill(const double *x, const double *weight, size_t rows,
			  size_t terms, size_t j, double *column)
{
	double largest = 0, sum = 0;

	for (size_t i = 0; i < rows; i++) {
		column[i] = x[i * terms + j];
		if (weight)
			column[i] *= sqrt(weight[i]);
		largest = fmax(largest, fabs(column[i]));
	}
	if (largest == 0)
		return 0;
	for (size_t i = 0; i < rows; i++)
		sum += column[i] / largest * (column[i] / largest);
	for (size_t i = 0; i < rows; i++)
		column[i] = column[i] / largest / sqrt(sum);
	return largest * sqrt(sum);
}

static int fold(const double *x, const double *y, const double *weight,
		size_t rows, size_t terms, struct folded *folded,
		struct err *err)
{
	double *a = xcalloc(rows * (terms + 1), sizeof(*a));
	double *target = a + rows * terms, tau[N];
	lapack_int m = (lapack_int)rows, n = (lapack_int)terms;
	int result;

	memset(folded, 0, sizeof(*folded));
	folded->terms = terms;
	for (size_t j = 0; j < terms; j++)
		folded->norm[j] =
			column_fill(x, weight, rows, terms, j, a + j * rows);
	for (size_t i = 0; i < rows; i++)
		target[i] = y[i] * (weight ? sqrt(weight[i]) : 1);
	for (size_t i = 0; i < rows; i++)
		folded->length = hypot(folded->length, target[i]);
	result = lapack_check(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a, m, tau),
			      "dgeqrf", err);
	if (result == 0)
		result = lapack_check(LAPACKE_dormqr(LAPACK_COL_MAJOR, 'L', 'T',
						     m, 1, n, a, m, tau, target,
						     m),
				      "dormqr", err);
	for (size_t j = 0; j < terms && result == 0; j++) {
		memcpy(folded->r + j * terms, a + j * rows,
		       (j + 1) * sizeof(*a));
		folded->c[j] = target[j];
	}
	free(a);
	return result;
}

/* The terms in use, and the triangle of their own QR decomposition. */
struct subset {
	size_t size;
	size_t term[N];
	double r[N * N]; /* leading dimension `terms` of the problem */
	double b[N];
};

/* 1 when solved, 0 when the terms are dependent, -1. */
static int subset_solve(const struct folded *folded, struct subset *subset,
			struct err *err)
{
	lapack_int m = (lapack_int)folded->terms;
	lapack_int n = (lapack_int)subset->size;
	double target[N], tau[N];

	for (size_t k = 0; k < subset->size; k++)
		memcpy(subset->r + k * folded->terms,
		       folded->r + subset->term[k] * folded->terms,
		       folded->terms * sizeof(double));
	memcpy(target, folded->c, sizeof(target));
	if (lapack_check(
		    LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, subset->r, m, tau),
		    "dgeqrf", err) < 0 ||
	    lapack_check(LAPACKE_dormqr(LAPACK_COL_MAJOR, 'L', 'T', m, 1, n,
					subset->r, m, tau, target, m),
			 "dormqr", err) < 0)
		return -1;
	for (size_t k = 0; k < subset->size; k++)
		if (fabs(subset->r[k * folded->terms + k]) < DEPENDENT)
			return 0;
	if (lapack_check(LAPACKE_dtrtrs(LAPACK_COL_MAJOR, 'U', 'N', 'N', n, 1,
					subset->r, m, target, m),
			 "dtrtrs", err) < 0)
		return -1;
	memcpy(subset->b, target, subset->size * sizeof(double));
	return 1;
}

/* (X'WX)^-1 on the subset, unscaled. */
static int covariance_fill(const struct folded *folded, struct subset *subset,
			   double *covariance, struct err *err)
{
	size_t terms = folded->terms;

	memset(covariance, 0, terms * terms * sizeof(*covariance));
	if (!subset->size)
		return 0;
	if (lapack_check(LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U',
					(lapack_int)subset->size, subset->r,
					(lapack_int)terms),
			 "dpotri", err) < 0)
		return -1;
	for (size_t l = 0; l < subset->size; l++)
		for (size_t k = 0; k <= l; k++) {
			size_t i = subset->term[k], j = subset->term[l];
			double value = subset->r[l * terms + k] /
				       folded->norm[i] / folded->norm[j];

			covariance[i * terms + j] = value;
			covariance[j * terms + i] = value;
		}
	return 0;
}

static int finish(const struct folded *folded, struct subset *subset, double *b,
		  double *covariance, struct err *err)
{
	if (covariance && covariance_fill(folded, subset, covariance, err) < 0)
		return -1;
	memset(b, 0, folded->terms * sizeof(*b));
	for (size_t k = 0; k < subset->size; k++)
		b[subset->term[k]] =
			subset->b[k] / folded->norm[subset->term[k]];
	return 0;
}

int lstsq_plain(const double *x, const double *y, const double *weight,
		size_t rows, size_t terms, double *b, double *covariance,
		struct err *err)
{
	struct folded *folded = xmalloc(sizeof(*folded));
	struct subset *subset = xcalloc(1, sizeof(*subset));
	int result = input_check(x, y, weight, rows, terms, err);

	if (result == 0)
		result = fold(x, y, weight, rows, terms, folded, err);
	if (result == 0) {
		subset->size = terms;
		for (size_t j = 0; j < terms; j++)
			subset->term[j] = j;
		result = subset_solve(folded, subset, err);
		if (result == 0)
			result = err_set(err, EINVAL,
					 "least squares: the terms are "
					 "linearly dependent");
	}
	if (result > 0)
		result = finish(folded, subset, b, covariance, err);
	free(folded);
	free(subset);
	return result;
}

/* ---- non-negative: Lawson and Hanson, algorithm NNLS -------------------- */

struct nnls {
	const struct folded *folded;
	double b[N]; /* scaled, always feasible */
	bool passive[N];
	bool blocked[N]; /* dependent on the passive ones */
	double tolerance;
};

/* The term whose increase lowers the sum of squares fastest, or -1. */
static int steepest(const struct nnls *nnls)
{
	const struct folded *folded = nnls->folded;
	size_t terms = folded->terms;
	double residual[N], best = nnls->tolerance;
	int which = -1;

	memcpy(residual, folded->c, terms * sizeof(double));
	for (size_t j = 0; j < terms; j++)
		for (size_t i = 0; i <= j; i++)
			residual[i] -= folded->r[j * terms + i] * nnls->b[j];
	for (size_t j = 0; j < terms; j++) {
		double slope = 0;

		if (nnls->passive[j] || nnls->blocked[j])
			continue;
		for (size_t i = 0; i <= j; i++)
			slope += folded->r[j * terms + i] * residual[i];
		if (slope > best) {
			best = slope;
			which = (int)j;
		}
	}
	return which;
}

static void subset_of(const struct nnls *nnls, struct subset *subset)
{
	subset->size = 0;
	for (size_t j = 0; j < nnls->folded->terms; j++)
		if (nnls->passive[j])
			subset->term[subset->size++] = j;
}

/* How far from b to the subset's solution one may go until a term becomes 0,
 * and which one does; -1 when it is all the way. */
static int first_zero(const struct nnls *nnls, const struct subset *subset,
		      double *alpha)
{
	int which = -1;

	*alpha = 1;
	for (size_t k = 0; k < subset->size; k++) {
		double from = nnls->b[subset->term[k]], to = subset->b[k];

		if (to > 0 || from / (from - to) >= *alpha)
			continue;
		*alpha = from / (from - to);
		which = (int)k;
	}
	return which;
}

/* Go there; what becomes 0 leaves.  False when the solution is feasible and
 * was taken. */
static bool step(struct nnls *nnls, const struct subset *subset)
{
	double alpha;
	int zero = first_zero(nnls, subset, &alpha);

	for (size_t k = 0; k < subset->size; k++) {
		double *at = &nnls->b[subset->term[k]];

		*at += alpha * (subset->b[k] - *at);
		if ((int)k == zero ||
		    (subset->b[k] <= 0 && *at <= nnls->tolerance)) {
			*at = 0;
			nnls->passive[subset->term[k]] = false;
		}
	}
	return zero >= 0;
}

/* Put one more term into use.  1 when that lowered the sum of squares, 0 when
 * the term turned out to be of no use, -1. */
static int enter(struct nnls *nnls, int term, struct subset *subset,
		 struct err *err)
{
	int solved;

	nnls->passive[term] = true;
	subset_of(nnls, subset);
	solved = subset_solve(nnls->folded, subset, err);
	for (size_t k = 0; k < subset->size && solved > 0; k++)
		if (subset->term[k] == (size_t)term && subset->b[k] <= 0)
			solved = 0;
	if (solved <= 0) {
		nnls->passive[term] = false;
		nnls->blocked[term] = true;
		return solved;
	}
	while (step(nnls, subset)) {
		subset_of(nnls, subset);
		if (subset_solve(nnls->folded, subset, err) < 0)
			return -1;
	}
	memset(nnls->blocked, 0, sizeof(nnls->blocked));
	return 1;
}

static int nnls_solve(struct nnls *nnls, struct subset *subset, struct err *err)
{
	/* Lawson and Hanson saw half as many as terms; three times as many is
	 * what their own code allows. */
	size_t rounds = 10 * nnls->folded->terms + 10;
	int term;

	nnls->tolerance = 10 * DBL_EPSILON * (double)nnls->folded->terms *
			  nnls->folded->length;
	while ((term = steepest(nnls)) >= 0) {
		if (!rounds--)
			return err_set(err, EDOM,
				       "least squares: no end after %zu "
				       "rounds",
				       10 * nnls->folded->terms + 10);
		if (enter(nnls, term, subset, err) < 0)
			return -1;
	}
	/* Once more, for the triangle that the covariance is made of. */
	subset_of(nnls, subset);
	return subset->size ? subset_solve(nnls->folded, subset, err) : 1;
}

int lstsq_nonnegative(const double *x, const double *y, const double *weight,
		      size_t rows, size_t terms, double *b, double *covariance,
		      struct err *err)
{
	struct folded *folded = xmalloc(sizeof(*folded));
	struct subset *subset = xcalloc(1, sizeof(*subset));
	struct nnls nnls = { .folded = folded };
	int result = input_check(x, y, weight, rows, terms, err);

	if (result == 0)
		result = fold(x, y, weight, rows, terms, folded, err);
	if (result == 0)
		result = nnls_solve(&nnls, subset, err);
	if (result >= 0)
		result = finish(folded, subset, b, covariance, err);
	free(folded);
	free(subset);
	return result;
}
