/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_board.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define LIVE_SCHEMA "fedwatts.live/1"

/* By which the tree knows a target; its index moves with nothing. */
struct key {
	char *target;
	size_t sensor, policy, index;
};

struct power_board *power_board_new(void)
{
	return xcalloc(1, sizeof(struct power_board));
}

static void key_free(void *key)
{
	free(((struct key *)key)->target);
	free(key);
}

static void names_free(struct power_board *board)
{
	for (size_t i = 0; i < board->targets; i++) {
		free(board->target[i].name);
		free(board->target[i].target);
	}
	for (size_t i = 0; i < board->sensors; i++) {
		free(board->sensor[i].name);
		free(board->sensor[i].meter);
		free(board->sensor[i].idle_from);
		free(board->sensor[i].estimated);
	}
	for (size_t i = 0; i < board->policies; i++)
		free(board->policy[i]);
	tdestroy(board->tree, key_free);
}

void power_board_free(struct power_board *board)
{
	if (!board)
		return;
	if (!board->copy)
		names_free(board);
	free(board->target);
	free(board->sensor);
	free(board);
}

struct power_board *power_board_copy(const struct power_board *board)
{
	struct power_board *copy = xmalloc(sizeof(*copy));

	*copy = *board;
	copy->copy = true;
	copy->tree = NULL;
	copy->target = xcalloc(board->targets + 1, sizeof(*copy->target));
	copy->sensor = xcalloc(board->sensors + 1, sizeof(*copy->sensor));
	if (board->targets)
		memcpy(copy->target, board->target,
		       board->targets * sizeof(*copy->target));
	if (board->sensors)
		memcpy(copy->sensor, board->sensor,
		       board->sensors * sizeof(*copy->sensor));
	return copy;
}

/* ---- history -------------------------------------------------------------- */

static void history_init(struct board_history *history)
{
	history->tick = 0;
	for (size_t i = 0; i < POWER_BOARD_HISTORY; i++)
		history->watts[i] = NAN;
}

static void history_set(struct board_history *history, uint64_t tick,
			double watts)
{
	uint64_t from = history->tick + 1;

	if (tick > from + POWER_BOARD_HISTORY)
		from = tick - POWER_BOARD_HISTORY;
	for (; from < tick; from++)
		history->watts[from % POWER_BOARD_HISTORY] = NAN;
	history->tick = tick;
	history->watts[tick % POWER_BOARD_HISTORY] = (float)watts;
}

double board_history_at(const struct board_history *history, uint64_t last,
			size_t back)
{
	uint64_t tick = last - back;

	if (back >= POWER_BOARD_HISTORY || back >= last || tick > history->tick)
		return (double)NAN;
	return (double)history->watts[tick % POWER_BOARD_HISTORY];
}

bool power_board_is_here(const struct power_board *board,
			 const struct board_target *target)
{
	return target->history.tick == board->sensor[target->sensor].ticks;
}

/* ---- sensors and targets ---------------------------------------------------- */

static struct board_sensor *sensor_of(struct power_board *board,
				      const char *name, struct err *err)
{
	struct board_sensor *sensor;

	for (size_t i = 0; i < board->sensors; i++)
		if (!strcmp(board->sensor[i].name, name))
			return &board->sensor[i];
	if (board->sensors == POWER_BOARD_SENSORS_MAX) {
		err_set(err, E2BIG, "more than %d sensors in one stream",
			POWER_BOARD_SENSORS_MAX);
		return NULL;
	}
	board->sensor = mem_grow(board->sensor, &board->sensor_capacity,
				 board->sensors + 1, sizeof(*board->sensor));
	sensor = &board->sensor[board->sensors++];
	*sensor = (struct board_sensor){ .name = xstrdup(name),
					 .meter = xstrdup(""),
					 .idle_from = xstrdup(""),
					 .estimated = xstrdup(""),
					 .source = POWER_ROW_NO_CLASS };
	history_init(&sensor->history);
	return sensor;
}

static int policy_of(struct power_board *board, const char *name, size_t *index,
		     struct err *err)
{
	for (*index = 0; *index < board->policies; ++*index)
		if (!strcmp(board->policy[*index], name))
			return 0;
	if (board->policies == POWER_BOARD_POLICIES_MAX)
		return err_set(err, E2BIG,
			       "more than %d idle policies in one stream",
			       POWER_BOARD_POLICIES_MAX);
	board->policy[board->policies++] = xstrdup(name);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->sensor != y->sensor)
		return x->sensor < y->sensor ? -1 : 1;
	if (x->policy != y->policy)
		return x->policy < y->policy ? -1 : 1;
	return strcmp(x->target, y->target);
}

/* The target's index; -1 where it is not on the board. */
static long target_find(const struct power_board *board, size_t sensor,
			size_t policy, const char *target)
{
	/* Only looked at. */
	const struct key want = { (char *)(uintptr_t)target, sensor, policy,
				  0 };
	struct key *const *at = tfind(&want, &board->tree, compare_keys);

	return at ? (long)(*at)->index : -1;
}

static struct board_target *target_add(struct power_board *board, size_t sensor,
				       size_t policy,
				       const struct power_row *row)
{
	struct text name = TEXT_INIT;
	struct board_target *target;
	struct key *key;

	if (board->targets == POWER_BOARD_TARGETS_MAX) {
		board->left_out++;
		return NULL;
	}
	board->target = mem_grow(board->target, &board->target_capacity,
				 board->targets + 1, sizeof(*board->target));
	key = xcalloc(1, sizeof(*key));
	*key = (struct key){ xstrdup(row->target), sensor, policy,
			     board->targets };
	if (!tsearch(key, &board->tree, compare_keys))
		abort(); /* out of memory, as in lib/mem.h */
	power_row_name(row, &name);
	target = &board->target[board->targets++];
	*target = (struct board_target){ .name = text_take(&name),
					 .target = xstrdup(row->target),
					 .sensor = sensor,
					 .policy = policy,
					 .part = row->part,
					 .cpus = (double)NAN };
	history_init(&target->history);
	return target;
}

/* ---- a row ------------------------------------------------------------------ */

static void keep(char **at, const char *now)
{
	if (!now || !strcmp(*at, now))
		return;
	free(*at);
	*at = xstrdup(now);
}

static double known(double value)
{
	return isfinite(value) ? value : 0;
}

/* The first row of a new tick; those of later policies say the same again. */
static void tick_begin(struct board_sensor *sensor, const struct power_row *row)
{
	double between =
		sensor->ticks ? 1e-3 * (double)(row->time_ms - sensor->time_ms)
			      : 0;

	sensor->ticks++;
	sensor->time_ms = row->time_ms;
	sensor->elapsed_s = isnan(row->elapsed_s) ? between : row->elapsed_s;
	sensor->seconds += sensor->elapsed_s;
	sensor->meter_w = row->meter_w;
	sensor->sigma_w = (double)NAN;
	sensor->idle_w = row->idle_w;
	sensor->residual_w = row->residual_w;
	sensor->source = row->source;
	sensor->packages = 0;
	keep(&sensor->meter, row->meter);
	keep(&sensor->idle_from, row->idle_from);
	keep(&sensor->estimated, row->estimated ? row->estimated : "");
	sensor->joules += known(row->meter_w) * sensor->elapsed_s;
	history_set(&sensor->history, sensor->ticks, row->meter_w);
}

static void package_add(struct board_sensor *sensor, const char *name,
			double watts)
{
	struct board_package *package;

	if (sensor->packages == POWER_BOARD_PACKAGES_MAX)
		return;
	package = &sensor->package[sensor->packages++];
	snprintf(package->name, sizeof(package->name), "%s", name);
	package->watts = watts;
}

/* SmartWatts' rapl and global, one a package and scope. */
static void meter_add(struct board_sensor *sensor, const struct power_row *row)
{
	char name[sizeof(((struct board_package *)0)->name)];
	double sign = row->part == POWER_PART_METER ? 1 : -1;

	sensor->residual_w = known(sensor->residual_w) + sign * row->watts;
	if (row->part == POWER_PART_MODEL)
		return;
	snprintf(name, sizeof(name), "%.15s%s", row->socket,
		 strcmp(row->scope, "dram") ? "" : " dram");
	package_add(sensor, name, row->watts);
	sensor->meter_w = known(sensor->meter_w) + row->watts;
	sensor->joules += row->watts * sensor->elapsed_s;
	history_set(&sensor->history, sensor->ticks, sensor->meter_w);
}

static void target_put(struct board_target *target, uint64_t tick,
		       const struct power_row *row)
{
	bool again = target->history.tick == tick;

	target->within = row->within != NULL;
	target->watts = (again ? target->watts : 0) + row->watts;
	target->sigma_w = again && !isnan(target->sigma_w)
				  ? hypot(target->sigma_w, row->sigma_w)
				  : row->sigma_w;
	history_set(&target->history, tick, target->watts);
}

static int row_put(struct power_board *board, const struct power_row *row,
		   struct err *err)
{
	struct board_sensor *sensor = sensor_of(board, row->sensor, err);
	struct board_target *target;
	size_t policy;
	double elapsed_s;
	long index;

	if (!sensor || policy_of(board, row->policy, &policy, err) < 0)
		return -1;
	if (!sensor->ticks || row->time_ms > sensor->time_ms)
		tick_begin(sensor, row);
	if (row->part == POWER_PART_METER || row->part == POWER_PART_MODEL) {
		if (row->time_ms == sensor->time_ms)
			meter_add(sensor, row);
		return 0;
	}
	index = target_find(board, (size_t)(sensor - board->sensor), policy,
			    row->target);
	target = index >= 0
			 ? &board->target[index]
			 : target_add(board, (size_t)(sensor - board->sensor),
				      policy, row);
	if (!target)
		return 0;
	elapsed_s = isnan(row->elapsed_s) ? sensor->elapsed_s : row->elapsed_s;
	target->joules += row->watts * elapsed_s;
	if (row->time_ms < sensor->time_ms)
		return 0;
	target_put(target, sensor->ticks, row);
	sensor->sigma_w = fmin(sensor->sigma_w, power_row_meter_sigma_w(row));
	return 0;
}

/* ---- what comes behind the rows of a tick ------------------------------------ */

struct doc *power_board_live(const struct tick *tick, bool use_is_cpu)
{
	struct doc *doc = doc_new_object(), *packages = doc_new_array();
	struct doc *cpus = doc_new_array(), *busy;

	for (size_t p = 0; p < tick->counts.packages; p++) {
		const struct counts_package *of = &tick->counts.package[p];
		struct doc *package = doc_new_object();

		doc_set_text(package, "name", of->name);
		doc_set_real(package, "power_w", of->joules / tick->elapsed_s);
		doc_set_real(package, "dram_power_w",
			     of->dram_joules / tick->elapsed_s);
		doc_add_take(packages, package);
	}
	for (size_t i = 0; use_is_cpu && i < tick->targets; i++) {
		if (!tick->target[i].counted)
			continue;
		busy = doc_new_object();
		doc_set_text(busy, "target", tick->target[i].name);
		doc_set_real(busy, "cpus",
			     tick->target[i].use / tick->elapsed_s);
		doc_add_take(cpus, busy);
	}
	doc_set_text(doc, "schema", LIVE_SCHEMA);
	doc_set_int(doc, "time_ms", tick->time_ms);
	doc_set_text(doc, "sensor", tick->sensor);
	doc_set_take(doc, "packages", packages);
	doc_set_take(doc, "cpus", cpus);
	return doc;
}

static void packages_put(struct board_sensor *sensor, const struct doc *list)
{
	sensor->packages = 0;
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *of = doc_at(list, i);
		const char *name = doc_string(doc_get(of, "name"), "?");
		double cpu = doc_real(doc_get(of, "power_w"), (double)NAN);
		double dram =
			doc_real(doc_get(of, "dram_power_w"), (double)NAN);
		char text[sizeof(sensor->package[0].name)];

		if (!isnan(cpu))
			package_add(sensor, name, cpu);
		snprintf(text, sizeof(text), "%.15s dram", name);
		if (!isnan(dram))
			package_add(sensor, text, dram);
	}
}

static void cpus_put(struct power_board *board, size_t sensor,
		     const struct doc *list)
{
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *busy = doc_at(list, i);
		const char *name = doc_string(doc_get(busy, "target"), "");
		double cpus = doc_real(doc_get(busy, "cpus"), (double)NAN);

		for (size_t policy = 0; policy < board->policies; policy++) {
			long index = target_find(board, sensor, policy, name);

			if (index >= 0)
				board->target[index].cpus = cpus;
		}
	}
}

static int live_put(struct power_board *board, const struct doc *doc,
		    struct err *err)
{
	const char *name;
	int64_t time_ms;

	if (doc_need_text(doc, "sensor", &name, err) < 0 ||
	    doc_need_int(doc, "time_ms", &time_ms, err) < 0)
		return err_wrap(err, LIVE_SCHEMA);
	for (size_t i = 0; i < board->sensors; i++) {
		struct board_sensor *sensor = &board->sensor[i];

		if (strcmp(sensor->name, name) != 0 ||
		    sensor->time_ms != time_ms)
			continue;
		packages_put(sensor, doc_get(doc, "packages"));
		cpus_put(board, i, doc_get(doc, "cpus"));
	}
	return 0;
}

int power_board_put(struct power_board *board, const struct doc *doc,
		    struct err *err)
{
	struct power_row row;
	int got;

	if (doc_is_schema(doc, LIVE_SCHEMA))
		return live_put(board, doc, err);
	got = power_row_read(doc, &row, err);
	return got > 0 ? row_put(board, &row, err) : got;
}
