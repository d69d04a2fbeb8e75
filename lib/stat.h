/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat -- what a handful of repeats says.
 *
 *	struct interval ci = stat_mean_interval(x, n, 0.95);
 *	struct interval pi = stat_single_interval(x, n, 0.95);
 *
 * Two different questions: where is the mean (mean interval), and what will
 * one more run show (single interval: wider, by the factor sqrt(1 + n)).
 * Both are Student's, for n >= 2; with fewer values the bounds are NaN.
 */
#ifndef LIB_STAT_H
#define LIB_STAT_H

#include <stddef.h>

#include "lib/rng.h"

struct interval {
	double lo, hi;
};

double stat_mean(const double *x, size_t n);
/* Sample standard deviation (n − 1); NaN below two values. */
double stat_sd(const double *x, size_t n);
/* Standard deviation over mean. */
double stat_cv(const double *x, size_t n);
double stat_median(const double *x, size_t n);
/* Linear interpolation between order statistics (Hyndman and Fan's type 7);
 * p in [0, 1].  `x` stays as it is. */
double stat_quantile(const double *x, size_t n, double p);

/* Quantiles of the standard normal and of Student's t with `df` degrees of
 * freedom (df > 0), to 1e-9. */
double stat_normal_quantile(double p);
double stat_student_quantile(double p, double df);

/* mean ± t·s/√n and mean ± t·s·√(1 + 1/n). */
struct interval stat_mean_interval(const double *x, size_t n, double level);
struct interval stat_single_interval(const double *x, size_t n, double level);

/* Percentile bootstrap of the mean with `draws` resamples. */
struct interval stat_bootstrap_interval(const double *x, size_t n, double level,
					size_t draws, struct rng *rng);

#endif
