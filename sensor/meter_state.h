/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter_state -- what is behind a struct meter.
 *
 * Private to meter.c, which opens, and meter_read.c, which reads.
 */
#ifndef SENSOR_METER_STATE_H
#define SENSOR_METER_STATE_H

#include <stdint.h>

#include "lib/text.h"
#include "sensor/meter_kind.h"

struct meter {
	const struct meter_kind *kind;
	void *self;
	struct meter_place place;
	struct meter_parts parts;
	struct text describe;
	uint64_t last[METER_DOMAINS_MAX];  /* raw */
	uint64_t total[METER_DOMAINS_MAX]; /* unwrapped, since it was opened */
	int64_t moved_ns[METER_DOMAINS_MAX]; /* seen to advance, awake */
	int64_t last_ns;                     /* awake */
	int64_t asleep_ns;
};

/* Where counting starts. */
int meter_read_first(struct meter *meter, struct err *err);

#endif
