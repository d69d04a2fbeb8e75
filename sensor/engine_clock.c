/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU clock that the kernel keeps for each process: 0.2 µs to read, in ns,
 * for any process of anybody.  It covers all threads of the process, those that
 * ended included, but not its children; for a tree they are looked up.  What a
 * child used between the last look and its end stays unknown here (whoever
 * waits for it learns it from wait4(2)).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

static void *clock_add(void *self, const struct target *target,
		       const struct engine_shape **shape, struct err *err)
{
	const struct clock_engine *engine = (const struct clock_engine *)self;
	struct counted *counted;
	uint64_t ns;

	if (process_cpu_ns(target->pid, &ns, err) < 0)
		return NULL;
	counted = xcalloc(1, sizeof(*counted));
	counted->tree = target->kind == TARGET_TREE;
	add_relative(counted, target->pid);
	*shape = &engine->shape;
	return counted;
}

static void clock_remove(void *self, void *what)
{
	struct counted *counted = (struct counted *)what;

	(void)self;
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

static int clock_read(void *self, void *what, uint64_t *total, struct err *err)
{
	struct counted *counted = (struct counted *)what;
	uint64_t ns = 0;
	size_t kept = 0;

	(void)err;
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
	.summary = "the CPU clock of each process",
	.usable = clock_usable,
	.open = clock_open,
	.add = clock_add,
	.remove = clock_remove,
	.read = clock_read,
	.close = clock_close,
};
