/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "fl/fl_commands.h"
#include "fl/run_config.h"
#include "fl/run_log.h"
#include "fl/run_say.h"
#include "fl/simulation.h"
#include "lib/log.h"
#include "lib/progress.h"
#include "sensor/manifest.h"

static const char about[] =
	"Simulates federated learning on devices that pay for every training "
	"step in joules, as an energy table says (bench sweep, bench fit), out "
	"of a budget of their own.\n"
	"\n"
	"CONFIG.json has a key for each option; its \"devices\" may also be a "
	"list of objects with \"scale_joules\", \"scale_seconds\", \"budget\", "
	"\"table\" and \"count\".\n"
	"\n"
	"20 devices, 40 J each, spent evenly over 30 rounds:\n"
	"  fl run --table table.json --budget 40J --to uniform.jsonl\n"
	"What happens without a plan, and both side by side:\n"
	"  fl run --table table.json --budget 40J --policy none --to "
	"none.jsonl\n"
	"  fl report none.jsonl uniform.jsonl --out report.html\n"
	"A budget worth 40 % of a full run, on any machine:\n"
	"  fl run --table table.json --budget-share 0.4 --to run.jsonl\n"
	"\n"
	"The same command with the same file goes on where it was stopped, or "
	"says that nothing is left to do. One seed gives one result, byte for "
	"byte, whatever --threads.";

static void say_next(const struct run_log *log)
{
	if (run_log_file(log))
		log_note("next     fl report %s --out report.html",
			 run_log_file(log));
}

static size_t cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (size_t)CPU_COUNT(&set);
}

static int lay_manifest(struct run_log *log, const struct doc *header,
			const struct run_config *values, size_t threads,
			struct err *err)
{
	struct doc *manifest =
		manifest_new("fl run", doc_string(doc_get(header, "run"), ""));
	struct doc *tables = doc_new_array();
	int result;

	for (size_t i = 0; i < values->table.count; i++)
		doc_add_take(tables, doc_new_text(values->table.item[i]));
	doc_set_int(manifest, "threads", (int64_t)threads);
	doc_set_text(manifest, "kernels", mat_describe());
	doc_set_take(manifest, "tables", tables);
	result = run_log_put_manifest(log, manifest, err);
	doc_free(manifest);
	return result;
}

static int put_taken(struct run_log *log, struct doc *doc, struct err *err)
{
	int result = run_log_put(log, doc, err);

	doc_free(doc);
	return result;
}

/* 1 when stopped by a signal, 0 when all rounds are done, -1. */
static int all_rounds(struct simulation *simulation, struct run_log *log,
		      struct err *err)
{
	const struct fleet *fleet = simulation_fleet(simulation);
	struct progress *progress = progress_new();
	struct round_result round;
	int got;

	while ((got = simulation_round(simulation, &round, err)) > 0) {
		if (put_taken(log, simulation_round_doc(simulation, &round),
			      err) < 0) {
			got = -1;
			break;
		}
		run_say_round(progress, fleet, &round);
		if (cli_stop_signal() && round.round < fleet->training.rounds)
			break;
	}
	progress_free(progress);
	return got;
}

static void print_json(const struct doc *summary)
{
	char *line = doc_to_text(summary);

	puts(line);
	free(line);
}

static int finish(struct simulation *simulation, struct run_log *log,
		  const struct run_config *values, struct err *err)
{
	struct doc *summary = simulation_summary(simulation);
	int result = run_log_put(log, summary, err);

	if (!result && values->shared.json && values->to.count)
		print_json(summary);
	doc_free(summary);
	if (result)
		return result;
	run_say_result(simulation);
	if (run_log_file(log))
		log_note("wrote    %zu rounds to %s",
			 simulation_outcome(simulation)->rounds,
			 run_log_file(log));
	say_next(log);
	return 0;
}

static int stopped(const struct simulation *simulation,
		   const struct run_log *log)
{
	size_t rounds = simulation_fleet(simulation)->training.rounds;
	size_t done = simulation_outcome(simulation)->rounds;

	log_note("stopped  after round %zu of %zu%s", done, rounds,
		 run_log_file(log) ? ": the same command goes on (it works the "
				     "first rounds out again, and checks them)"
				   : "");
	return cli_stop_status();
}

static int run_into(struct simulation *simulation, struct run_log *log,
		    const struct run_config *values, size_t threads,
		    struct err *err)
{
	int got;

	if (run_log_complete(log)) {
		log_note("complete %s holds all of this run already",
			 run_log_file(log));
		say_next(log);
		return 0;
	}
	run_say_start(simulation, values, threads);
	if (run_log_found(log) > 1)
		log_note("resume   %zu rounds are there already: they are "
			 "worked out again and checked",
			 run_log_found(log) - 1);
	if (lay_manifest(log, simulation_header(simulation), values, threads,
			 err) < 0)
		return -1;
	got = all_rounds(simulation, log, err);
	if (got < 0)
		return -1;
	return got ? stopped(simulation, log)
		   : finish(simulation, log, values, err);
}

static int simulate(const struct config *config, size_t threads,
		    struct err *err)
{
	const struct run_config *values = config->values;
	struct simulation *simulation;
	struct run_log *log;
	int status;

	simulation = simulation_new(config, threads, err);
	if (!simulation)
		return -1;
	log = run_log_open(&values->to, simulation_header(simulation),
			   values->force, err);
	status = log ? run_into(simulation, log, values, threads, err) : -1;
	if (run_log_close(log, status < 0 ? NULL : err) < 0)
		status = -1;
	simulation_free(simulation);
	return status;
}

static int fl_run(struct cli *cli, void *config_values, struct err *err)
{
	struct run_config *values = config_values;
	size_t threads = values->shared.threads ? (size_t)values->shared.threads
						: cores();
	int status = 0;

	if (values->budget_j > 0.0 && values->budget_share > 0.0) {
		err_set(err, EINVAL,
			"--budget and --budget-share: one of "
			"them");
		return CLI_USAGE;
	}
	cli_stop_signal(); /* from here on a round is finished first */
	for (size_t i = 0; i < cli->arguments && !status; i++)
		status = run_config_read(&cli->config, cli->argument[i], err);
	if (!status)
		status = simulate(&cli->config, threads, err);
	run_config_done(values);
	return status;
}

const struct cli_command fl_run_command = {
	.name = "run",
	.arguments = "[CONFIG.json]",
	.summary = "train a fleet of simulated devices within their budgets",
	.about = about,
	.fields = run_fields,
	.config_size = sizeof(struct run_config),
	.run = fl_run,
	.takes_arguments = true,
};
