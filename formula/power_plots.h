/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_plots -- the plots of `formula report`.
 *
 *	power_plots_stacked(page, history.series[i], &err);
 *	power_plots_residuals(page, &history, &err);
 *	power_plots_errors(page, &history, &err);
 *
 * Stacked are idle at the bottom, the kernel, the targets that used most (the
 * others together), and what is unattributed at the top; the meter is a line.
 */
#ifndef FORMULA_POWER_PLOTS_H
#define FORMULA_POWER_PLOTS_H

#include "formula/power_series.h"
#include "lib/page.h"

/* Targets with a colour of their own. */
#define POWER_PLOTS_TARGETS 8

/* Are the watts a model's? */
bool power_series_is_estimate(const struct power_series *series);

int power_plots_stacked(struct page *page, const struct power_series *series,
			struct err *err);
/* Over time, and how they are distributed. */
int power_plots_residuals(struct page *page,
			  const struct power_history *history, struct err *err);
/* Errors of models, from formula reports. */
int power_plots_errors(struct page *page, const struct power_history *history,
		       struct err *err);

#endif
