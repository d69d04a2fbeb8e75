/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_table -- measured power beside what explains it, a row at a time.
 *
 *	struct power_table table;
 *
 *	power_table_read(&table, &map, &files, &err);
 *	watts = table.watts[row];
 *	power_table_done(&table);
 *
 * CSV or TSV (told by the header, whose first name may have a '#' before it),
 * gzip'd or not, one file after the other; columns are found by their names.
 * SI units, loads from 0 to 1.  Counters become rates by the time since the
 * row before; where that is none (the first row of a file, time that went back)
 * or much longer than usual (a pause), by the usual one.
 *
 * A row whose counters are all those of the row before is stale: its sensor
 * slept.  It is kept, and marked.
 */
#ifndef FORMULA_POWER_TABLE_H
#define FORMULA_POWER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/power_map.h"
#include "lib/err.h"

#define POWER_TABLE_CELLS_MAX ((size_t)64 << 20)
#define POWER_TABLE_CORE_USES 3

struct power_table {
	size_t rows, rates, groups;
	double *watts;
	double *rate; /* rows × rates, 1/s: counters, then rates */
	double *hertz, *volts, *celsius; /* NULL where not mapped */
	/* rows × POWER_TABLE_CORE_USES, or NULL: cores that ran at all, busy
	 * cores, busy threads.  A core is as busy as its busier thread. */
	double *cores;
	size_t *group;
	char **group_name;
	bool *follows; /* the row before was taken just before */
	bool *stale;
	double *time; /* seconds, or NULL */
	/* capacities, for mem_grow() */
	size_t room[10];
};

int power_table_read(struct power_table *table, const struct power_map *map,
		     const struct field_list *files, struct err *err);
void power_table_done(struct power_table *table);

#endif
