/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_fit -- coefficients that hold for groups nobody has seen.
 *
 *	minimise  sum_i  huber((y_i - x_i·b) / y_i)     over b >= 0
 *
 *	struct power_data data = { x, y, group, rows, terms, groups };
 *
 *	power_fit_make(&fit, &data, part, left_out, &err);
 *	watts = power_fit_value(&fit, x);
 *
 * Errors are relative, and large ones count by their size, not their square
 * (Huber's loss with its bend at 2 %: least absolute relative errors but for
 * the smallest), because a meter's window and the counters' do not quite match
 * when work begins or ends.  Solved by reweighting; each step is a non-negative
 * least squares problem of `terms` equations (lstsq.h).
 *
 * No prediction goes beyond what was learnt: a term counts no more than its
 * largest value in training (`top`).
 *
 * How far off a new group is, is found by leaving each one out.  The weights
 * of the other rows are kept as they are, so that is a subtraction from the
 * normal equations and one small solve for each group.  `spread` is the
 * half-width
 * of the 95 % interval in logs: the quantile of those errors, groups weighing
 * the same, widened for their small number as Student did.
 */
#ifndef FORMULA_POWER_FIT_H
#define FORMULA_POWER_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/lstsq.h"
#include "lib/err.h"
#include "lib/stat.h"

struct power_data {
	const double *x; /* rows × terms, none negative */
	const double *y; /* above 0 */
	const size_t *group;
	size_t rows, terms, groups;
};

struct power_fit {
	size_t terms, rows, groups; /* of which it was made */
	double b[LSTSQ_TERMS_MAX];
	double top[LSTSQ_TERMS_MAX];
	double error; /* left out: mean |relative error|, mean over groups */
	double spread;
};

/* From the rows that `part` marks (NULL: all).  `left_out` (may be NULL) gets,
 * for those rows, what is predicted without their group.  EINVAL with fewer
 * than two groups. */
int power_fit_make(struct power_fit *fit, const struct power_data *data,
		   const bool *part, double *left_out, struct err *err);

double power_fit_value(const struct power_fit *fit, const double *x);
/* Would a term that matters count more, if it were not for its `top`? */
bool power_fit_is_beyond(const struct power_fit *fit, const double *x);
struct interval power_fit_interval(const struct power_fit *fit, double watts);

#endif
