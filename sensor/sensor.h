/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor -- the program's commands, for its table of them (sensor.c).
 *
 * Each command is a file sensor_COMMAND.c with its configuration, its table of
 * fields, what --help says about it, and the function.
 */
#ifndef SENSOR_SENSOR_H
#define SENSOR_SENSOR_H

#include <stdint.h>

#include "lib/cli.h"
#include "lib/err.h"
#include "lib/field.h"
#include "sensor/hwpc_config.h"

/* sensor [OPTIONS] [-- CMD ARG…] */
struct sensor_config {
	struct cli_shared shared;
	double interval_s;
	double frequency_s; /* -f; 0: not given */
	double duration_s;
	double discovery_s;
	int64_t discovery_ms; /* hwpc-sensor's; 0: not given */
	struct field_list pids, patterns, threads_of, cgroups, units;
	struct field_list meters, events, to;
	bool cgroup_all, skip_missing, correct, cumulative;
	struct hwpc_config hwpc;
	int engine;
	bool self, keep_privileges;
	char *name;
};
extern const struct field sensor_run_fields[];
extern const char sensor_run_about[];
int sensor_run(struct cli *cli, void *config, struct err *err);
/* The same with a command behind "--": its exit status, or 125 once the
 * sensor's own fault was told. */
int sensor_command(struct cli *cli, const struct sensor_config *config);

struct sensor_doctor_config {
	struct cli_shared shared;
};
extern const struct field sensor_doctor_fields[];
extern const char sensor_doctor_about[];
int sensor_doctor(struct cli *cli, void *config, struct err *err);

struct sensor_list_config {
	struct cli_shared shared;
	char *pattern;
};
extern const struct field sensor_list_fields[];
extern const char sensor_list_about[];
int sensor_list(struct cli *cli, void *config, struct err *err);

struct sensor_replay_config {
	struct cli_shared shared;
	struct field_list from, to;
	double pace;
	int64_t since_ms, until_ms;
	char *target;
};
extern const struct field sensor_replay_fields[];
extern const char sensor_replay_about[];
int sensor_replay(struct cli *cli, void *config, struct err *err);

struct sensor_keygen_config {
	struct cli_shared shared;
	bool force;
};
extern const struct field sensor_keygen_fields[];
extern const char sensor_keygen_about[];
int sensor_keygen(struct cli *cli, void *config, struct err *err);

#endif
