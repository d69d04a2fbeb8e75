/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of the normal and of Student's distribution. */
#include "lib/stat.h"

#include <math.h>
#include <stdbool.h>

#define STEPS_MAX 300
#define T_MAX     1e150 /* its square is a double, too */

/* Upper tail of the standard normal. */
static double normal_tail(double z)
{
	return erfc(z / M_SQRT2) / 2;
}

/* Acklam's rational approximation (relative error 1.15e-9), for the lower
 * tail p < 0.02425 and for the centre. */
static double normal_guess(double p)
{
	static const double a[] = {
		-3.969683028665376e+01, 2.209460984245205e+02,
		-2.759285104469687e+02, 1.383577518672690e+02,
		-3.066479806614716e+01, 2.506628277459239e+00
	};
	static const double b[] = { -5.447609879822406e+01,
				    1.615858368580409e+02,
				    -1.556989798598866e+02,
				    6.680131188771972e+01,
				    -1.328068155288572e+01 };
	static const double c[] = {
		-7.784894002430293e-03, -3.223964580411365e-01,
		-2.400758277161838e+00, -2.549732539343734e+00,
		4.374664141464968e+00,  2.938163982698783e+00
	};
	static const double d[] = { 7.784695709041462e-03,
				    3.224671290700398e-01,
				    2.445134137142996e+00,
				    3.754408661907416e+00 };
	double q, r;

	if (p < 0.02425) {
		q = sqrt(-2 * log(p));
		return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q +
			 c[4]) * q +
			c[5]) /
		       ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
	}
	q = p - 0.5;
	r = q * q;
	return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r +
		a[5]) *
	       q /
	       (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r +
		1);
}

double stat_normal_quantile(double p)
{
	double z, excess;

	if (!(p >= 0 && p <= 1))
		return nan("");
	if (p == 0 || p == 1)
		return p == 0 ? -HUGE_VAL : HUGE_VAL;
	if (p > 0.5)
		return -stat_normal_quantile(1 - p);
	z = normal_guess(p);
	/* One step of Halley's method brings it to the last digits. */
	excess = (normal_tail(-z) - p) * sqrt(2 * M_PI) * exp(z * z / 2);
	return isfinite(excess) ? z - excess / (1 + z * excess / 2) : z;
}

/* Continued fraction of the incomplete beta function (DLMF 8.17.22), by the
 * modified Lentz method. */
static double beta_fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1;
	double d = 1 - (a + b) * x / (a + 1);
	double h, step, m;
	int i;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (i = 1; i < 100000; i++) {
		m = i;
		step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 + step * d;
		c = 1 + step / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		h *= d * c;
		step = -(a + m) * (a + b + m) * x /
		       ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 + step * d;
		c = 1 + step / c;
		c = fabs(c) < tiny ? tiny : c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		h *= d * c;
		if (fabs(d * c - 1) < 1e-16)
			break;
	}
	return h;
}

/* lgamma() writes a global; streams of any thread may come here. */
static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* I_x(a, b); y = 1 − x is given, too, as it may be tiny. */
static double beta_regularised(double x, double y, double a, double b)
{
	double front;

	if (x <= 0 || y <= 0)
		return x <= 0 ? 0 : 1;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
		    a * log(x) + b * log(y));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(y, b, a) / b;
}

/* P(T > t) for t >= 0, or P(0 < T < t), whichever is asked for. */
static double student_part(double t, double df, bool tail)
{
	double x = df / (df + t * t);
	double y = t / (df + t * t) * t;

	return (tail ? beta_regularised(x, y, df / 2, 0.5)
		     : beta_regularised(y, x, 0.5, df / 2)) /
	       2;
}

static double student_density(double t, double df)
{
	return exp(log_gamma((df + 1) / 2) - log_gamma(df / 2) -
		   (df + 1) / 2 * log1p(t / df * t)) /
	       sqrt(df * M_PI);
}

/*
 * The t > 0 that leaves `q` < 1/2 above it.  Near the middle, the part between
 * 0 and t is solved for instead, as it keeps its digits.  Both parts are close
 * to powers of t, so Newton's steps are taken between the logarithms, within a
 * bracket that halves where a step leaves it.
 */
static double student_solve(double q, double df)
{
	bool tail = q < 0.25;
	double target = tail ? q : 0.5 - q;
	double lo = 0, hi = 1, t, part, step, next;
	int i;

	while ((student_part(hi, df, tail) > target) == tail) {
		hi *= 4;
		if (hi > T_MAX)
			return HUGE_VAL;
	}
	t = fmin(-stat_normal_quantile(q), hi);
	for (i = 0; i < STEPS_MAX && hi - lo > 1e-15 * hi; i++) {
		part = student_part(t, df, tail);
		*((part > target) == tail ? &lo : &hi) = t;
		step = log(part / target) * part / (t * student_density(t, df));
		next = t * exp(tail ? step : -step);
		if (fabs(next - t) < 1e-15 * t)
			return next;
		if (!(next > lo && next < hi))
			next = lo > 0 ? sqrt(lo) * sqrt(hi) : hi / 4;
		t = next;
	}
	return t;
}

/* Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5): exact to
 * 1e-12 where the gamma functions begin to lose digits. */
static double student_expand(double z, double df)
{
	double s = z * z;

	return z + z * (s + 1) / (4 * df) +
	       z * ((5 * s + 16) * s + 3) / (96 * df * df) +
	       z * (((3 * s + 19) * s + 17) * s - 15) / (384 * df * df * df);
}

double stat_student_quantile(double p, double df)
{
	if (!(p >= 0 && p <= 1 && df > 0))
		return nan("");
	if (p == 0 || p == 1)
		return p == 0 ? -HUGE_VAL : HUGE_VAL;
	if (p == 0.5)
		return 0;
	if (df > 2e4)
		return student_expand(stat_normal_quantile(p), df);
	return p > 0.5 ? student_solve(1 - p, df) : -student_solve(p, df);
}
