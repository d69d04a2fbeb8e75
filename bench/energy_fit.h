/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy_fit -- the layer-wise model of one figure (seconds or joules per
 * step), and how far it can be trusted.
 *
 *	struct energy_fit fit;
 *
 *	energy_fit_make(point, points, &fit, &err);
 *	y = energy_fit_value(&fit, &config);
 *	pi = energy_fit_interval(&fit, y, distance, model_is_known);
 *
 * The coefficients are the non-negative least squares solution on relative
 * errors (weights 1/y²), y being the median over the undisturbed windows of a
 * configuration: a window that was disturbed does not pull.  Scores are of all
 * windows.
 *
 * How far off is found by leaving out: each configuration is predicted by the
 * fit of all others, and, a harder question, each model by the fit of the other
 * models.  The score of a window is the |log ratio| of what it showed to what
 * was predicted, divided by 1 + the distance from the domain of what was not
 * left out (energy_terms.h).  `spread` is the quantile of scores that holds for
 * a new configuration (or model) with 95 %: split-conformal over groups, each
 * group with the same weight whatever its number of windows (Dunn, Wasserman,
 * Ramdas, "Distribution-free prediction sets for two-layer hierarchical
 * models", JASA 2022, section 3.1).  With fewer than ENERGY_FIT_CONFORMAL
 * groups that quantile does not exist, and Student's takes its place, times the
 * root mean square of the groups' scores.
 *
 * The interval of a prediction is y · exp(± spread · (1 + distance)): outside
 * of the domain it widens by its own half-width (in logs) with every doubling.
 */
#ifndef BENCH_ENERGY_FIT_H
#define BENCH_ENERGY_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/energy_terms.h"
#include "bench/step_config.h"
#include "lib/err.h"
#include "lib/stat.h"

/* Fewer configurations carry no model. */
#define ENERGY_FIT_POINTS_MIN 4
#define ENERGY_FIT_CONFORMAL  19
#define ENERGY_FIT_QUANTILES  5

/* A measured configuration. */
struct fit_point {
	struct step_config config;
	double y;          /* to be explained */
	const double *run; /* what each window showed */
	size_t runs;
};

/* What leaving out has shown. */
struct fit_check {
	size_t n;           /* configurations predicted; 0: not possible */
	size_t groups;      /* left out together */
	double median, p95; /* of the relative error |prediction / y − 1| */
	double coverage;    /* of pi95, windows; groups weigh the same */
	double spread;      /* half-width of pi95, in logs */
	double quantile[ENERGY_FIT_QUANTILES]; /* of the signed log ratios */
};

struct energy_fit {
	double t[ENERGY_TERMS_MAX]; /* coefficients; 0: not in use */
	struct fit_check by_config, by_model;
};

extern const double energy_fit_levels[ENERGY_FIT_QUANTILES];

/* EINVAL with fewer points than ENERGY_FIT_POINTS_MIN.  `left_out` (may be
 * NULL) gets what each point was predicted as when it was left out, or NaN. */
int energy_fit_make(const struct fit_point *point, size_t points,
		    struct energy_fit *fit, double *left_out, struct err *err);

double energy_fit_value(const struct energy_fit *fit,
			const struct step_config *config);

/* `model_is_known`: the same model was measured, at another batch or loss. */
struct interval energy_fit_interval(const struct energy_fit *fit, double y,
				    double distance, bool model_is_known);

#endif
