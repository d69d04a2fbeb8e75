/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"

const char *run_truth(const struct run *run, char out[static ENERGY_LABEL_MAX])
{
	return energy_label((enum energy_source)run->source, run->scale_lo,
			    run->scale_hi, out);
}

/* The worst among them labels an axis that they share. */
static const char *shared_truth(struct run *const *run, size_t runs,
				char out[static ENERGY_LABEL_MAX])
{
	const struct run *worst = run[0];

	for (size_t i = 1; i < runs; i++)
		if (run[i]->source > worst->source)
			worst = run[i];
	return run_truth(worst, out);
}

static struct plot_series series_of(const struct run *run, size_t number,
				    const double *x, const double *y)
{
	return (struct plot_series){
		.name = run->name,
		.style = PLOT_LINE,
		.x = x,
		.y = y,
		.n = run->rounds,
		.colour = (int)number + 1,
	};
}

int run_plot_learning(struct page *page, struct run *const *run, size_t runs,
		      struct err *err)
{
	struct plot_series by_round[RUN_PLOTS_MAX], by_joules[RUN_PLOTS_MAX];
	char truth[ENERGY_LABEL_MAX], label[ENERGY_LABEL_MAX + 32];
	struct plot plot = {
		.title = "Accuracy against rounds",
		.x_label = "round",
		.y_label = "test accuracy",
		.series = by_round,
		.count = runs,
	};

	for (size_t i = 0; i < runs; i++) {
		by_round[i] =
			series_of(run[i], i, run[i]->round, run[i]->accuracy);
		by_joules[i] = series_of(run[i], i, run[i]->energy_total_j,
					 run[i]->accuracy);
	}
	if (page_plot(page, &plot, err) < 0)
		return -1;
	snprintf(label, sizeof(label), "joules spent by the fleet, %s",
		 shared_truth(run, runs, truth));
	plot.title = "Accuracy against joules";
	plot.x_label = label;
	plot.series = by_joules;
	return page_plot(page, &plot, err);
}

/* ---- participation ------------------------------------------------------- */

static int plot_presence(struct page *page, struct run *const *run, size_t runs,
			 struct err *err)
{
	struct plot_series series[RUN_PLOTS_MAX];
	struct plot plot = {
		.title = "Devices that gave an update",
		.x_label = "round",
		.y_label = "devices",
		.series = series,
		.count = runs,
		.height = 300,
	};

	for (size_t i = 0; i < runs; i++) {
		series[i] = series_of(run[i], i, run[i]->round, run[i]->in);
		series[i].style = PLOT_STEPS;
	}
	return page_plot(page, &plot, err);
}

static int plot_updates(struct page *page, struct run *const *run, size_t runs,
			struct err *err)
{
	struct plot_series series[RUN_PLOTS_MAX];
	double *number[RUN_PLOTS_MAX];
	struct plot plot = {
		.title = "Updates by device",
		.x_label = "device",
		.y_label = "updates",
		.series = series,
		.count = runs,
		.height = 300,
	};
	int result;

	for (size_t i = 0; i < runs; i++) {
		number[i] = xcalloc(run[i]->devices, sizeof(double));
		for (size_t k = 0; k < run[i]->devices; k++)
			number[i][k] = (double)k;
		series[i] = series_of(run[i], i, number[i], run[i]->updates);
		series[i].style = PLOT_POINTS;
		series[i].n = run[i]->devices;
	}
	result = page_plot(page, &plot, err);
	for (size_t i = 0; i < runs; i++)
		free(number[i]);
	return result;
}

int run_plot_participation(struct page *page, struct run *const *run,
			   size_t runs, struct err *err)
{
	if (plot_presence(page, run, runs, err) < 0)
		return -1;
	return plot_updates(page, run, runs, err);
}

/* ---- budgets ------------------------------------------------------------- */

/* More lines than that are a carpet: then every n-th device is drawn. */
#define LINES_MAX 64

static int plot_left(struct page *page, const struct run *run, size_t number,
		     struct err *err)
{
	size_t stride = (run->devices + LINES_MAX - 1) / LINES_MAX;
	struct plot_series series[LINES_MAX];
	char truth[ENERGY_LABEL_MAX], title[ENERGY_LABEL_MAX + 160];
	struct plot plot = {
		.title = title,
		.x_label = "round",
		.y_label = run->source >= ENERGY_CALIBRATED
				   ? "joules left, estimated"
				   : "joules left",
		.series = series,
		.height = 320,
	};

	snprintf(title, sizeof(title), "%.100s: budget left, a line per %s; %s",
		 run->name, stride == 1 ? "device" : "device (some of them)",
		 run_truth(run, truth));
	for (size_t k = 0; k < run->devices; k += stride) {
		struct plot_series *line = &series[plot.count];

		if (isnan(run->budget_j[k]))
			continue;
		*line = series_of(run, number, run->left_at,
				  run->left_j + k * run->left_stride);
		line->n = run->rounds + 1;
		line->name = NULL;
		plot.count++;
	}
	return plot.count ? page_plot(page, &plot, err) : 0;
}

int run_plot_budgets(struct page *page, struct run *const *run, size_t runs,
		     struct err *err)
{
	for (size_t i = 0; i < runs; i++)
		if (run[i]->has_budget && plot_left(page, run[i], i, err) < 0)
			return -1;
	return 0;
}
