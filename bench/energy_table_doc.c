/* SPDX-License-Identifier: BSD-3-Clause */
/* An energy table as fedwatts.energy-table/1, and back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/energy_table_state.h"
#include "lib/mem.h"

#define SCHEMA "fedwatts.energy-table/1"

/* More entries than that do not come from a sweep. */
#define ENTRIES_MAX 100000

/* ---- writing --------------------------------------------------------------*/

static struct doc *terms_to_doc(const struct energy_fit *fit, const char *unit)
{
	struct doc *terms = doc_new_array();
	char text[64];

	for (size_t i = 0; i < energy_terms(); i++) {
		struct doc *term = doc_new_object();

		snprintf(text, sizeof(text), "%s/%s", unit,
			 energy_term_unit(i));
		doc_set_text(term, "name", energy_term_name(i));
		doc_set_text(term, "unit", text);
		doc_set_real(term, "coefficient", fit->t[i]);
		doc_add_take(terms, term);
	}
	return terms;
}

static struct doc *spread_to_doc(const struct fit_check *check)
{
	struct doc *doc = doc_new_object();
	struct doc *quantiles = doc_new_array();

	doc_set_real(doc, "spread", check->spread);
	for (size_t i = 0; i < ENERGY_FIT_QUANTILES; i++) {
		double pair[2] = { energy_fit_levels[i], check->quantile[i] };

		doc_add_take(quantiles, doc_new_reals(pair, 2));
	}
	doc_set_take(doc, "quantiles", quantiles);
	return doc;
}

static struct doc *fit_to_doc(const struct energy_fit *fit, const char *unit)
{
	struct doc *doc = doc_new_object();
	struct doc *residuals = doc_new_object();

	doc_set_take(doc, "terms", terms_to_doc(fit, unit));
	if (fit->by_config.n)
		doc_set_take(residuals, "new_configuration",
			     spread_to_doc(&fit->by_config));
	if (fit->by_model.n)
		doc_set_take(residuals, "new_model",
			     spread_to_doc(&fit->by_model));
	doc_set_take(doc, "log_residuals", residuals);
	return doc;
}

static struct doc *check_to_doc(const struct fit_check *check)
{
	struct doc *doc = doc_new_object();

	doc_set_int(doc, "n", (int64_t)check->n);
	doc_set_int(doc, "groups", (int64_t)check->groups);
	doc_set_real(doc, "relative_error_median", check->median);
	doc_set_real(doc, "relative_error_p95", check->p95);
	doc_set_real(doc, "pi95_coverage", check->coverage);
	return doc;
}

static struct doc *validation_to_doc(const struct energy_fit *fit)
{
	struct doc *doc = doc_new_object();

	if (fit->by_config.n)
		doc_set_take(doc, "leave_one_configuration_out",
			     check_to_doc(&fit->by_config));
	if (fit->by_model.n)
		doc_set_take(doc, "leave_one_model_out",
			     check_to_doc(&fit->by_model));
	return doc;
}

static void put_model(const struct energy_table *table, struct doc *doc)
{
	struct doc *fit = doc_new_object(), *validation = doc_new_object();

	doc_set_take(fit, "seconds_per_step", fit_to_doc(&table->seconds, "s"));
	doc_set_take(fit, "joules_per_step", fit_to_doc(&table->joules, "J"));
	doc_set_take(doc, "fit", fit);
	doc_set_take(validation, "seconds_per_step",
		     validation_to_doc(&table->seconds));
	doc_set_take(validation, "joules_per_step",
		     validation_to_doc(&table->joules));
	doc_set_take(doc, "validation", validation);
}

struct doc *energy_table_to_doc(const struct energy_table *table,
				const struct doc *runs)
{
	struct doc *doc = doc_new_object(), *entries = doc_new_array();

	doc_set_text(doc, "schema", SCHEMA);
	doc_set_text(doc, "device", table->device);
	doc_set_take(doc, "runs", doc_copy(runs));
	doc_set_int(doc, "records", (int64_t)table->records);
	doc_set_int(doc, "flagged", (int64_t)table->flagged);
	doc_set_int(doc, "slowed", (int64_t)table->slowed);
	doc_set_int(doc, "again", (int64_t)table->again);
	doc_set_int(doc, "source", table->source);
	doc_set_text(doc, "meter", table->meter);
	doc_set_bounds(doc, "meter_scale", table->scale.lo, table->scale.hi);
	for (size_t i = 0; i < table->entries.count; i++)
		doc_add_take(entries,
			     energy_entry_to_doc(&table->entries.entry[i],
						 table->scale));
	doc_set_take(doc, "entries", entries);
	doc_set_take(doc, "domain", energy_domain_to_doc(&table->domain));
	if (table->has_fit)
		put_model(table, doc);
	return doc;
}

/* ---- reading --------------------------------------------------------------*/

static int read_terms(const struct doc *doc, struct energy_fit *fit,
		      struct err *err)
{
	const struct doc *terms;
	const char *name;
	double coefficient;
	size_t i;

	if (doc_need_array(doc, "terms", &terms, err) < 0)
		return -1;
	for (size_t k = 0; k < doc_count(terms); k++) {
		const struct doc *term = doc_at(terms, k);

		if (doc_need_text(term, "name", &name, err) < 0 ||
		    doc_need_real(term, "coefficient", &coefficient, err) < 0)
			return err_wrap(err, "terms[%zu]", k);
		i = energy_term_find(name);
		if (i == energy_terms())
			return err_set(err, EINVAL,
				       "terms[%zu]: '%s' is unknown here (the "
				       "table was made by another version)",
				       k, name);
		if (!(coefficient >= 0))
			return err_set(err, EINVAL, "terms[%zu]: %g is below 0",
				       k, coefficient);
		fit->t[i] = coefficient;
	}
	return 0;
}

static int read_spread(const struct doc *residuals, const char *key,
		       struct fit_check *check, struct err *err)
{
	const struct doc *doc = doc_get(residuals, key);

	if (!doc)
		return 0;
	if (doc_need_real(doc, "spread", &check->spread, err) < 0)
		return err_wrap(err, "%s", key);
	if (!(check->spread >= 0))
		return err_set(err, EINVAL, "%s: spread: %g is below 0", key,
			       check->spread);
	check->n = 1;
	return 0;
}

static int read_fit(const struct doc *fits, const char *key,
		    struct energy_fit *fit, struct err *err)
{
	const struct doc *doc, *residuals;

	if (doc_need_object(fits, key, &doc, err) < 0)
		return -1;
	if (read_terms(doc, fit, err) < 0 ||
	    doc_need_object(doc, "log_residuals", &residuals, err) < 0 ||
	    read_spread(residuals, "new_configuration", &fit->by_config, err) <
		    0 ||
	    read_spread(residuals, "new_model", &fit->by_model, err) < 0)
		return err_wrap(err, "%s", key);
	if (fit->by_config.n)
		return 0;
	return err_set(err, EINVAL,
		       "%s: log_residuals.new_configuration: "
		       "missing",
		       key);
}

static int read_model(const struct doc *doc, struct energy_table *table,
		      struct err *err)
{
	const struct doc *fits = doc_get(doc, "fit");

	table->has_fit = fits != NULL;
	if (!fits)
		return 0;
	if (read_fit(fits, "seconds_per_step", &table->seconds, err) < 0 ||
	    read_fit(fits, "joules_per_step", &table->joules, err) < 0)
		return err_wrap(err, "fit");
	return 0;
}

static int read_entries(const struct doc *doc, struct energy_table *table,
			struct err *err)
{
	struct energy_entries *entries = &table->entries;
	const struct doc *list;

	if (doc_need_array(doc, "entries", &list, err) < 0)
		return -1;
	if (!doc_count(list) || doc_count(list) > ENTRIES_MAX)
		return err_set(err, EINVAL, "entries: expected 1 to %d",
			       ENTRIES_MAX);
	entries->entry = xcalloc(doc_count(list), sizeof(*entries->entry));
	for (size_t i = 0; i < doc_count(list); i++) {
		if (energy_entry_read(doc_at(list, i), &entries->entry[i],
				      err) < 0)
			return err_wrap(err, "entries[%zu]", i);
		entries->count++;
	}
	return 0;
}

static int read_scale(const struct doc *doc, struct energy_table *table,
		      struct err *err)
{
	const struct doc *scale;

	if (doc_need_array(doc, "meter_scale", &scale, err) < 0)
		return -1;
	table->scale.lo = doc_real(doc_at(scale, 0), (double)NAN);
	table->scale.hi = doc_real(doc_at(scale, 1), (double)NAN);
	if (table->scale.lo > 0 && table->scale.hi >= table->scale.lo)
		return 0;
	return err_set(err, EINVAL,
		       "meter_scale: expected two numbers above "
		       "0, the smaller first");
}

static int read_head(const struct doc *doc, struct energy_table *table,
		     struct err *err)
{
	const char *device, *meter;
	int64_t source;

	if (!doc_is_schema(doc, SCHEMA))
		return err_set(err, EINVAL,
			       "not a %s document (bench fit makes them)",
			       SCHEMA);
	if (doc_need_text(doc, "device", &device, err) < 0 ||
	    doc_need_text(doc, "meter", &meter, err) < 0 ||
	    doc_need_int(doc, "source", &source, err) < 0 ||
	    read_scale(doc, table, err) < 0)
		return -1;
	if (source < 0 || source > ENERGY_UNKNOWN)
		return err_set(err, EINVAL, "source: there is no class %lld",
			       (long long)source);
	table->source = (enum energy_source)source;
	snprintf(table->device, sizeof(table->device), "%s", device);
	snprintf(table->meter, sizeof(table->meter), "%s", meter);
	table->records = (size_t)doc_int(doc_get(doc, "records"), 0);
	table->flagged = (size_t)doc_int(doc_get(doc, "flagged"), 0);
	return 0;
}

int energy_table_parse(const struct doc *doc, struct energy_table *table,
		       struct err *err)
{
	const struct doc *domain;

	if (read_head(doc, table, err) < 0 ||
	    read_entries(doc, table, err) < 0 ||
	    doc_need_object(doc, "domain", &domain, err) < 0)
		return -1;
	if (energy_domain_read(domain, &table->domain, err) < 0)
		return err_wrap(err, "domain");
	return read_model(doc, table, err);
}
