/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_terms -- the physics of a power model: what watts are a sum of.
 *
 *	power_terms_init(&terms, &map, &err);
 *	x = xcalloc(table.rows * terms.count, sizeof(*x));
 *	power_terms_fill(&terms, &table, celsius, lag, x);
 *
 * Switching takes energy in proportion to the square of the voltage, so every
 * rate comes times V², and so does the clock, times f, for the cores that run;
 * leakage takes a current, so it comes times V, and grows with temperature.
 * Where the voltage is not known, 1, g² and g⁴ stand for V² (g in GHz; sums of
 * them with weights >= 0 span the curves between: voltage is flat at low
 * frequencies and steep at the highest), and where the frequency is not either,
 * 1.  No weight is negative, so no event gives energy back.
 *
 *	dynamic, for each of V² | 1, g², g⁴ | 1:
 *		rate · V²   (each counter)
 *		f · V², f · V² · (T − T0), f · V² · cores at work
 *	static: V, V · (T − T0), 1   (V only where known)
 *
 * `celsius` is T0.  `lag`: a power meter that averages is behind the counters;
 * a row is (1 − lag) of itself and lag of the row before, where there is one.
 */
#ifndef FORMULA_POWER_TERMS_H
#define FORMULA_POWER_TERMS_H

#include "formula/lstsq.h"
#include "formula/power_map.h"
#include "formula/power_table.h"

struct power_terms {
	size_t count;
	char *name[LSTSQ_TERMS_MAX]; /* "V²·CPU_CYCLES" */
};

/* EINVAL where there are more than LSTSQ_TERMS_MAX. */
int power_terms_init(struct power_terms *terms, const struct power_map *map,
		     struct err *err);
void power_terms_done(struct power_terms *terms);

/* x: rows × count. */
void power_terms_fill(const struct power_terms *terms,
		      const struct power_table *table, double celsius,
		      double lag, double *x);

#endif
