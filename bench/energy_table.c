/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/energy_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "bench/energy_table_state.h"
#include "lib/mem.h"

/* ---- from records ---------------------------------------------------------*/

static int check_alike(const struct energy_table *table,
		       const struct bench_record *record, struct err *err)
{
	const struct step_config *first = &table->entries.entry[0].config;

	if (strcmp(table->device, record->device) != 0)
		return err_set(err, EINVAL,
			       "records of two devices (%s, %s): a table is of "
			       "one",
			       table->device, record->device);
	if (strcmp(table->meter, record->meter) != 0)
		return err_set(
			err, EINVAL,
			"records of two meters (%s, %s): choose one with "
			"--meter",
			table->meter, record->meter);
	if (table->source != record->energy.source ||
	    table->scale.lo != record->energy.scale_lo ||
	    table->scale.hi != record->energy.scale_hi)
		return err_set(err, EINVAL,
			       "records of meter %s with two source classes or "
			       "scales",
			       table->meter);
	if (first->threads != record->config.threads)
		return err_set(
			err, EINVAL,
			"records of several numbers of threads: fit them "
			"one by one");
	return 0;
}

static int take_record(struct energy_table *table,
		       const struct bench_record *record, struct err *err)
{
	if (!record->has_energy)
		return err_set(err, EINVAL,
			       "no energy in it (it was measured without a "
			       "meter)");
	if (!(record->energy.joules > 0))
		return err_set(err, EINVAL,
			       "energy_j is 0: the meter did not advance "
			       "(measure longer windows)");
	if (!table->records) {
		snprintf(table->device, sizeof(table->device), "%s",
			 record->device);
		snprintf(table->meter, sizeof(table->meter), "%s",
			 record->meter);
		table->source = record->energy.source;
		table->scale.lo = record->energy.scale_lo;
		table->scale.hi = record->energy.scale_hi;
	} else if (check_alike(table, record, err) < 0) {
		return -1;
	}
	table->records++;
	energy_entries_add(&table->entries, record);
	energy_domain_add(&table->domain, &record->config);
	return 0;
}

static struct energy_series *seconds_of(struct energy_entry *entry)
{
	return &entry->seconds;
}

static struct energy_series *joules_of(struct energy_entry *entry)
{
	return &entry->joules;
}

/* No term stands for a precision, so the model is of one: that of most
 * entries; of equals fp32, or else the first. */
static bool is_modelled(const struct energy_table *table,
			const struct energy_entry *entry)
{
	return strcmp(entry->config.precision, energy_table_precision(table)) ==
	       0;
}

static size_t count_modelled(const struct energy_table *table,
			     const char *precision)
{
	size_t count = 0;

	for (size_t i = 0; i < table->entries.count; i++)
		count += !strcmp(table->entries.entry[i].config.precision,
				 precision);
	return count;
}

const char *energy_table_precision(const struct energy_table *table)
{
	const char *best = table->entries.entry[0].config.precision;

	if (count_modelled(table, "fp32") >= count_modelled(table, best))
		best = "fp32";
	for (size_t i = 0; i < table->entries.count; i++) {
		const char *other = table->entries.entry[i].config.precision;

		if (count_modelled(table, other) > count_modelled(table, best))
			best = other;
	}
	return best;
}

/* One figure of the model's entries, as the fit wants it. */
static int fit_series(struct energy_table *table,
		      struct energy_series *(*of)(struct energy_entry *),
		      struct energy_fit *fit, struct err *err)
{
	struct energy_entries *entries = &table->entries;
	struct fit_point *point = xcalloc(entries->count, sizeof(*point));
	double *left_out = xcalloc(entries->count, sizeof(*left_out));
	size_t points = 0;
	int failed;

	for (size_t i = 0; i < entries->count; i++) {
		const struct energy_series *series = of(&entries->entry[i]);

		if (!is_modelled(table, &entries->entry[i]))
			continue;
		point[points++] = (struct fit_point){
			.config = entries->entry[i].config,
			.y = series->median,
			.run = series->run,
			.runs = series->runs,
		};
	}
	failed = energy_fit_make(point, points, fit, left_out, err);
	points = 0;
	for (size_t i = 0; !failed && i < entries->count; i++)
		if (is_modelled(table, &entries->entry[i]))
			of(&entries->entry[i])->left_out = left_out[points++];
	free(left_out);
	free(point);
	return failed;
}

static int fit_both(struct energy_table *table, struct err *err)
{
	table->has_fit = count_modelled(table, energy_table_precision(table)) >=
			 ENERGY_FIT_POINTS_MIN;
	if (!table->has_fit)
		return 0;
	if (fit_series(table, seconds_of, &table->seconds, err) < 0)
		return err_wrap(err, "seconds");
	if (fit_series(table, joules_of, &table->joules, err) < 0)
		return err_wrap(err, "joules");
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The runs that the records belong to, each once, sorted. */
static struct doc *runs_of(const struct doc *const *record, size_t records)
{
	const char **run = xcalloc(records, sizeof(*run));
	struct doc *runs = doc_new_array();

	for (size_t i = 0; i < records; i++)
		run[i] = doc_string(doc_get(record[i], "run"), "");
	qsort(run, records, sizeof(*run), by_text);
	for (size_t i = 0; i < records; i++)
		if (!i || strcmp(run[i], run[i - 1]) != 0)
			doc_add_take(runs, doc_new_text(run[i]));
	free(run);
	return runs;
}

static int take_all(struct energy_table *table, const struct doc *const *record,
		    size_t records, struct err *err)
{
	struct bench_record taken;

	for (size_t i = 0; i < records; i++)
		if (bench_record_read(record[i], &taken, err) < 0 ||
		    take_record(table, &taken, err) < 0)
			return err_wrap(err, "record %zu", i + 1);
	if (!records)
		return err_set(err, EINVAL, "no records");
	return 0;
}

static void count_windows(struct energy_table *table)
{
	for (size_t i = 0; i < table->entries.count; i++) {
		const struct energy_entry *entry = &table->entries.entry[i];

		table->flagged += entry->flagged;
		table->slowed += entry->slowed;
		table->again += entry->again;
	}
}

struct energy_table *energy_table_fit(const struct doc *const *record,
				      size_t records, struct err *err)
{
	struct energy_table *table = xcalloc(1, sizeof(*table));
	struct doc *runs;

	if (take_all(table, record, records, err) < 0)
		goto fail;
	energy_entries_settle(&table->entries);
	count_windows(table);
	if (fit_both(table, err) < 0)
		goto fail;
	runs = runs_of(record, records);
	table->doc = energy_table_to_doc(table, runs);
	doc_free(runs);
	return table;
fail:
	energy_table_free(table);
	return NULL;
}

/* ---- from documents -------------------------------------------------------*/

struct energy_table *energy_table_from_doc(const struct doc *doc,
					   struct err *err)
{
	struct energy_table *table = xcalloc(1, sizeof(*table));

	if (energy_table_parse(doc, table, err) < 0) {
		energy_table_free(table);
		return NULL;
	}
	table->doc = doc_copy(doc);
	return table;
}

struct energy_table *energy_table_read(const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err);
	struct energy_table *table;

	if (!doc)
		return NULL;
	table = energy_table_from_doc(doc, err);
	if (!table)
		err_wrap(err, "%s", path);
	doc_free(doc);
	return table;
}

void energy_table_set_manifest(struct energy_table *table,
			       const struct doc *manifest)
{
	doc_set_take(table->doc, "manifest", doc_copy(manifest));
}

void energy_table_free(struct energy_table *table)
{
	if (!table)
		return;
	energy_entries_done(&table->entries);
	doc_free(table->doc);
	free(table);
}

/* ---- answers --------------------------------------------------------------*/

static bool has_model(const struct energy_table *table,
		      const struct net_spec *model)
{
	for (size_t i = 0; i < table->entries.count; i++)
		if (!strcmp(table->entries.entry[i].config.model.text,
			    model->text))
			return true;
	return false;
}

static bool has_optimizer(const struct energy_table *table, const char *name)
{
	for (size_t i = 0; i < table->entries.count; i++)
		if (!strcmp(table->entries.entry[i].config.optimizer, name))
			return true;
	return false;
}

/* What no term of the model stands for. */
static int check_answerable(const struct energy_table *table,
			    const struct step_config *config, struct err *err)
{
	const struct step_config *first = &table->entries.entry[0].config;

	const char *precision = energy_table_precision(table);

	if (strcmp(precision, config->precision) != 0)
		return err_set(
			err, EINVAL,
			"precision %s was not measured with it, and this "
			"table's model is of %s",
			config->precision, precision);
	if (first->threads != config->threads)
		return err_set(err, EINVAL,
			       "%zu threads were not measured (this table has "
			       "%zu)",
			       config->threads, first->threads);
	if (!has_optimizer(table, config->optimizer))
		return err_set(err, EINVAL,
			       "optimizer %s was not measured (this table has "
			       "%s)",
			       config->optimizer, first->optimizer);
	if (!table->has_fit)
		return err_set(err, EINVAL,
			       "was not measured, and %zu configurations carry "
			       "no model (at least %d)",
			       table->entries.count, ENERGY_FIT_POINTS_MIN);
	return 0;
}

static struct step_figure predict(const struct energy_fit *fit,
				  const struct step_config *config,
				  double distance, bool model_is_known)
{
	struct step_figure figure = { .ci = { (double)NAN, (double)NAN } };

	figure.mean = energy_fit_value(fit, config);
	figure.pi =
		energy_fit_interval(fit, figure.mean, distance, model_is_known);
	return figure;
}

/* A single window has no interval of its own: the model's spread is put around
 * it. */
static struct step_figure measured(const struct energy_table *table,
				   const struct energy_series *series,
				   const struct energy_fit *fit)
{
	struct step_figure figure = series->figure;

	if (isnan(figure.pi.lo) && table->has_fit)
		figure.pi = energy_fit_interval(fit, figure.mean, 0, true);
	return figure;
}

int energy_table_predict(const struct energy_table *table,
			 const struct step_config *config,
			 struct step_cost *cost, struct err *err)
{
	const struct energy_entry *entry =
		energy_entries_find(&table->entries, config);
	struct step_cost made = { .source = table->source,
				  .measured = entry != NULL,
				  .inside_domain = true };
	char text[STEP_CONFIG_TEXT_MAX];

	if (entry) {
		made.seconds =
			measured(table, &entry->seconds, &table->seconds);
		made.joules = measured(table, &entry->joules, &table->joules);
	} else if (check_answerable(table, config, err) < 0) {
		return err_wrap(err, "%s", step_config_text(config, text));
	} else {
		double distance =
			energy_domain_distance(&table->domain, config);
		bool known = has_model(table, &config->model);

		made.seconds =
			predict(&table->seconds, config, distance, known);
		made.joules = predict(&table->joules, config, distance, known);
		made.inside_domain = distance == 0;
	}
	made.meter.lo = table->scale.lo * made.joules.mean;
	made.meter.hi = table->scale.hi * made.joules.mean;
	*cost = made;
	return 0;
}

const struct doc *energy_table_doc(const struct energy_table *table)
{
	return table->doc;
}

size_t energy_table_entries(const struct energy_table *table)
{
	return table->entries.count;
}

const char *energy_table_device(const struct energy_table *table)
{
	return table->device;
}

struct interval energy_table_meter(const struct energy_table *table)
{
	return table->scale;
}

enum energy_source energy_table_source(const struct energy_table *table)
{
	return table->source;
}
