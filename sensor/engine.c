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
extern const struct engine_kind engine_kind_tally;
extern const struct engine_kind engine_kind_clock;

const struct engine_kind *const engine_kinds[] = {
	&engine_kind_perf,
#ifdef FEDWATTS_BPF
	&engine_kind_tally,
#endif
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
	bool quiet; /* nothing was counted by the last reading */
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
	/* Slots with counts or a state that the next reading changes. */
	int *touched;
	size_t touches, touched_capacity;
	size_t asked; /* slots of kinds that do not know what changed */
	size_t ended;
	uint64_t reshaped;
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

static const struct engine_kind *find_kind(const char *name)
{
	for (size_t i = 0; engine_kinds[i]; i++)
		if (!strcmp(engine_kinds[i]->name, name))
			return engine_kinds[i];
	return NULL;
}

static int start_named(struct engine *engine, const char *name,
		       const char *proc, struct err *err)
{
	const struct engine_kind *kind = find_kind(name);

	if (kind)
		return start_kind(engine, kind, proc, err);
	if (!strcmp(name, "tally"))
		return err_set(err, ENOTSUP,
			       "tally: this program was built without BPF");
	return err_set(err, EINVAL,
		       "'%s': unknown (auto, perf, tally or clock)", name);
}

bool engine_prefers_tally(size_t targets)
{
	return targets >= ENGINE_TALLY_FROM;
}

/* Why the best one cannot be had is worth a remark, and only that. */
static void try_kind(struct engine *engine, const char *name, const char *proc)
{
	struct err why = { 0 };

	if (start_named(engine, name, proc, &why) < 0 && engine->workers == 0 &&
	    engine->remarks[0] == '\0')
		snprintf(engine->remarks, sizeof(engine->remarks),
			 "not %s: %.*s", name, ERR_TEXT_MAX - 32, why.text);
}

/* All that work here, the best first. */
static int start_all(struct engine *engine, size_t targets, const char *proc,
		     struct err *err)
{
	if (engine_prefers_tally(targets))
		try_kind(engine, "tally", proc);
	try_kind(engine, "perf", proc);
	try_kind(engine, "clock", proc);
	if (engine->workers == 0)
		return err_set(err, ENOTSUP, "%s", engine->remarks);
	return 0;
}

struct engine *engine_open(const char *spec, const struct event_group *group,
			   size_t groups, size_t targets, const char *proc,
			   struct err *err)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));
	int status;

	engine->groups = groups;
	engine->group = xcalloc(groups, sizeof(*group));
	memcpy(engine->group, group, groups * sizeof(*group));
	if (!strcmp(spec, "auto"))
		status = start_all(engine, targets, proc, err);
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
	size_t index = free_slot(engine);
	const struct engine_shape *shape;
	void *counted = worker->kind->add(worker->self, target, (int)index,
					  &shape, err);
	struct slot *slot = &engine->slot[index];

	if (!counted)
		return -1;
	*slot = (struct slot){
		.state = SLOT_COUNTING,
		.worker = worker,
		.counted = counted,
	};
	make_room(engine, slot, shape);
	engine->asked += !worker->kind->changed;
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
	engine->asked -= !s->worker->kind->changed;
	engine->ended -= s->state == SLOT_ENDED;
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
	engine->reshaped++;
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
	size_t size = slot->shape->columns * sizeof(*total);
	bool any = memcmp(total, slot->total, size) != 0;

	if (!any && slot->quiet)
		return;
	slot->quiet = !any;
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

static void give_counts(struct engine *engine, struct slot *slot,
			const uint64_t *total)
{
	take_totals(slot, total);
	if (engine->options.cumulative_times ||
	    engine->options.correct_multiplexing)
		apply_options(&engine->options, slot);
}

static void read_slot(struct engine *engine, int index)
{
	struct slot *slot = &engine->slot[index];
	struct err why = { 0 };
	int status;

	if (slot->state != SLOT_COUNTING)
		return;
	follow_shape(engine, slot);
	memcpy(engine->scratch, slot->total,
	       slot->shape->columns * sizeof(*engine->scratch));
	status = slot->worker->kind->read(slot->worker->self, slot->counted,
					  engine->scratch, &why);
	if (status < 0)
		log_warn("engine", "%s", why.text);
	give_counts(engine, slot, engine->scratch);
	if (status <= 0)
		slot->state = SLOT_LAST;
	if (status > 0 && !slot->worker->kind->changed)
		return; /* it is read again in any case */
	engine->touched =
		mem_grow(engine->touched, &engine->touched_capacity,
			 engine->touches + 1, sizeof(*engine->touched));
	engine->touched[engine->touches++] = index;
}

/* What was the last reading's is not this one's. */
static void settle_touched(struct engine *engine)
{
	for (size_t i = 0; i < engine->touches; i++) {
		struct slot *slot = &engine->slot[engine->touched[i]];

		if (slot->state == SLOT_LAST) {
			slot->state = SLOT_ENDED;
			engine->ended++;
		}
		if (slot->state == SLOT_COUNTING)
			give_counts(engine, slot, slot->total);
	}
	engine->touches = 0;
}

static int read_changed(struct engine *engine, const struct worker *worker,
			struct err *err)
{
	const struct engine_kind *kind = worker->kind;
	const int *changed;
	size_t count;

	if (kind->begin && kind->begin(worker->self, err) < 0)
		return err_wrap(err, "engine %s", kind->name);
	if (!kind->changed)
		return 0;
	changed = kind->changed(worker->self, &count);
	for (size_t i = 0; i < count; i++)
		read_slot(engine, changed[i]);
	return 0;
}

int engine_read(struct engine *engine, struct err *err)
{
	settle_touched(engine);
	for (size_t i = 0; i < engine->workers; i++)
		if (read_changed(engine, &engine->worker[i], err) < 0)
			return -1;
	for (size_t i = 0; engine->asked > 0 && i < engine->slots; i++)
		if (engine->slot[i].state == SLOT_COUNTING &&
		    !engine->slot[i].worker->kind->changed)
			read_slot(engine, (int)i);
	return 0;
}

size_t engine_ended(const struct engine *engine)
{
	return engine->ended;
}

uint64_t engine_reshaped(const struct engine *engine)
{
	return engine->reshaped;
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
	free(engine->touched);
	free(engine->slot);
	free(engine->group);
	free(engine);
}
