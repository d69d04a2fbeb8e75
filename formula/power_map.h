/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_map -- which column of a recorded table is what.
 *
 *	{ "power": "A15 Power(W)", "group": "Benchmark",
 *	  "time": "Timestamp", "time_unit": "ns",
 *	  "frequency": "CPU(4) Frequency(MHz)",
 *	  "voltage": "A15 Voltage(V)", "temperature": "CPU(4) Temperature(C)",
 *	  "counters": ["CPU_CYCLES", "INST_RETIRED"] }
 *
 * Only "power" must be there, and something that explains it.  Without
 * "group" each file is a group.  docs/schema/power-map.schema.json has it all.
 */
#ifndef FORMULA_POWER_MAP_H
#define FORMULA_POWER_MAP_H

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

struct power_map {
	char *power; /* watts */
	char *group; /* what is left out together */
	char *time;
	int time_unit;
	struct field_list counters; /* counted since the row before */
	struct field_list rates;    /* the same, per second already */
	char *frequency;
	int frequency_unit;
	char *voltage;     /* V */
	char *temperature; /* °C */
	/* How busy each hardware thread is. */
	struct field_list threads;
	double thread_full; /* what a busy one reads */
	int64_t siblings; /* thread i and i + siblings are one core; 0: none */
};

/* `where` is the document's name, for messages. */
int power_map_read(struct power_map *map, const struct doc *doc,
		   const char *where, struct err *err);
struct doc *power_map_to_doc(const struct power_map *map);
void power_map_done(struct power_map *map);

/* Seconds, and Hz, that 1 of the column's unit is. */
double power_map_second(const struct power_map *map);
double power_map_hertz(const struct power_map *map);

#endif
