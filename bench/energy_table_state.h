/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy_table_state -- the inside of an energy table, for energy_table.c and
 * energy_table_doc.c alone.
 */
#ifndef BENCH_ENERGY_TABLE_STATE_H
#define BENCH_ENERGY_TABLE_STATE_H

#include "bench/energy_entry.h"
#include "bench/energy_fit.h"
#include "bench/energy_table.h"
#include "bench/energy_terms.h"

struct energy_table {
	char device[256];
	char meter[128];
	enum energy_source source;
	struct interval scale;                  /* of the meter */
	size_t records, flagged, slowed, again; /* as in the entries */
	struct energy_entries entries;
	struct energy_domain domain;
	bool has_fit;
	struct energy_fit seconds, joules;
	struct doc *doc;
};

/* The document of a table that has everything else. */
struct doc *energy_table_to_doc(const struct energy_table *table,
				const struct doc *runs);
/* Everything but `doc`, checked. */
int energy_table_parse(const struct doc *doc, struct energy_table *table,
		       struct err *err);

#endif
