/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/scaled.h"

#include <stdbool.h>
#include <string.h>

static bool same_cell(const struct hwpc_value *a, const struct hwpc_value *b)
{
	return !strcmp(a->cpu, b->cpu) && !strcmp(a->package, b->package) &&
	       !strcmp(a->group, b->group);
}

static void look(struct scaled *scaled, const struct hwpc_report *report,
		 size_t at)
{
	const char *event = report->value[at].event;

	if (strncmp(event, "time_", 5) != 0)
		return;
	if (!strcmp(event, "time_enabled"))
		scaled->enabled = at;
	else if (!strcmp(event, "time_running"))
		scaled->running = at;
}

/* The times stand in the same object, on either side of the value. */
struct scaled scaled_find(const struct hwpc_report *report, size_t value)
{
	const struct hwpc_value *own = &report->value[value];
	struct scaled scaled = { value, SIZE_MAX, SIZE_MAX };

	for (size_t i = value; i-- > 0 && same_cell(own, &report->value[i]);)
		look(&scaled, report, i);
	for (size_t i = value + 1;
	     i < report->values && same_cell(own, &report->value[i]); i++)
		look(&scaled, report, i);
	return scaled;
}
