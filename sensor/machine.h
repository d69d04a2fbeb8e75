/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine -- the target "all": what the machine's meters and CPUs counted.
 *
 *	struct machine *machine = machine_open(&meters, &err);
 *	struct row row;
 *
 *	machine_read(machine, engine, &err);     // where counting starts
 *	...
 *	machine_read(machine, engine, &err);     // a tick
 *	machine_row(machine, "perf", &row);      // what happened in it
 *	machine_close(machine);
 *
 * A row has the CPU time that tasks used on each CPU (group "core", event
 * PERF_COUNT_SW_TASK_CLOCK), and of each living domain of each meter its energy
 * as an integer count: 2^-32 J in group "rapl", µJ elsewhere.  What is left of
 * a count stays for the next tick, so sums of rows lose nothing.  A domain that
 * dies, or a CPU that appears, changes the layout, never the meaning of a
 * column.
 *
 * What a meter finds out while it runs (a counter that was reset, died, is gone;
 * see meter.h) is logged as a warning, once, when it happens.
 *
 * Everything of one tick is read in one go; `bracket_ns` in the metadata says
 * how long that took, and the middle of it is the time of the tick.
 */
#ifndef SENSOR_MACHINE_H
#define SENSOR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/batch.h"
#include "lib/err.h"
#include "lib/field.h"
#include "sensor/cputime.h"
#include "sensor/energy.h"
#include "sensor/engine.h"
#include "sensor/meter.h"

#define MACHINE_METERS_MAX 8

struct machine;

/* `meters` as --meter names them; none: "auto". */
struct machine *machine_open(const struct field_list *meters, struct err *err);

/* Groups of events of the whole machine besides: hwpc-sensor's system groups.
 * A meter's group and one of these may not have the same name. */
int machine_count(struct machine *machine, const struct event_group *group,
		  size_t groups, const struct engine_options *options,
		  struct err *err);
struct machine_options {
	bool bare; /* without what nobody asked for by name: CPU time, metadata */
	bool cumulative_times; /* time_enabled and time_running */
};
void machine_set(struct machine *machine,
		 const struct machine_options *options);
/* Is there anything to report? */
bool machine_has_row(const struct machine *machine);

/* Targets are read in between (`engine` NULL: there are none), before the CPU
 * time of the whole, so that their sum does not exceed it: to ask for a
 * process's clock brings its CPU's account up to date. */
int machine_read(struct machine *machine, struct engine *engine,
		 struct err *err);
/* Only keep the meters from wrapping around unseen: at least every
 * METER_GUARD_S between two readings. */
int machine_guard(struct machine *machine, struct err *err);

/* The last tick.  The row is borrowed until the next reading; `engine` says in
 * its metadata how targets are counted (NULL: none are). */
void machine_row(struct machine *machine, const char *engine, struct row *row);
/* How long it was. */
int64_t machine_elapsed_ns(const struct machine *machine);

/* Since the first reading: for a summary. */
struct machine_sum {
	double elapsed_s, busy_s, steal_s;
};
void machine_sum(const struct machine *machine, struct machine_sum *sum);
size_t machine_meters(const struct machine *machine);
const struct meter *machine_meter(const struct machine *machine, size_t i);
/* Of the whole disjoint cover, or of one domain. */
void machine_energy(const struct machine *machine, size_t meter,
		    struct energy *energy);
void machine_domain_energy(const struct machine *machine, size_t meter,
			   size_t domain, struct energy *energy);

const char *machine_cpu_time(const struct machine *machine);

void machine_close(struct machine *machine); /* accepts NULL */

#endif
