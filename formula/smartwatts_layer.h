/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_layer -- what SmartWatts 2.4.1 knows at one frequency.
 *
 *	struct smartwatts_layer *layer = smartwatts_layer_new(2100, &learning);
 *
 *	smartwatts_layer_sample(layer, x, 4, watts);
 *	if (smartwatts_layer_learn(layer))      // after 10 samples, say
 *		watts = smartwatts_layer_predict(layer, x);
 *	smartwatts_layer_free(layer);
 *
 * A layer keeps the last `window` samples (event counts of all targets, watts
 * of the meter) and the last errors of its model.  A fit has an intercept only
 * when the window is full, and is kept only if 0 <= intercept < tdp.
 *
 * Fiéni, Rouvoy and Seinturier, "SmartWatts: Self-Calibrating Software-Defined
 * Power Meter for Containers", CCGRID 2020; the numbers are the code's, not
 * the paper's (which has a ridge regression).
 */
#ifndef FORMULA_SMARTWATTS_LAYER_H
#define FORMULA_SMARTWATTS_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formula/elastic_net.h"
#include "lib/text.h"

#define SMARTWATTS_EVENTS_MAX ELASTIC_NET_COLUMNS_MAX
#define SMARTWATTS_HASH_MAX   41
#define SMARTWATTS_UNFITTED   "uninitialized"

struct smartwatts_learning {
	size_t min_samples, window, error_window;
	bool mean;        /* of the errors, not their median */
	double threshold; /* watts of error above which to learn anew */
	double tdp;       /* upper bound of the intercept, in watts */
};

struct smartwatts_model {
	bool fitted;
	double coef[SMARTWATTS_EVENTS_MAX];
	double intercept;
	char hash[SMARTWATTS_HASH_MAX]; /* "uninitialized" at first */
	int64_t id;                     /* how many fits were kept */
};

struct smartwatts_layer {
	const struct smartwatts_learning *learning;
	int64_t frequency; /* MHz */
	size_t events;     /* of a sample; 0 until there is one */
	struct smartwatts_model model;
	/* Rings; x has `window` rows of one event, then of the next. */
	double *x, *watts;
	size_t samples, sample_next;
	double *error;
	size_t errors, error_next;
	double *room;
};

struct smartwatts_layer *smartwatts_layer_new(
	int64_t frequency, const struct smartwatts_learning *learning);
void smartwatts_layer_free(struct smartwatts_layer *layer); /* accepts NULL */

/* Every sample of a layer has as many events as its first. */
void smartwatts_layer_sample(struct smartwatts_layer *layer, const double *x,
			     size_t events, double watts);
void smartwatts_layer_error(struct smartwatts_layer *layer, double error);
/* The median (of an even number, the mean of the two in the middle) or mean. */
double smartwatts_layer_error_of(const struct smartwatts_layer *layer);

/* Fit anew; false: too few samples, or an intercept out of bounds, and the old
 * model stays.  The errors are forgotten either way. */
bool smartwatts_layer_learn(struct smartwatts_layer *layer);
double smartwatts_layer_predict(const struct smartwatts_layer *layer,
				const double *x);

/* A target's watts and its share of them, given what the model says of the
 * target and of all of them: 0 and 0 where either is no more than idle. */
double smartwatts_cap(double target_w, double global_w, double intercept,
		      double *ratio);

/* "[1.5e-09 0.0e+00]", as NumPy prints an array of doubles. */
void smartwatts_put_coef(const double *coef, size_t n, struct text *out);

#endif
