/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy_entry -- one measured configuration of an energy table: its windows,
 * and what they say together.
 *
 *	struct energy_entries entries = { 0 };
 *
 *	energy_entries_add(&entries, &record);       // each record
 *	energy_entries_settle(&entries);             // sorted, with figures
 *	use(entries.entry[0].seconds.figure.mean);
 *	energy_entries_done(&entries);
 *
 * Figures are per step.  Mean, ci and pi are Student's over all windows,
 * flagged ones included, so that what disturbs widens the interval and is not
 * hidden; the median beside them is that of the undisturbed windows (of all,
 * where none is).  A window is undisturbed when it has no flag and was not
 * slowed (slowed.h), which counts as a flag here.  No bound is below 0, except
 * of a net figure.
 */
#ifndef BENCH_ENERGY_ENTRY_H
#define BENCH_ENERGY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/bench_record.h"
#include "bench/energy_table.h"
#include "lib/doc.h"
#include "lib/err.h"

/* The windows of one figure, and the figure. */
struct energy_series {
	double *run; /* per step; NULL when read from a table */
	size_t runs;
	double median;   /* of undisturbed windows, where there are some */
	double left_out; /* what the model says without this configuration */
	struct step_figure figure;
};

/* A window until the entries settle. */
struct energy_window {
	double seconds, joules, net; /* per step */
	double reference_s;
	bool flagged;
};

struct energy_entry {
	struct step_config config;
	/* What its precision ended up on; empty: not known, or not one. */
	char instructions[PRECISION_INSTRUCTIONS_MAX];
	size_t n;         /* windows */
	size_t flagged;   /* of them, slowed ones included */
	size_t slowed;    /* of these */
	size_t again;     /* windows of extra blocks */
	double lowest_s;  /* of their references; 0: not known */
	double repeat_cv; /* of seconds per step, over the undisturbed
				     windows; NaN below two of them */
	struct energy_window *window; /* NULL when read from a table */
	size_t capacity;
	struct energy_series seconds, joules, net;
	bool has_net;
};

struct energy_entries {
	struct energy_entry *entry;
	size_t count, capacity;
};

void energy_entries_add(struct energy_entries *entries,
			const struct bench_record *record);
/* Sort (step_config_compare) and compute. */
void energy_entries_settle(struct energy_entries *entries);
const struct energy_entry *energy_entries_find(
	const struct energy_entries *entries, const struct step_config *config);
void energy_entries_done(struct energy_entries *entries);

/* As a member of `entries` in fedwatts.energy-table/1; `meter` are the scales
 * of the meter. */
struct doc *energy_entry_to_doc(const struct energy_entry *entry,
				struct interval meter);
int energy_entry_read(const struct doc *doc, struct energy_entry *entry,
		      struct err *err);

#endif
