/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/stat.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

double stat_mean(const double *x, size_t n)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

double stat_sd(const double *x, size_t n)
{
	double mean = stat_mean(x, n);
	double sum = 0;
	size_t i;

	if (n < 2)
		return nan("");
	for (i = 0; i < n; i++)
		sum += (x[i] - mean) * (x[i] - mean);
	return sqrt(sum / (double)(n - 1));
}

double stat_cv(const double *x, size_t n)
{
	return stat_sd(x, n) / stat_mean(x, n);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted(const double *x, size_t n)
{
	double *copy = xcalloc(n, sizeof(*copy));

	memcpy(copy, x, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_value);
	return copy;
}

static double quantile_of_sorted(const double *x, size_t n, double p)
{
	double at = p * (double)(n - 1);
	size_t below = (size_t)at;

	if (below + 1 >= n)
		return x[n - 1];
	return x[below] + (at - (double)below) * (x[below + 1] - x[below]);
}

double stat_quantile(const double *x, size_t n, double p)
{
	double *copy, value;
	size_t i;

	if (n == 0 || !(p >= 0 && p <= 1))
		return nan("");
	/* A NaN has no place in an order. */
	for (i = 0; i < n; i++)
		if (isnan(x[i]))
			return nan("");
	copy = sorted(x, n);
	value = quantile_of_sorted(copy, n, p);
	free(copy);
	return value;
}

double stat_median(const double *x, size_t n)
{
	return stat_quantile(x, n, 0.5);
}

static struct interval around(double centre, double radius)
{
	return (struct interval){ centre - radius, centre + radius };
}

static double student_factor(size_t n, double level)
{
	if (n < 2)
		return nan("");
	return stat_student_quantile((1 + level) / 2, (double)(n - 1));
}

struct interval stat_mean_interval(const double *x, size_t n, double level)
{
	double radius = student_factor(n, level) * stat_sd(x, n);

	return around(stat_mean(x, n), radius / sqrt((double)n));
}

struct interval stat_single_interval(const double *x, size_t n, double level)
{
	double radius = student_factor(n, level) * stat_sd(x, n);

	return around(stat_mean(x, n), radius * sqrt(1 + 1 / (double)n));
}

static double resampled_mean(const double *x, size_t n, struct rng *rng)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += x[rng_below(rng, n)];
	return sum / (double)n;
}

struct interval stat_bootstrap_interval(const double *x, size_t n, double level,
					size_t draws, struct rng *rng)
{
	struct interval interval = { nan(""), nan("") };
	double *mean;
	size_t i;

	if (n < 2 || draws == 0)
		return interval;
	mean = xcalloc(draws, sizeof(*mean));
	for (i = 0; i < draws; i++)
		mean[i] = resampled_mean(x, n, rng);
	interval.lo = stat_quantile(mean, draws, (1 - level) / 2);
	interval.hi = stat_quantile(mean, draws, (1 + level) / 2);
	free(mean);
	return interval;
}
