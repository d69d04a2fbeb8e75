/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter_period -- how often a counter is updated, and when.
 *
 * RAPL sits on a grid of 1 ms: on Broadwell the deviation from an ideal one
 * stays 41 us over 10 s, where a random walk would drift a millisecond.  So
 * period and phase are found once, at the start, by reading as fast as it goes
 * and watching for changes, and hold.  Where a counter changes more often than
 * it can be read, too seldom to wait for, or too irregularly (Ice Lake), the document's figure stays.
 */
#ifndef SENSOR_METER_PERIOD_H
#define SENSOR_METER_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/meter_kind.h"

/* So many changes of a counter are enough, so few too little. */
#define METER_EDGES_MAX 32
#define METER_EDGES_MIN 4
/* The longest that anybody waits for them. */
#define METER_WATCH_S 0.25

/* The grid that lies nearest to these times (ns, ascending): period, and phase
 * as a time modulo the period.  False where there is none: fewer than
 * METER_EDGES_MIN, or they are scattered by more than a seventh of it. */
bool meter_period_fit(const int64_t *edge_ns, size_t edges, double *period_s,
		      int64_t *phase_ns);

/* Fills in period_s, phase_ns and period_seen of living domains. */
int meter_period_find(const struct meter_kind *kind, void *self,
		      struct meter_parts *parts, struct err *err);

#endif
