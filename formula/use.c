/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define USE_MAX 1e30

void use_find(struct use *use, const struct hwpc_report *report,
	      const char *event)
{
	const char *group = NULL;
	bool clock = !strcmp(event, HWPC_TASK_CLOCK) ||
		     !strcmp(event, HWPC_TASK_CLOCK USE_KERNEL);

	use->values = 0;
	use->unit = clock ? 1e-9 : 1;
	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *value = &report->value[i];

		if (strcmp(value->event, event) != 0 ||
		    (group && strcmp(value->group, group) != 0))
			continue;
		group = value->group;
		use->value = mem_grow(use->value, &use->capacity,
				      use->values + 1, sizeof(*use->value));
		use->value[use->values++] = scaled_find(report, i);
	}
}

bool use_read(const struct use *use, const struct hwpc_report *report,
	      double *sum)
{
	*sum = 0;
	for (size_t i = 0; i < use->values; i++)
		*sum += fmax(scaled_read(&use->value[i], report), 0);
	*sum *= use->unit;
	/* Damage: no machine counts so far in a tick. */
	if (!(*sum < USE_MAX)) {
		*sum = 0;
		return false;
	}
	return use->values > 0;
}

void use_done(struct use *use)
{
	free(use->value);
	*use = (struct use){ 0 };
}
