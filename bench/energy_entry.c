/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/energy_entry.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/slowed.h"
#include "lib/mem.h"

/* ---- from records ---------------------------------------------------------*/

static struct energy_entry *entry_for(struct energy_entries *entries,
				      const struct step_config *config)
{
	struct energy_entry *entry;

	for (size_t i = 0; i < entries->count; i++)
		if (step_config_same(&entries->entry[i].config, config))
			return &entries->entry[i];
	entries->entry = mem_grow(entries->entry, &entries->capacity,
				  entries->count + 1, sizeof(*entry));
	entry = &entries->entry[entries->count++];
	*entry = (struct energy_entry){ .config = *config, .has_net = true };
	return entry;
}

void energy_entries_add(struct energy_entries *entries,
			const struct bench_record *record)
{
	struct energy_entry *entry = entry_for(entries, &record->config);
	double steps = (double)record->steps;

	if (!entry->n)
		memcpy(entry->instructions, record->instructions,
		       sizeof(entry->instructions));
	else if (strcmp(entry->instructions, record->instructions) != 0)
		entry->instructions[0] = '\0';
	entry->window = mem_grow(entry->window, &entry->capacity, entry->n + 1,
				 sizeof(*entry->window));
	entry->window[entry->n++] = (struct energy_window){
		.seconds = record->seconds / steps,
		.joules = record->energy.joules / steps,
		.net = record->net_j / steps,
		.reference_s = record->reference_s,
		.flagged = record->flags || record->other_flags,
	};
	entry->lowest_s = slowed_lowest(entry->lowest_s, record->reference_s);
	entry->again += record->again;
	entry->has_net &= record->has_net;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort(double *value, size_t n)
{
	if (n)
		qsort(value, n, sizeof(*value), by_value);
}

/* What is known once all windows are: which of them were slowed. */
static void mark_slowed(struct energy_entry *entry)
{
	for (size_t i = 0; i < entry->n; i++) {
		struct energy_window *window = &entry->window[i];
		bool is_slowed = slowed(window->reference_s, entry->lowest_s);

		window->flagged |= is_slowed;
		entry->slowed += is_slowed;
		entry->flagged += window->flagged;
	}
}

/* One value of each window (or of each undisturbed one), sorted, so that sums,
 * and with them tables, do not depend on the order in which records come.
 * `offset` is that of the value in struct energy_window. */
static size_t values_of(const struct energy_entry *entry, size_t offset,
			bool calm_only, double *value)
{
	size_t n = 0;

	for (size_t i = 0; i < entry->n; i++) {
		const struct energy_window *window = &entry->window[i];

		if (!calm_only || !window->flagged)
			memcpy(&value[n++], (const char *)window + offset,
			       sizeof(*value));
	}
	sort(value, n);
	return n;
}

static double calm_cv(const struct energy_entry *entry)
{
	double *calm = xcalloc(entry->n, sizeof(*calm));
	size_t n = values_of(entry, offsetof(struct energy_window, seconds),
			     true, calm);
	double cv = stat_cv(calm, n);

	free(calm);
	return cv;
}

static void series_settle(const struct energy_entry *entry, size_t offset,
			  double floor, struct energy_series *series)
{
	struct step_figure *figure = &series->figure;
	double *calm = xcalloc(entry->n, sizeof(*calm));
	size_t calms = values_of(entry, offset, true, calm);

	series->run = xcalloc(entry->n, sizeof(*series->run));
	series->runs = values_of(entry, offset, false, series->run);
	figure->mean = stat_mean(series->run, series->runs);
	figure->ci = stat_mean_interval(series->run, series->runs, 0.95);
	figure->pi = stat_single_interval(series->run, series->runs, 0.95);
	series->median = calms ? stat_median(calm, calms)
			       : stat_median(series->run, series->runs);
	series->left_out = (double)NAN;
	if (figure->ci.lo < floor)
		figure->ci.lo = floor;
	if (figure->pi.lo < floor)
		figure->pi.lo = floor;
	free(calm);
}

static int by_config(const void *a, const void *b)
{
	return step_config_compare(&((const struct energy_entry *)a)->config,
				   &((const struct energy_entry *)b)->config);
}

void energy_entries_settle(struct energy_entries *entries)
{
	qsort(entries->entry, entries->count, sizeof(*entries->entry),
	      by_config);
	for (size_t i = 0; i < entries->count; i++) {
		struct energy_entry *entry = &entries->entry[i];

		mark_slowed(entry);
		series_settle(entry, offsetof(struct energy_window, seconds), 0,
			      &entry->seconds);
		series_settle(entry, offsetof(struct energy_window, joules), 0,
			      &entry->joules);
		if (entry->has_net)
			series_settle(entry,
				      offsetof(struct energy_window, net),
				      -(double)INFINITY, &entry->net);
		entry->repeat_cv = calm_cv(entry);
	}
}

const struct energy_entry *energy_entries_find(
	const struct energy_entries *entries, const struct step_config *config)
{
	for (size_t i = 0; i < entries->count; i++)
		if (step_config_same(&entries->entry[i].config, config))
			return &entries->entry[i];
	return NULL;
}

void energy_entries_done(struct energy_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->entry[i].seconds.run);
		free(entries->entry[i].joules.run);
		free(entries->entry[i].net.run);
		free(entries->entry[i].window);
	}
	free(entries->entry);
	*entries = (struct energy_entries){ 0 };
}

/* ---- documents ------------------------------------------------------------*/

static struct doc *series_to_doc(const struct energy_series *series)
{
	const struct step_figure *figure = &series->figure;
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "mean", figure->mean);
	doc_set_real(doc, "median", series->median);
	doc_set_real(doc, "left_out", series->left_out);
	doc_set_bounds(doc, "ci95", figure->ci.lo, figure->ci.hi);
	doc_set_bounds(doc, "pi95", figure->pi.lo, figure->pi.hi);
	return doc;
}

struct doc *energy_entry_to_doc(const struct energy_entry *entry,
				struct interval meter)
{
	struct doc *doc = doc_new_object(), *joules;
	double mean = entry->joules.figure.mean;

	step_config_put(&entry->config, doc);
	if (entry->instructions[0])
		doc_set_text(doc, "instructions", entry->instructions);
	doc_set_int(doc, "n", (int64_t)entry->n);
	doc_set_int(doc, "flagged", (int64_t)entry->flagged);
	doc_set_int(doc, "slowed", (int64_t)entry->slowed);
	doc_set_int(doc, "again", (int64_t)entry->again);
	if (entry->lowest_s > 0)
		doc_set_real(doc, "reference_s", entry->lowest_s);
	doc_set_real(doc, "repeat_cv", entry->repeat_cv);
	doc_set_take(doc, "seconds_per_step", series_to_doc(&entry->seconds));
	joules = series_to_doc(&entry->joules);
	doc_set_bounds(joules, "meter95", meter.lo * mean, meter.hi * mean);
	doc_set_take(doc, "joules_per_step", joules);
	if (entry->has_net)
		doc_set_take(doc, "joules_per_step_net",
			     series_to_doc(&entry->net));
	return doc;
}

static int read_bounds(const struct doc *doc, const char *key, double floor,
		       struct interval *bounds, struct err *err)
{
	const struct doc *pair = doc_get(doc, key);

	*bounds = (struct interval){ (double)NAN, (double)NAN };
	if (!pair)
		return 0;
	bounds->lo = doc_real(doc_at(pair, 0), (double)NAN);
	bounds->hi = doc_real(doc_at(pair, 1), (double)NAN);
	if (bounds->lo >= floor && bounds->hi >= bounds->lo)
		return 0;
	return err_set(err, EINVAL,
		       "%s: expected two numbers, the smaller first", key);
}

static int series_read(const struct doc *doc, const char *key, double floor,
		       struct energy_series *series, struct err *err)
{
	struct step_figure *figure = &series->figure;
	const struct doc *member;

	if (doc_need_object(doc, key, &member, err) < 0)
		return -1;
	if (doc_need_real(member, "mean", &figure->mean, err) < 0 ||
	    read_bounds(member, "ci95", floor, &figure->ci, err) < 0 ||
	    read_bounds(member, "pi95", floor, &figure->pi, err) < 0)
		return err_wrap(err, "%s", key);
	if (figure->mean < floor)
		return err_set(err, EINVAL, "%s: mean: %g is not possible", key,
			       figure->mean);
	series->median = doc_real(doc_get(member, "median"), figure->mean);
	series->left_out = doc_real(doc_get(member, "left_out"), (double)NAN);
	return 0;
}

int energy_entry_read(const struct doc *doc, struct energy_entry *entry,
		      struct err *err)
{
	struct energy_entry made = { 0 };
	int64_t n;

	if (step_config_read(doc, &made.config, err) < 0 ||
	    doc_need_int(doc, "n", &n, err) < 0 ||
	    series_read(doc, "seconds_per_step", 0, &made.seconds, err) < 0 ||
	    series_read(doc, "joules_per_step", 0, &made.joules, err) < 0)
		return -1;
	if (n < 1)
		return err_set(err, EINVAL, "n: must be at least 1");
	made.n = (size_t)n;
	snprintf(made.instructions, sizeof(made.instructions), "%s",
		 doc_string(doc_get(doc, "instructions"), ""));
	made.flagged = (size_t)doc_int(doc_get(doc, "flagged"), 0);
	made.slowed = (size_t)doc_int(doc_get(doc, "slowed"), 0);
	made.again = (size_t)doc_int(doc_get(doc, "again"), 0);
	made.lowest_s = doc_real(doc_get(doc, "reference_s"), 0);
	made.repeat_cv = doc_real(doc_get(doc, "repeat_cv"), (double)NAN);
	made.has_net = doc_get(doc, "joules_per_step_net") != NULL;
	if (made.has_net && series_read(doc, "joules_per_step_net",
					-(double)INFINITY, &made.net, err) < 0)
		return -1;
	*entry = made;
	return 0;
}
