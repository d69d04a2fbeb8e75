/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sampler.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "sensor/hwpc_report.h"

/* A signal that comes just before the waiting begins is noticed at the end of
 * it, so no waiting is longer. */
#define WAIT_NS 1000000000
/* So many targets that cannot be counted are told of, one by one. */
#define LEFT_OUT_MAX 3
#define GUARD_NS     ((int64_t)METER_GUARD_S * 1000000000 / 2)

/* A target that has a slot. */
struct tracked {
	struct target target; /* of its strings only the name is to be used */
	const struct target_set *set; /* in which it is */
	char *name;
	int slot;
	size_t stamp;
	bool vanished; /* one more report, then it is removed */
	const struct engine_shape *shape;
	const struct layout *layout;
};

struct shaped {
	const struct engine_shape *shape;
	struct layout *layout;
};

/* Targets that are counted by the same engine in the same place share the
 * text of their metadata. */
struct stamp {
	const char *engine;
	char *within, *names;
	size_t users;
	struct text text;
};

struct sampler {
	struct sampler_config config;
	struct tracked **tracked; /* sorted by name */
	size_t count, capacity;
	struct shaped *shaped;
	size_t shapes, shape_capacity;
	struct stamp *stamp;
	size_t stamps, stamp_capacity;
	/* They stay from tick to tick, unless `stale`. */
	struct row *row;
	size_t rows, row_capacity;
	bool stale;
	bool has_machine; /* the first is the machine's */
	uint64_t reshaped;
	bool leaving; /* someone vanished */
	struct sampler_tally tally;
	struct err refused; /* a target that was named, and cannot be counted */
	struct err left_out; /* another one */
	size_t left;
	bool followed; /* nothing was announced since */
	int timer; /* wakes up for the next tick, or for a target; -1: none */
	int64_t start_ns, due_ns, end_ns, discover_ns, guard_ns;
};

struct sampler *sampler_new(const struct sampler_config *config)
{
	struct sampler *sampler = xcalloc(1, sizeof(*sampler));

	sampler->config = *config;
	sampler->timer = -1;
	if (config->targets && config->clock == clock_real())
		sampler->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return sampler;
}

static void tracked_done(struct sampler *sampler, struct tracked *tracked)
{
	engine_remove(sampler->config.engine, tracked->slot);
	sampler->stamp[tracked->stamp].users--;
	free(tracked->name);
	free(tracked);
}

static void stamp_done(struct stamp *stamp)
{
	free(stamp->within);
	free(stamp->names);
	text_done(&stamp->text);
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler)
		return;
	for (size_t i = 0; i < sampler->count; i++)
		tracked_done(sampler, sampler->tracked[i]);
	for (size_t i = 0; i < sampler->shapes; i++)
		layout_free(sampler->shaped[i].layout);
	for (size_t i = 0; i < sampler->stamps; i++)
		stamp_done(&sampler->stamp[i]);
	if (sampler->timer >= 0)
		close(sampler->timer);
	free(sampler->tracked);
	free(sampler->shaped);
	free(sampler->stamp);
	free(sampler->row);
	free(sampler);
}

/* ---- targets --------------------------------------------------------------- */

static const struct layout *layout_for(struct sampler *sampler,
				       const struct engine_shape *shape)
{
	struct layout *layout;

	for (size_t i = 0; i < sampler->shapes; i++)
		if (sampler->shaped[i].shape == shape)
			return sampler->shaped[i].layout;
	layout = hwpc_layout_new();
	for (size_t i = 0; i < shape->columns; i++)
		hwpc_layout_add(layout, shape->column[i].group,
				shape->column[i].package, shape->column[i].cpu,
				shape->column[i].event);
	layout_end(layout);
	sampler->shaped =
		mem_grow(sampler->shaped, &sampler->shape_capacity,
			 sampler->shapes + 1, sizeof(*sampler->shaped));
	sampler->shaped[sampler->shapes++] = (struct shaped){ shape, layout };
	return layout;
}

static size_t stamp_for(struct sampler *sampler, const struct target *target,
			int slot)
{
	const char *engine = engine_slot_name(sampler->config.engine, slot);
	struct stamp *stamp, *unused = NULL;

	for (size_t i = 0; i < sampler->stamps; i++) {
		stamp = &sampler->stamp[i];
		if (stamp->users == 0)
			unused = stamp;
		else if (stamp->engine == engine &&
			 !strcmp(stamp->within, target->within) &&
			 !strcmp(stamp->names, target->names)) {
			stamp->users++;
			return i;
		}
	}
	if (!unused) {
		sampler->stamp =
			mem_grow(sampler->stamp, &sampler->stamp_capacity,
				 sampler->stamps + 1, sizeof(*sampler->stamp));
		unused = &sampler->stamp[sampler->stamps++];
		*unused = (struct stamp){ .text = TEXT_INIT };
	}
	stamp_done(unused);
	*unused = (struct stamp){ .engine = engine,
				  .within = xstrdup(target->within),
				  .names = xstrdup(target->names),
				  .users = 1,
				  .text = TEXT_INIT };
	return (size_t)(unused - sampler->stamp);
}

static void leave_out(struct sampler *sampler, const struct target *target,
		      const struct err *why)
{
	if (target->named)
		sampler->refused = *why;
	else if (sampler->left++ < LEFT_OUT_MAX)
		log_warn("target", "%s is left out: %s", target->name,
			 why->text);
	else
		log_detail("target", "%s is left out: %s", target->name,
			   why->text);
	sampler->left_out = *why;
}

static void track(struct sampler *sampler, const struct target *target,
		  int slot)
{
	struct tracked *tracked = xcalloc(1, sizeof(*tracked));
	size_t at = sampler->count;

	*tracked = (struct tracked){
		.target = *target,
		.set = sampler->config.targets,
		.name = xstrdup(target->name),
		.slot = slot,
		.stamp = stamp_for(sampler, target, slot),
	};
	tracked->target.name = tracked->name;
	sampler->tracked =
		mem_grow(sampler->tracked, &sampler->capacity,
			 sampler->count + 1, sizeof(struct tracked *));
	while (at > 0 &&
	       strcmp(sampler->tracked[at - 1]->name, tracked->name) > 0)
		at--;
	memmove(&sampler->tracked[at + 1], &sampler->tracked[at],
		(sampler->count - at) * sizeof(struct tracked *));
	sampler->tracked[at] = tracked;
	sampler->count++;
	sampler->stale = true;
}

static int appeared(void *arg, const struct target *target)
{
	struct sampler *sampler = (struct sampler *)arg;
	struct err why = { 0 };
	int slot = engine_add(sampler->config.engine, target, &why);

	if (slot < 0) {
		leave_out(sampler, target, &why);
		return -1;
	}
	track(sampler, target, slot);
	return 0;
}

static void vanished(void *arg, const struct target *target)
{
	struct sampler *sampler = (struct sampler *)arg;

	for (size_t i = 0; i < sampler->count; i++) {
		struct tracked *tracked = sampler->tracked[i];

		if (tracked->target.pid == target->pid &&
		    tracked->target.tid == target->tid &&
		    tracked->target.start == target->start &&
		    tracked->target.kind == target->kind)
			tracked->vanished = sampler->leaving = true;
	}
}

static int discover(struct sampler *sampler, struct err *err)
{
	struct target_watch watch = { appeared, vanished, sampler };

	if (!sampler->config.targets)
		return 0;
	return target_set_scan(sampler->config.targets, &watch, err);
}

static void follow(struct sampler *sampler)
{
	struct target_watch watch = { appeared, vanished, sampler };

	if (sampler->config.targets && !sampler->followed)
		target_set_follow(sampler->config.targets, &watch);
}

/* Those whose last report is out. */
static void remove_ended(struct sampler *sampler)
{
	size_t kept = 0;

	if (!sampler->leaving)
		return;
	for (size_t i = 0; i < sampler->count; i++) {
		struct tracked *tracked = sampler->tracked[i];

		if (!tracked->vanished) {
			sampler->tracked[kept++] = tracked;
			continue;
		}
		log_detail("target", "%s ended", tracked->name);
		tracked_done(sampler, tracked);
	}
	sampler->count = kept;
	sampler->leaving = false;
	sampler->stale = true;
}

/* ---- a report -------------------------------------------------------------- */

/* Rows point at the texts: they are stale once one had to move. */
static void write_stamps(struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->stamps; i++) {
		struct stamp *stamp = &sampler->stamp[i];
		const char *before = stamp->text.data;

		if (stamp->users == 0)
			continue;
		text_clear(&stamp->text);
		hwpc_metadata_put(
			&(struct hwpc_metadata){
				.elapsed_ns = machine_elapsed_ns(
					sampler->config.machine),
				.engine = stamp->engine,
				.within = stamp->within,
				.names = stamp->names,
			},
			&stamp->text);
		if (stamp->text.data != before)
			sampler->stale = true;
	}
}

static void make_row(struct sampler *sampler, struct tracked *tracked)
{
	struct engine *engine = sampler->config.engine;
	const struct engine_shape *shape = engine_shape(engine, tracked->slot);

	if (shape != tracked->shape) {
		tracked->shape = shape;
		tracked->layout = layout_for(sampler, shape);
	}
	sampler->row[sampler->rows++] = (struct row){
		.target = tracked->name,
		.layout = tracked->layout,
		.value = engine_counts(engine, tracked->slot),
		.metadata = sampler->config.plain
				    ? NULL
				    : sampler->stamp[tracked->stamp].text.data,
	};
}

/* Those of targets, behind the machine's. */
static void make_rows(struct sampler *sampler)
{
	sampler->has_machine = machine_has_row(sampler->config.machine);
	sampler->rows = sampler->has_machine;
	if (sampler->config.engine)
		sampler->reshaped = engine_reshaped(sampler->config.engine);
	for (size_t i = 0; i < sampler->count; i++) {
		struct tracked *tracked = sampler->tracked[i];

		if (engine_is_counting(sampler->config.engine, tracked->slot))
			make_row(sampler, tracked);
		else
			tracked->vanished = sampler->leaving = true;
	}
	sampler->stale = false;
}

/* Do the rows not fit any more? */
static bool is_stale(const struct sampler *sampler)
{
	const struct engine *engine = sampler->config.engine;

	return sampler->stale || sampler->rows == 0 ||
	       sampler->has_machine !=
		       machine_has_row(sampler->config.machine) ||
	       (engine && (engine_ended(engine) > 0 ||
			   engine_reshaped(engine) != sampler->reshaped));
}

static void fill_rows(struct sampler *sampler)
{
	struct engine *engine = sampler->config.engine;
	struct machine *machine = sampler->config.machine;

	sampler->row = mem_grow(sampler->row, &sampler->row_capacity,
				sampler->count + 1, sizeof(*sampler->row));
	if (machine_has_row(machine))
		machine_row(machine, engine ? engine_name(engine) : NULL,
			    &sampler->row[0]);
	if (!sampler->config.plain)
		write_stamps(sampler);
	if (is_stale(sampler))
		make_rows(sampler);
}

static int report(struct sampler *sampler, struct err *err)
{
	struct batch batch = {
		.sensor = sampler->config.name,
	};

	batch.time_ms = clock_wall_ms(sampler->config.clock);
	if (machine_read(sampler->config.machine, sampler->config.engine, err) <
	    0)
		return -1;
	fill_rows(sampler);
	batch.rows = sampler->rows;
	batch.row = sampler->row;
	if (batch.rows > 0 && sink_put(sampler->config.sink, &batch, err) < 0)
		return -1;
	sampler->tally.ticks++;
	remove_ended(sampler);
	return 0;
}

/* ---- the loop -------------------------------------------------------------- */

int sampler_start(struct sampler *sampler, struct err *err)
{
	const struct sampler_config *config = &sampler->config;

	/* 50 µs of slack by default: a quarter of a millisecond's tick */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (discover(sampler, err) < 0)
		return -1;
	if (sampler->refused.code)
		return err_set(err, sampler->refused.code, "%s",
			       sampler->refused.text);
	if (machine_read(config->machine, config->engine, err) < 0)
		return -1;
	/* There were some, and nothing would ever be written. */
	if (sampler->count == 0 && sampler->left > 0 &&
	    !machine_has_row(config->machine))
		return err_set(err, sampler->left_out.code, "%s",
			       sampler->left_out.text);
	return 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool stopped(const struct sampler *sampler)
{
	return sampler->config.stop &&
	       sampler->config.stop(sampler->config.arg);
}

/* Until then, or until a target came or went.  A file's timer is exact; the
 * time limit of a poll is not. */
static void nap(struct sampler *sampler, int64_t until_ns)
{
	struct itimerspec when = {
		.it_value = { until_ns / 1000000000, until_ns % 1000000000 },
	};
	struct pollfd fd[2] = { { sampler->timer, POLLIN, 0 },
				{ -1, POLLIN, 0 } };

	if (sampler->timer >= 0)
		fd[1].fd = target_set_fd(sampler->config.targets);
	if (fd[1].fd < 0 ||
	    timerfd_settime(sampler->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		clock_sleep_until_ns(sampler->config.clock, until_ns);
	else if (poll(fd, 2, -1) > 0)
		sampler->followed = !fd[1].revents;
	follow(sampler);
}

/* 1 when it is time, 0 when it is time to end. */
static int wait_until(struct sampler *sampler, int64_t due_ns, struct err *err)
{
	struct clock *clock = sampler->config.clock;

	for (;;) {
		int64_t now_ns = clock_now_ns(clock);

		if (sampler->config.awake)
			sampler->config.awake(sampler->config.arg);
		if (stopped(sampler))
			return 0;
		if (now_ns >= due_ns)
			return 1;
		if (now_ns >= sampler->guard_ns) {
			if (machine_guard(sampler->config.machine, err) < 0)
				return -1;
			sampler->guard_ns = now_ns + GUARD_NS;
		}
		nap(sampler, least(due_ns, now_ns + WAIT_NS));
	}
}

static void note_lateness(struct sampler *sampler)
{
	int64_t interval_ns = sampler->config.interval_ns;
	int64_t late_ns = clock_now_ns(sampler->config.clock) - sampler->due_ns;

	if (late_ns > sampler->tally.worst_ns)
		sampler->tally.worst_ns = late_ns;
	if (late_ns > interval_ns / 10)
		sampler->tally.late++;
	if (late_ns >= interval_ns) {
		int64_t missed = late_ns / interval_ns;

		sampler->tally.missed += (uint64_t)missed;
		sampler->due_ns += missed * interval_ns;
	}
}

static bool targets_are_gone(const struct sampler *sampler)
{
	return sampler->config.end_with_targets && sampler->config.targets &&
	       sampler->count == 0 &&
	       !target_set_is_open(sampler->config.targets);
}

static int tick(struct sampler *sampler, struct err *err)
{
	int64_t now_ns;

	note_lateness(sampler);
	follow(sampler);
	sampler->followed = false;
	if (report(sampler, err) < 0)
		return -1;
	now_ns = clock_now_ns(sampler->config.clock);
	sampler->guard_ns = now_ns + GUARD_NS;
	if (now_ns >= sampler->discover_ns) {
		if (discover(sampler, err) < 0)
			return -1;
		sampler->discover_ns = now_ns + sampler->config.discovery_ns;
	}
	sampler->due_ns += sampler->config.interval_ns;
	return 0;
}

/* What was done since the first reading must not make the first tick late. */
static void begin(struct sampler *sampler)
{
	const struct sampler_config *config = &sampler->config;

	sampler->start_ns = clock_now_ns(config->clock);
	sampler->due_ns = sampler->start_ns + config->interval_ns;
	sampler->discover_ns = sampler->start_ns + config->discovery_ns;
	sampler->guard_ns = sampler->start_ns + GUARD_NS;
	sampler->end_ns = config->duration_ns > 0
				  ? sampler->start_ns + config->duration_ns
				  : INT64_MAX;
}

int sampler_run(struct sampler *sampler, struct err *err)
{
	const struct sampler_config *config = &sampler->config;
	bool over = false;
	int status = 1;

	begin(sampler);
	while (!over && !targets_are_gone(sampler)) {
		bool cut = sampler->due_ns > sampler->end_ns;

		over = sampler->due_ns >= sampler->end_ns;
		status = wait_until(
			sampler, least(sampler->due_ns, sampler->end_ns), err);
		if (status <= 0)
			break;
		if ((!cut || config->keep_rest) && tick(sampler, err) < 0)
			return -1;
	}
	if (status == 0 && config->keep_rest)
		return report(sampler, err);
	return status < 0 ? -1 : 0;
}

/* ---- other targets --------------------------------------------------------- */

/* Ids of cgroups are a set's own. */
static bool is_same(const struct target *a, const struct target *b)
{
	return a->kind == b->kind && a->pid == b->pid && a->tid == b->tid &&
	       (a->start == b->start || a->kind == TARGET_CGROUP) &&
	       !strcmp(a->name, b->name);
}

static int appeared_again(void *arg, const struct target *target)
{
	struct sampler *sampler = (struct sampler *)arg;

	for (size_t i = 0; i < sampler->count; i++) {
		struct tracked *tracked = sampler->tracked[i];

		if (tracked->vanished || !is_same(&tracked->target, target))
			continue;
		sampler->stamp[tracked->stamp].users--;
		tracked->stamp = stamp_for(sampler, target, tracked->slot);
		tracked->target = *target;
		tracked->target.name = tracked->name;
		tracked->set = sampler->config.targets;
		sampler->stale = true;
		return 0;
	}
	return appeared(sampler, target);
}

void sampler_retarget(struct sampler *sampler, struct target_set *targets)
{
	struct target_watch watch = { appeared_again, vanished, sampler };
	struct err err = { 0 };

	follow(sampler); /* the last that the set before has to tell */
	sampler->config.targets = targets;
	if (target_set_scan(targets, &watch, &err) < 0)
		log_warn("target", "%s", err.text);
	if (sampler->refused.code)
		log_warn("target", "%s", sampler->refused.text);
	sampler->refused = (struct err){ 0 };
	for (size_t i = 0; i < sampler->count; i++)
		if (sampler->tracked[i]->set != targets)
			sampler->tracked[i]->vanished = sampler->leaving = true;
	/* Who asks for none any more wants the machine alone. */
	if (target_set_count(targets) == 0)
		sampler->config.end_with_targets = false;
}

const struct sampler_tally *sampler_tally(const struct sampler *sampler)
{
	return &sampler->tally;
}

size_t sampler_targets(const struct sampler *sampler)
{
	return sampler->count;
}
