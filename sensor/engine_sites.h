/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_sites -- where groups are counted by CPU, and the columns that gives.
 *
 *	struct engine_sites *sites = engine_sites_new(group, groups, "/proc");
 *	const struct site_plan *plan = engine_sites_plan(sites, &err);
 *
 *	for (size_t i = 0; i < plan->sites; i++)
 *		open(plan->site[i].cpu, &plan->site[i].here);
 *	if (engine_sites_update(sites))         // CPUs came or went
 *		plan = engine_sites_plan(sites, NULL);
 *	engine_sites_free(sites);
 *
 * A site is one group on one CPU: every online CPU, or one of each package for
 * groups that ask for that.  CPUs come and go; when the list of those that are
 * online changes there is a new plan.  Old plans, and so their shapes, live as
 * long as the sites.
 *
 * For engines that count cgroups or the machine: engine_perf_cpu.c,
 * engine_tally.c.
 */
#ifndef SENSOR_ENGINE_SITES_H
#define SENSOR_ENGINE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sensor/engine.h"

struct site {
	size_t group;
	int package, cpu;
	struct event_group here; /* those of its events that this CPU counts */
	size_t from[EVENT_GROUP_MAX]; /* and which ones of the group they are */
};

struct site_plan {
	struct site *site;
	size_t sites;
	struct engine_column *column;
	struct engine_shape shape; /* the columns of site after site */
	struct site_plan *older;
};

struct engine_sites;

/* The groups outlive the sites. */
struct engine_sites *engine_sites_new(const struct event_group *group,
				      size_t groups, const char *proc);
/* The plan of the moment; NULL: it cannot be told which CPUs are online. */
const struct site_plan *engine_sites_plan(struct engine_sites *sites,
					  struct err *err);
/* Did CPUs come or go?  Then there is another plan.  Looks once in a second at
 * most: a counter of a CPU that is gone tells by itself. */
bool engine_sites_update(struct engine_sites *sites);
void engine_sites_free(struct engine_sites *sites); /* accepts NULL */

/* How long it does not look again; tests have no time. */
extern int64_t engine_sites_pause_ns;

/* The events of a group and its two times. */
size_t engine_columns_of(const struct event_group *group);
void engine_name_columns(const struct event_group *group, int package, int cpu,
			 struct engine_column *column);

#endif
