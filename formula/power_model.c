/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define SCHEMA "fedwatts.power-model/1"

static const double lags[] = { 0, 0.25, 0.5, 0.75, 1 };

/* ---- training ---------------------------------------------------------------------*/

static double lowest(const double *x, const bool *part, size_t n)
{
	double least = HUGE_VAL;

	for (size_t i = 0; i < n; i++)
		if (part[i])
			least = fmin(least, x[i]);
	return isfinite(least) ? least : 0;
}

static int try_lag(struct power_model *model, const struct power_table *table,
		   const bool *part, double lag, double *x, struct err *err)
{
	struct power_data data = {
		x,           table->watts,       table->group,
		table->rows, model->terms.count, table->groups
	};
	struct power_fit fit;

	power_terms_fill(&model->terms, table, model->celsius, lag, x);
	if (power_fit_make(&fit, &data, part, NULL, err) < 0)
		return -1;
	if (lag > 0 && !(fit.error < model->fit.error))
		return 0;
	model->fit = fit;
	model->lag = lag;
	return 0;
}

static int train(struct power_model *model, const struct power_table *table,
		 const bool *part, struct err *err)
{
	double *x = xcalloc(table->rows * model->terms.count, sizeof(*x));
	int result = 0;

	if (table->celsius)
		model->celsius = lowest(table->celsius, part, table->rows);
	for (size_t i = 0; i < sizeof(lags) / sizeof(*lags) && result == 0; i++)
		result = try_lag(model, table, part, lags[i], x, err);
	free(x);
	return result;
}

int power_model_train(struct power_model *model, const struct power_map *map,
		      const struct power_table *table, const bool *part,
		      struct err *err)
{
	bool *fresh = xcalloc(table->rows + 1, sizeof(*fresh));
	int result;

	memset(model, 0, sizeof(*model));
	model->map = map;
	for (size_t i = 0; i < table->rows; i++)
		fresh[i] = (!part || part[i]) && !table->stale[i];
	result = power_terms_init(&model->terms, map, err);
	if (result == 0)
		result = train(model, table, fresh, err);
	free(fresh);
	if (result < 0)
		power_model_done(model);
	return result;
}

void power_model_predict(const struct power_model *model,
			 const struct power_table *table, double *watts,
			 bool *beyond)
{
	size_t terms = model->terms.count;
	double *x = xcalloc(table->rows * terms + 1, sizeof(*x));

	power_terms_fill(&model->terms, table, model->celsius, model->lag, x);
	for (size_t i = 0; i < table->rows; i++) {
		watts[i] = power_fit_value(&model->fit, x + i * terms);
		if (beyond)
			beyond[i] =
				power_fit_is_beyond(&model->fit, x + i * terms);
	}
	free(x);
}

/* ---- documents ----------------------------------------------------------------------*/

struct doc *power_model_to_doc(const struct power_model *model)
{
	const struct power_fit *fit = &model->fit;
	struct interval ratio = power_fit_interval(fit, 1);
	struct doc *doc = doc_new_object(), *terms = doc_new_array();

	doc_set_text(doc, "schema", SCHEMA);
	doc_set_take(doc, "map", power_map_to_doc(model->map));
	doc_set_int(doc, "rows", (int64_t)fit->rows);
	doc_set_int(doc, "groups", (int64_t)fit->groups);
	for (size_t j = 0; j < fit->terms; j++) {
		struct doc *term = doc_new_object();

		doc_set_text(term, "name", model->terms.name[j]);
		doc_set_real(term, "watts_per_unit", fit->b[j]);
		doc_set_real(term, "top", fit->top[j]);
		doc_add_take(terms, term);
	}
	doc_set_take(doc, "terms", terms);
	doc_set_real(doc, "lag", model->lag);
	if (model->map->temperature)
		doc_set_real(doc, "t0_celsius", model->celsius);
	doc_set_bounds(doc, "pi95_ratio", ratio.lo, ratio.hi);
	doc_set_real(doc, "left_out_mape", fit->error);
	return doc;
}

static int term_read(struct power_model *model, const struct doc *term,
		     size_t j, struct err *err)
{
	const char *name;

	if (doc_need_text(term, "name", &name, err) < 0 ||
	    doc_need_real(term, "watts_per_unit", &model->fit.b[j], err) < 0 ||
	    doc_need_real(term, "top", &model->fit.top[j], err) < 0)
		return -1;
	if (strcmp(name, model->terms.name[j]))
		return err_set(err, EINVAL,
			       "the map makes it '%s', the model has '%s'",
			       model->terms.name[j], name);
	if (model->fit.b[j] < 0 || model->fit.top[j] < 0)
		return err_set(err, EINVAL, "'%s' is negative", name);
	return 0;
}

static int terms_read(struct power_model *model, const struct doc *doc,
		      struct err *err)
{
	const struct doc *terms;

	if (doc_need_array(doc, "terms", &terms, err) < 0)
		return -1;
	if (doc_count(terms) != model->terms.count)
		return err_set(err, EINVAL,
			       "terms: the map makes %zu, the model has %zu",
			       model->terms.count, doc_count(terms));
	for (size_t j = 0; j < model->terms.count; j++)
		if (term_read(model, doc_at(terms, j), j, err) < 0)
			return err_wrap(err, "terms[%zu]", j);
	model->fit.terms = model->terms.count;
	return 0;
}

static int figures_read(struct power_model *model, const struct doc *doc,
			struct err *err)
{
	const struct doc *ratio;
	int64_t rows, groups;
	double hi;

	if (doc_need_real(doc, "lag", &model->lag, err) < 0 ||
	    doc_need_int(doc, "rows", &rows, err) < 0 ||
	    doc_need_int(doc, "groups", &groups, err) < 0 ||
	    doc_need_real(doc, "left_out_mape", &model->fit.error, err) < 0 ||
	    (model->map->temperature &&
	     doc_need_real(doc, "t0_celsius", &model->celsius, err) < 0) ||
	    doc_need_array(doc, "pi95_ratio", &ratio, err) < 0)
		return -1;
	hi = doc_real(doc_at(ratio, 1), 0);
	if (!(hi >= 1))
		return err_set(err, EINVAL,
			       "pi95_ratio: [lo, hi] with "
			       "lo <= 1 <= hi is expected");
	if (!(model->lag >= 0 && model->lag <= 1) || rows < 0 || groups < 0)
		return err_set(err, EINVAL,
			       "lag, rows or groups: out of range");
	model->fit.spread = log(hi);
	model->fit.rows = (size_t)rows;
	model->fit.groups = (size_t)groups;
	return 0;
}

int power_model_from_doc(struct power_model *model, const struct doc *doc,
			 const char *where, struct err *err)
{
	memset(model, 0, sizeof(*model));
	if (!doc_is_schema(doc, SCHEMA))
		return err_set(err, EINVAL, "%s: no %s (formula fit makes one)",
			       where, SCHEMA);
	if (power_map_read(&model->own, doc_get(doc, "map"), "map", err) < 0)
		return err_wrap(err, "%s", where);
	model->map = &model->own;
	if (power_terms_init(&model->terms, model->map, err) == 0 &&
	    terms_read(model, doc, err) == 0 &&
	    figures_read(model, doc, err) == 0)
		return 0;
	err_wrap(err, "%s", where);
	power_model_done(model);
	return -1;
}

void power_model_done(struct power_model *model)
{
	power_terms_done(&model->terms);
	power_map_done(&model->own);
}
