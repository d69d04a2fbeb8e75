/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

extern const struct engine_kind engine_kind_perf;
extern const struct engine_kind engine_kind_clock;

/* In the order in which "auto" tries them. */
const struct engine_kind *const engine_kinds[] = {
	&engine_kind_perf,
	&engine_kind_clock,
	NULL,
};

#define ENGINE_KINDS_MAX 8

enum slot_state { SLOT_FREE, SLOT_COUNTING, SLOT_LAST, SLOT_ENDED };

/* A kind at work. */
struct worker {
	const struct engine_kind *kind;
	void *self;
};

struct slot {
	enum slot_state state;
	const struct worker *worker;
	void *counted;
	const struct engine_shape *shape;
	uint64_t *total, *first;
	union value *count;
	/* Counts per ns of running when that was last seen; at a group's
	 * time_enabled: ns for which there is no rate yet. */
	double *rate;
};

struct engine {
	struct worker worker[ENGINE_KINDS_MAX];
	size_t workers;
	struct event_group *group;
	size_t groups;
	char remarks[ERR_TEXT_MAX];
	struct slot *slot;
	size_t slots, capacity;
	struct engine_options options;
	uint64_t *scratch; /* room for the totals of any slot */
	size_t room;
};

static int start_kind(struct engine *engine, const struct engine_kind *kind,
		      const char *proc, struct err *err)
{
	struct worker *worker = &engine->worker[engine->workers];

	if (kind->usable(engine->group, engine->groups, err) < 0)
		return -1;
	worker->self = kind->open(engine->group, engine->groups, proc, err);
	if (!worker->self)
		return -1;
	worker->kind = kind;
	engine->workers++;
	return 0;
}

static int start_named(struct engine *engine, const char *name,
		       const char *proc, struct err *err)
{
	for (size_t i = 0; engine_kinds[i]; i++)
		if (!strcmp(engine_kinds[i]->name, name))
			return start_kind(engine, engine_kinds[i], proc, err);
	return err_set(err, EINVAL, "'%s': unknown (auto, perf or clock)",
		       name);
}

/* All that work here, the best first; and why it is not the very first. */
static int start_all(struct engine *engine, const char *proc, struct err *err)
{
	for (size_t i = 0;
	     engine_kinds[i] && engine->workers < ENGINE_KINDS_MAX; i++) {
		struct err why = { 0 };

		if (start_kind(engine, engine_kinds[i], proc, &why) < 0 &&
		    engine->workers == 0 && engine->remarks[0] == '\0')
			memcpy(engine->remarks, why.text,
			       sizeof(engine->remarks));
	}
	if (engine->workers == 0)
		return err_set(err, ENOTSUP, "%s", engine->remarks);
	return 0;
}

struct engine *engine_open(const char *spec, const struct event_group *group,
			   size_t groups, const char *proc, struct err *err)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));
	int status;

	engine->groups = groups;
	engine->group = xcalloc(groups, sizeof(*group));
	memcpy(engine->group, group, groups * sizeof(*group));
	if (!strcmp(spec, "auto"))
		status = start_all(engine, proc, err);
	else
		status = start_named(engine, spec, proc, err);
	if (status < 0) {
		err_wrap(err, "engine");
		engine_close(engine);
		return NULL;
	}
	return engine;
}

void engine_set(struct engine *engine, const struct engine_options *options)
{
	engine->options = *options;
}

const char *engine_name(const struct engine *engine)
{
	return engine->worker[0].kind->name;
}

const char *engine_remarks(const struct engine *engine)
{
	return engine->remarks;
}

/* ---- slots ----------------------------------------------------------------- */

static size_t free_slot(struct engine *engine)
{
	for (size_t i = 0; i < engine->slots; i++)
		if (engine->slot[i].state == SLOT_FREE)
			return i;
	engine->slot = mem_grow(engine->slot, &engine->capacity,
				engine->slots + 1, sizeof(*engine->slot));
	engine->slot[engine->slots] = (struct slot){ .state = SLOT_FREE };
	return engine->slots++;
}

static void slot_done(struct slot *slot)
{
	free(slot->total);
	free(slot->first);
	free(slot->count);
	free(slot->rate);
	*slot = (struct slot){ .state = SLOT_FREE };
}

static void make_room(struct engine *engine, struct slot *slot,
		      const struct engine_shape *shape)
{
	slot->shape = shape;
	slot->total = xcalloc(shape->columns + 1, sizeof(*slot->total));
	slot->first = xcalloc(shape->columns + 1, sizeof(*slot->first));
	slot->count = xcalloc(shape->columns + 1, sizeof(*slot->count));
	slot->rate = xcalloc(shape->columns + 1, sizeof(*slot->rate));
	if (shape->columns > engine->room)
		engine->scratch = xrealloc(engine->scratch, shape->columns,
					   sizeof(*engine->scratch));
	if (shape->columns > engine->room)
		engine->room = shape->columns;
}

static int add_to(struct engine *engine, const struct worker *worker,
		  const struct target *target, struct err *err)
{
	const struct engine_shape *shape;
	void *counted = worker->kind->add(worker->self, target, &shape, err);
	size_t index;
	struct slot *slot;

	if (!counted)
		return -1;
	index = free_slot(engine);
	slot = &engine->slot[index];
	*slot = (struct slot){
		.state = SLOT_COUNTING,
		.worker = worker,
		.counted = counted,
	};
	make_room(engine, slot, shape);
	if (worker->kind->read(worker->self, counted, slot->first, err) < 0) {
		engine_remove(engine, (int)index);
		return -1;
	}
	memcpy(slot->total, slot->first, shape->columns * sizeof(*slot->total));
	return (int)index;
}

int engine_add(struct engine *engine, const struct target *target,
	       struct err *err)
{
	struct err first = { 0 };

	for (size_t i = 0; i < engine->workers; i++) {
		struct err why = { 0 };
		int slot = add_to(engine, &engine->worker[i], target, &why);

		if (slot >= 0)
			return slot;
		if (i == 0)
			first = why;
		if (why.code != EACCES && why.code != EPERM &&
		    why.code != ENOTSUP)
			break;
	}
	if (err)
		*err = first;
	return -1;
}

void engine_remove(struct engine *engine, int slot)
{
	struct slot *s = &engine->slot[slot];

	s->worker->kind->remove(s->worker->self, s->counted);
	slot_done(s);
}

/* ---- a reading ------------------------------------------------------------- */

static bool same_column(const struct engine_column *a,
			const struct engine_column *b)
{
	return a->cpu == b->cpu && a->package == b->package &&
	       !strcmp(a->event, b->event) && !strcmp(a->group, b->group);
}

/* Columns that stay keep their totals. */
static void follow_shape(struct engine *engine, struct slot *slot)
{
	const struct engine_kind *kind = slot->worker->kind;
	const struct engine_shape *shape;
	struct slot before = *slot;

	if (!kind->shape)
		return;
	shape = kind->shape(slot->worker->self, slot->counted);
	if (shape == before.shape)
		return;
	make_room(engine, slot, shape);
	for (size_t i = 0; i < shape->columns; i++)
		for (size_t j = 0; j < before.shape->columns; j++)
			if (same_column(&shape->column[i],
					&before.shape->column[j])) {
				slot->total[i] = before.total[j];
				slot->first[i] = before.first[j];
				slot->rate[i] = before.rate[j];
			}
	slot_done(&before);
}

/* Totals only grow: a smaller one is a fault of its source, and no event is
 * taken back. */
static void take_totals(struct slot *slot, const uint64_t *total)
{
	for (size_t i = 0; i < slot->shape->columns; i++) {
		bool grew = total[i] > slot->total[i];

		slot->count[i].integer = grew ? total[i] - slot->total[i] : 0;
		if (grew)
			slot->total[i] = total[i];
	}
}

/* The counts of one group in one place, which end with its two times.  Turns
 * last milliseconds: of a short interval a group may see nothing at all, which
 * then goes as the last that it saw; what was before it saw anything is made up
 * for by the first that it does. */
static void correct(struct slot *slot, size_t begin, size_t enabled)
{
	double ns = (double)slot->count[enabled].integer;
	double running = (double)slot->count[enabled + 1].integer;
	double *unseen = &slot->rate[enabled];

	if (running == 0 &&
	    slot->total[enabled + 1] == slot->first[enabled + 1]) {
		*unseen += ns;
		return;
	}
	if (running >= ns)
		ns = running;
	ns += *unseen;
	*unseen = 0;
	for (size_t i = begin; i < enabled; i++) {
		if (running > 0)
			slot->rate[i] =
				(double)slot->count[i].integer / running;
		if (ns > running)
			slot->count[i].integer =
				(uint64_t)llround(slot->rate[i] * ns);
	}
}

static void apply_options(const struct engine_options *options,
			  struct slot *slot)
{
	size_t begin = 0;

	for (size_t i = 1; i < slot->shape->columns; i++) {
		if (strcmp(slot->shape->column[i].event, ENGINE_TIME_RUNNING) !=
		    0)
			continue;
		if (options->correct_multiplexing)
			correct(slot, begin, i - 1);
		for (size_t j = i - 1; options->cumulative_times && j <= i; j++)
			slot->count[j].integer =
				slot->total[j] - slot->first[j];
		begin = i + 1;
	}
}

static void read_slot(struct engine *engine, struct slot *slot)
{
	struct err why = { 0 };
	int status;

	if (slot->state == SLOT_LAST)
		slot->state = SLOT_ENDED;
	if (slot->state != SLOT_COUNTING)
		return;
	follow_shape(engine, slot);
	memcpy(engine->scratch, slot->total,
	       slot->shape->columns * sizeof(*engine->scratch));
	status = slot->worker->kind->read(slot->worker->self, slot->counted,
					  engine->scratch, &why);
	if (status < 0)
		log_warn("engine", "%s", why.text);
	take_totals(slot, engine->scratch);
	if (engine->options.cumulative_times ||
	    engine->options.correct_multiplexing)
		apply_options(&engine->options, slot);
	if (status <= 0)
		slot->state = SLOT_LAST;
}

int engine_read(struct engine *engine, struct err *err)
{
	for (size_t i = 0; i < engine->workers; i++) {
		const struct worker *worker = &engine->worker[i];

		if (worker->kind->begin &&
		    worker->kind->begin(worker->self, err) < 0)
			return err_wrap(err, "engine %s", worker->kind->name);
	}
	for (size_t i = 0; i < engine->slots; i++)
		read_slot(engine, &engine->slot[i]);
	return 0;
}

bool engine_is_counting(const struct engine *engine, int slot)
{
	return engine->slot[slot].state == SLOT_COUNTING ||
	       engine->slot[slot].state == SLOT_LAST;
}

const char *engine_slot_name(const struct engine *engine, int slot)
{
	return engine->slot[slot].worker->kind->name;
}

const struct engine_shape *engine_shape(const struct engine *engine, int slot)
{
	return engine->slot[slot].shape;
}

const union value *engine_counts(const struct engine *engine, int slot)
{
	return engine->slot[slot].count;
}

uint64_t engine_total(const struct engine *engine, int slot, size_t column)
{
	const struct slot *s = &engine->slot[slot];

	return s->total[column] - s->first[column];
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < engine->slots; i++)
		if (engine->slot[i].state != SLOT_FREE)
			engine_remove(engine, (int)i);
	for (size_t i = 0; i < engine->workers; i++)
		engine->worker[i].kind->close(engine->worker[i].self);
	free(engine->scratch);
	free(engine->slot);
	free(engine->group);
	free(engine);
}
