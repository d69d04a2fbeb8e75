/* SPDX-License-Identifier: BSD-3-Clause */
/* A target's weight is what it used: CPU seconds, or counts of --event. */
#include <math.h>

#include "formula/model.h"

static void *proportional_open(struct err *err)
{
	static char self;

	(void)err;
	return &self;
}

static int proportional_weigh(void *self, const struct tick *tick,
			      struct weights *weights, struct err *err)
{
	double sum = 0, kernel = tick->kernel_use;

	(void)self;
	(void)err;
	for (size_t i = 0; i < tick->targets; i++) {
		weights->target[i] = tick->target[i].use;
		if (tick->target[i].parent >= 0)
			continue;
		sum += tick->target[i].use;
		kernel -= tick->target[i].kernel_use;
	}
	/* A machine that did not count the event cannot say what is left. */
	if (isnan(tick->use))
		return 0;
	weights->rest = fmax(tick->use - sum, 0);
	if (!isnan(kernel) && weights->rest > 0)
		weights->kernel = fmin(fmax(kernel, 0) / weights->rest, 1);
	weights->excess = sum > tick->use ? (sum - tick->use) / sum : 0;
	return 0;
}

static void proportional_close(void *self)
{
	(void)self;
}

const struct model_kind model_kind_proportional = {
	.name = "proportional",
	.summary = "by what each target used",
	.open = proportional_open,
	.weigh = proportional_weigh,
	.close = proportional_close,
};
