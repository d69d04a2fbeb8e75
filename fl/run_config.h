/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_config -- everything that decides what a run gives.
 *
 *	struct run_config values = { 0 };
 *	struct config config;
 *
 *	config_init(&config, run_fields, &values);
 *	run_config_read(&config, "fl.json", &err);
 *	...
 *	config_done(&config);
 *	run_config_done(&values);
 *
 * CONFIG.json has a key for each option of `fl run`.  Beyond that, "devices"
 * may be a list, an object for each device or for "count" equal ones:
 *
 *	"devices": [
 *		{ "count": 5, "scale_joules": 0.5, "budget": "60J" },
 *		{ "scale_joules": 2, "scale_seconds": 3, "table": 2 }
 *	]
 *
 * Scales that are not given are 1, a budget that is not given is --budget's,
 * "table" counts the --table options from 1.
 */
#ifndef FL_RUN_CONFIG_H
#define FL_RUN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cli.h"
#include "lib/err.h"
#include "lib/field.h"

/* One of the list of devices. */
struct device_option {
	double scale_joules, scale_seconds;
	double budget_j; /* 0: not given */
	int64_t table;   /* from 1; 0: not given */
	int64_t count;
};

struct run_config {
	struct cli_shared shared;
	struct field_list table, to, targets;
	char *data, *model, *partition, *policy, *rule;
	char *precision, *loss, *optimizer;
	int64_t devices, rounds, batch, local_steps, local_steps_min;
	double budget_j, budget_share;
	double device_spread, cohort, rate, rate_decay;
	bool force;
	struct device_option *device; /* `devices` of them, or NULL */
};

extern const struct field run_fields[];

int run_config_read(struct config *config, const char *path, struct err *err);
/* What config_done() does not know of. */
void run_config_done(struct run_config *values);

#endif
