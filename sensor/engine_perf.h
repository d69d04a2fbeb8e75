/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_perf -- counting by CPU: cgroups and the machine.
 *
 * Private to engine_perf.c, which counts tasks, and engine_perf_cpu.c; and to
 * whoever asks what can be counted at all.
 */
#ifndef SENSOR_ENGINE_PERF_H
#define SENSOR_ENGINE_PERF_H

#include "sensor/engine.h"

/* Where groups are counted: every online CPU, or one of each package. */
struct perf_cpus;
/* What is counted there of one target. */
struct perf_places;

struct perf_cpus *perf_cpus_new(const struct event_group *group, size_t groups,
				const char *proc);
void perf_cpus_free(struct perf_cpus *cpus); /* accepts NULL */

/* Did CPUs come or go? */
void perf_cpus_update(struct perf_cpus *cpus);

struct perf_places *perf_places_new(struct perf_cpus *cpus,
				    const struct target *target,
				    struct err *err);
/* The shape that fits the CPUs of the moment, after opening what is new. */
const struct engine_shape *perf_places_shape(struct perf_cpus *cpus,
					     struct perf_places *places);
/* Totals; those of a CPU that went away stay as they are. */
int perf_places_read(struct perf_places *places, uint64_t *total,
		     struct err *err);
void perf_places_free(struct perf_places *places);

/* Does the kernel count the event, for a task or on a CPU?  `err` says why
 * not. */
bool perf_can_count(const struct event *event, struct err *err);

/* The two columns that each group ends with. */
size_t perf_columns(const struct event_group *group);
void perf_name_columns(const struct event_group *group, int package, int cpu,
		       struct engine_column *column);

#endif
