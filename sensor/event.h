/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event -- something that can be counted, found by its name.
 *
 *	struct event event;
 *
 *	if (event_find("PERF_COUNT_SW_TASK_CLOCK", &event, &err) < 0)
 *		return -1;    // "event 'TASK_CLOK': unknown (did you mean …?)"
 *
 * Names are libpfm4's, as hwpc-sensor takes them: PERF_COUNT_SW_…,
 * PERF_COUNT_HW_…, cpu-clock, INSTRUCTIONS_RETIRED, skx::INST_RETIRED:ANY_P:u;
 * and what the kernel describes (pmu.h): power/energy-pkg/, sched:sched_switch.
 * A report's key is the name as the user typed it.
 *
 * This is the only door to libpfm4.  It looks at the CPU it runs on (or at
 * LIBPFM_FORCE_PMU); whether the kernel can count the event here is another
 * question: counter_supported().
 */
#ifndef SENSOR_EVENT_H
#define SENSOR_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define EVENT_NAME_MAX       256
#define EVENT_GROUP_NAME_MAX 64
/* Events in one group: more than any PMU has counters. */
#define EVENT_GROUP_MAX 16

/* The kernel's coordinates of an event (perf_event_open(2)). */
struct event {
	char name[EVENT_NAME_MAX]; /* as typed */
	uint32_t type;
	uint64_t config, config1, config2;
	bool exclude_user, exclude_kernel, exclude_hv, exclude_guest;
	bool precise;
};

/* Events that are counted together, under the name that reports give them. */
struct event_group {
	char name[EVENT_GROUP_NAME_MAX]; /* "core" */
	struct event event[EVENT_GROUP_MAX];
	size_t events;
	bool one_cpu; /* where counted by CPU: on one of each package */
};

int event_find(const char *name, struct event *event, struct err *err);

/* An event that libpfm4 does not know, by the kernel's coordinates (a PMU's
 * /sys/bus/event_source/devices/PMU/type and a config). */
void event_init(struct event *event, const char *name, uint32_t type,
		uint64_t config);

/* Finds `name` and puts it behind the last of the group; a second time the
 * same event is an error. */
int event_group_add(struct event_group *group, const char *name,
		    struct err *err);

/* Is it PERF_COUNT_SW_TASK_CLOCK, by whatever name? */
bool event_is_task_clock(const struct event *event);

/* Does the kernel count it by itself, so that it never has to take turns? */
bool event_is_software(const struct event *event);

/* Every event that libpfm4 finds on this machine, software ones first. */
struct event_info {
	const char *pmu; /* "perf", "skx" */
	const char *name;
	const char *about;
};
int event_walk(void (*visit)(void *arg, const struct event_info *info),
	       void *arg, struct err *err);

#endif
