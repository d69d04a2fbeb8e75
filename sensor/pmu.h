/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pmu -- events that the kernel describes in sysfs and tracefs.
 *
 *	struct event event;
 *
 *	pmu_find_event("power/energy-pkg/", &event, &err);
 *	pmu_find_event("uncore_imc_0/event=0x4,umask=0x3/", &event, &err);
 *	pmu_find_event("sched:sched_switch", &event, &err);
 *	pmu_find_event("TSC", &event, &err);          // of the msr PMU
 *
 * A PMU is a folder of /sys/bus/event_source/devices: `type`, `events/NAME`
 * ("event=0x2c,umask=0x1"), and `format/KEY` ("config:0-7,21"), which says where
 * the bits of a key go.
 *
 * A machine whose cores are of several types has a PMU for each
 * (`cpus` says where it is): pmu_event_on() gives the event that a CPU of that
 * type counts under the same name.
 */
#ifndef SENSOR_PMU_H
#define SENSOR_PMU_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "sensor/event.h"

/* `code` ENOENT: nothing here is called that. */
int pmu_find_event(const char *name, struct event *event, struct err *err);

/* Puts the low bits of `value` where a format says ("config1:0-7,21"). -1: it is
 * no format. */
int pmu_put_bits(const char *format, uint64_t value, struct event *event);

/* Every event that sysfs describes, as --event takes it ("power/energy-pkg/"),
 * by PMU and name; and every tracepoint, by group (none where tracefs is not
 * mounted, or may not be read). */
void pmu_walk(void (*visit)(void *arg, const struct event_info *info),
	      void *arg);
void pmu_walk_tracepoints(void (*visit)(void *arg, const char *group,
					const char *name),
			  void *arg);

#define PMU_CORES_MAX 16

/* The PMUs of the CPU's own counters, where there are several. */
struct pmu_cores {
	struct pmu_core {
		uint32_t type;
		char cpus[1024]; /* "0-7,16" */
	} core[PMU_CORES_MAX];
	size_t cores;
};
void pmu_cores_read(struct pmu_cores *cores);

/* One that a core's own counters count, on a machine of several types. */
bool pmu_is_core_event(const struct pmu_cores *cores,
		       const struct event *event);
/* What `event` is on cores of a type, or on that CPU; false: they do not count
 * it. */
bool pmu_event_of(const struct pmu_core *core, const struct event *event,
		  struct event *there);
bool pmu_event_on(const struct pmu_cores *cores, const struct event *event,
		  int cpu, struct event *there);

#endif
