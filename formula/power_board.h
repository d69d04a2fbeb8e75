/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_board -- the last ticks of a stream of power reports, target by target:
 * what `formula top` shows.
 *
 *	struct power_board *board = power_board_new();
 *
 *	power_board_put(board, doc, &err);          // every document that comes
 *	for (size_t i = 0; i < board->targets; i++)
 *		show(&board->target[i]);
 *	power_board_free(board);
 *
 * A sensor's reports of one timestamp are a tick; a target's rows of one tick
 * and idle policy (one per package and scope, in SmartWatts' reports) add up.
 * A report of an older tick still counts as joules.  Joules are watts by the
 * time that the tick lasted, else between timestamps.
 *
 * Targets that are gone stay, with their joules; of those beyond
 * POWER_BOARD_TARGETS_MAX only the number is kept.
 */
#ifndef FORMULA_POWER_BOARD_H
#define FORMULA_POWER_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formula/power_row.h"
#include "formula/ticks.h"

#define POWER_BOARD_HISTORY      64
#define POWER_BOARD_TARGETS_MAX  65536
#define POWER_BOARD_SENSORS_MAX  4096
#define POWER_BOARD_POLICIES_MAX 8
#define POWER_BOARD_PACKAGES_MAX 16

struct board_package {
	char name[24]; /* "0", "1 dram" */
	double watts;
};

/* Watts of the last ticks; tick t stands at t % POWER_BOARD_HISTORY. */
struct board_history {
	uint64_t tick; /* the last one in it; from 1 */
	float watts[POWER_BOARD_HISTORY];
};

struct board_sensor {
	char *name, *meter, *idle_from, *estimated; /* "" where not said */
	uint64_t ticks;
	int64_t time_ms;
	double elapsed_s, seconds;
	double meter_w, sigma_w, idle_w, residual_w, joules;
	int source;
	struct board_history history;
	struct board_package package[POWER_BOARD_PACKAGES_MAX];
	size_t packages;
};

struct board_target {
	char *name; /* what people call it */
	char *target;
	size_t sensor, policy; /* indices */
	enum power_part part;
	bool within;
	double watts, sigma_w, joules;
	double cpus; /* busy ones; NaN: not known */
	struct board_history history;
};

struct power_board {
	struct board_sensor *sensor;
	size_t sensors, sensor_capacity;
	struct board_target *target;
	size_t targets, target_capacity;
	char *policy[POWER_BOARD_POLICIES_MAX];
	size_t policies;
	size_t left_out; /* reports of targets that there is no room for */
	void *tree;      /* targets by name */
	bool copy;
};

struct power_board *power_board_new(void);
/* Documents of other kinds are passed over. */
int power_board_put(struct power_board *board, const struct doc *doc,
		    struct err *err);
/* As it is now; its names are the original's, which must outlive it. */
struct power_board *power_board_copy(const struct power_board *board);
void power_board_free(struct power_board *board); /* accepts NULL */

/* `back` ticks before the sensor's last one; NaN where there was nothing. */
double board_history_at(const struct board_history *history, uint64_t last,
			size_t back);
/* Was it in its sensor's last tick? */
bool power_board_is_here(const struct power_board *board,
			 const struct board_target *target);

/* What a power report cannot say of a tick and the view wants, written behind
 * the reports of the tick: {"schema": "fedwatts.live/1", "time_ms", "sensor",
 * "packages": [{"name", "power_w"}], "cpus": [{"target", "cpus"}]}.  Between
 * `formula top` and its child only.  Yours. */
struct doc *power_board_live(const struct tick *tick, bool use_is_cpu);

#endif
