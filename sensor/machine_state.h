/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine_state -- what is behind a struct machine.
 *
 * Private to machine.c, which reads, and machine_row.c, which reports.
 */
#ifndef SENSOR_MACHINE_STATE_H
#define SENSOR_MACHINE_STATE_H

#include <stdbool.h>

#include "lib/text.h"
#include "sensor/hwpc_report.h"
#include "sensor/machine.h"

/* One value of the row. */
struct cell {
	enum { CELL_CPU, CELL_DOMAIN, CELL_COUNT, CELL_TIME } kind;
	const char *group, *event;
	int package, cpu;
	size_t meter, domain; /* CELL_DOMAIN */
	/* CELL_CPU: in a reading of cputime. CELL_COUNT: in the shape. */
	size_t position;
};

/* A meter with where it was at first, at the last tick and now. */
struct metered {
	struct meter *meter;
	struct meter_reading first, before, now;
	uint64_t counted[METER_DOMAINS_MAX];
	bool shown[METER_DOMAINS_MAX]; /* has a column in the layout */
	size_t told;                   /* how much of its remarks was logged */
};

struct machine {
	struct metered *metered;
	size_t meters;
	struct cputime *cputime;
	struct engine *system; /* NULL: no groups but our own */
	int slot;
	const struct engine_shape *shape_shown;
	bool bare, cumulative;
	struct cputime_reading cpu_first, cpu_now;
	int64_t *cpu_before_ns;
	int *package; /* by CPU number */
	size_t packages;
	struct cell *cell;
	union value *value;
	size_t cells, cpus_shown;
	struct layout *layout, **old_layout;
	size_t old_layouts, old_capacity;
	struct hwpc_meter *info;
	struct text metadata;
	bool started;
	int64_t first_ns, before_ns, now_ns, bracket_ns;
};

/* After a reading: the layout, if it changed, and the values. */
void machine_row_update(struct machine *machine);
void machine_row_done(struct machine *machine);

#endif
