/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * elastic_net -- scikit-learn's ElasticNet(positive=True), number by number.
 *
 *	minimise  1/(2n) |y - X w - b|^2 + alpha·rho |w|_1
 *		  + alpha (1 - rho)/2 |w|^2     over w >= 0
 *
 *	double coef[4], intercept;
 *
 *	elastic_net_fit(&net, x, y, room, n, 4, true, coef, &intercept);
 *
 * SmartWatts fits raw counts of 1e9 with it: the penalty is then negligible,
 * the columns nearly collinear, and the loose stopping rule decides the
 * coefficients.  So the *path* of the solver has to be followed, not only its
 * objective: cyclic coordinate descent from zero with gap-safe screening, at
 * most 1000 sweeps, as scikit-learn 1.9.1 does it (Friedman, Hastie and
 * Tibshirani 2010; Fercoq, Gramfort and Salmon 2015 for the screening).  Older
 * releases (<= 1.7) have no screening and stop on `<` where 1.9 stops on `<=`.
 *
 * X is column-major: column j starts at x + j * rows.
 */
#ifndef FORMULA_ELASTIC_NET_H
#define FORMULA_ELASTIC_NET_H

#include <stdbool.h>
#include <stddef.h>

#define ELASTIC_NET_COLUMNS_MAX 64

struct elastic_net {
	double alpha, l1_ratio;
	double tolerance;
	size_t sweeps_max;
};

/* What SmartWatts 2.4.1 constructs: ElasticNet() with its defaults. */
/* clang-format off */
#define ELASTIC_NET_SMARTWATTS { 1.0, 0.5, 1e-4, 1000 }
/* clang-format on */

/* Returns the number of sweeps.  `x` and `y` are overwritten (centred when
 * `intercept_wanted`), `residual` is room for `rows` doubles: y - Xw at the
 * end.  At most ELASTIC_NET_COLUMNS_MAX columns. */
size_t elastic_net_fit(const struct elastic_net *net, double *x, double *y,
		       double *residual, size_t rows, size_t columns,
		       bool intercept_wanted, double *coef, double *intercept);

#endif
