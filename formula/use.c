/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/use.h"

#include <math.h>
#include <string.h>

#define USE_MAX 1e30

static bool same_cell(const struct hwpc_value *a, const struct hwpc_value *b)
{
	return !strcmp(a->group, b->group) && !strcmp(a->package, b->package) &&
	       !strcmp(a->cpu, b->cpu);
}

/* What would have been counted had the event been scheduled all the time. */
static double unmultiplexed(const struct hwpc_report *report, size_t at)
{
	const struct hwpc_value *value = &report->value[at];
	double enabled = 0, running = 0;

	/* The times stand in the same object, on either side of the value. */
	for (size_t i = at; i-- > 0 && same_cell(value, &report->value[i]);)
		if (!strcmp(report->value[i].event, "time_enabled"))
			enabled = report->value[i].value;
		else if (!strcmp(report->value[i].event, "time_running"))
			running = report->value[i].value;
	for (size_t i = at + 1;
	     i < report->values && same_cell(value, &report->value[i]); i++)
		if (!strcmp(report->value[i].event, "time_enabled"))
			enabled = report->value[i].value;
		else if (!strcmp(report->value[i].event, "time_running"))
			running = report->value[i].value;
	return running > 0 && running < enabled
		       ? value->value * (enabled / running)
		       : value->value;
}

bool use_read(const struct hwpc_report *report, const char *event, double *use)
{
	const char *group = NULL;

	*use = 0;
	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *value = &report->value[i];

		if (strcmp(value->event, event) != 0 ||
		    (group && strcmp(value->group, group) != 0))
			continue;
		group = value->group;
		*use += fmax(unmultiplexed(report, i), 0);
	}
	if (!strcmp(event, HWPC_TASK_CLOCK) ||
	    !strcmp(event, HWPC_TASK_CLOCK USE_KERNEL))
		*use *= 1e-9;
	/* Damage: no machine counts so far in a tick. */
	if (!(*use < USE_MAX)) {
		*use = 0;
		return false;
	}
	return group != NULL;
}
