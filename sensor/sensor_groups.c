/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sensor_groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/engine_perf.h"
#include "sensor/hwpc_report.h"
#include "sensor/sensor_session.h"

void groups_done(struct groups *groups)
{
	free(groups->group);
	*groups = (struct groups){ 0 };
}

static struct event_group *add_group(struct groups *groups, const char *name,
				     struct err *err)
{
	struct event_group *group;

	if (strlen(name) >= EVENT_GROUP_NAME_MAX) {
		err_set(err, ENAMETOOLONG,
			"group '%.32s…': longer than %d characters", name,
			EVENT_GROUP_NAME_MAX - 1);
		return NULL;
	}
	groups->group = xrealloc(groups->group, groups->count + 1,
				 sizeof(*groups->group));
	group = &groups->group[groups->count++];
	*group = (struct event_group){ .events = 0 };
	snprintf(group->name, sizeof(group->name), "%s", name);
	return group;
}

/* What is not permitted is there; the engine will say so. */
static bool is_missing(const struct event *event, struct err *err)
{
	return !perf_can_count(event, err) && err->code != EACCES &&
	       err->code != EPERM;
}

static int add_event(struct event_group *group, const char *name, bool check,
		     const struct sensor_config *config, struct err *err)
{
	struct err why = { 0 };

	if (event_group_add(group, name, &why) == 0) {
		if (!check ||
		    !is_missing(&group->event[group->events - 1], &why))
			return 0;
		group->events--;
	}
	if (config->skip_missing && why.code != EEXIST && why.code != E2BIG) {
		log_warn("events", "group '%s' goes without %s: %s",
			 group->name, name, why.text);
		return 0;
	}
	if (err)
		*err = why;
	err_wrap(err, "group '%s'", group->name);
	if (why.code != EEXIST && why.code != E2BIG && !strchr(why.text, '('))
		err_remedy(err, "--skip-missing goes on without it");
	return -1;
}

static int add_hwpc_group(struct groups *groups, const struct hwpc_group *from,
			  const struct sensor_config *config, struct err *err)
{
	struct event_group *group;

	if (from->events.count == 0)
		return err_set(err, EINVAL, "group '%s' has no events (-e)",
			       from->name);
	group = add_group(groups, from->name, err);
	if (!group)
		return -1;
	group->one_cpu = from->one_cpu;
	for (size_t i = 0; i < from->events.count; i++)
		if (add_event(group, from->events.item[i], true, config, err) <
		    0)
			return -1;
	if (group->events > 0)
		return 0;
	log_warn("events", "group '%s' is left out: none of its events is here",
		 group->name);
	groups->count--;
	return 0;
}

static int add_hwpc(struct groups *groups, enum hwpc_scope scope,
		    const struct sensor_config *config, struct err *err)
{
	const struct hwpc_config *hwpc = &config->hwpc;

	for (size_t i = 0; i < hwpc->groups; i++)
		if (hwpc->group[i].scope == scope &&
		    add_hwpc_group(groups, &hwpc->group[i], config, err) < 0)
			return -1;
	return 0;
}

int groups_of_machine(struct groups *groups, const struct sensor_config *config,
		      struct err *err)
{
	return add_hwpc(groups, HWPC_SYSTEM, config, err);
}

/* Where there is a PMU, what formulas live on. */
static void add_hardware(struct event_group *group)
{
	static const char *const names[] = {
		"PERF_COUNT_HW_CPU_CYCLES",
		"PERF_COUNT_HW_INSTRUCTIONS",
		"PERF_COUNT_HW_CACHE_MISSES",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct event event;

		if (event_find(names[i], &event, NULL) == 0 &&
		    counter_supported(&event, NULL))
			group->event[group->events++] = event;
	}
}

static int add_default(struct groups *groups,
		       const struct sensor_config *config, struct err *err)
{
	bool clock = !strcmp(session_engines[config->engine], "clock");
	struct event_group *group = add_group(groups, HWPC_GROUP_CORE, err);

	if (!group || event_group_add(group, HWPC_TASK_CLOCK, err) < 0)
		return -1;
	for (size_t i = 0; i < config->events.count; i++)
		if (strcmp(config->events.item[i], HWPC_TASK_CLOCK) != 0 &&
		    add_event(group, config->events.item[i], !clock, config,
			      err) < 0)
			return err_wrap(err, "--event");
	if (config->events.count == 0 && !clock)
		add_hardware(group);
	return 0;
}

int groups_of_targets(struct groups *groups, const struct sensor_config *config,
		      struct err *err)
{
	if (hwpc_groups(&config->hwpc, HWPC_CONTAINER) == 0)
		return add_default(groups, config, err);
	if (config->events.count > 0)
		return err_set(err, EINVAL,
			       "--event and -c: one of them (-e adds to the "
			       "group of -c)");
	return add_hwpc(groups, HWPC_CONTAINER, config, err);
}
