/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/cost_plots.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/energy_terms.h"
#include "bench/slowed.h"
#include "lib/mem.h"

/* ---- the view -------------------------------------------------------------*/

static void add_model(struct cost_view *view, size_t index)
{
	const char *text = view->entry[index].config.model.text;
	size_t m = 0;

	while (m < view->models && strcmp(view->name[m], text) != 0)
		m++;
	if (m == view->models)
		view->name[view->models++] = text;
	view->model[index] = m;
}

int cost_view_init(struct cost_view *view, const struct energy_table *table,
		   struct err *err)
{
	const struct doc *list = doc_get(energy_table_doc(table), "entries");
	struct interval scale = energy_table_meter(table);

	*view = (struct cost_view){ 0 };
	view->entry = xcalloc(doc_count(list), sizeof(*view->entry));
	view->model = xcalloc(doc_count(list), sizeof(*view->model));
	view->name = xcalloc(doc_count(list), sizeof(*view->name));
	for (size_t i = 0; i < doc_count(list); i++) {
		if (energy_entry_read(doc_at(list, i), &view->entry[i], err) <
		    0) {
			cost_view_done(view);
			return -1;
		}
		view->entries++;
		add_model(view, i);
	}
	view->loss = view->entry[0].config.loss;
	energy_label(energy_table_source(table), scale.lo, scale.hi,
		     view->label);
	return 0;
}

void cost_view_done(struct cost_view *view)
{
	free(view->entry);
	free(view->model);
	free(view->name);
	*view = (struct cost_view){ 0 };
}

/* ---- series by model ------------------------------------------------------*/

/* Where an entry lies in a plot; false: nowhere. */
struct place {
	double x, y, lo, hi;
};

typedef bool place_fn(const struct cost_view *view, size_t index,
		      struct place *place);

/* The series of a model; `block` holds its four arrays. */
static void fill_series(const struct cost_view *view, size_t model,
			place_fn *place, double *block,
			struct plot_series *series)
{
	double *y = block + view->entries, *lo = y + view->entries;
	double *hi = lo + view->entries;
	struct place at;

	*series = (struct plot_series){ .name = view->name[model],
					.colour = (int)model + 1,
					.x = block,
					.y = y,
					.lo = lo,
					.hi = hi };
	for (size_t i = 0; i < view->entries; i++) {
		if (view->model[i] != model || !place(view, i, &at))
			continue;
		block[series->n] = at.x;
		y[series->n] = at.y;
		lo[series->n] = isfinite(at.lo) ? at.lo : at.y;
		hi[series->n++] = isfinite(at.hi) ? at.hi : at.y;
	}
}

/* `bars`: with lo and hi, and a line through the points. */
static int put_by_model(struct page *page, const struct cost_view *view,
			place_fn *place, bool bars, struct plot *plot,
			struct err *err)
{
	size_t layers = bars ? 2 : 1;
	struct plot_series *series =
		xcalloc(layers * view->models, sizeof(*series));
	size_t width = 4 * view->entries;
	double *block = xcalloc(view->models * width, sizeof(*block));
	int failed;

	for (size_t m = 0; m < view->models; m++) {
		struct plot_series *points = &series[m];

		fill_series(view, m, place, block + m * width, points);
		points->style = bars ? PLOT_ERRORBARS : PLOT_POINTS;
		if (bars) {
			series[view->models + m] = *points;
			series[view->models + m].name = NULL;
			series[view->models + m].style = PLOT_LINE;
		}
	}
	plot->series = series;
	plot->count = layers * view->models;
	failed = page_plot(page, plot, err);
	free(block);
	free(series);
	return failed;
}

static double samples_per_step(const struct energy_entry *entry)
{
	return (double)entry->config.batch;
}

static bool at_operations(const struct cost_view *view, size_t index,
			  struct place *place)
{
	const struct energy_entry *entry = &view->entry[index];
	const struct step_figure *joules = &entry->joules.figure;
	double x[ENERGY_TERMS_MAX];

	energy_terms_of(&entry->config, x);
	*place = (struct place){ x[energy_term_find("operations")],
				 joules->mean, joules->pi.lo, joules->pi.hi };
	return entry->config.loss == view->loss;
}

static bool at_batch_seconds(const struct cost_view *view, size_t index,
			     struct place *place)
{
	const struct energy_entry *entry = &view->entry[index];
	const struct step_figure *seconds = &entry->seconds.figure;

	*place = (struct place){ samples_per_step(entry), seconds->mean,
				 seconds->pi.lo, seconds->pi.hi };
	return entry->config.loss == view->loss;
}

static bool at_batch_per_sample(const struct cost_view *view, size_t index,
				struct place *place)
{
	const struct energy_entry *entry = &view->entry[index];
	const struct step_figure *joules = &entry->joules.figure;
	double samples = samples_per_step(entry);

	*place = (struct place){ samples, joules->mean / samples,
				 joules->pi.lo / samples,
				 joules->pi.hi / samples };
	return entry->config.loss == view->loss;
}

static bool at_predicted(const struct cost_view *view, size_t index,
			 struct place *place)
{
	const struct energy_series *joules = &view->entry[index].joules;

	*place = (struct place){ joules->left_out, joules->median, (double)NAN,
				 (double)NAN };
	return isfinite(joules->left_out);
}

static bool at_residual(const struct cost_view *view, size_t index,
			struct place *place)
{
	const struct energy_series *joules = &view->entry[index].joules;

	*place = (struct place){ (double)index + 1,
				 100 * (joules->left_out / joules->median - 1),
				 (double)NAN, (double)NAN };
	return isfinite(joules->left_out);
}

/* ---- the plots ------------------------------------------------------------*/

static int put_energy(struct page *page, const struct cost_view *view,
		      struct err *err)
{
	char label[ENERGY_LABEL_MAX + 64], sample[ENERGY_LABEL_MAX + 64];
	struct plot by_operations = {
		.title = "Energy of a step against its operations",
		.x_label = "operations per step",
		.y_label = label,
		.x_log = true,
		.y_log = true,
	};
	struct plot by_batch = {
		.title = "Energy per sample against the batch",
		.x_label = "batch (samples per step)",
		.y_label = sample,
		.x_log = true,
		.y_log = true,
	};

	snprintf(label, sizeof(label), "J per step, %s", view->label);
	snprintf(sample, sizeof(sample), "J per sample, %s", view->label);
	page_heading(page, "Energy");
	page_paragraph(page,
		       "Loss %s. Points are means, bars are pi95: what a "
		       "single run would show on this device, read by this "
		       "meter. The meter's own error is not in them; it is "
		       "common to all points.",
		       loss_name(view->loss));
	if (put_by_model(page, view, at_operations, true, &by_operations, err) <
	    0)
		return -1;
	return put_by_model(page, view, at_batch_per_sample, true, &by_batch,
			    err);
}

static int put_time(struct page *page, const struct cost_view *view,
		    struct err *err)
{
	struct plot plot = {
		.title = "Time of a step against the batch",
		.x_label = "batch (samples per step)",
		.y_label = "seconds per step",
		.x_log = true,
		.y_log = true,
	};

	page_heading(page, "Time");
	page_paragraph(page, "Loss %s; bars are pi95.", loss_name(view->loss));
	return put_by_model(page, view, at_batch_seconds, true, &plot, err);
}

static int put_model(struct page *page, const struct cost_view *view,
		     struct err *err)
{
	char x_label[ENERGY_LABEL_MAX + 64], y_label[ENERGY_LABEL_MAX + 64];
	struct plot against = {
		.title = "Measured against predicted",
		.x_label = x_label,
		.y_label = y_label,
		.x_log = true,
		.y_log = true,
		.diagonal = true,
	};
	struct plot residuals = {
		.title = "Error of the prediction, by configuration",
		.x_label = "configuration (number in the table below)",
		.y_label = "predicted − measured energy, %",
	};

	page_heading(page, "The model, leaving out");
	page_paragraph(page,
		       "Each configuration is predicted by the model fitted to "
		       "all others. Measured is the median of its windows.");
	snprintf(x_label, sizeof(x_label), "predicted J per step, %s",
		 view->label);
	snprintf(y_label, sizeof(y_label), "measured J per step, %s",
		 view->label);
	if (put_by_model(page, view, at_predicted, false, &against, err) < 0)
		return -1;
	return put_by_model(page, view, at_residual, false, &residuals, err);
}

int cost_plots_put(struct page *page, const struct cost_view *view,
		   struct err *err)
{
	if (put_energy(page, view, err) < 0 || put_time(page, view, err) < 0)
		return -1;
	for (size_t i = 0; i < view->entries; i++)
		if (isfinite(view->entry[i].joules.left_out))
			return put_model(page, view, err);
	return 0;
}

/* ---- single windows -------------------------------------------------------*/

/* Windows of one kind: which configuration, and how far from its median. */
struct windows {
	double *x, *y;
	size_t n;
};

static const struct energy_entry *entry_of(const struct cost_view *view,
					   const struct step_config *config)
{
	for (size_t i = 0; i < view->entries; i++)
		if (step_config_same(&view->entry[i].config, config))
			return &view->entry[i];
	return NULL;
}

static int add_window(const struct cost_view *view, const struct doc *doc,
		      struct windows windows[2], struct err *err)
{
	const struct energy_entry *entry;
	struct bench_record record;
	struct windows *to;

	if (bench_record_read(doc, &record, err) < 0)
		return -1;
	entry = entry_of(view, &record.config);
	if (!entry || !record.has_energy)
		return 0;
	to = &windows[record.flags || record.other_flags ||
		      slowed(record.reference_s, entry->lowest_s)];
	to->x[to->n] = (double)(entry - view->entry) + 1;
	to->y[to->n++] = 100 * (record.energy.joules / (double)record.steps /
					entry->joules.median -
				1);
	return 0;
}

static int plot_windows(struct page *page, const struct windows windows[2],
			struct err *err)
{
	struct plot_series series[2] = {
		{ "undisturbed", PLOT_POINTS, windows[0].x, windows[0].y, NULL,
		  NULL, windows[0].n, 1 },
		{ "flagged", PLOT_POINTS, windows[1].x, windows[1].y, NULL,
		  NULL, windows[1].n, 2 },
	};
	struct plot plot = {
		.title = "Repeats: each window beside the median of its "
			 "configuration",
		.x_label = "configuration (number in the table below)",
		.y_label = "energy − median, %",
		.series = series,
		.count = windows[1].n ? 2 : 1,
	};

	page_heading(page, "Repeats");
	return page_plot(page, &plot, err);
}

int cost_plots_repeats(struct page *page, const struct cost_view *view,
		       const struct doc *const *record, size_t records,
		       struct err *err)
{
	double *block = xcalloc(4 * records + 1, sizeof(*block));
	struct windows windows[2] = {
		{ block, block + records, 0 },
		{ block + 2 * records, block + 3 * records, 0 },
	};
	int failed = 0;

	for (size_t i = 0; !failed && i < records; i++)
		failed = add_window(view, record[i], windows, err);
	if (!failed)
		failed = plot_windows(page, windows, err);
	free(block);
	return failed;
}
