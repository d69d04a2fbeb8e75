/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_terms.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const char *const core_uses[POWER_TABLE_CORE_USES] = { "cores active",
							      "cores busy",
							      "threads busy" };

/* ---- names, in the order of row_fill() -----------------------------------------*/

struct namer {
	struct power_terms *terms;
	size_t wanted; /* may be more than there is room for */
};

static void name(struct namer *namer, const char *factor, const char *clock,
		 const char *what)
{
	const char *dot = *what && (*factor || *clock) ? "·" : "";

	if (namer->wanted++ < LSTSQ_TERMS_MAX)
		namer->terms->name[namer->terms->count++] = xasprintf(
			"%s%s%s%s%s", factor, *factor && *clock ? "·" : "",
			clock, dot, what);
}

static void name_dynamic(struct namer *namer, const struct power_map *map,
			 const char *factor)
{
	const char *clock = map->frequency ? "f" : "";

	for (size_t i = 0; i < map->counters.count; i++)
		name(namer, factor, "", map->counters.item[i]);
	for (size_t i = 0; i < map->rates.count; i++)
		name(namer, factor, "", map->rates.item[i]);
	if (map->frequency)
		name(namer, factor, clock, "");
	if (map->frequency && map->temperature)
		name(namer, factor, clock, "(T-T0)");
	for (size_t i = 0; i < POWER_TABLE_CORE_USES && map->threads.count; i++)
		name(namer, factor, clock, core_uses[i]);
}

int power_terms_init(struct power_terms *terms, const struct power_map *map,
		     struct err *err)
{
	struct namer namer = { .terms = terms };

	memset(terms, 0, sizeof(*terms));
	name_dynamic(&namer, map, map->voltage ? "V²" : "");
	if (!map->voltage && map->frequency) {
		name_dynamic(&namer, map, "g²");
		name_dynamic(&namer, map, "g⁴");
	}
	if (map->voltage)
		name(&namer, "", "", "V");
	if (map->temperature)
		name(&namer, map->voltage ? "V" : "", "", "(T-T0)");
	name(&namer, "", "", "static");
	if (namer.wanted <= LSTSQ_TERMS_MAX)
		return 0;
	power_terms_done(terms);
	return err_set(err, EINVAL,
		       "the map makes %zu terms, %d are possible (list fewer "
		       "counters)",
		       namer.wanted, LSTSQ_TERMS_MAX);
}

void power_terms_done(struct power_terms *terms)
{
	for (size_t i = 0; i < terms->count; i++)
		free(terms->name[i]);
	terms->count = 0;
}

/* ---- values ---------------------------------------------------------------------*/

static double *dynamic_fill(const struct power_table *table, size_t row,
			    double factor, double celsius, double *x)
{
	double clock = factor * (table->hertz ? table->hertz[row] : 1);

	for (size_t i = 0; i < table->rates; i++)
		*x++ = factor * table->rate[row * table->rates + i];
	if (table->hertz)
		*x++ = clock;
	if (table->hertz && table->celsius)
		*x++ = clock * fmax(table->celsius[row] - celsius, 0);
	for (size_t i = 0; i < POWER_TABLE_CORE_USES && table->cores; i++)
		*x++ = clock * table->cores[row * POWER_TABLE_CORE_USES + i];
	return x;
}

static void row_fill(const struct power_table *table, size_t row,
		     double celsius, double *x)
{
	double volts = table->volts ? table->volts[row] : 1;

	x = dynamic_fill(table, row, volts * volts, celsius, x);
	if (!table->volts && table->hertz) {
		double g = table->hertz[row] / 1e9;

		x = dynamic_fill(table, row, g * g, celsius, x);
		x = dynamic_fill(table, row, g * g * g * g, celsius, x);
	}
	if (table->volts)
		*x++ = volts;
	if (table->celsius)
		*x++ = volts * fmax(table->celsius[row] - celsius, 0);
	*x = 1;
}

void power_terms_fill(const struct power_terms *terms,
		      const struct power_table *table, double celsius,
		      double lag, double *x)
{
	for (size_t i = 0; i < table->rows; i++)
		row_fill(table, i, celsius, x + i * terms->count);
	if (lag == 0)
		return;
	/* Backwards: the row before must still be as it was. */
	for (size_t i = table->rows; i-- > 1;) {
		double *at = x + i * terms->count;
		const double *before = at - terms->count;

		if (!table->follows[i])
			continue;
		for (size_t j = 0; j < terms->count; j++)
			at[j] += lag * (before[j] - at[j]);
	}
}
