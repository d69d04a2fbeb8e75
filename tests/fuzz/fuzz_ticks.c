/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever the reports say, a line of JSON each: every tick that comes out
 * sums to its meter, under every idle policy. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formula/apportion.h"
#include "formula/model.h"
#include "formula/ticks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct model *model, const struct tick *tick)
{
	struct weights weights = { 0 };
	struct apportion apportion = { 0 };

	if (model_weigh(model, tick, &weights, NULL) < 0)
		abort();
	for (size_t i = 0; idle_policy_at(i); i++) {
		if (apportion_tick(&apportion, idle_policy_at(i), tick,
				   &weights, 10, NULL) < 0)
			abort();
		for (size_t j = 0; j < tick->targets; j++)
			if (!(apportion.watts.target_w[j] >= 0))
				abort();
	}
	weights_done(&weights);
	apportion_done(&apportion);
}

static void drain(struct ticks *ticks, struct model *model)
{
	const struct tick *tick;

	while ((tick = ticks_next(ticks)))
		check(model, tick);
	ticks_lost(ticks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ticks_options options = {
		.event = "PERF_COUNT_SW_TASK_CLOCK"
	};
	struct ticks *ticks = ticks_new(&options);
	struct model *model = model_open("proportional", NULL);

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;
		struct doc *doc = doc_parse((const char *)data, length, NULL);

		if (doc && ticks_put(ticks, doc, NULL) == 0)
			drain(ticks, model);
		doc_free(doc);
		length += end != NULL;
		data += length;
		size -= length;
	}
	ticks_end(ticks);
	drain(ticks, model);
	ticks_free(ticks);
	model_close(model);
	return 0;
}
