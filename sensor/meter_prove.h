/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter_prove -- see whether counters of the hardware advance under a load.
 *
 * Called by meter.c for kinds with METER_PROOF_LOAD.  A counter that was seen
 * before, since this boot, is believed; for the others one CPU is kept busy
 * for METER_PROVE_S (slow ones: METER_PROVE_SLOW_S), longer than any update
 * period.  Silicon draws more than 0 W even when idle, so a counter that does
 * not move in that time is dead, whatever it reads.
 */
#ifndef SENSOR_METER_PROVE_H
#define SENSOR_METER_PROVE_H

#include "sensor/meter_kind.h"

#define METER_PROVE_S      0.25
#define METER_PROVE_SLOW_S 2.0

/* Sets the states of all domains, METER_ALIVE or METER_DEAD, with a remark for
 * each dead one. */
int meter_prove(const struct meter_kind *kind, void *self,
		struct meter_parts *parts, const struct meter_place *place,
		struct err *err);

#endif
