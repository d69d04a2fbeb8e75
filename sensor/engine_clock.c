/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU clock that the kernel keeps for each process: 0.2 µs to read, in ns,
 * for any process of anybody.  It covers all threads of the process, those that
 * ended included, but not its children; for a tree they are looked up.  What a
 * child used between the last look and its end stays unknown here (whoever
 * waits for it learns it from wait4(2)).  Of threads and cgroups the kernel keeps
 * accounts in files.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "sensor/engine.h"
#include "sensor/process.h"

/* /proc is walked for new descendants this often at most. */
#define LOOK_NS 100000000

struct clock_engine {
	char *proc;
	struct engine_column column[3];
	struct engine_shape shape;
};

struct relative {
	pid_t pid;
	uint64_t ns;
};

struct counted {
	/* A thread or a cgroup: the file in which the kernel keeps its account
	 * of CPU time, and the unit; else -1. */
	int file;
	uint64_t unit_ns;
	struct relative *relative; /* the first is the target itself */
	size_t relatives, capacity;
	bool tree;
	int64_t looked_ns;
	uint64_t ended_ns; /* what relatives had used that ended */
};

static int clock_usable(const struct event_group *group, size_t groups,
			struct err *err)
{
	for (size_t i = 0; i < groups; i++)
		for (size_t j = 0; j < group[i].events; j++)
			if (!event_is_task_clock(&group[i].event[j]))
				return err_set(err, ENOTSUP,
					       "clock counts "
					       "PERF_COUNT_SW_TASK_CLOCK only,"
					       " not %s",
					       group[i].event[j].name);
	if (groups != 1 || group[0].events != 1)
		return err_set(err, ENOTSUP,
			       "clock counts one group of one event");
	return 0;
}

static void *clock_open(const struct event_group *group, size_t groups,
			const char *proc, struct err *err)
{
	struct clock_engine *engine = xcalloc(1, sizeof(*engine));

	(void)groups, (void)err;
	engine->proc = xstrdup(proc);
	engine->column[0].event = group[0].event[0].name;
	engine->column[1].event = ENGINE_TIME_ENABLED;
	engine->column[2].event = ENGINE_TIME_RUNNING;
	for (int i = 0; i < 3; i++)
		engine->column[i].group = group[0].name;
	engine->shape = (struct engine_shape){ engine->column, 3 };
	return engine;
}

static void clock_close(void *self)
{
	struct clock_engine *engine = (struct clock_engine *)self;

	free(engine->proc);
	free(engine);
}

static void add_relative(struct counted *counted, pid_t pid)
{
	counted->relative =
		mem_grow(counted->relative, &counted->capacity,
			 counted->relatives + 1, sizeof(*counted->relative));
	counted->relative[counted->relatives++] =
		(struct relative){ .pid = pid };
}

static struct counted *count_file(const char *path, uint64_t unit_ns)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct counted *counted;

	if (file < 0)
		return NULL;
	counted = xcalloc(1, sizeof(*counted));
	counted->file = file;
	counted->unit_ns = unit_ns;
	return counted;
}

/* Clocks of threads are for their own process alone; what the scheduler says
 * of them is for all. */
static struct counted *count_thread(const struct clock_engine *engine,
				    const struct target *target,
				    struct err *err)
{
	char path[PATH_MAX];
	struct counted *counted;

	snprintf(path, sizeof(path), "%s/%d/task/%d/schedstat", engine->proc,
		 (int)target->pid, (int)target->tid);
	counted = count_file(path, 1);
	if (!counted)
		err_sys(err, "thread %d: open %s", (int)target->tid, path);
	return counted;
}

/* v2 has "usage_usec N" in its first line, v1's cpuacct nanoseconds. */
static struct counted *count_cgroup(const struct target *target,
				    struct err *err)
{
	char path[PATH_MAX];
	struct counted *counted;

	snprintf(path, sizeof(path), "%.4000s/cpu.stat", target->path);
	counted = count_file(path, 1000);
	if (counted)
		return counted;
	snprintf(path, sizeof(path), "%.4000s/cpuacct.usage", target->path);
	counted = count_file(path, 1);
	if (!counted)
		err_set(err, ENOTSUP,
			"cgroup %s: the kernel keeps no account of its CPU "
			"time there",
			target->path);
	return counted;
}

static struct counted *count_process(const struct target *target,
				     struct err *err)
{
	struct counted *counted;
	uint64_t ns;

	if (process_cpu_ns(target->pid, &ns, err) < 0)
		return NULL;
	counted = xcalloc(1, sizeof(*counted));
	counted->file = -1;
	counted->tree = target->kind == TARGET_TREE;
	add_relative(counted, target->pid);
	return counted;
}

static void *clock_add(void *self, const struct target *target, int slot,
		       const struct engine_shape **shape, struct err *err)
{
	const struct clock_engine *engine = (const struct clock_engine *)self;

	(void)slot;
	*shape = &engine->shape;
	switch (target->kind) {
	case TARGET_PROCESS:
	case TARGET_TREE:
		return count_process(target, err);
	case TARGET_THREAD:
		return count_thread(engine, target, err);
	case TARGET_CGROUP:
		return count_cgroup(target, err);
	case TARGET_MACHINE:
		break;
	}
	err_set(err, ENOTSUP, "clock does not count the machine");
	return NULL;
}

static void clock_remove(void *self, void *what)
{
	struct counted *counted = (struct counted *)what;

	(void)self;
	if (counted->file >= 0)
		close(counted->file);
	free(counted->relative);
	free(counted);
}

static const struct relative *find(const struct counted *counted, pid_t pid)
{
	for (size_t i = 0; i < counted->relatives; i++)
		if (counted->relative[i].pid == pid)
			return &counted->relative[i];
	return NULL;
}

static int adopt(void *arg, const struct process *process)
{
	struct counted *counted = (struct counted *)arg;

	if (find(counted, process->parent) && !find(counted, process->pid))
		add_relative(counted, process->pid);
	return 0;
}

/* /proc lists pids upward, parents mostly before their children; a pass that
 * found someone may have missed his children. */
static void look_for_children(const struct clock_engine *engine,
			      struct counted *counted)
{
	int64_t now_ns = clock_now_ns(clock_real());
	size_t before;

	if (counted->looked_ns && now_ns - counted->looked_ns < LOOK_NS)
		return;
	counted->looked_ns = now_ns;
	do {
		before = counted->relatives;
		if (process_walk(engine->proc, adopt, counted, NULL) < 0)
			break;
	} while (counted->relatives > before);
}

/* A clock that runs backwards is another process with the same pid. */
static bool read_relative(struct relative *relative)
{
	uint64_t ns;

	if (process_cpu_ns(relative->pid, &ns, NULL) < 0 || ns < relative->ns)
		return false;
	relative->ns = ns;
	return true;
}

/* The first number of the file; it can be read no more once its owner is
 * gone. */
static int read_file(const struct counted *counted, uint64_t *total)
{
	char text[64];
	ssize_t got = pread(counted->file, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return 0;
	text[got] = '\0';
	total[0] = strtoull(text + strcspn(text, "0123456789"), NULL, 10) *
		   counted->unit_ns;
	total[1] = total[2] = total[0];
	return 1;
}

static int clock_read(void *self, void *what, uint64_t *total, struct err *err)
{
	struct counted *counted = (struct counted *)what;
	uint64_t ns = 0;
	size_t kept = 0;

	(void)err;
	if (counted->file >= 0)
		return read_file(counted, total);
	if (counted->tree)
		look_for_children((const struct clock_engine *)self, counted);
	for (size_t i = 0; i < counted->relatives; i++) {
		struct relative *relative = &counted->relative[i];

		if (read_relative(relative)) {
			ns += relative->ns;
			counted->relative[kept++] = *relative;
		} else {
			counted->ended_ns += relative->ns;
		}
	}
	counted->relatives = kept;
	total[0] = total[1] = total[2] = ns + counted->ended_ns;
	return kept > 0;
}

extern const struct engine_kind engine_kind_clock;
const struct engine_kind engine_kind_clock = {
	.name = "clock",
	.summary = "the CPU clock of each process, thread or cgroup",
	.usable = clock_usable,
	.open = clock_open,
	.add = clock_add,
	.remove = clock_remove,
	.read = clock_read,
	.close = clock_close,
};
