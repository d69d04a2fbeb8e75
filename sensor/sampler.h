/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sampler -- the loop: wait, read everything, report.
 *
 *	struct sampler *sampler = sampler_new(&config);
 *
 *	if (sampler_start(sampler, &err) < 0 || sampler_run(sampler, &err) < 0)
 *		return -1;
 *	printf("%" PRIu64 " ticks\n", sampler_tally(sampler)->ticks);
 *	sampler_free(sampler);
 *
 * Ticks are due at start + n × interval, whatever happened before; a report
 * comes after each full interval and says how long it really was.  Whoever
 * wakes up late is late; a tick that is over before it could begin is missed,
 * not made up for: its counts are in the next one.
 *
 * One batch per tick: "all" first, then targets by name.  Looks for targets
 * that appeared every `discovery_ns`, and takes in cgroups as the kernel announces
 * them; one that vanished is reported once more.  Reads meters at least every
 * METER_GUARD_S, and allocates nothing while targets stay the same.
 */
#ifndef SENSOR_SAMPLER_H
#define SENSOR_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/sink.h"
#include "sensor/engine.h"
#include "sensor/machine.h"
#include "sensor/target.h"

struct sampler;

/* Everything is borrowed. */
struct sampler_config {
	int64_t interval_ns;
	int64_t duration_ns; /* 0: without end */
	int64_t discovery_ns;
	const char *name; /* the sensor's, in reports */
	struct clock *clock;
	struct machine *machine;
	struct engine *engine;      /* NULL: no targets but "all" */
	struct target_set *targets; /* NULL likewise */
	struct sink *sink;
	/* Asked between ticks, and when a signal interrupts the waiting. */
	bool (*stop)(void *arg);
	/* Told each time the waiting is over, at least once a second; NULL:
	 * nobody. */
	void (*awake)(void *arg);
	void *arg;
	/* At the end, a last report of what is less than an interval. */
	bool keep_rest;
	/* As hwpc-sensor has them: reports without metadata. */
	bool plain;
	/* End when the last target that could be there is gone. */
	bool end_with_targets;
};

struct sampler_tally {
	uint64_t ticks;
	uint64_t late;   /* by more than a tenth of the interval */
	uint64_t missed; /* never begun */
	int64_t worst_ns;
};

struct sampler *sampler_new(const struct sampler_config *config);

/* Finds the targets and takes the first reading. */
int sampler_start(struct sampler *sampler, struct err *err);

/* Until the duration is over, `stop` says so, or the targets are gone. */
int sampler_run(struct sampler *sampler, struct err *err);

/* From now on other targets, looked for at once; those that were counted before
 * are counted without a break.  The set before is the caller's again. */
void sampler_retarget(struct sampler *sampler, struct target_set *targets);

const struct sampler_tally *sampler_tally(const struct sampler *sampler);

/* Is anything counted besides the machine? */
size_t sampler_targets(const struct sampler *sampler);

void sampler_free(struct sampler *sampler); /* accepts NULL */

#endif
