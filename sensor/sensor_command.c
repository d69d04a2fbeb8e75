/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor -- CMD: fork, attach, let go, sample until it ends, tell.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/command.h"
#include "sensor/manifest.h"
#include "sensor/sampler.h"
#include "sensor/sensor.h"
#include "sensor/sensor_session.h"
#include "sensor/sensor_summary.h"

#define SENSOR_FAILED 125

/* What belongs to one measured command. */
struct run {
	const struct sensor_config *config;
	char **argv;
	struct command command;
	struct session session;
	struct summary *summary;
	struct sampler *sampler;
	bool not_run; /* exec failed: 126 or 127 */
};

static bool command_is_over(void *arg)
{
	return command_ended((struct command *)arg);
}

/* Documents only where --to asks; then the command's tree is a target. */
static int open_session(struct run *run, struct err *err)
{
	const char *name = strrchr(run->argv[0], '/');
	struct session *session = &run->session;

	session->quiet = true;
	if (run->config->to.count > 0) {
		session->targets = target_set_new("/proc");
		if (target_set_add_tree(session->targets, run->command.pid,
					name ? name + 1 : run->argv[0],
					err) < 0)
			return -1;
	}
	if (session_add_targets(session, run->config, err) < 0)
		return -1;
	return session_open(session, run->config, NULL, err);
}

static void make_sampler(struct run *run)
{
	const struct sensor_config *config = run->config;
	struct sampler_config plan = {
		.interval_ns = session_interval_ns(config),
		.discovery_ns = session_discovery_ns(config),
		.name = config->name ? config->name : manifest_device(),
		.clock = &run->command.clock,
		.machine = run->session.machine,
		.engine = run->session.engine,
		.targets = run->session.targets,
		.plain = session_is_hwpc(config),
		.sink = run->session.sink,
		.stop = command_is_over,
		.arg = &run->command,
		.keep_rest = true,
	};

	run->sampler = sampler_new(&plan);
}

/* 0 when the command ran and was measured; `command.status` is its own. */
static int measure(struct run *run, struct err *err)
{
	if (open_session(run, err) < 0)
		return -1;
	run->summary = summary_attach(run->command.pid);
	make_sampler(run);
	if (sampler_start(run->sampler, err) < 0)
		return -1;
	if (command_release(&run->command, err) < 0) {
		run->not_run = true;
		return err_wrap(err, "%s", run->argv[0]);
	}
	if (sampler_run(run->sampler, err) < 0)
		return -1;
	command_reap(&run->command);
	summary_collect(run->summary, run->session.machine,
			&run->command.usage);
	summary_print(run->summary, run->argv, run->command.status,
		      run->config->shared.json, stderr);
	return 0;
}

/* The sensor's fault does not stop the command, if it runs already. */
static int conclude(struct run *run, int status, struct err *err)
{
	command_reap(&run->command);
	sampler_free(run->sampler);
	summary_free(run->summary);
	if (session_close(&run->session, status < 0 ? NULL : err) < 0)
		status = -1;
	command_done(&run->command);
	return status;
}

static int run_command(struct run *run, struct err *err)
{
	int status;

	if (command_fork(&run->command, run->argv, err) < 0)
		return -1;
	status = measure(run, err);
	return conclude(run, status, err);
}

int sensor_command(struct cli *cli, const struct sensor_config *config)
{
	struct run run = { .config = config, .argv = cli->rest };
	struct err err = { 0 };

	if (cli->rests == 0 || config->duration_s > 0) {
		fprintf(stderr, "%s: %s\n", cli->program,
			cli->rests == 0
				? "-- needs a command behind it"
				: "--duration: the command ends by itself");
		return CLI_USAGE;
	}
	if (run_command(&run, &err) == 0)
		return run.command.status;
	fprintf(stderr, "%s: %s\n", cli->program, err.text);
	return run.not_run ? run.command.status : SENSOR_FAILED;
}
