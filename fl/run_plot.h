/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_plot -- runs drawn side by side on a page.
 *
 *	run_plot_learning(page, run, runs, &err);
 *	run_plot_budgets(page, run, runs, &err);
 *
 * Each run keeps its colour through all plots that hold several.  Axes with
 * joules say whose they are: "estimated (class 7, …)" where they are.
 */
#ifndef FL_RUN_PLOT_H
#define FL_RUN_PLOT_H

#include <stddef.h>

#include "fl/run_read.h"
#include "lib/err.h"
#include "lib/page.h"
#include "sensor/energy.h"

#define RUN_PLOTS_MAX 16 /* runs side by side */

/* "class 1 (hardware accumulator)", "estimated (class 7, −50/+100 %)". */
const char *run_truth(const struct run *run, char out[static ENERGY_LABEL_MAX]);

/* Accuracy against rounds, and against the fleet's joules. */
int run_plot_learning(struct page *page, struct run *const *run, size_t runs,
		      struct err *err);
/* Who took part: devices by round, and rounds by device. */
int run_plot_participation(struct page *page, struct run *const *run,
			   size_t runs, struct err *err);
/* What each device has left, one plot for each run with budgets. */
int run_plot_budgets(struct page *page, struct run *const *run, size_t runs,
		     struct err *err);

#endif
