/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_tick -- the targets of one tick in one package, in the order in
 * which they came.
 *
 *	struct smartwatts_tick tick = { 0 };
 *
 *	smartwatts_tick_begin(&tick, 1783600000123);
 *	smartwatts_tick_put(&tick, &previous, "/system.slice/cron", NULL,
 *			    events, core);
 *	use(tick.target[0].core);
 *	smartwatts_tick_done(&tick);
 *
 * A target that comes twice replaces its first report, in its place.  Targets
 * mostly come as they did in the tick before: as long as they do, a name is
 * compared with one other, and nothing is hashed.
 */
#ifndef FORMULA_SMARTWATTS_TICK_H
#define FORMULA_SMARTWATTS_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formula/smartwatts.h"

struct smartwatts_target {
	char *name; /* its memory is kept from tick to tick */
	size_t length, capacity;
	char *metadata; /* or NULL */
	const struct smartwatts_events *events;
	double *core; /* NULL: not in this package */
	size_t room;
	double *counts;
};

struct smartwatts_tick {
	int64_t time_ms;
	bool machine;
	struct smartwatts_part all;
	char *metadata; /* of "all", or NULL */
	struct smartwatts_target *target;
	size_t targets, capacity;
	bool hashed;    /* else targets are the last tick's, one by one */
	uint32_t *slot; /* open addressing; index + 1 */
	size_t slots;
};

void smartwatts_tick_begin(struct smartwatts_tick *tick, int64_t time_ms);
/* `before` is the tick whose order is expected, or NULL. */
void smartwatts_tick_put(struct smartwatts_tick *tick,
			 const struct smartwatts_tick *before, const char *name,
			 const char *metadata,
			 const struct smartwatts_part *part);
void smartwatts_tick_done(struct smartwatts_tick *tick);

#endif
