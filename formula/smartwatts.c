/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/smartwatts_tick.h"
#include "lib/mem.h"

#define LOST_LENGTH_MAX 65536
/* More sets of events than that are no stream of one kind of sensor. */
#define EVENT_SETS_MAX 256

/* One package of one sensor. */
struct cell {
	char *sensor, *package;
	struct smartwatts_tick *tick[SMARTWATTS_TICKS + 1];
	size_t ticks;
	struct smartwatts_tick *spare;
	struct smartwatts_layer *layer[SMARTWATTS_SCOPES][SMARTWATTS_LAYERS];
	const struct smartwatts_events *events; /* of every target */
};

struct smartwatts {
	const struct smartwatts_settings *settings;
	smartwatts_emit *emit;
	void *self;
	struct cell **cell;
	size_t cells;
	struct smartwatts_events **events;
	size_t sets;
	struct smartwatts_power *power;
	size_t powers, capacity;
	char hash[SMARTWATTS_HASH_MAX]; /* of the model that went before */
	struct text lost, told;
};

int64_t smartwatts_base_frequency(const struct smartwatts_settings *settings)
{
	return settings->base_clock *
	       (settings->base_freq / settings->base_clock);
}

int64_t smartwatts_layer_frequency(const struct smartwatts_settings *settings,
				   int64_t frequency)
{
	int64_t ratio = frequency / settings->base_clock;

	if (ratio > SMARTWATTS_LAYERS)
		ratio = SMARTWATTS_LAYERS;
	return ratio < 1 ? 0 : ratio * settings->base_clock;
}

struct smartwatts *smartwatts_new(const struct smartwatts_settings *settings,
				  smartwatts_emit *emit, void *self)
{
	struct smartwatts *smartwatts = xcalloc(1, sizeof(*smartwatts));

	smartwatts->settings = settings;
	smartwatts->emit = emit;
	smartwatts->self = self;
	return smartwatts;
}

static void tick_free(struct smartwatts_tick *tick)
{
	if (tick)
		smartwatts_tick_done(tick);
	free(tick);
}

static void cell_free(struct cell *cell)
{
	for (size_t i = 0; i < cell->ticks; i++)
		tick_free(cell->tick[i]);
	tick_free(cell->spare);
	for (size_t s = 0; s < SMARTWATTS_SCOPES; s++)
		for (size_t i = 0; i < SMARTWATTS_LAYERS; i++)
			smartwatts_layer_free(cell->layer[s][i]);
	free(cell->sensor);
	free(cell->package);
	free(cell);
}

void smartwatts_free(struct smartwatts *smartwatts)
{
	if (!smartwatts)
		return;
	for (size_t i = 0; i < smartwatts->cells; i++)
		cell_free(smartwatts->cell[i]);
	for (size_t i = 0; i < smartwatts->sets; i++) {
		for (size_t j = 0; j < smartwatts->events[i]->count; j++)
			free(smartwatts->events[i]->name[j]);
		free(smartwatts->events[i]->name);
		free(smartwatts->events[i]);
	}
	free(smartwatts->events);
	free(smartwatts->cell);
	free(smartwatts->power);
	text_done(&smartwatts->lost);
	text_done(&smartwatts->told);
	free(smartwatts);
}

/* ---- events ---------------------------------------------------------------- */

static bool is_set(const struct smartwatts_events *events,
		   const char *const *name, size_t count)
{
	if (events->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(events->name[i], name[i]) != 0)
			return false;
	return true;
}

const struct smartwatts_events *smartwatts_events(struct smartwatts *smartwatts,
						  const char *const *name,
						  size_t count)
{
	struct smartwatts_events *fresh;

	for (size_t i = 0; i < smartwatts->sets; i++)
		if (is_set(smartwatts->events[i], name, count))
			return smartwatts->events[i];
	if (count > SMARTWATTS_EVENTS_MAX || smartwatts->sets == EVENT_SETS_MAX)
		return NULL;
	fresh = xcalloc(1, sizeof(*fresh));
	fresh->name = xcalloc(count + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		fresh->name[i] = xstrdup(name[i]);
	fresh->count = count;
	smartwatts->events = xrealloc(smartwatts->events, smartwatts->sets + 1,
				      sizeof(struct smartwatts_events *));
	smartwatts->events[smartwatts->sets++] = fresh;
	return fresh;
}

static char *names_of(const struct smartwatts_events *events)
{
	struct text text = TEXT_INIT;

	for (size_t i = 0; i < events->count; i++)
		text_printf(&text, "%s%.80s", i ? ", " : "", events->name[i]);
	return text_take(&text);
}

/* ---- one tick of one package ------------------------------------------------ */

static void lose(struct smartwatts *smartwatts, const struct cell *cell,
		 const struct smartwatts_tick *tick, const char *what)
{
	if (smartwatts->lost.length < LOST_LENGTH_MAX)
		text_printf(&smartwatts->lost,
			    "tick %lld of '%s', package %s: %s\n",
			    (long long)tick->time_ms, cell->sensor,
			    cell->package, what);
}

const char *smartwatts_lost(struct smartwatts *smartwatts)
{
	struct text told = smartwatts->told;

	smartwatts->told = smartwatts->lost;
	text_clear(&told);
	smartwatts->lost = told;
	return smartwatts->told.length ? smartwatts->told.data : "";
}

static void power_add(struct smartwatts *smartwatts, const char *target,
		      double power, double ratio, const char *formula,
		      const char *metadata)
{
	smartwatts->power =
		mem_grow(smartwatts->power, &smartwatts->capacity,
			 smartwatts->powers + 1, sizeof(*smartwatts->power));
	smartwatts->power[smartwatts->powers++] =
		(struct smartwatts_power){ target, power, ratio, formula,
					   metadata };
}

/* The counts of all targets together. */
static int tick_sum(struct cell *cell, const struct smartwatts_tick *tick,
		    double *sum, struct err *err)
{
	for (size_t i = 0; i < tick->targets; i++) {
		const struct smartwatts_target *target = &tick->target[i];

		if (!target->core) {
			err_set(err, EINVAL,
				"report of '%.200s' has no group \"core\"",
				target->name);
			return err_remedy(err, "the sensor's -c core -e …");
		}
		if (!cell->events)
			cell->events = target->events;
		if (target->events != cell->events) {
			char *has = names_of(target->events);
			char *want = names_of(cell->events);

			err_set(err, EINVAL,
				"'%.100s' counts %.200s, but those before it "
				"%.200s: every target must count the same",
				target->name, has, want);
			free(has);
			free(want);
			return -1;
		}
		for (size_t j = 0; j < cell->events->count; j++)
			sum[j] = (i ? sum[j] : 0.0) + target->core[j];
	}
	return 0;
}

/* What SmartWatts needs of "all". */
static int machine_check(const struct smartwatts_part *all,
			 const struct smartwatts_scope *scope, size_t index,
			 struct err *err)
{
	if (!all->rapl || !all->msr) {
		err_set(err, EINVAL, "report of \"all\" has no group \"%s\"",
			all->rapl ? "msr" : "rapl");
		return err_remedy(err, "the sensor's -s %s -e …",
				  all->rapl ? "msr" : "rapl");
	}
	if (isnan(all->energy[index])) {
		err_set(err, EINVAL, "report of \"all\" does not count %.100s",
			scope->event);
		return err_remedy(err, "--%s, or --%s-rapl-ref-event NAME",
				  scope->disable, scope->name);
	}
	if (isnan(all->aperf) || isnan(all->mperf)) {
		err_set(err, EINVAL,
			"report of \"all\" does not count %s in group msr",
			isnan(all->aperf) ? "APERF" : "MPERF");
		return err_remedy(err, "the sensor's -s msr -e APERF -e MPERF");
	}
	return 0;
}

static struct smartwatts_layer *layer_of(const struct smartwatts *smartwatts,
					 struct cell *cell, size_t scope,
					 int64_t pkg_frequency, struct err *err)
{
	const struct smartwatts_settings *settings = smartwatts->settings;
	int64_t frequency = smartwatts_layer_frequency(settings, pkg_frequency);
	struct smartwatts_layer **layer;

	if (!frequency) {
		err_set(err, ERANGE,
			"package frequency of %lld MHz is below the base clock "
			"of %lld MHz",
			(long long)pkg_frequency,
			(long long)settings->base_clock);
		err_remedy(err, "--cpu-base-clock, --cpu-base-freq");
		return NULL;
	}
	layer = &cell->layer[scope][frequency / settings->base_clock - 1];
	if (!*layer)
		*layer = smartwatts_layer_new(frequency,
					      &settings->scope[scope].learning);
	return *layer;
}

/* A fitted layer: watts for everyone, then what the error teaches. */
static void layer_use(struct smartwatts *smartwatts,
		      const struct smartwatts_tick *tick,
		      struct smartwatts_layer *layer, const double *sum,
		      struct smartwatts_result *result)
{
	const struct smartwatts_learning *learning = layer->learning;
	double watts = smartwatts->power[0].power;
	double global = smartwatts_layer_predict(layer, sum);

	power_add(smartwatts, "global", global, 1.0, layer->model.hash,
		  tick->metadata);
	for (size_t i = 0; i < tick->targets; i++) {
		const struct smartwatts_target *target = &tick->target[i];
		double ratio;
		double power = smartwatts_cap(
			smartwatts_layer_predict(layer, target->core), global,
			layer->model.intercept, &ratio);

		power_add(smartwatts, target->name, power, ratio,
			  layer->model.hash, target->metadata);
	}
	result->layer = layer;
	result->error = fabs(watts - global);
	smartwatts_layer_sample(layer, sum, layer->events, watts);
	smartwatts_layer_error(layer, result->error);
	/* The power reports still bear the old name. */
	if (smartwatts_layer_error_of(layer) > learning->threshold) {
		memcpy(smartwatts->hash, layer->model.hash,
		       sizeof(smartwatts->hash));
		for (size_t i = 1; i < smartwatts->powers; i++)
			smartwatts->power[i].formula = smartwatts->hash;
		smartwatts_layer_learn(layer);
	}
}

static int scope_use(struct smartwatts *smartwatts, struct cell *cell,
		     const struct smartwatts_tick *tick, size_t index,
		     const double *sum, struct err *err)
{
	const struct smartwatts_settings *settings = smartwatts->settings;
	const struct smartwatts_scope *scope = &settings->scope[index];
	const struct smartwatts_part *all = &tick->all;
	struct smartwatts_result result = {
		.time_ms = tick->time_ms,
		.sensor = cell->sensor,
		.package = cell->package,
		.scope = scope->name,
	};
	struct smartwatts_layer *layer;

	if (machine_check(all, scope, index, err) < 0)
		return -1;
	smartwatts->powers = 0;
	power_add(smartwatts, "rapl",
		  ldexp(all->energy[index], -32) / settings->period_s, 1.0,
		  scope->event, tick->metadata);
	if (all->mperf == 0) {
		lose(smartwatts, cell, tick,
		     "MPERF is 0: the package's frequency is unknown");
	} else {
		result.pkg_frequency =
			(int64_t)((double)smartwatts_base_frequency(settings) *
				  all->aperf / all->mperf);
		layer = layer_of(smartwatts, cell, index, result.pkg_frequency,
				 err);
		if (!layer)
			return -1;
		if (layer->model.fitted) {
			layer_use(smartwatts, tick, layer, sum, &result);
		} else {
			smartwatts_layer_sample(layer, sum, cell->events->count,
						smartwatts->power[0].power);
			smartwatts_layer_learn(layer);
		}
	}
	result.power = smartwatts->power;
	result.powers = smartwatts->powers;
	return smartwatts->emit(smartwatts->self, &result, err);
}

static int tick_use(struct smartwatts *smartwatts, struct cell *cell,
		    const struct smartwatts_tick *tick, struct err *err)
{
	double sum[SMARTWATTS_EVENTS_MAX];
	int failed = 0;

	if (!tick->machine) {
		lose(smartwatts, cell, tick, "no report of target \"all\"");
		return 0;
	}
	if (!tick->targets)
		return 0;
	failed = tick_sum(cell, tick, sum, err);
	for (size_t s = 0; s < SMARTWATTS_SCOPES && !failed; s++)
		if (!smartwatts->settings->scope[s].disabled)
			failed = scope_use(smartwatts, cell, tick, s, sum, err);
	if (failed)
		return err_wrap(err, "tick %lld of '%.100s', package %.20s",
				(long long)tick->time_ms, cell->sensor,
				cell->package);
	return 0;
}

/* ---- the table of ticks ------------------------------------------------------ */

static struct cell *cell_find(struct smartwatts *smartwatts, const char *sensor,
			      const char *package, struct err *err)
{
	struct cell *cell;

	for (size_t i = 0; i < smartwatts->cells; i++) {
		cell = smartwatts->cell[i];
		if (!strcmp(cell->package, package) &&
		    !strcmp(cell->sensor, sensor))
			return cell;
	}
	if (smartwatts->cells == SMARTWATTS_CELLS_MAX) {
		err_set(err, EFBIG, "more than %d packages in one stream",
			SMARTWATTS_CELLS_MAX);
		return NULL;
	}
	cell = xcalloc(1, sizeof(*cell));
	cell->sensor = xstrdup(sensor);
	cell->package = xstrdup(package);
	smartwatts->cell = xrealloc(smartwatts->cell, smartwatts->cells + 1,
				    sizeof(struct cell *));
	smartwatts->cell[smartwatts->cells++] = cell;
	return cell;
}

static struct smartwatts_tick *tick_find(struct cell *cell, int64_t time_ms)
{
	struct smartwatts_tick *tick = cell->spare;

	for (size_t i = cell->ticks; i-- > 0;)
		if (cell->tick[i]->time_ms == time_ms)
			return cell->tick[i];
	cell->spare = NULL;
	if (!tick)
		tick = xcalloc(1, sizeof(*tick));
	smartwatts_tick_begin(tick, time_ms);
	cell->tick[cell->ticks++] = tick;
	return tick;
}

/* The oldest, by arrival. */
static int tick_shift(struct smartwatts *smartwatts, struct cell *cell,
		      struct err *err)
{
	struct smartwatts_tick *tick = cell->tick[0];

	cell->ticks--;
	memmove(&cell->tick[0], &cell->tick[1],
		cell->ticks * sizeof(struct smartwatts_tick *));
	tick_free(cell->spare);
	cell->spare = tick;
	return tick_use(smartwatts, cell, tick, err);
}

static void machine_put(struct smartwatts_tick *tick,
			const struct smartwatts_part *part,
			const char *metadata)
{
	tick->machine = true;
	tick->all = *part;
	free(tick->metadata);
	tick->metadata = metadata ? xstrdup(metadata) : NULL;
}

int smartwatts_put(struct smartwatts *smartwatts,
		   const struct smartwatts_report *report, struct err *err)
{
	for (size_t i = 0; i < report->parts; i++) {
		const struct smartwatts_part *part = &report->part[i];
		struct cell *cell = cell_find(smartwatts, report->sensor,
					      part->package, err);
		struct smartwatts_tick *tick, *before;

		if (!cell)
			return -1;
		tick = tick_find(cell, report->time_ms);
		before = cell->ticks > 1 ? cell->tick[cell->ticks - 2] : NULL;
		if (!strcmp(report->target, "all"))
			machine_put(tick, part, report->metadata);
		else
			smartwatts_tick_put(
				tick, before != tick ? before : NULL,
				report->target, report->metadata, part);
		if (cell->ticks > SMARTWATTS_TICKS &&
		    tick_shift(smartwatts, cell, err) < 0)
			return -1;
	}
	return 0;
}

/* The cell whose oldest tick is the oldest; NULL: no ticks are left. */
static struct cell *cell_oldest(const struct smartwatts *smartwatts)
{
	struct cell *oldest = NULL;

	for (size_t i = 0; i < smartwatts->cells; i++) {
		struct cell *cell = smartwatts->cell[i];

		if (cell->ticks &&
		    (!oldest ||
		     cell->tick[0]->time_ms < oldest->tick[0]->time_ms))
			oldest = cell;
	}
	return oldest;
}

int smartwatts_end(struct smartwatts *smartwatts, struct err *err)
{
	struct cell *cell;

	while ((cell = cell_oldest(smartwatts)))
		if (tick_shift(smartwatts, cell, err) < 0)
			return -1;
	return 0;
}
