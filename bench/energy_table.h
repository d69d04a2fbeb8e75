/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy_table -- what a training step costs on a device, measured and
 * predicted.
 *
 *	struct energy_table *table = energy_table_read("table.json", &err);
 *	struct step_cost cost;
 *
 *	energy_table_predict(table, &config, &cost, &err);
 *	if (cost.joules.pi.hi * steps <= left_j)
 *		train(&config, steps);
 *	energy_table_free(table);
 *
 * A configuration that was measured is answered from its repeats; any other
 * from the fitted layer-wise model
 *
 *	y = t0 + t1·kernels + t2·operations + t3·bytes + …   (all t >= 0)
 *
 * with the quantiles of its leave-one-configuration-out residuals as its
 * interval (leave-one-model-out, when the model itself is new), widened outside
 * the measured domain (energy_fit.h, energy_terms.h say how).
 *
 * Two intervals, never mixed: `pi` (pi95) is what the next run on this device,
 * read by this meter, will show; `meter` (meter95) is how far the meter itself
 * may be from the truth, common to all values of a table.
 */
#ifndef BENCH_ENERGY_TABLE_H
#define BENCH_ENERGY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/step_config.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/stat.h"
#include "sensor/energy.h"

struct step_figure {
	double mean;
	struct interval ci; /* of the mean, 95 %; NaN when only predicted */
	struct interval pi; /* of a single run, 95 % */
};

struct step_cost {
	struct step_figure seconds;
	struct step_figure joules;
	struct interval meter; /* joules */
	enum energy_source source;
	bool measured;      /* answered from repeats */
	bool inside_domain; /* of the fit */
};

struct energy_table;

/* From records to a table (`bench fit`): `record` are fedwatts.bench-record/1
 * documents of one device and one meter.  The table does not depend on their
 * order.  With fewer than ENERGY_FIT_POINTS_MIN configurations it answers only
 * for those measured. */
struct energy_table *energy_table_fit(const struct doc *const *record,
				      size_t records, struct err *err);
struct energy_table *energy_table_read(const char *path, struct err *err);
struct energy_table *energy_table_from_doc(const struct doc *doc,
					   struct err *err);
/* The fedwatts.energy-table/1 document; borrowed. */
const struct doc *energy_table_doc(const struct energy_table *table);
void energy_table_free(struct energy_table *table); /* accepts NULL */

/* Put a copy of the sweep's fedwatts.manifest/1 into the document. */
void energy_table_set_manifest(struct energy_table *table,
			       const struct doc *manifest);

/* EINVAL with a reason when the table cannot answer (another precision). */
int energy_table_predict(const struct energy_table *table,
			 const struct step_config *config,
			 struct step_cost *cost, struct err *err);

size_t energy_table_entries(const struct energy_table *table);
/* The precision whose configurations its model answers for; in others, what was
 * measured. */
const char *energy_table_precision(const struct energy_table *table);
const char *energy_table_device(const struct energy_table *table);
/* Scales of the meter: [lo, hi] × joules holds the truth. */
struct interval energy_table_meter(const struct energy_table *table);
enum energy_source energy_table_source(const struct energy_table *table);

#endif
