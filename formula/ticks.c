/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/ticks.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/machine_energy.h"
#include "formula/use.h"
#include "lib/mem.h"
#include "sensor/hwpc_report.h"

/* Names of events for a message, not for a catalogue. */
#define EVENTS_LENGTH_MAX 400
/* The largest computers draw some 3e7 W. */
#define WATTS_MAX       1e9
#define LOST_LENGTH_MAX 16384

/* A tick that is being filled. */
struct held {
	struct tick tick;
	size_t capacity;
	bool machine; /* its "all" was seen */
	bool joules;
	double told_s; /* elapsed_ns, or 0 */
};

/* One more than are ever held if ticks_next() is called after each put. */
#define LINE_HELD_MAX (TICKS_HELD + 2)

/* One sensor's ticks, oldest first. */
struct line {
	char *sensor;
	struct held *held[LINE_HELD_MAX];
	size_t helds;
	int64_t out_ms; /* the last that went out or was given up */
	bool out_any;
};

struct ticks {
	struct ticks_options options;
	char *event, *meter, *target; /* copies */
	char *kernel_event;
	struct line *line;
	size_t lines, capacity;
	bool ended;
	struct held *given; /* what ticks_next() returned last */
	/* Where things are in a report, the one before if not the next: of its
	 * shape. */
	struct use use, kernel_use;
	struct counts_plan plan;
	uint64_t shape, noted;
	struct text lost, told;
	struct text events;
	bool event_seen;
};

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct ticks *ticks_new(const struct ticks_options *options)
{
	struct ticks *ticks = xcalloc(1, sizeof(*ticks));

	ticks->event = xstrdup(options->event);
	ticks->kernel_event = xasprintf("%s" USE_KERNEL, options->event);
	ticks->meter = copy(options->meter);
	ticks->target = copy(options->target);
	return ticks;
}

static void held_free(struct held *held)
{
	if (!held)
		return;
	for (size_t i = 0; i < held->tick.targets; i++) {
		free(held->tick.target[i].name);
		free(held->tick.target[i].within);
		free(held->tick.target[i].names);
		counts_done(&held->tick.target[i].counts);
	}
	counts_done(&held->tick.counts);
	free(held->tick.target);
	free(held);
}

void ticks_free(struct ticks *ticks)
{
	if (!ticks)
		return;
	for (size_t i = 0; i < ticks->lines; i++) {
		for (size_t j = 0; j < ticks->line[i].helds; j++)
			held_free(ticks->line[i].held[j]);
		free(ticks->line[i].sensor);
	}
	held_free(ticks->given);
	free(ticks->line);
	free(ticks->event);
	free(ticks->kernel_event);
	free(ticks->meter);
	free(ticks->target);
	text_done(&ticks->lost);
	text_done(&ticks->told);
	text_done(&ticks->events);
	use_done(&ticks->use);
	use_done(&ticks->kernel_use);
	counts_plan_done(&ticks->plan);
	free(ticks);
}

static void lose(struct ticks *ticks, const struct line *line, int64_t time_ms,
		 const char *what)
{
	if (ticks->lost.length < LOST_LENGTH_MAX)
		text_printf(&ticks->lost, "tick %lld of '%s': %s\n",
			    (long long)time_ms, line->sensor, what);
}

const char *ticks_lost(struct ticks *ticks)
{
	struct text told = ticks->told;

	ticks->told = ticks->lost;
	text_clear(&told);
	ticks->lost = told;
	return ticks->told.length ? ticks->told.data : "";
}

/* ---- what is in a report ------------------------------------------------- */

static void event_note(struct ticks *ticks, const char *event)
{
	const char *all = ticks->events.length ? ticks->events.data : "";
	size_t length = strlen(event);
	const char *at = all;

	if (!strncmp(event, "time_", 5) || strlen(all) > EVENTS_LENGTH_MAX)
		return;
	while ((at = strstr(at, event))) {
		bool starts = at == all || at[-1] == ' ';

		if (starts && (at[length] == ',' || !at[length]))
			return;
		at += length;
	}
	text_printf(&ticks->events, "%s%s", *all ? ", " : "", event);
}

/* The strings of the metadata (names of containers and units): they go on into
 * the power report. */
static char *names_copy(const struct hwpc_report *report)
{
	static const char *const ours[] = {
		"engine", "within",      "cpu_time",  "scope",
		"socket", "formula",     "ratio",     "idle_policy",
		"meter",  "idle_w_from", "estimated",
	};
	struct text names = TEXT_INIT;

	for (size_t i = 0; i < doc_count(report->metadata); i++) {
		const struct doc *value;
		const char *key = doc_key_at(report->metadata, i, &value);
		bool skip = doc_kind(value) != DOC_TEXT;

		for (size_t j = 0; j < sizeof(ours) / sizeof(ours[0]); j++)
			skip |= !strcmp(key, ours[j]);
		if (skip)
			continue;
		text_put_char(&names, ',');
		text_put_json(&names, key);
		text_put_char(&names, ':');
		text_put_json(&names, doc_string(value, ""));
	}
	return names.length ? text_take(&names) : NULL;
}

/* Most targets of a tick have reports of one shape. */
static void shape_find(struct ticks *ticks, const struct hwpc_report *report)
{
	if (report->shape && report->shape == ticks->shape)
		return;
	ticks->shape = report->shape;
	use_find(&ticks->use, report, ticks->event);
	use_find(&ticks->kernel_use, report, ticks->kernel_event);
	counts_plan_find(&ticks->plan, report);
}

static void counts_fill(struct ticks *ticks, const struct hwpc_report *report,
			double *kernel_use, struct counts *counts)
{
	if (!use_read(&ticks->kernel_use, report, kernel_use))
		*kernel_use = (double)NAN;
	counts_read(&ticks->plan, report, counts);
}

static void machine_put(struct ticks *ticks, struct held *held,
			const struct hwpc_report *report)
{
	struct tick *tick = &held->tick;

	held->machine = true;
	held->told_s = report->elapsed_s;
	held->joules = machine_energy_of(report, ticks->meter, &tick->energy,
					 tick->meter) == 0;
	shape_find(ticks, report);
	if (!use_read(&ticks->use, report, &tick->use))
		tick->use = (double)NAN;
	counts_fill(ticks, report, &tick->kernel_use, &tick->counts);
}

static int target_put(struct ticks *ticks, struct held *held,
		      const struct hwpc_report *report, struct err *err)
{
	struct tick *tick = &held->tick;
	struct tick_target *target;

	if (ticks->target && fnmatch(ticks->target, report->target, 0) != 0)
		return 0;
	if (tick->targets == TICK_TARGETS_MAX)
		return err_set(err, EFBIG, "more than %zu targets in a tick",
			       TICK_TARGETS_MAX);
	tick->target = mem_grow(tick->target, &held->capacity,
				tick->targets + 1, sizeof(*tick->target));
	target = &tick->target[tick->targets++];
	target->name = xstrdup(report->target);
	target->within = copy(report->within);
	target->parent = -1;
	target->names = names_copy(report);
	shape_find(ticks, report);
	target->counted = use_read(&ticks->use, report, &target->use);
	target->counts = (struct counts){ 0 };
	counts_fill(ticks, report, &target->kernel_use, &target->counts);
	ticks->event_seen |= target->counted;
	if (report->shape && report->shape == ticks->noted)
		return 0;
	ticks->noted = report->shape;
	for (size_t i = 0; i < report->values; i++)
		event_note(ticks, report->value[i].event);
	return 0;
}

/* ---- whose tick it is ---------------------------------------------------- */

static struct line *line_find(struct ticks *ticks, const char *sensor,
			      struct err *err)
{
	struct line *line;

	for (size_t i = 0; i < ticks->lines; i++)
		if (!strcmp(ticks->line[i].sensor, sensor))
			return &ticks->line[i];
	if (ticks->lines == TICKS_SENSORS_MAX) {
		err_set(err, EFBIG, "more than %d sensors in one stream",
			TICKS_SENSORS_MAX);
		return NULL;
	}
	ticks->line = mem_grow(ticks->line, &ticks->capacity, ticks->lines + 1,
			       sizeof(*ticks->line));
	line = &ticks->line[ticks->lines++];
	memset(line, 0, sizeof(*line));
	line->sensor = xstrdup(sensor);
	return line;
}

/* The tick of that time, a new one in its place if there is none; NULL when it
 * went out already. */
static struct held *held_find(struct line *line, int64_t time_ms)
{
	size_t at = line->helds;

	while (at > 0 && line->held[at - 1]->tick.time_ms > time_ms)
		at--;
	if (at > 0 && line->held[at - 1]->tick.time_ms == time_ms)
		return line->held[at - 1];
	if ((line->out_any && time_ms <= line->out_ms) ||
	    line->helds == LINE_HELD_MAX)
		return NULL;
	memmove(&line->held[at + 1], &line->held[at],
		(line->helds - at) * sizeof(line->held[0]));
	line->helds++;
	line->held[at] = xcalloc(1, sizeof(*line->held[at]));
	line->held[at]->tick.time_ms = time_ms;
	line->held[at]->tick.use = (double)NAN;
	return line->held[at];
}

/* Takes the oldest off. */
static struct held *line_shift(struct line *line)
{
	struct held *held = line->held[0];

	line->helds--;
	memmove(&line->held[0], &line->held[1],
		line->helds * sizeof(line->held[0]));
	return held;
}

int ticks_put_report(struct ticks *ticks, const struct hwpc_report *report,
		     struct err *err)
{
	struct line *line = line_find(ticks, report->sensor, err);
	struct held *held = line ? held_find(line, report->time_ms) : NULL;

	if (!line)
		return -1;
	if (!held)
		lose(ticks, line, report->time_ms,
		     "a report came after its tick was closed");
	else if (strcmp(report->target, HWPC_TARGET_ALL) != 0)
		return target_put(ticks, held, report, err);
	else if (held->machine)
		lose(ticks, line, report->time_ms,
		     "a second report of target \"all\"");
	else
		machine_put(ticks, held, report);
	return 0;
}

int ticks_put(struct ticks *ticks, const struct doc *doc, struct err *err)
{
	struct hwpc_report report;
	int result;

	if (hwpc_report_read(doc, &report, err) < 0)
		return -1;
	result = ticks_put_report(ticks, &report, err);
	hwpc_report_done(&report);
	return result;
}

void ticks_end(struct ticks *ticks)
{
	ticks->ended = true;
}

/* ---- what comes out ------------------------------------------------------ */

/* Why the tick cannot be used, or NULL. */
static const char *unusable(const struct line *line, const struct held *held)
{
	if (!held->machine)
		return "no report of target \"all\" came";
	if (!held->joules)
		return "its \"all\" has no joules of the meter (group "
		       "\"rapl\" or \"meter_…\")";
	if (held->told_s <= 0 && !line->out_any)
		return "the first one, of unknown length (no elapsed_ns)";
	if (!(held->tick.energy.joules >= 0 &&
	      held->tick.energy.joules < WATTS_MAX * held->tick.elapsed_s))
		return "its joules are negative, or more than any machine's";
	return NULL;
}

static bool is_due(const struct ticks *ticks, const struct line *line)
{
	if (!line->helds)
		return false;
	if (ticks->ended || line->helds > TICKS_HELD)
		return true;
	return line->helds > 1 && line->held[0]->machine;
}

static int compare_targets(const void *a, const void *b)
{
	const struct tick_target *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* By name, as streams have them; each with its parent's index. */
static void targets_sort(struct tick *tick)
{
	bool sorted = true;

	for (size_t i = 1; i < tick->targets && sorted; i++)
		sorted = compare_targets(&tick->target[i - 1],
					 &tick->target[i]) < 0;
	if (!sorted)
		qsort(tick->target, tick->targets, sizeof(*tick->target),
		      compare_targets);
	for (size_t i = 0; i < tick->targets; i++) {
		struct tick_target wanted = { .name = tick->target[i].within };
		const struct tick_target *found = NULL;

		if (wanted.name)
			found = bsearch(&wanted, tick->target, tick->targets,
					sizeof(*tick->target), compare_targets);
		if (found && found != &tick->target[i])
			tick->target[i].parent = (int)(found - tick->target);
	}
}

/* The oldest tick of a line, made ready; NULL if it is of no use. */
static struct held *line_next(struct ticks *ticks, struct line *line)
{
	struct held *held = line_shift(line);
	struct tick *tick = &held->tick;
	const char *why;

	tick->sensor = line->sensor;
	tick->elapsed_s =
		held->told_s > 0
			? held->told_s
			: 1e-3 * ((double)tick->time_ms - (double)line->out_ms);
	why = unusable(line, held);
	line->out_ms = tick->time_ms;
	line->out_any = true;
	if (!why) {
		if (tick->targets)
			targets_sort(tick);
		return held;
	}
	lose(ticks, line, tick->time_ms, why);
	held_free(held);
	return NULL;
}

const struct tick *ticks_next(struct ticks *ticks)
{
	held_free(ticks->given);
	ticks->given = NULL;
	for (size_t i = 0; i < ticks->lines; i++)
		while (is_due(ticks, &ticks->line[i])) {
			ticks->given = line_next(ticks, &ticks->line[i]);
			if (ticks->given)
				return &ticks->given->tick;
		}
	return NULL;
}

const char *ticks_events(const struct ticks *ticks)
{
	return ticks->events.length ? ticks->events.data : "none";
}

bool ticks_event_seen(const struct ticks *ticks)
{
	return ticks->event_seen;
}
