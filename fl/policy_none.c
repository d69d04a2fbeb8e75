/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/policy.h"

/* As a device that knows nothing of energy: everything, until it is dead. */
static void decide(void *self, const struct policy_view *view,
		   struct decision *decision)
{
	(void)self;
	if (!(device_left(view->device) > 0.0))
		decision->skip = SKIP_EMPTY;
}

const struct policy_kind policy_kind_none = {
	.name = "none",
	.decide = decide,
	.summary = "train fully until the budget is empty, then drop out",
};
