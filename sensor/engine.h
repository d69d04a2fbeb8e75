/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine -- how targets are counted.
 *
 *	struct engine *engine = engine_open("auto", &group, 1, 1, "/proc", &err);
 *	int slot = engine_add(engine, &target, &err);
 *
 *	engine_read(engine, &err);                     // a tick: all targets
 *	if (engine_is_counting(engine, slot))
 *		use(engine_shape(engine, slot), engine_counts(engine, slot));
 *	engine_remove(engine, slot);
 *	engine_close(engine);
 *
 * Each target has a slot.  engine_read() brings all of them up to date at
 * once; the counts of a slot are then what happened since the reading before
 * (or since engine_add), in the columns of its shape: events of groups, and per
 * group `time_enabled` and `time_running` in ns.  Targets of a kind share a
 * shape, and it may change when a CPU comes or goes.  engine_total() is the sum
 * since engine_add().
 *
 * A target that ended keeps its last counts for one more reading; after that
 * engine_is_counting() says no, and it is to be removed.
 *
 * Kinds: "perf" (groups of counters, per thread of a process, per CPU of a
 * cgroup; needs permission, counts any event), "tally" (a BPF program adds up
 * at each context switch what one group of counters per CPU counted; costs the
 * same for one target and for a thousand), "clock" (the CPU clock of each
 * process, thread or cgroup; needs nothing, counts PERF_COUNT_SW_TASK_CLOCK and
 * nothing else).  "auto" takes for each target the first of these that can and
 * may count it, and tally first where ENGINE_TALLY_FROM targets or more are to
 * be expected; engine_remarks() says why it is not what it should have been.
 * To add one: a file engine_KIND.c with one `struct engine_kind`, a line in the
 * table in engine.c, and the shared suite in tests/unit/test_engine.c runs over
 * it.
 *
 * Threads: an engine belongs to one thread at a time.
 */
#ifndef SENSOR_ENGINE_H
#define SENSOR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/batch.h"
#include "lib/err.h"
#include "sensor/event.h"
#include "sensor/target.h"

/* A tick of 4 cgroups (3 events, 2 CPUs) costs the same with either, one of 16
 * with tally half (79 of 155 µs).  But tally needs 50 ms of CPU and 10 MiB to
 * start, and a fraction of a µs at each context switch, measured or not. */
#define ENGINE_TALLY_FROM 16
/* The columns that each group ends with. */
#define ENGINE_TIME_ENABLED "time_enabled"
#define ENGINE_TIME_RUNNING "time_running"

struct engine;

struct engine_column {
	const char *group, *event;
	int package, cpu; /* 0 and 0 for what is not counted per CPU */
};

/* What the counts of a target mean, side by side by group, package, CPU. */
struct engine_shape {
	const struct engine_column *column;
	size_t columns;
};

/* `groups` are copied; `targets` is how many are to be expected. */
struct engine *engine_open(const char *spec, const struct event_group *group,
			   size_t groups, size_t targets, const char *proc,
			   struct err *err);
/* How counts are given; the default is hwpc-sensor's. */
struct engine_options {
	/* time_enabled and time_running since engine_add(). */
	bool cumulative_times;
	/* Counts of a group that did not run all the time, extrapolated. */
	bool correct_multiplexing;
};
void engine_set(struct engine *engine, const struct engine_options *options);

/* The kind that is tried first: "perf", "tally", "clock". */
const char *engine_name(const struct engine *engine);
/* Why "auto" cannot have the better one ("not perf: …"); "" if it can. */
const char *engine_remarks(const struct engine *engine);

/* A slot (>= 0), or -1: `code` ESRCH it is gone, EACCES or EPERM not
 * permitted. */
int engine_add(struct engine *engine, const struct target *target,
	       struct err *err);
void engine_remove(struct engine *engine, int slot);

/* One slot that cannot be read counts as ended; an error is one of the engine
 * as a whole. */
int engine_read(struct engine *engine, struct err *err);

bool engine_is_counting(const struct engine *engine, int slot);
/* How many slots are to be removed, because they are not counting any more. */
size_t engine_ended(const struct engine *engine);
/* How often a slot got another shape; its counts are elsewhere then. */
uint64_t engine_reshaped(const struct engine *engine);
/* The kind that counts it. */
const char *engine_slot_name(const struct engine *engine, int slot);
const struct engine_shape *engine_shape(const struct engine *engine, int slot);
/* Borrowed until the slot is removed or gets another shape; rewritten by each
 * reading. */
const union value *engine_counts(const struct engine *engine, int slot);
uint64_t engine_total(const struct engine *engine, int slot, size_t column);

void engine_close(struct engine *engine); /* accepts NULL */

/* For kinds. */
struct engine_kind {
	const char *name;
	const char *summary;
	/* Can it count these events here?  `err` says why not. */
	int (*usable)(const struct event_group *group, size_t groups,
		      struct err *err);
	/* The groups outlive the engine. */
	void *(*open)(const struct event_group *group, size_t groups,
		      const char *proc, struct err *err);
	/* What is needed for a target, and its shape (which lives as long as
	 * `self`).  `code` EACCES, EPERM or ENOTSUP: another kind may. */
	void *(*add)(void *self, const struct target *target, int slot,
		     const struct engine_shape **shape, struct err *err);
	void (*remove)(void *self, void *counted);
	/* Before a reading of all targets; optional. */
	int (*begin)(void *self, struct err *err);
	/* After it, the slots that there is anything new about; optional: a
	 * kind that does not know is asked about each. */
	const int *(*changed)(void *self, size_t *count);
	/* The shape of the moment, where CPUs may come and go; optional.  What a
	 * column counted stays with it; one that is new starts at 0. */
	const struct engine_shape *(*shape)(void *self, void *counted);
	/* Totals in the columns of the shape; any start will do.  1 while it
	 * counts, 0 when the target ended and these are its last totals
	 * (`total` may stay as it was), -1 if it cannot be read. */
	int (*read)(void *self, void *counted, uint64_t *total,
		    struct err *err);
	void (*close)(void *self);
};

/* Whether "auto" prefers tally for so many targets. */
bool engine_prefers_tally(size_t targets);

/* The table of kinds, ended by NULL: for `sensor doctor` and tests. */
extern const struct engine_kind *const engine_kinds[];

#endif
