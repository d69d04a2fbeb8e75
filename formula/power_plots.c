/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/energy.h"

#define HISTOGRAM_BINS 31
/* Watts of the meter below which a residual is rounding. */
#define ROUNDING 1e-6

bool power_series_is_estimate(const struct power_series *series)
{
	return series->source != POWER_ROW_NO_CLASS &&
	       energy_is_estimate((enum energy_source)series->source);
}

/* ---- stacked ------------------------------------------------------------------ */

/* A layer of the stack is the sum of some targets. */
struct layer {
	char *name;
	int colour;
	double *watts; /* of each bin */
	double joules;
};

#define LAYERS_MAX (POWER_PLOTS_TARGETS + 4)

struct stack {
	struct layer layer[LAYERS_MAX];
	size_t layers, others; /* how many targets are "others" */
};

static int compare_joules(const void *a, const void *b)
{
	const struct series_target *x = *(const struct series_target *const *)a;
	const struct series_target *y = *(const struct series_target *const *)b;

	if (x->joules != y->joules)
		return x->joules < y->joules ? 1 : -1;
	return strcmp(x->target, y->target);
}

static struct layer *layer_add(struct stack *stack, const char *name,
			       int colour)
{
	struct layer *layer = &stack->layer[stack->layers++];

	*layer = (struct layer){ .name = xstrdup(name),
				 .colour = colour,
				 .watts = xcalloc(SERIES_BINS_MAX,
						  sizeof(double)) };
	return layer;
}

static void layer_put(struct layer *layer, const struct power_series *series,
		      const struct series_target *target)
{
	for (size_t i = 0; i < series->bins; i++)
		layer->watts[i] += power_series_watts(series, target, i);
	layer->joules += target->joules;
}

static void stack_part(struct stack *stack, const struct power_series *series,
		       enum power_part part, const char *name, int colour)
{
	struct layer *layer = NULL;

	for (size_t t = 0; t < series->targets; t++) {
		const struct series_target *target = &series->target[t];

		if (target->part != part)
			continue;
		if (!layer)
			layer = layer_add(stack, name, colour);
		layer_put(layer, series, target);
	}
}

/* The end of a long name says more than its beginning. */
static char *short_name(const char *name)
{
	size_t width = text_width(name), most = 32;

	if (width <= most)
		return xstrdup(name);
	return xasprintf("…%s", name + text_cut(name, width - most + 1));
}

static void stack_targets(struct stack *stack,
			  const struct power_series *series)
{
	const struct series_target **top =
		xcalloc(series->targets + 1, sizeof(struct series_target *));
	struct layer *others = NULL;
	size_t count = 0;

	for (size_t t = 0; t < series->targets; t++)
		if (series->target[t].part == POWER_PART_TARGET &&
		    !series->target[t].within)
			top[count++] = &series->target[t];
	qsort(top, count, sizeof(struct series_target *), compare_joules);
	for (size_t i = 0; i < count; i++) {
		/* One is not "others". */
		if (i < POWER_PLOTS_TARGETS - (count > POWER_PLOTS_TARGETS)) {
			char *name = short_name(top[i]->name);

			layer_put(layer_add(stack, name, (int)i + 1), series,
				  top[i]);
			free(name);
			continue;
		}
		if (!others)
			others = layer_add(stack, "", PLOT_DIM);
		layer_put(others, series, top[i]);
		stack->others++;
	}
	if (others) {
		free(others->name);
		others->name = xasprintf("%zu others", stack->others);
	}
	free(top);
}

static void stack_done(struct stack *stack)
{
	for (size_t i = 0; i < stack->layers; i++) {
		free(stack->layer[i].name);
		free(stack->layer[i].watts);
	}
}

/* From watts of each layer to the upper edges of all of them; `edge` has a row
 * of bins for each, the first is the bottom. */
static void stack_edges(const struct stack *stack, size_t bins, double *edge)
{
	for (size_t l = 0; l < stack->layers; l++)
		for (size_t i = 0; i < bins; i++)
			edge[(l + 1) * SERIES_BINS_MAX + i] =
				edge[l * SERIES_BINS_MAX + i] +
				stack->layer[l].watts[i];
}

static void meter_fill(const struct power_series *series, double *time,
		       double *meter)
{
	for (size_t i = 0; i < series->bins; i++) {
		const struct series_bin *bin = &series->bin[i];

		time[i] = bin->time_s;
		meter[i] = bin->seconds > 0 ? bin->meter_j / bin->seconds
					    : (double)NAN;
	}
}

static int stack_plot(struct page *page, const struct power_series *series,
		      const struct stack *stack, struct err *err)
{
	struct plot_series area[LAYERS_MAX + 1];
	double *edge = xcalloc((LAYERS_MAX + 3) * (size_t)SERIES_BINS_MAX,
			       sizeof(*edge));
	double *time = edge + (LAYERS_MAX + 1) * (size_t)SERIES_BINS_MAX;
	double *meter = time + SERIES_BINS_MAX;
	char title[320];
	struct plot plot = { .title = title,
			     .x_label = "time (UTC)",
			     .y_label = power_series_is_estimate(series)
						? "watts, estimated"
						: "watts",
			     .x_time = true,
			     .series = area,
			     .count = stack->layers + 1,
			     .width = 960,
			     .height = 440 };
	int result;

	snprintf(title, sizeof(title), "Power by target: %.200s%s",
		 series->label,
		 power_series_is_estimate(series) ? " (estimated)" : "");
	meter_fill(series, time, meter);
	stack_edges(stack, series->bins, edge);
	for (size_t l = 0; l < stack->layers; l++)
		area[l] = (struct plot_series){
			.name = stack->layer[l].name,
			.style = PLOT_AREA,
			.colour = stack->layer[l].colour,
			.x = time,
			.lo = edge + l * SERIES_BINS_MAX,
			.hi = edge + (l + 1) * SERIES_BINS_MAX,
			.n = series->bins,
		};
	area[stack->layers] = (struct plot_series){ .name = "meter",
						    .style = PLOT_LINE,
						    .colour = PLOT_BLACK,
						    .x = time,
						    .y = meter,
						    .n = series->bins };
	result = page_plot(page, &plot, err);
	free(edge);
	return result;
}

int power_plots_stacked(struct page *page, const struct power_series *series,
			struct err *err)
{
	struct stack stack = { .layers = 0 };
	int result;

	stack_part(&stack, series, POWER_PART_IDLE, "idle", PLOT_GREY);
	stack_part(&stack, series, POWER_PART_KERNEL, "kernel", PLOT_BLACK);
	stack_targets(&stack, series);
	stack_part(&stack, series, POWER_PART_UNATTRIBUTED, "unattributed",
		   PLOT_PALE);
	result = stack_plot(page, series, &stack, err);
	stack_done(&stack);
	return result;
}

/* ---- residuals ------------------------------------------------------------------ */

static int residuals_over_time(struct page *page,
			       const struct power_history *history,
			       struct err *err)
{
	struct plot_series line[SERIES_MAX];
	double *block = xcalloc(2 * (size_t)SERIES_MAX * SERIES_BINS_MAX,
				sizeof(*block));
	struct plot plot = { .title = "Residual over time: meter less sum",
			     .x_label = "time (UTC)",
			     .y_label = "watts",
			     .x_time = true,
			     .series = line,
			     .count = history->count,
			     .width = 960,
			     .height = 300 };
	int result;

	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];
		double *time = block + 2 * s * SERIES_BINS_MAX;
		double *watts = time + SERIES_BINS_MAX;

		for (size_t i = 0; i < series->bins; i++) {
			time[i] = series->bin[i].time_s;
			watts[i] = series->bin[i].residual_j /
				   series->bin[i].seconds;
		}
		line[s] = (struct plot_series){ .name = series->label,
						.style = PLOT_LINE,
						.colour = (int)s + 1,
						.x = time,
						.y = watts,
						.n = series->bins };
	}
	result = page_plot(page, &plot, err);
	free(block);
	return result;
}

/* Shares of ticks in bins between the outermost residuals of all series. */
static int residuals_distribution(struct page *page,
				  const struct power_history *history,
				  struct err *err)
{
	struct plot_series bars[SERIES_MAX];
	static const size_t row = HISTOGRAM_BINS;
	double *share = xcalloc((SERIES_MAX + 1) * row, sizeof(*share));
	double *middle = share + SERIES_MAX * row, worst = 0, width;
	struct plot plot = { .title = "Residuals: how they are distributed",
			     .x_label = "residual of a tick, watts",
			     .y_label = "share of ticks, %",
			     .series = bars,
			     .count = history->count,
			     .width = 960,
			     .height = 300 };
	int result;

	for (size_t s = 0; s < history->count; s++)
		worst = fmax(worst, history->series[s]->residual_worst);
	width = 2 * worst / HISTOGRAM_BINS;
	for (size_t i = 0; i < row; i++)
		middle[i] = ((double)i + 0.5) * width - worst;
	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];

		for (size_t i = 0; i < series->residuals; i++) {
			double at = (series->residual[i] + worst) / width;
			size_t bin = (size_t)fmin(fmax(at, 0), (double)row - 1);

			share[s * row + bin] += 100 / (double)series->residuals;
		}
		bars[s] = (struct plot_series){ .name = series->label,
						.style = PLOT_BARS,
						.colour = (int)s + 1,
						.x = middle,
						.y = share + s * row,
						.n = row };
	}
	result = page_plot(page, &plot, err);
	free(share);
	return result;
}

int power_plots_residuals(struct page *page,
			  const struct power_history *history, struct err *err)
{
	bool any = false;

	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];
		double mean_w = series->meter_j / series->seconds;

		any |= series->residual_worst > ROUNDING * mean_w;
	}
	if (residuals_over_time(page, history, err) < 0)
		return -1;
	if (any)
		return residuals_distribution(page, history, err);
	page_paragraph(page,
		       "All residuals are rounding: these watts are shares of "
		       "the meter's, so that they sum to it by the way they "
		       "are made. That shows that nothing was lost, not how "
		       "good the model is.");
	return 0;
}

/* ---- errors of models --------------------------------------------------------------- */

int power_plots_errors(struct page *page, const struct power_history *history,
		       struct err *err)
{
	struct plot_series line[SERIES_ERRORS_MAX];
	struct plot plot = { .title = "Errors of the models (formula reports)",
			     .x_label = "time (UTC)",
			     .y_label = "watts",
			     .x_time = true,
			     .series = line,
			     .count = history->errors,
			     .width = 960,
			     .height = 300 };

	if (!history->errors)
		return 0;
	for (size_t i = 0; i < history->errors; i++) {
		const struct model_error *error = &history->error[i];

		line[i] = (struct plot_series){ .name = error->label,
						.style = PLOT_POINTS,
						.colour = (int)i + 1,
						.x = error->time_s,
						.y = error->error_w,
						.n = error->count };
	}
	return page_plot(page, &plot, err);
}
