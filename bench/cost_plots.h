/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cost_plots -- the pictures of an energy table.
 *
 *	struct cost_view view;
 *
 *	cost_view_init(&view, table, &err);
 *	cost_plots_put(page, &view, &err);
 *	cost_plots_repeats(page, &view, record, records, &err);
 *	cost_view_done(&view);
 *
 * Every model has one colour in all of them.  Every axis that shows joules
 * carries the meter's class, and how far it may be off where it is an
 * estimate.
 */
#ifndef BENCH_COST_PLOTS_H
#define BENCH_COST_PLOTS_H

#include <stddef.h>

#include "bench/energy_entry.h"
#include "bench/energy_table.h"
#include "lib/err.h"
#include "lib/page.h"

/* A table's entries, and which model each is of. */
struct cost_view {
	struct energy_entry *entry;
	size_t entries;
	size_t *model;     /* of each entry: an index */
	const char **name; /* of each model, borrowed from its entry */
	size_t models;
	enum loss loss; /* of the plots that show one loss: the first */
	char label[ENERGY_LABEL_MAX];
};

int cost_view_init(struct cost_view *view, const struct energy_table *table,
		   struct err *err);
void cost_view_done(struct cost_view *view);

/* What the table knows. */
int cost_plots_put(struct page *page, const struct cost_view *view,
		   struct err *err);
/* What the single windows showed, beside the median of their configuration. */
int cost_plots_repeats(struct page *page, const struct cost_view *view,
		       const struct doc *const *record, size_t records,
		       struct err *err);

#endif
