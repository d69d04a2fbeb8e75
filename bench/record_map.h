/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * record_map -- tables that others measured, read as bench records.
 *
 *	struct record_map *map = record_map_read("map.json", &err);
 *
 *	if (record_map_rows(map, "linear.csv", NULL, &records, &err) < 0)
 *		...
 *	record_map_free(map);
 *
 * A map is a JSON object that says what becomes of a row of a CSV file whose
 * first line has the columns' names:
 *
 *	{ "device": "2 × Xeon Gold 5120", "meter": "RAPL", "source": 1,
 *	  "model": "softmax:{input_size}-{output_size}",
 *	  "batch": "{batch_size}", "steps": "{forward_passes}",
 *	  "seconds": "{duration}s", "energy_per_step": "{cpu_energy}kWh" }
 *
 * Each value is a text in which {COLUMN} stands for the row's cell; what comes
 * out is read with its unit, as everywhere (quantity.h).  Seconds are those of
 * all steps (`seconds`) or of one (`seconds_per_step`); so is the energy
 * (`energy`, `energy_per_step`), or it is `watts` times seconds.  Nothing is
 * made up: who gave the joules (`meter`, and `source`, its class) and what was
 * measured (`device`) must be said.  The rest has what is usual (fp32, ce, sgd,
 * one thread, one step); the columns are separated by commas, by tabs in a file
 * called .tsv, or by `delimiter`.  A row that makes no record is an error.
 */
#ifndef BENCH_RECORD_MAP_H
#define BENCH_RECORD_MAP_H

#include "bench/records.h"
#include "lib/doc.h"
#include "lib/err.h"

struct record_map;

struct record_map *record_map_read(const char *path, struct err *err);
/* `where` names the map in messages. */
struct record_map *record_map_from_doc(const struct doc *doc, const char *where,
				       struct err *err);
void record_map_free(struct record_map *map); /* accepts NULL */

/* Append a record for each row; `meter` as for records_read(). */
int record_map_rows(const struct record_map *map, const char *path,
		    const char *meter, struct records *records,
		    struct err *err);

#endif
