/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sensor.h"

static const struct cli_command commands[] = {
	{ .name = "doctor",
	  .summary = "what can be measured here, and what would help",
	  .about = sensor_doctor_about,
	  .fields = sensor_doctor_fields,
	  .config_size = sizeof(struct sensor_doctor_config),
	  .run = sensor_doctor },
	{ .name = "list",
	  .arguments = "meters|events|targets",
	  .summary = "meters, events or processes of this machine",
	  .about = sensor_list_about,
	  .fields = sensor_list_fields,
	  .config_size = sizeof(struct sensor_list_config),
	  .run = sensor_list,
	  .takes_arguments = true },
	{ .name = "replay",
	  .summary = "copy recorded documents from place to place",
	  .about = sensor_replay_about,
	  .fields = sensor_replay_fields,
	  .config_size = sizeof(struct sensor_replay_config),
	  .run = sensor_replay },
	{ .name = "keygen",
	  .arguments = "NAME",
	  .summary = "make a pair of keys for zmq: places",
	  .about = sensor_keygen_about,
	  .fields = sensor_keygen_fields,
	  .config_size = sizeof(struct sensor_keygen_config),
	  .run = sensor_keygen,
	  .takes_arguments = true },
	{ .name = NULL }
};

static const struct cli_command self = {
	.arguments = "[-- CMD ARG…]",
	.summary = "measure this machine, its processes, or one command",
	.about = sensor_run_about,
	.fields = sensor_run_fields,
	.config_size = sizeof(struct sensor_config),
	.run = sensor_run,
	.takes_rest = true,
};

static const struct cli_program program = {
	.name = "sensor",
	.summary = "count what a machine and its processes do, in joules and "
		   "events",
	.commands = commands,
	.self = &self,
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
