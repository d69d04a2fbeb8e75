/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_perf -- counting by CPU: cgroups and the machine.
 *
 * Private to engine_perf.c, which counts tasks, and engine_perf_cpu.c; and to
 * whoever asks what can be counted at all.
 */
#ifndef SENSOR_ENGINE_PERF_H
#define SENSOR_ENGINE_PERF_H

#include "sensor/engine_sites.h"

/* What is counted of one target, at each site of a plan. */
struct perf_places;

struct perf_places *perf_places_new(const struct site_plan *plan,
				    const struct target *target,
				    struct err *err);
/* The shape of the plan of the moment, after opening what is new. */
const struct engine_shape *perf_places_shape(struct perf_places *places,
					     const struct site_plan *plan);
/* Totals; those of a CPU that went away stay as they are. */
int perf_places_read(struct perf_places *places, uint64_t *total,
		     struct err *err);
void perf_places_free(struct perf_places *places);

/* Does the kernel count the event, for a task or on a CPU?  `err` says why
 * not. */
bool perf_can_count(const struct event *event, struct err *err);

#endif
