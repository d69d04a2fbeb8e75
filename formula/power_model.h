/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_model -- watts from counters, learnt from a recorded table.
 *
 *	struct power_model model;
 *
 *	power_model_train(&model, &map, &table, NULL, &err);
 *	power_model_predict(&model, &other, watts);
 *	doc = power_model_to_doc(&model);      // fedwatts.power-model/1
 *	power_model_done(&model);
 *
 * Terms are power_terms.h's, coefficients power_fit.h's; how far the meter is
 * behind (`lag`) is the candidate that errs least on groups left out of the
 * training rows.  Nothing but the training rows is looked at, the lowest
 * temperature, the largest term and the width of the interval included.  Stale
 * rows teach nothing.
 */
#ifndef FORMULA_POWER_MODEL_H
#define FORMULA_POWER_MODEL_H

#include <stdbool.h>

#include "formula/power_fit.h"
#include "formula/power_map.h"
#include "formula/power_table.h"
#include "formula/power_terms.h"
#include "lib/doc.h"
#include "lib/err.h"

struct power_model {
	const struct power_map *map; /* borrowed, or `own` */
	struct power_map own;
	struct power_terms terms;
	struct power_fit fit;
	double celsius; /* T0 */
	double lag;
};

/* From the rows that `part` marks (NULL: all). */
int power_model_train(struct power_model *model, const struct power_map *map,
		      const struct power_table *table, const bool *part,
		      struct err *err);

/* Watts for every row of a table that was read with the model's map, and
 * whether the row is beyond what was learnt (`beyond` may be NULL). */
void power_model_predict(const struct power_model *model,
			 const struct power_table *table, double *watts,
			 bool *beyond);

struct doc *power_model_to_doc(const struct power_model *model);
int power_model_from_doc(struct power_model *model, const struct doc *doc,
			 const char *where, struct err *err);
void power_model_done(struct power_model *model);

#endif
