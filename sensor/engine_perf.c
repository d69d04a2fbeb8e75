/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of the kernel on each thread that a process has when it is added;
 * those that come later inherit them.  A tree inherits across fork as well.
 * The kernel folds a thread's counts into its parent's when it ends, and keeps
 * the counters of a process that ended, so nothing is lost between readings.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/engine.h"

struct perf {
	const struct event_group *group;
	size_t groups;
	char *proc;
	struct engine_column *column;
	struct engine_shape shape;
};

struct counted {
	pid_t pid;
	/* counter[thread * groups + group]; a thread that ended before it
	 * could be counted has none */
	struct counter **counter;
	size_t counters;
	uint64_t running_ns;
};

static int perf_usable(const struct event_group *group, size_t groups,
		       struct err *err)
{
	for (size_t i = 0; i < groups; i++)
		for (size_t j = 0; j < group[i].events; j++)
			if (!counter_supported(&group[i].event[j], err))
				return -1;
	return 0;
}

static size_t group_columns(const struct event_group *group)
{
	return group->events + 2;
}

static void name_columns(const struct event_group *group,
			 struct engine_column *column)
{
	for (size_t i = 0; i < group_columns(group); i++)
		column[i].group = group->name;
	for (size_t i = 0; i < group->events; i++)
		column[i].event = group->event[i].name;
	column[group->events].event = ENGINE_TIME_ENABLED;
	column[group->events + 1].event = ENGINE_TIME_RUNNING;
}

static void *perf_open(const struct event_group *group, size_t groups,
		       const char *proc, struct err *err)
{
	struct perf *perf = xcalloc(1, sizeof(*perf));
	size_t columns = 0;

	(void)err;
	perf->group = group;
	perf->groups = groups;
	perf->proc = xstrdup(proc);
	for (size_t i = 0; i < groups; i++)
		columns += group_columns(&group[i]);
	perf->column = xcalloc(columns, sizeof(*perf->column));
	perf->shape = (struct engine_shape){ perf->column, columns };
	columns = 0;
	for (size_t i = 0; i < groups; i++) {
		name_columns(&group[i], &perf->column[columns]);
		columns += group_columns(&group[i]);
	}
	return perf;
}

static void perf_close(void *self)
{
	struct perf *perf = (struct perf *)self;

	free(perf->column);
	free(perf->proc);
	free(perf);
}

static void perf_remove(void *self, void *what)
{
	struct counted *counted = (struct counted *)what;

	(void)self;
	for (size_t i = 0; i < counted->counters; i++)
		counter_close(counted->counter[i]);
	free(counted->counter);
	free(counted);
}

/* A thread that ended meanwhile is none to count. */
static int count_thread(const struct perf *perf, struct counted *counted,
			const struct target *target, pid_t tid, struct err *err)
{
	for (size_t i = 0; i < perf->groups; i++) {
		struct counter_request request = {
			.event = perf->group[i].event,
			.events = perf->group[i].events,
			.pid = tid,
			.cpu = -1,
			.flags = target->kind == TARGET_TREE ? COUNTER_CHILDREN
							     : COUNTER_THREADS,
		};
		struct err why = { 0 };
		struct counter *counter = counter_open(&request, &why);

		if (!counter && (why.code != ESRCH || tid == target->pid)) {
			if (err)
				*err = why;
			return -1;
		}
		counted->counter[counted->counters++] = counter;
	}
	return 0;
}

static void *perf_add(void *self, const struct target *target,
		      const struct engine_shape **shape, struct err *err)
{
	const struct perf *perf = (const struct perf *)self;
	struct counted *counted;
	size_t threads;
	pid_t *tid;

	if (process_threads(perf->proc, target->pid, &tid, &threads, err) < 0)
		return NULL;
	counted = xcalloc(1, sizeof(*counted));
	counted->pid = target->pid;
	counted->counter =
		xcalloc(threads * perf->groups, sizeof(struct counter *));
	for (size_t i = 0; i < threads; i++)
		if (count_thread(perf, counted, target, tid[i], err) < 0) {
			perf_remove(self, counted);
			counted = NULL;
			break;
		}
	free(tid);
	*shape = &perf->shape;
	return counted;
}

static int add_counter(struct counter *counter, uint64_t *total,
		       struct err *err)
{
	struct counter_reading reading;
	size_t events = counter_events(counter);

	if (counter_read(counter, &reading, err) < 0)
		return -1;
	for (size_t i = 0; i < events; i++)
		total[i] += reading.value[i];
	total[events] += reading.enabled_ns;
	total[events + 1] += reading.running_ns;
	return 0;
}

/* Whether a process ended is asked only of one that did nothing. */
static int still_there(struct counted *counted, uint64_t running_ns)
{
	bool idle = running_ns == counted->running_ns;

	counted->running_ns = running_ns;
	return !idle || kill(counted->pid, 0) == 0 || errno != ESRCH;
}

static int perf_read(void *self, void *what, uint64_t *total, struct err *err)
{
	const struct perf *perf = (const struct perf *)self;
	struct counted *counted = (struct counted *)what;
	uint64_t running_ns = 0;

	for (size_t i = 0; i < perf->shape.columns; i++)
		total[i] = 0;
	for (size_t group = 0; group < perf->groups; group++) {
		for (size_t i = group; i < counted->counters; i += perf->groups)
			if (counted->counter[i] &&
			    add_counter(counted->counter[i], total, err) < 0)
				return -1;
		total += group_columns(&perf->group[group]);
		running_ns += total[-1];
	}
	return still_there(counted, running_ns);
}

extern const struct engine_kind engine_kind_perf;
const struct engine_kind engine_kind_perf = {
	.name = "perf",
	.summary = "a group of kernel counters per thread",
	.usable = perf_usable,
	.open = perf_open,
	.add = perf_add,
	.remove = perf_remove,
	.read = perf_read,
	.close = perf_close,
};
