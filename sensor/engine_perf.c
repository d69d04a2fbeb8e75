/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cgroups and the machine: a group of counters per CPU (engine_perf_cpu.c).
 *
 * Processes: counters of the kernel on each thread that a process has when it is added;
 * those that come later inherit them.  A tree inherits across fork as well.
 * The kernel folds a thread's counts into its parent's when it ends, and keeps
 * the counters of a process that ended, so nothing is lost between readings.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/engine_perf.h"
#include "sensor/pmu.h"
#include "sensor/process.h"

/* What of a group one kernel group can count for a task: all of it, or, where
 * cores are of several types, one with what no core counts, and one for each
 * type (the kernel runs a group only where it can run all of it). */
struct part {
	size_t column; /* the group's first */
	struct event_group here;
	size_t offset[EVENT_GROUP_MAX]; /* of each event in the columns */
	size_t columns;
	bool first; /* gives the time that counting was wanted */
	bool timed; /* gives the time in which it happened */
	bool of_core;
};

struct perf {
	const struct event_group *group;
	size_t groups;
	char *proc;
	struct engine_column *column;
	struct engine_shape shape;
	struct engine_sites *sites;
	struct part *part;
	size_t parts;
};

struct counted {
	struct perf_places *places; /* a cgroup or the machine; NULL: tasks */
	pid_t pid;
	/* counter[thread * parts + part]; a thread that ended before it could
	 * be counted has none */
	struct counter **counter;
	size_t counters;
	uint64_t running_ns;
};

static int perf_usable(const struct event_group *group, size_t groups,
		       struct err *err)
{
	for (size_t i = 0; i < groups; i++)
		for (size_t j = 0; j < group[i].events; j++)
			if (!perf_can_count(&group[i].event[j], err))
				return -1;
	return 0;
}

/* `core` NULL: what is not counted by cores of a type. */
static void add_part(struct perf *perf, size_t group, size_t column,
		     const struct pmu_cores *cores, const struct pmu_core *core)
{
	const struct event_group *from = &perf->group[group];
	struct part *part = &perf->part[perf->parts];
	const struct part *before = perf->parts > 0 ? part - 1 : NULL;
	bool alone;

	*part = (struct part){ .column = column,
			       .columns = engine_columns_of(from) };
	memcpy(part->here.name, from->name, sizeof(from->name));
	for (size_t i = 0; i < from->events; i++) {
		struct event *there = &part->here.event[part->here.events];
		bool mine = !pmu_is_core_event(cores, &from->event[i]);

		if (core)
			mine = !mine &&
			       pmu_event_of(core, &from->event[i], there);
		else
			*there = from->event[i];
		if (mine)
			part->offset[part->here.events++] = i;
	}
	if (part->here.events == 0)
		return;
	alone = !before || before->column != column;
	part->first = alone;
	/* The part that runs everywhere, or the cores of all types together. */
	part->timed = alone || (before->timed && before->of_core);
	part->of_core = core != NULL;
	perf->parts++;
}

static void add_parts(struct perf *perf)
{
	struct pmu_cores cores;
	size_t column = 0;

	pmu_cores_read(&cores);
	perf->part = xcalloc(perf->groups * (PMU_CORES_MAX + 1),
			     sizeof(*perf->part));
	for (size_t i = 0; i < perf->groups; i++) {
		add_part(perf, i, column, &cores, NULL);
		for (size_t j = 0; cores.cores > 1 && j < cores.cores; j++)
			add_part(perf, i, column, &cores, &cores.core[j]);
		column += engine_columns_of(&perf->group[i]);
	}
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
		columns += engine_columns_of(&group[i]);
	perf->column = xcalloc(columns, sizeof(*perf->column));
	perf->shape = (struct engine_shape){ perf->column, columns };
	columns = 0;
	for (size_t i = 0; i < groups; i++) {
		engine_name_columns(&group[i], 0, 0, &perf->column[columns]);
		columns += engine_columns_of(&group[i]);
	}
	perf->sites = engine_sites_new(group, groups, proc);
	add_parts(perf);
	return perf;
}

static void perf_close(void *self)
{
	struct perf *perf = (struct perf *)self;

	engine_sites_free(perf->sites);
	free(perf->part);
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
	if (counted->places)
		perf_places_free(counted->places);
	free(counted->counter);
	free(counted);
}

static unsigned int inheritance(const struct target *target)
{
	if (target->kind == TARGET_THREAD)
		return 0;
	return target->kind == TARGET_TREE ? COUNTER_CHILDREN : COUNTER_THREADS;
}

/* A thread that ended meanwhile is none to count. */
static int count_thread(const struct perf *perf, struct counted *counted,
			const struct target *target, pid_t tid, struct err *err)
{
	for (size_t i = 0; i < perf->parts; i++) {
		struct counter_request request = {
			.event = perf->part[i].here.event,
			.events = perf->part[i].here.events,
			.pid = tid,
			.cpu = -1,
			.flags = inheritance(target),
		};
		struct err why = { 0 };
		struct counter *counter = counter_open(&request, &why);

		if (!counter && (why.code != ESRCH || tid == counted->pid)) {
			if (err)
				*err = why;
			return -1;
		}
		counted->counter[counted->counters++] = counter;
	}
	return 0;
}

static struct counted *count_threads(struct perf *perf,
				     const struct target *target,
				     const pid_t *tid, size_t threads,
				     struct err *err)
{
	struct counted *counted = xcalloc(1, sizeof(*counted));

	counted->pid = target->tid ? target->tid : target->pid;
	counted->counter =
		xcalloc(threads * perf->parts, sizeof(struct counter *));
	for (size_t i = 0; i < threads; i++)
		if (count_thread(perf, counted, target, tid[i], err) < 0) {
			perf_remove(perf, counted);
			return NULL;
		}
	return counted;
}

static struct counted *count_process(struct perf *perf,
				     const struct target *target,
				     struct err *err)
{
	struct counted *counted;
	size_t threads;
	pid_t *tid;

	if (process_threads(perf->proc, target->pid, &tid, &threads, err) < 0)
		return NULL;
	counted = count_threads(perf, target, tid, threads, err);
	free(tid);
	return counted;
}

static struct counted *count_by_cpu(struct perf *perf,
				    const struct target *target,
				    struct err *err)
{
	const struct site_plan *plan = engine_sites_plan(perf->sites, err);
	struct perf_places *places =
		plan ? perf_places_new(plan, target, err) : NULL;
	struct counted *counted;

	if (!places)
		return NULL;
	counted = xcalloc(1, sizeof(*counted));
	counted->places = places;
	return counted;
}

static const struct engine_shape *perf_shape(void *self, void *what)
{
	struct perf *perf = (struct perf *)self;
	struct counted *counted = (struct counted *)what;

	if (!counted->places)
		return &perf->shape;
	return perf_places_shape(counted->places,
				 engine_sites_plan(perf->sites, NULL));
}

static void *perf_add(void *self, const struct target *target, int slot,
		      const struct engine_shape **shape, struct err *err)
{
	struct perf *perf = (struct perf *)self;
	struct counted *counted;

	(void)slot;
	*shape = &perf->shape;
	switch (target->kind) {
	case TARGET_CGROUP:
	case TARGET_MACHINE:
		counted = count_by_cpu(perf, target, err);
		if (counted)
			*shape = perf_shape(perf, counted);
		return counted;
	case TARGET_THREAD:
		return count_threads(perf, target, &target->tid, 1, err);
	default:
		return count_process(perf, target, err);
	}
}

static int perf_begin(void *self, struct err *err)
{
	(void)err;
	engine_sites_update(((struct perf *)self)->sites);
	return 0;
}

/* `total`: the columns of the part's group. */
static int add_counter(const struct part *part, struct counter *counter,
		       uint64_t *total, struct err *err)
{
	struct counter_reading reading;

	if (counter_read(counter, &reading, err) < 0)
		return -1;
	for (size_t i = 0; i < part->here.events; i++)
		total[part->offset[i]] += reading.value[i];
	if (part->first)
		total[part->columns - 2] += reading.enabled_ns;
	if (part->timed)
		total[part->columns - 1] += reading.running_ns;
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

	if (counted->places)
		return perf_places_read(counted->places, total, err);
	for (size_t i = 0; i < perf->shape.columns; i++)
		total[i] = 0;
	for (size_t i = 0; i < counted->counters; i++) {
		const struct part *part = &perf->part[i % perf->parts];

		if (counted->counter[i] &&
		    add_counter(part, counted->counter[i], total + part->column,
				err) < 0)
			return -1;
	}
	for (size_t i = 0; i < perf->parts; i++)
		if (perf->part[i].first)
			running_ns += total[perf->part[i].column +
					    perf->part[i].columns - 1];
	return still_there(counted, running_ns);
}

extern const struct engine_kind engine_kind_perf;
const struct engine_kind engine_kind_perf = {
	.name = "perf",
	.summary =
		"groups of kernel counters, per thread or per cgroup and CPU",
	.usable = perf_usable,
	.open = perf_open,
	.add = perf_add,
	.remove = perf_remove,
	.begin = perf_begin,
	.shape = perf_shape,
	.read = perf_read,
	.close = perf_close,
};
