/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tally.c adds up in the kernel, as totals in columns.  Only what changed
 * is looked at: a target that did nothing costs nothing.  A cgroup's totals are
 * those of its slot and of the cgroups below it, which keep what was used
 * when they are gone.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/engine_sites.h"
#include "sensor/pmu.h"
#include "sensor/process.h"
#include "sensor/tally.h"
#include "sensor/tally_map.h"

struct counted {
	int slot; /* tally's */
	int tag;  /* the engine's */
	pid_t pid;
	char *path; /* of a cgroup */
	struct counted *above;
	bool listed, ended;
	uint64_t *seen;  /* words of each CPU that are in `total` */
	uint64_t *total; /* words: of each CPU of a cgroup, else of all */
};

struct engine_tally {
	struct tally *tally;
	const struct event_group *group;
	size_t groups;
	char *proc;
	struct engine_column *column; /* of a process */
	struct engine_shape process;
	struct engine_sites *sites;
	const struct site_plan *plan;
	struct counted **counted; /* by tally's slot */
	size_t slots;
	int *changed; /* tags */
	size_t changes, capacity;
};

/* One that knows no tasks (energy, uncore) cannot be charged to them. */
static int check_event(const struct event *event, struct err *err)
{
	struct pmu_cores cores;

	if (event->precise)
		return err_set(err, ENOTSUP,
			       "tally counts no precise events: %s",
			       event->name);
	pmu_cores_read(&cores);
	if (pmu_is_core_event(&cores, event))
		return 0;
	return counter_supported(event, err) ? 0 : -1;
}

static int tally_usable(const struct event_group *group, size_t groups,
			struct err *err)
{
	for (size_t i = 0; i < groups; i++) {
		if (group[i].one_cpu)
			return err_set(err, ENOTSUP,
				       "tally counts on every CPU, not on one "
				       "of each package: group '%s'",
				       group[i].name);
		for (size_t j = 0; j < group[i].events; j++)
			if (check_event(&group[i].event[j], err) < 0)
				return -1;
	}
	return 0;
}

static void engine_tally_close(void *self)
{
	struct engine_tally *engine = (struct engine_tally *)self;

	tally_close(engine->tally);
	engine_sites_free(engine->sites);
	free(engine->column);
	free(engine->counted);
	free(engine->changed);
	free(engine->proc);
	free(engine);
}

static void name_process(struct engine_tally *engine)
{
	size_t columns = 0;

	for (size_t i = 0; i < engine->groups; i++)
		columns += engine_columns_of(&engine->group[i]);
	engine->column = xcalloc(columns, sizeof(*engine->column));
	engine->process = (struct engine_shape){ engine->column, columns };
	columns = 0;
	for (size_t i = 0; i < engine->groups; i++) {
		engine_name_columns(&engine->group[i], 0, 0,
				    &engine->column[columns]);
		columns += engine_columns_of(&engine->group[i]);
	}
}

static void *engine_tally_open(const struct event_group *group, size_t groups,
			       const char *proc, struct err *err)
{
	struct engine_tally *engine = xcalloc(1, sizeof(*engine));

	engine->group = group;
	engine->groups = groups;
	engine->proc = xstrdup(proc);
	name_process(engine);
	engine->sites = engine_sites_new(group, groups, proc);
	engine->plan = engine_sites_plan(engine->sites, err);
	if (engine->plan)
		engine->tally = tally_open(group, groups, engine->plan, err);
	if (!engine->tally) {
		engine_tally_close(engine);
		return NULL;
	}
	return engine;
}

/* ---- targets --------------------------------------------------------------- */

static bool lies_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* A cgroup gets the nearest one above; those below it, that were nearer to
 * whatever is above, are now nearer to it. */
static void put_between(struct engine_tally *engine, struct counted *counted)
{
	for (size_t i = 0; i < engine->slots; i++) {
		struct counted *other = engine->counted[i];

		if (!other || !other->path)
			continue;
		if (lies_in(counted->path, other->path) &&
		    (!counted->above ||
		     strlen(other->path) > strlen(counted->above->path)))
			counted->above = other;
	}
	for (size_t i = 0; i < engine->slots; i++) {
		struct counted *other = engine->counted[i];

		if (other && other->path &&
		    lies_in(other->path, counted->path) &&
		    other->above == counted->above)
			other->above = counted;
	}
}

static void take_out(struct engine_tally *engine, const struct counted *counted)
{
	for (size_t i = 0; i < engine->slots; i++)
		if (engine->counted[i] && engine->counted[i]->above == counted)
			engine->counted[i]->above = counted->above;
}

static void engine_tally_remove(void *self, void *what)
{
	struct engine_tally *engine = (struct engine_tally *)self;
	struct counted *counted = (struct counted *)what;

	if (counted->slot > 0) {
		engine->counted[counted->slot] = NULL;
		tally_remove(engine->tally, counted->slot);
	}
	if (counted->path)
		take_out(engine, counted);
	free(counted->path);
	free(counted->seen);
	free(counted->total);
	free(counted);
}

struct family {
	struct engine_tally *engine;
	int slot;
	pid_t *pid;
	size_t count, capacity;
};

static bool is_relative(const struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->count; i++)
		if (family->pid[i] == pid)
			return true;
	return false;
}

static int adopt(void *arg, const struct process *process)
{
	struct family *family = (struct family *)arg;

	if (!is_relative(family, process->parent) ||
	    is_relative(family, process->pid))
		return 0;
	tally_adopt(family->engine->tally, family->slot, process->pid, NULL);
	family->pid = mem_grow(family->pid, &family->capacity,
			       family->count + 1, sizeof(*family->pid));
	family->pid[family->count++] = process->pid;
	return 0;
}

/* Those whom a process started before it was added; a pass that found someone
 * may have missed his children. */
static void adopt_descendants(struct engine_tally *engine, int slot, pid_t pid)
{
	struct family family = { .engine = engine, .slot = slot };
	size_t before;

	family.pid = mem_grow(NULL, &family.capacity, 1, sizeof(pid));
	family.pid[family.count++] = pid;
	do {
		before = family.count;
		if (process_walk(engine->proc, adopt, &family, NULL) < 0)
			break;
	} while (family.count > before);
	free(family.pid);
}

/* Asked after the slot exists: who is there now is seen when he exits. */
static int add_process(struct engine_tally *engine, struct counted *counted,
		       const struct target *target, struct err *err)
{
	bool tree = target->kind == TARGET_TREE;

	counted->pid = target->pid;
	counted->slot =
		tally_add_process(engine->tally, target->pid, tree, err);
	if (counted->slot < 0)
		return -1;
	if (kill(target->pid, 0) < 0 && errno == ESRCH)
		return err_set(err, ESRCH, "no process %d", (int)target->pid);
	if (tree)
		adopt_descendants(engine, counted->slot, target->pid);
	return 0;
}

static int add_cgroup(struct engine_tally *engine, struct counted *counted,
		      const struct target *target, struct err *err)
{
	counted->slot = tally_add_cgroup(engine->tally, target->path, err);
	if (counted->slot < 0)
		return -1;
	counted->path = xstrdup(target->path);
	put_between(engine, counted);
	return 0;
}

static void remember(struct engine_tally *engine, struct counted *counted)
{
	size_t cpus = tally_cpus(engine->tally);
	size_t slot = (size_t)counted->slot;

	if (slot >= engine->slots) {
		size_t more = 2 * slot + 64;

		engine->counted = xrealloc(engine->counted, more,
					   sizeof(struct counted *));
		memset(engine->counted + engine->slots, 0,
		       (more - engine->slots) * sizeof(struct counted *));
		engine->slots = more;
	}
	engine->counted[slot] = counted;
	counted->total = xcalloc((counted->path ? cpus : 1) * TALLY_WORDS,
				 sizeof(*counted->total));
	counted->seen = xcalloc(cpus * TALLY_WORDS, sizeof(*counted->seen));
	for (size_t cpu = 0; cpu < cpus; cpu++)
		memcpy(counted->seen + cpu * TALLY_WORDS,
		       tally_words(engine->tally, counted->slot, cpu),
		       TALLY_WORDS * sizeof(uint64_t));
}

static int add_target(struct engine_tally *engine, struct counted *counted,
		      const struct target *target, struct err *err)
{
	switch (target->kind) {
	case TARGET_CGROUP:
		return add_cgroup(engine, counted, target, err);
	case TARGET_PROCESS:
	case TARGET_TREE:
		return add_process(engine, counted, target, err);
	case TARGET_THREAD:
	case TARGET_MACHINE:
		break;
	}
	return err_set(err, ENOTSUP,
		       "tally counts processes and cgroups, not %s",
		       target->name);
}

static const struct engine_shape *engine_tally_shape(void *self, void *what)
{
	const struct engine_tally *engine = (const struct engine_tally *)self;

	return ((struct counted *)what)->path ? &engine->plan->shape
					      : &engine->process;
}

static void *engine_tally_add(void *self, const struct target *target, int tag,
			      const struct engine_shape **shape,
			      struct err *err)
{
	struct engine_tally *engine = (struct engine_tally *)self;
	struct counted *counted = xcalloc(1, sizeof(*counted));

	counted->tag = tag;
	if (add_target(engine, counted, target, err) < 0) {
		if (counted->slot > 0)
			tally_remove(engine->tally, counted->slot);
		free(counted);
		return NULL;
	}
	remember(engine, counted);
	*shape = engine_tally_shape(engine, counted);
	return counted;
}

/* ---- reading --------------------------------------------------------------- */

static void list(struct engine_tally *engine, struct counted *counted)
{
	if (counted->listed)
		return;
	counted->listed = true;
	engine->changed =
		mem_grow(engine->changed, &engine->capacity,
			 engine->changes + 1, sizeof(*engine->changed));
	engine->changed[engine->changes++] = counted->tag;
}

static void take(struct engine_tally *engine, struct counted *counted,
		 size_t cpu)
{
	const uint64_t *now = tally_words(engine->tally, counted->slot, cpu);
	uint64_t *seen = counted->seen + cpu * TALLY_WORDS;
	uint64_t more[TALLY_WORDS];

	for (size_t i = 0; i < TALLY_WORDS; i++) {
		uint64_t word = __atomic_load_n(&now[i], __ATOMIC_RELAXED);

		more[i] = word - seen[i];
		seen[i] = word;
	}
	for (; counted; counted = counted->above) {
		uint64_t *total = counted->total +
				  (counted->path ? cpu * TALLY_WORDS : 0);

		for (size_t i = 0; i < TALLY_WORDS; i++)
			total[i] += more[i];
		list(engine, counted);
	}
}

static bool is_planned(const struct site_plan *plan, size_t cpu)
{
	for (size_t i = 0; i < plan->sites; i++)
		if ((size_t)plan->site[i].cpu == cpu)
			return true;
	return false;
}

/* The columns of a CPU that comes back begin at 0. */
static void forget_cpus(const struct engine_tally *engine,
			struct counted *counted)
{
	for (size_t cpu = 0; cpu < tally_cpus(engine->tally); cpu++)
		if (!is_planned(engine->plan, cpu))
			memset(counted->total + cpu * TALLY_WORDS, 0,
			       TALLY_WORDS * sizeof(*counted->total));
}

/* All targets of a shape move to the other one. */
static int follow_cpus(struct engine_tally *engine, struct err *err)
{
	if (!engine_sites_update(engine->sites))
		return 0;
	engine->plan = engine_sites_plan(engine->sites, err);
	for (size_t i = 0; i < engine->slots; i++) {
		struct counted *counted = engine->counted[i];

		if (counted && counted->path)
			forget_cpus(engine, counted);
		if (counted)
			list(engine, counted);
	}
	return tally_follow(engine->tally, engine->plan, err);
}

static void see_exits(struct engine_tally *engine)
{
	int slot = tally_next_exit(engine->tally, 1);

	for (; slot > 0; slot = tally_next_exit(engine->tally, slot + 1)) {
		struct counted *counted = (size_t)slot < engine->slots
						  ? engine->counted[slot]
						  : NULL;

		if (!counted || kill(counted->pid, 0) == 0 || errno != ESRCH)
			continue;
		counted->ended = true;
		list(engine, counted);
	}
}

static int engine_tally_begin(void *self, struct err *err)
{
	struct engine_tally *engine = (struct engine_tally *)self;
	size_t cpu;
	int slot;

	engine->changes = 0;
	if (follow_cpus(engine, err) < 0 || tally_begin(engine->tally, err) < 0)
		return -1;
	while ((slot = tally_next(engine->tally, &cpu)) > 0)
		if ((size_t)slot < engine->slots && engine->counted[slot])
			take(engine, engine->counted[slot], cpu);
	see_exits(engine);
	return 0;
}

static const int *engine_tally_changed(void *self, size_t *count)
{
	const struct engine_tally *engine = (const struct engine_tally *)self;

	*count = engine->changes;
	return engine->changed;
}

/* The words of a CPU in the columns of one group there. */
static void put_group(const struct engine_tally *engine,
		      const struct site *site, const uint64_t *word,
		      uint64_t *total)
{
	size_t events = site->here.events, group = site->group;

	for (size_t i = 0; i < events; i++)
		total[i] =
			word[tally_word(engine->tally, group, site->from[i])];
	total[events] = word[0];
	total[events + 1] = word[tally_running_word(engine->tally, group)];
}

static void put_process(const struct engine_tally *engine, const uint64_t *word,
			uint64_t *total)
{
	for (size_t i = 0; i < engine->groups; i++) {
		size_t events = engine->group[i].events;

		for (size_t j = 0; j < events; j++)
			total[j] = word[tally_word(engine->tally, i, j)];
		total[events] = word[0];
		total[events + 1] = word[tally_running_word(engine->tally, i)];
		total += events + 2;
	}
}

static int engine_tally_read(void *self, void *what, uint64_t *total,
			     struct err *err)
{
	const struct engine_tally *engine = (const struct engine_tally *)self;
	struct counted *counted = (struct counted *)what;
	const struct site_plan *plan = engine->plan;

	(void)err;
	counted->listed = false;
	if (!counted->path)
		put_process(engine, counted->total, total);
	for (size_t i = 0; counted->path && i < plan->sites; i++) {
		const struct site *site = &plan->site[i];

		put_group(engine, site,
			  counted->total + (size_t)site->cpu * TALLY_WORDS,
			  total);
		total += engine_columns_of(&site->here);
	}
	return !counted->ended;
}

extern const struct engine_kind engine_kind_tally;
const struct engine_kind engine_kind_tally = {
	.name = "tally",
	.summary = "counters per CPU, added up per target by BPF",
	.usable = tally_usable,
	.open = engine_tally_open,
	.add = engine_tally_add,
	.remove = engine_tally_remove,
	.begin = engine_tally_begin,
	.changed = engine_tally_changed,
	.shape = engine_tally_shape,
	.read = engine_tally_read,
	.close = engine_tally_close,
};
