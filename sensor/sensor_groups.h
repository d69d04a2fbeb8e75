/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor_groups -- which events a configuration asks for, in which groups.
 *
 *	struct groups groups = { 0 };
 *
 *	groups_of_targets(&groups, config, &err);
 *	engine_open(spec, groups.group, groups.count, …);
 *	groups_done(&groups);
 *
 * An event that this machine does not count is an error, or, with
 * --skip-missing, left out with a warning that names it.
 */
#ifndef SENSOR_SENSOR_GROUPS_H
#define SENSOR_SENSOR_GROUPS_H

#include "lib/err.h"
#include "sensor/event.h"
#include "sensor/sensor.h"

struct groups {
	struct event_group *group;
	size_t count;
};

/* hwpc-sensor's -c, or one group "core" of PERF_COUNT_SW_TASK_CLOCK and
 * --event (none: what the hardware counts). */
int groups_of_targets(struct groups *groups, const struct sensor_config *config,
		      struct err *err);
/* hwpc-sensor's -s. */
int groups_of_machine(struct groups *groups, const struct sensor_config *config,
		      struct err *err);
void groups_done(struct groups *groups);

#endif
