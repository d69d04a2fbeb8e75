/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_commands.h"
#include "bench/bench_record.h"
#include "bench/compute.h"
#include "bench/mat.h"
#include "bench/plan.h"
#include "bench/probe.h"
#include "bench/sweep.h"
#include "lib/log.h"
#include "lib/quantity.h"
#include "lib/sink.h"
#include "lib/text.h"
#include "sensor/manifest.h"
#include "sensor/topology.h"

#define DEFAULT_TO "jsonl:sweep.jsonl"

struct sweep_config {
	struct cli_shared shared;
	struct plan_settings plan;
	char *plan_file;
	char *data;
	struct field_list meters;
	struct field_list to;
	struct compute_settings compute;
	bool force;
};

/* clang-format off */
static const struct field sweep_fields[] = {
	PLAN_FIELDS(sweep_config, plan),
	{ "plan", FIELD_TEXT, offsetof(struct sweep_config, plan_file),
	  .value = "FILE", .unlisted = true,
	  .help = "a plan: JSON with any of these options as keys" },
	{ "data", FIELD_TEXT, offsetof(struct sweep_config, data),
	  .value = "SET",
	  .help = "train on this instead of synthetic samples" },
	{ "meter", FIELD_LIST, offsetof(struct sweep_config, meters),
	  .value = "M",
	  .help = "where joules come from (auto; repeatable)" },
	COMPUTE_FIELDS(sweep_config, compute),
	CLI_TO(sweep_config, to),
	CLI_FORCE(sweep_config, force),
	CLI_SHARED(sweep_config),
	FIELD_END
};
/* clang-format on */

static const char sweep_about[] =
	"Trains every model at every batch size, with every loss, for a "
	"measured window each, and repeats that in randomised blocks.  "
	"Records go to sweep.jsonl unless --to says otherwise.  A sweep "
	"that was interrupted goes on when the same command is given "
	"again; with more --repeats it goes on, too.\n"
	"\n"
	"Windows that were disturbed (time was stolen, other tasks ran, memory "
	"was slower than it can be …) keep their records and are measured "
	"again in extra blocks, at most --retries of them.\n"
	"\n"
	"Presets: quick (24 configurations, about 2 minutes), standard "
	"(108, about 20 minutes), paper (260, hours).\n"
	"\n"
	"Examples:\n"
	"  bench sweep\n"
	"  bench sweep --models mlp:784-64-10,mlp:784-256-10 --batches "
	"8,32 --repeats 7\n"
	"  bench sweep --plan plan.json --meter powercap --to lab.jsonl\n"
	"where plan.json is, for example,\n"
	"  { \"models\": [\"mlp:784-64-10\"], \"batches\": [8, 32], "
	"\"window\": \"2s\" }";

/* ---- before ---------------------------------------------------------------*/

static int read_plan_file(struct cli *cli, const struct sweep_config *config,
			  struct err *err)
{
	struct doc *doc;
	int failed;

	if (!config->plan_file)
		return 0;
	if (config_given(&cli->config, "preset"))
		return err_set(err, EINVAL,
			       "--plan and --preset exclude each other");
	doc = doc_read(config->plan_file, err);
	if (!doc)
		return err_wrap(err, "plan");
	failed = config_set_doc(&cli->config, doc, config->plan_file, err);
	doc_free(doc);
	return failed;
}

/* The digest that names the records: plan, meters, data and, where it is not
 * the rule, the table of backends. */
static void run_digest(const struct plan *plan,
		       const struct sweep_config *config,
		       const struct compute *compute,
		       char run[static DOC_DIGEST_MAX])
{
	struct doc *doc = plan_doc(plan);
	struct doc *meters = doc_new_array();

	for (size_t i = 0; i < config->meters.count; i++)
		doc_add_take(meters, doc_new_text(config->meters.item[i]));
	doc_set_take(doc, "meters", meters);
	doc_set_text(doc, "data", config->data);
	if (compute->table)
		doc_set_text(doc, "backends", compute->backends);
	doc_digest(doc, run);
	doc_free(doc);
}

static int truncate_file(const char *file, struct err *err)
{
	if (truncate(file, 0))
		return err_sys(err, "empty %s", file);
	return 0;
}

/* What the file that records go to holds already. */
static int look_at_file(struct sweep *sweep, struct sink *sink, bool force,
			struct err *err)
{
	const char *file = sink_file(sink);

	if (!file)
		return 0;
	if (force)
		return truncate_file(file, err);
	if (sweep_resume(sweep, file, err) < 0)
		return err_remedy(err, "nothing was changed; --to FILE writes "
				       "elsewhere, --force replaces it");
	return 0;
}

/* ---- saying ---------------------------------------------------------------*/

static void say_machine(void)
{
	struct topology *topology = topology_read("/sys", "/proc", NULL);
	char text[256];

	if (topology)
		log_note("machine  %s; kernels %s; governor %s",
			 topology_describe(topology, text, sizeof(text)),
			 mat_describe(),
			 topology->governor[0] ? topology->governor
					       : "unknown");
	topology_free(topology);
}

static void say_meters(struct meter *const *meter, size_t meters)
{
	for (size_t i = 0; i < meters; i++) {
		const char *remarks = meter_remarks(meter[i]);

		log_note("meter    %s", meter_describe(meter[i]));
		while (*remarks) {
			int length = (int)strcspn(remarks, "\n");

			log_note("         %.*s", length, remarks);
			remarks += length + (remarks[length] == '\n');
		}
	}
}

static void say_plan(const struct sweep *sweep, const struct plan *plan,
		     const char *data)
{
	char window[QUANTITY_TEXT_MAX], all[QUANTITY_TEXT_MAX];
	double share = (double)sweep_left(sweep) /
		       (double)(plan->configs * plan->blocks);

	quantity_text(plan->window_s, QUANTITY_SECONDS, window);
	log_note("plan     %zu configurations × %zu blocks × %s: about %s, "
		 "seed %llu, %s samples",
		 plan->configs, plan->blocks, window,
		 quantity_duration(share * plan_seconds(plan), all),
		 (unsigned long long)plan->seed, data ? data : "synthetic");
	if (plan->retries)
		log_note("         and up to %zu extra blocks, where windows "
			 "are disturbed",
			 plan->retries);
	if (sweep_found(sweep))
		log_note("resume   %zu of %zu windows are there already",
			 sweep_found(sweep), sweep_windows(sweep));
}

static void say_next(const char *file)
{
	if (file)
		log_note("next     bench fit --from %s --out table.json", file);
}

/* How calm it was, by all that is known at the end. */
static void say_windows(const struct sweep *sweep, const struct plan *plan)
{
	struct sweep_counts counts = sweep_ledger_count(sweep_ledger(sweep));
	size_t lacking = sweep_ledger_lacking(sweep_ledger(sweep));

	log_note("windows  %zu: %zu disturbed (%zu of them slowed), %zu "
		 "measured again",
		 counts.windows, counts.disturbed, counts.slowed, counts.again);
	if (lacking && !sweep_left(sweep))
		log_note("         %zu of %zu configurations have fewer than "
			 "%zu undisturbed windows (more --retries go on)",
			 lacking, plan->configs, plan->blocks);
}

static void say_end(const struct sweep *sweep, const struct plan *plan,
		    const struct sink *sink)
{
	struct text why = TEXT_INIT;

	for (size_t i = 0; probe_flag_name(i); i++)
		if (sweep_flagged(sweep, i))
			text_printf(&why, "%s%zu %s", why.length ? ", " : ": ",
				    sweep_flagged(sweep, i),
				    probe_flag_name(i));
	log_note("wrote    %zu records to %s (%zu flagged%s)",
		 sweep_records(sweep),
		 sink_file(sink) ? sink_file(sink) : sink_uri(sink),
		 sweep_flagged(sweep, (size_t)-1), why.data ? why.data : "");
	text_done(&why);
	say_windows(sweep, plan);
	if (sweep_left(sweep))
		log_note("stopped  %zu of %zu windows are left: the same "
			 "command goes on",
			 sweep_left(sweep), sweep_windows(sweep));
	else
		say_next(sink_file(sink));
}

static void print_json(const struct sweep *sweep, const struct sink *sink,
		       const char *run)
{
	struct sweep_counts counts = sweep_ledger_count(sweep_ledger(sweep));
	struct doc *doc = doc_new_object();
	char *line;

	doc_set_text(doc, "run", run);
	doc_set_text(doc, "to", sink_uri(sink));
	doc_set_int(doc, "windows", (int64_t)sweep_windows(sweep));
	doc_set_int(doc, "left", (int64_t)sweep_left(sweep));
	doc_set_int(doc, "records", (int64_t)sweep_records(sweep));
	doc_set_int(doc, "flagged", (int64_t)sweep_flagged(sweep, (size_t)-1));
	doc_set_int(doc, "disturbed", (int64_t)counts.disturbed);
	doc_set_int(doc, "slowed", (int64_t)counts.slowed);
	doc_set_int(doc, "again", (int64_t)counts.again);
	line = doc_to_text(doc);
	puts(line);
	free(line);
	doc_free(doc);
}

/* ---- at work --------------------------------------------------------------*/

static void close_meters(struct meter **meter, size_t meters)
{
	while (meters)
		meter_close(meter[--meters]);
}

static int open_meters(const struct field_list *specs, struct meter **meter,
		       size_t *meters, struct err *err)
{
	size_t count = specs->count ? specs->count : 1;

	if (count > PROBE_METERS_MAX)
		return err_set(err, EINVAL, "--meter: at most %d at a time",
			       PROBE_METERS_MAX);
	for (*meters = 0; *meters < count; (*meters)++) {
		const char *spec = specs->count ? specs->item[*meters] : "auto";

		meter[*meters] = meter_open(spec, err);
		if (!meter[*meters])
			return -1;
	}
	return 0;
}

/* Everything a sweep needs, opened in an order that leaves no file behind when
 * the plan, the data or a meter is no good. */
struct job {
	const struct sweep_config *config;
	char run[DOC_DIGEST_MAX];
	struct plan *plan;
	struct compute compute;
	struct sweep *sweep;
	struct meter *meter[PROBE_METERS_MAX];
	size_t meters;
	struct sink *sink;
};

static int lay_manifest(const struct job *job, struct err *err)
{
	struct doc *manifest = manifest_new("bench sweep", job->run);
	struct doc *list = doc_new_array();
	struct doc *settings = plan_doc(job->plan);
	const char *data = job->config->data;
	int failed;

	for (size_t i = 0; i < job->meters; i++)
		doc_add_take(list, doc_new_text(meter_describe(job->meter[i])));
	doc_set_take(manifest, "meters", list);
	compute_put(&job->compute, manifest);
	doc_set_text(manifest, "data", data ? data : "synthetic");
	doc_set_int(settings, "blocks", (int64_t)job->plan->blocks);
	doc_set_int(settings, "retries", (int64_t)job->plan->retries);
	doc_set_take(manifest, "plan", settings);
	failed = manifest_lay(manifest, job->sink, err);
	doc_free(manifest);
	return failed;
}

static int job_open(struct job *job, struct err *err)
{
	const struct sweep_config *config = job->config;

	job->plan = plan_new(&config->plan, (uint64_t)config->shared.seed, err);
	if (!job->plan || compute_open(&job->compute, &config->compute,
				       config->shared.threads, err) < 0)
		return -1;
	run_digest(job->plan, config, &job->compute, job->run);
	job->sweep =
		sweep_new(job->plan, config->data, job->run, manifest_device());
	if (sweep_check_data(job->sweep, err) < 0 ||
	    open_meters(&config->meters, job->meter, &job->meters, err) < 0)
		return -1;
	job->sink = sink_open_all(&config->to, DEFAULT_TO, err);
	if (!job->sink ||
	    look_at_file(job->sweep, job->sink, config->force, err) < 0)
		return -1;
	return sweep_meters(job->sweep, job->meter, job->meters, err);
}

static int job_measure(struct job *job, struct err *err)
{
	say_machine();
	say_meters(job->meter, job->meters);
	say_plan(job->sweep, job->plan, job->config->data);
	if (lay_manifest(job, err) < 0)
		return -1;
	if (sweep_run(job->sweep, job->compute.mat, job->sink, err) < 0) {
		if (sweep_records(job->sweep) + sweep_found(job->sweep))
			err_remedy(err, "what was measured is kept: the same "
					"command goes on");
		return -1;
	}
	say_end(job->sweep, job->plan, job->sink);
	return 0;
}

static int job_run(struct job *job, struct err *err)
{
	if (!sweep_left(job->sweep)) {
		log_note("complete all %zu windows are in %s already (run %s)",
			 sweep_windows(job->sweep), sink_file(job->sink),
			 job->run);
		say_next(sink_file(job->sink));
	} else if (job_measure(job, err) < 0) {
		return -1;
	}
	if (job->config->shared.json)
		print_json(job->sweep, job->sink, job->run);
	return sweep_left(job->sweep) ? cli_stop_status() : 0;
}

static int job_close(struct job *job, int status, struct err *err)
{
	if (sink_close(job->sink, status < 0 ? NULL : err) < 0)
		status = -1;
	close_meters(job->meter, job->meters);
	sweep_free(job->sweep);
	compute_close(&job->compute);
	plan_free(job->plan);
	return status;
}

static int bench_sweep(struct cli *cli, void *values, struct err *err)
{
	struct sweep_config *config = values;
	struct job job = { .config = config };
	int status;

	if (read_plan_file(cli, config, err) < 0)
		return -1;
	plan_settle(&config->plan, &cli->config);
	config->plan.threads = config->shared.threads;
	cli_stop_signal();
	status = job_open(&job, err);
	if (!status)
		status = job_run(&job, err);
	return job_close(&job, status, err);
}

const struct cli_command bench_sweep_command = {
	.name = "sweep",
	.summary = "measure what training steps cost",
	.about = sweep_about,
	.fields = sweep_fields,
	.config_size = sizeof(struct sweep_config),
	.run = bench_sweep,
};
