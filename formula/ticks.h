/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ticks -- a stream of HWPC reports, sorted into what happened at the same
 * time.
 *
 *	struct ticks *ticks = ticks_new(&options);
 *	const struct tick *tick;
 *
 *	while (source_next(source, &doc, &err) > 0) {
 *		ticks_put(ticks, doc, &err);
 *		while ((tick = ticks_next(ticks)))
 *			use(tick);
 *		doc_free(doc);
 *	}
 *	ticks_end(ticks);
 *	while ((tick = ticks_next(ticks)))
 *		use(tick);
 *	ticks_free(ticks);
 *
 * A tick is what one sensor reported under one timestamp: the machine (target
 * "all": joules and use) and the targets (use).  A sensor's ticks come out in
 * order.  One is complete when it has its "all" and a newer one has begun; a
 * tick without its "all" is waited for, TICKS_HELD newer ones long, and then
 * given up: ticks_lost() says which.  So is a report that comes after its tick
 * went out.
 *
 * Use is what an event counted: CPU seconds for a task-clock (which counts ns),
 * else counts, corrected for the time in which the event was not scheduled.
 */
#ifndef FORMULA_TICKS_H
#define FORMULA_TICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "formula/counts.h"
#include "lib/text.h"
#include "sensor/energy.h"

/* How many newer ticks may begin before a missing "all" is given up: as many
 * as PowerAPI's formula holds. */
#define TICKS_HELD 5
/* Targets in one tick, and sensors in one stream. */
#define TICK_TARGETS_MAX  ((size_t)1 << 20)
#define TICKS_SENSORS_MAX 4096

struct tick_target {
	char *name;
	char *within; /* a target that contains it, or NULL */
	int parent;   /* index of that target in this tick, or -1 */
	char *names;  /* members of a JSON object: ,"pod":"x"; or NULL */
	double use;
	double kernel_use; /* of `use`, in kernel mode; NaN: not counted */
	bool counted;      /* the event was in the report */
	struct counts counts;
};

struct tick {
	int64_t time_ms;
	const char *sensor;
	double elapsed_s;     /* measured; else between timestamps */
	struct energy energy; /* of the machine, over the disjoint cover */
	char meter[32];       /* "powercap"; "rapl" if the report says none */
	double use;           /* of the machine; NaN if it was not counted */
	double kernel_use;    /* the same, in kernel mode */
	struct counts counts; /* of the machine */
	struct tick_target *target; /* by name */
	size_t targets;
};

struct ticks_options {
	const char *event;  /* what use is */
	const char *meter;  /* "model", "rapl"; NULL: the best there is */
	const char *target; /* a shell pattern; NULL: all */
};

struct ticks;

struct ticks *ticks_new(const struct ticks_options *options);
/* The document stays the caller's. */
int ticks_put(struct ticks *ticks, const struct doc *doc, struct err *err);
int ticks_put_report(struct ticks *ticks, const struct hwpc_report *report,
		     struct err *err);
/* No more documents: everything that is complete comes out. */
void ticks_end(struct ticks *ticks);
/* The next complete tick, or NULL.  Borrowed until the next call. */
const struct tick *ticks_next(struct ticks *ticks);

/* What was left out since the last call, a sentence a line ("tick
 * 1783600000123 of 'node1': no report of target \"all\" came …"); "" if
 * nothing.  Borrowed until the next call. */
const char *ticks_lost(struct ticks *ticks);

/* Events that were seen in reports of targets, "A, B"; for messages. */
const char *ticks_events(const struct ticks *ticks);
/* Was the event among them? */
bool ticks_event_seen(const struct ticks *ticks);

void ticks_free(struct ticks *ticks); /* accepts NULL */

#endif
