/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/gain.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define N GAIN_TERMS_MAX

/* Bands of 2.5 % of the base frequency, up to 3.2 times of it. */
#define BAND  0.025
#define BANDS 128
/* How far a band may be from the curve, relative, 1 sigma: voltages come in
 * steps, with a floor and a knee. */
#define APART 0.15
/* What the curve is thought to be before there are two bands. */
#define CURVE_PRIOR 1e-3

struct band {
	bool used;
	double gain, variance;
	double gram[N][N], moment[N];
};

struct gains {
	size_t terms;
	unsigned scaled;
	double p, q; /* of the curve */
	struct band band[BANDS];
};

struct gains *gains_new(size_t terms, unsigned scaled)
{
	struct gains *gains = xcalloc(1, sizeof(*gains));

	gains->terms = terms;
	gains->scaled = scaled;
	gains->p = gains->q = 0.5;
	return gains;
}

void gains_free(struct gains *gains)
{
	free(gains);
}

bool gains_is_scaled(const struct gains *gains, size_t term)
{
	return gains->scaled >> term & 1;
}

static size_t band_of(const struct gains *gains, double speed)
{
	double at = speed / BAND;

	if (!gains->scaled || !(at > 1))
		return 0;
	return at < BANDS - 1 ? (size_t)(at + 0.5) : BANDS - 1;
}

static double middle(size_t band)
{
	return BAND * fmax((double)band, 1);
}

static double curve(const struct gains *gains, size_t band)
{
	return gains->p + gains->q * middle(band) * middle(band);
}

/* Within a band, as if power went with frequency times voltage. */
static double within(const struct gains *gains, size_t band, double speed)
{
	double part = speed / middle(band);

	return gains->scaled && part > 0.9 && part < 1.1 ? part : 1;
}

double gains_at(const struct gains *gains, size_t term, double speed)
{
	size_t band = band_of(gains, speed);

	if (!gains_is_scaled(gains, term))
		return 1;
	return within(gains, band, speed) * (gains->band[band].used
						     ? gains->band[band].gain
						     : curve(gains, band));
}

double gains_variance(const struct gains *gains, double speed)
{
	size_t at = band_of(gains, speed);
	double apart = APART * curve(gains, at);

	return gains->band[at].used ? gains->band[at].variance : apart * apart;
}

static struct band *band_get(struct gains *gains, double speed)
{
	size_t at = band_of(gains, speed);
	struct band *band = &gains->band[at];

	if (!band->used) {
		band->used = true;
		band->gain = curve(gains, at);
		band->variance = APART * APART * band->gain * band->gain;
	}
	return band;
}

void gains_add(struct gains *gains, const double *x, double speed, double watts,
	       double weight)
{
	struct band *band = band_get(gains, speed);
	double part = within(gains, band_of(gains, speed), speed), scaled[N];

	for (size_t i = 0; i < gains->terms; i++)
		scaled[i] = gains_is_scaled(gains, i) ? x[i] * part : x[i];
	for (size_t i = 0; i < gains->terms; i++) {
		band->moment[i] += weight * scaled[i] * watts;
		for (size_t j = 0; j < gains->terms; j++)
			band->gram[i][j] += weight * scaled[i] * scaled[j];
	}
}

void gains_add_term(struct gains *gains, size_t term, double speed, double xx,
		    double xy)
{
	struct band *band = band_get(gains, speed);

	band->gram[term][term] += xx;
	band->moment[term] += xy;
}

void gains_forget(struct gains *gains, double keep)
{
	for (size_t k = 0; k < BANDS; k++) {
		struct band *band = &gains->band[k];

		if (!band->used)
			continue;
		for (size_t i = 0; i < gains->terms; i++) {
			band->moment[i] *= keep;
			for (size_t j = 0; j < gains->terms; j++)
				band->gram[i][j] *= keep;
		}
	}
}

void gains_pool(const struct gains *gains, double gram[N][N], double moment[N])
{
	memset(gram, 0, N * sizeof(gram[0]));
	memset(moment, 0, N * sizeof(moment[0]));
	for (size_t k = 0; k < BANDS; k++) {
		const struct band *band = &gains->band[k];
		double by[N];

		if (!band->used)
			continue;
		for (size_t i = 0; i < gains->terms; i++)
			by[i] = gains_is_scaled(gains, i) ? band->gain : 1;
		for (size_t i = 0; i < gains->terms; i++) {
			moment[i] += by[i] * band->moment[i];
			for (size_t j = 0; j < gains->terms; j++)
				gram[i][j] += by[i] * by[j] * band->gram[i][j];
		}
	}
}

/* What a band's readings say of its gain: sums of d^2 and of d times what is
 * left for it, d being the watts of the scaled terms at a gain of 1. */
static void band_says(const struct gains *gains, const struct band *band,
		      const double *b, double *info, double *cross)
{
	*info = *cross = 0;
	for (size_t i = 0; i < gains->terms; i++) {
		if (!gains_is_scaled(gains, i))
			continue;
		*cross += b[i] * band->moment[i];
		for (size_t j = 0; j < gains->terms; j++) {
			double part = b[i] * band->gram[i][j] * b[j];

			*(gains_is_scaled(gains, j) ? info : cross) +=
				gains_is_scaled(gains, j) ? part : -part;
		}
	}
}

/* p + q f^2 through the bands, p and q >= 0. */
static void curve_fit(struct gains *gains, const double *info,
		      const double *cross)
{
	double a = 0, b = 0, c = 0, r = 0, s = 0, prior, det;

	for (size_t k = 0; k < BANDS; k++) {
		double f2 = middle(k) * middle(k);

		a += info[k];
		b += info[k] * f2;
		c += info[k] * f2 * f2;
		r += cross[k];
		s += cross[k] * f2;
	}
	prior = CURVE_PRIOR * a;
	a += prior;
	c += prior;
	r += prior * 0.5;
	s += prior * 0.5;
	det = a * c - b * b;
	if (!(det > 0))
		return;
	gains->p = (c * r - b * s) / det;
	gains->q = (a * s - b * r) / det;
	if (gains->q <= 0) {
		gains->q = 0;
		gains->p = fmax(r / a, 1e-3);
	} else if (gains->p < 0) {
		gains->p = 0;
		gains->q = fmax(s / c, 1e-3);
	}
}

void gains_fit(struct gains *gains, const double *b, double variance)
{
	double info[BANDS] = { 0 }, cross[BANDS] = { 0 };
	double sum = 0, mean = 0;

	if (!gains->scaled || !(variance > 0))
		return;
	for (size_t k = 0; k < BANDS; k++)
		if (gains->band[k].used)
			band_says(gains, &gains->band[k], b, &info[k],
				  &cross[k]);
	curve_fit(gains, info, cross);
	for (size_t k = 0; k < BANDS; k++) {
		double smooth = curve(gains, k), prior;

		if (!gains->band[k].used)
			continue;
		prior = variance / (APART * APART * smooth * smooth);
		gains->band[k].gain =
			fmax((cross[k] + prior * smooth) / (info[k] + prior),
			     0.2 * smooth);
		gains->band[k].variance = variance / (info[k] + prior);
		sum += info[k];
		mean += info[k] * gains->band[k].gain;
	}
	if (!(sum > 0) || !(mean > 0))
		return;
	mean /= sum;
	gains->p /= mean;
	gains->q /= mean;
	for (size_t k = 0; k < BANDS; k++) {
		gains->band[k].gain /= mean;
		gains->band[k].variance /= mean * mean;
	}
}
