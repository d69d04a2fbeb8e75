/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula/apportion.h"
#include "formula/formula.h"
#include "formula/formula_summary.h"
#include "formula/hwpc_csv.h"
#include "formula/hwpc_rows.h"
#include "formula/power_board.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sink.h"

#define POLICIES_MAX 8

/* What is kept for each sensor in the stream. */
struct stream {
	char *sensor;
	struct model *model;
	double lowest_w; /* of the meter, so far */
};

struct run {
	const struct formula_config *config;
	const struct idle_policy *policy[POLICIES_MAX];
	size_t policies;
	struct ticks *ticks;
	struct stream *stream;
	size_t streams, capacity;
	struct weights weights;
	struct apportion apportion;
	struct power_reports *reports;
	struct power_summary *summary;
	struct sink *sink;
	char *first_lost; /* for a run in which every tick was */
	bool idle_given, told_estimated, told_rest;
};

/* ---- options -------------------------------------------------------------- */

static int run_init(struct run *run, const struct formula_config *config,
		    struct err *err)
{
	struct ticks_options options = {
		.event = config->event,
		.meter = config->meter,
		.target = config->target,
	};
	struct model *model = model_open(config->model, err);

	if (!model)
		return CLI_USAGE;
	model_close(model);
	if (config->idle.count > POLICIES_MAX)
		return err_set(err, EINVAL, "more than %d idle policies",
			       POLICIES_MAX),
		       CLI_USAGE;
	for (size_t i = 0; i < config->idle.count; i++) {
		run->policy[i] = idle_policy_find(config->idle.item[i], err);
		if (!run->policy[i])
			return CLI_USAGE;
		for (size_t j = 0; j < i; j++)
			if (run->policy[j] == run->policy[i])
				return err_set(err, EINVAL,
					       "idle policy '%s': named twice",
					       config->idle.item[i]),
				       CLI_USAGE;
	}
	run->policies = config->idle.count;
	if (!run->policies)
		run->policy[run->policies++] = idle_policy_at(0);
	run->config = config;
	run->ticks = ticks_new(&options);
	run->reports = power_reports_new();
	run->summary = power_summary_new();
	return 0;
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->streams; i++) {
		free(run->stream[i].sensor);
		model_close(run->stream[i].model);
	}
	free(run->stream);
	ticks_free(run->ticks);
	weights_done(&run->weights);
	apportion_done(&run->apportion);
	power_reports_free(run->reports);
	power_summary_free(run->summary);
	free(run->first_lost);
}

/* ---- a tick ---------------------------------------------------------------- */

static struct stream *stream_find(struct run *run, const char *sensor,
				  struct err *err)
{
	struct model *model;
	struct stream *stream;

	for (size_t i = 0; i < run->streams; i++)
		if (!strcmp(run->stream[i].sensor, sensor))
			return &run->stream[i];
	model = model_open(run->config->model, err);
	if (!model)
		return NULL;
	run->stream = mem_grow(run->stream, &run->capacity, run->streams + 1,
			       sizeof(*run->stream));
	stream = &run->stream[run->streams++];
	stream->sensor = xstrdup(sensor);
	stream->model = model;
	stream->lowest_w = HUGE_VAL;
	return stream;
}

/* --idle-watts, else what the model found, else the lowest seen. */
static double idle_watts(const struct run *run, const struct stream *stream,
			 const char **from)
{
	if (run->idle_given) {
		*from = "given";
		return run->config->idle_w;
	}
	if (!isnan(run->weights.idle_w)) {
		*from = "fitted";
		return run->weights.idle_w;
	}
	*from = "lowest seen";
	return stream->lowest_w;
}

static void tell_once(struct run *run, const struct tick *tick)
{
	char label[ENERGY_LABEL_MAX];

	if (energy_is_estimate(tick->energy.source) && !run->told_estimated) {
		run->told_estimated = true;
		log_note("meter    %s: watts are %s", tick->meter,
			 energy_label(tick->energy.source,
				      tick->energy.scale_lo,
				      tick->energy.scale_hi, label));
	}
	if (isnan(run->weights.excess) && tick->targets && !run->told_rest) {
		bool counters =
			!strcmp(run->weights.basis, "fedwatts:counters");

		run->told_rest = true;
		log_warn("formula",
			 "reports of \"all\" do not count %s: what no target "
			 "explains is shared among the targets",
			 counters ? "cycles" : run->config->event);
	}
}

static int tick_policy(struct run *run, struct stream *stream,
		       const struct tick *tick,
		       const struct idle_policy *policy, struct err *err)
{
	struct tick_watts watts = {
		.tick = tick,
		.model = run->weights.basis,
		.policy = policy->name,
		.excess = run->weights.excess,
		.predicted_w = run->weights.predicted_w,
	};

	watts.idle_w = idle_watts(run, stream, &watts.idle_from);
	if (apportion_tick(&run->apportion, policy, tick, &run->weights,
			   watts.idle_w, err) < 0)
		return -1;
	watts.meter_w = run->apportion.meter_w;
	watts.watts = &run->apportion.watts;
	watts.kernel_w = run->apportion.kernel_w;
	if (run->weights.variance_known) {
		watts.sigma_w = run->apportion.sigma_w;
		watts.idle_sigma_w = run->apportion.idle_sigma_w;
		watts.unattributed_sigma_w =
			run->apportion.unattributed_sigma_w;
	}
	power_summary_add(run->summary, &watts);
	return power_reports_put(run->reports, &watts, run->sink, err);
}

/* For `formula top`: what power reports have no place for. */
static int live_put(struct run *run, const struct tick *tick, struct err *err)
{
	bool cpu = !strcmp(run->config->event, HWPC_TASK_CLOCK);
	struct doc *doc = power_board_live(tick, cpu);
	int result = sink_put_doc(run->sink, doc, err);

	doc_free(doc);
	return result;
}

static int tick_use(struct run *run, const struct tick *tick, struct err *err)
{
	struct stream *stream = stream_find(run, tick->sensor, err);

	if (!stream)
		return -1;
	stream->lowest_w =
		fmin(stream->lowest_w, tick->energy.joules / tick->elapsed_s);
	if (model_weigh(stream->model, tick, &run->weights, err) < 0)
		return -1;
	if (tick->targets && !ticks_event_seen(run->ticks) &&
	    strcmp(run->weights.basis, "fedwatts:counters") != 0)
		return err_set(err, EINVAL,
			       "no report counts %s (there are: %s; choose "
			       "with --event NAME)",
			       run->config->event, ticks_events(run->ticks));
	tell_once(run, tick);
	for (size_t i = 0; i < run->policies; i++)
		if (tick_policy(run, stream, tick, run->policy[i], err) < 0)
			return -1;
	return run->config->live ? live_put(run, tick, err) : 0;
}

static int ticks_use(struct run *run, struct err *err)
{
	const struct tick *tick;
	const char *lost;

	while ((tick = ticks_next(run->ticks)))
		if (tick_use(run, tick, err) < 0)
			return -1;
	lost = ticks_lost(run->ticks);
	while (*lost) {
		int length = (int)strcspn(lost, "\n");

		if (!run->first_lost)
			run->first_lost = xstrndup(lost, (size_t)length);
		log_warn("formula", "%.*s", length, lost);
		lost += length + 1;
	}
	return 0;
}

/* ---- a stream -------------------------------------------------------------- */

static int report_use(void *self, const struct doc *doc, struct err *err)
{
	struct run *run = self;

	if (run->config->live && doc_get(doc, "power"))
		return sink_put_doc(run->sink, doc, err);
	if (ticks_put(run->ticks, doc, err) < 0)
		return -1;
	return ticks_use(run, err);
}

static int csv_use(struct run *run, struct hwpc_csv *csv, struct err *err)
{
	const struct hwpc_report *report;
	int got = 0;

	while (!cli_stop_signal() &&
	       (got = hwpc_csv_next(csv, &report, err)) > 0)
		if (ticks_put_report(run->ticks, report, err) < 0 ||
		    ticks_use(run, err) < 0)
			return err_wrap(err, "%s", hwpc_csv_where(csv));
	return cli_stop_signal() ? 0 : got;
}

/* csv:DIR without documents, where that is possible.  What it cannot open is
 * opened the other way, which then says what is wrong. */
static int from_use(struct run *run, const char *uri, struct err *err)
{
	struct field_list files = { 0 };
	struct hwpc_csv *csv = NULL;
	int failed;

	if (!strncmp(uri, "csv:", 4) && !run->config->since_ms &&
	    !run->config->until_ms && hwpc_rows_files(uri + 4, &files))
		csv = hwpc_csv_open(&files, NULL);
	if (csv) {
		failed = csv_use(run, csv, err);
		if (hwpc_csv_torn(csv))
			log_warn("formula", "%s: a torn last line was skipped",
				 uri);
	} else {
		failed = formula_read(run->config, uri, report_use, run, err);
	}
	hwpc_csv_close(csv);
	field_list_done(&files);
	return failed;
}

static int all_use(struct run *run, struct err *err)
{
	const struct field_list *from = &run->config->from;
	int result = 0;

	if (!from->count)
		result = from_use(run, "jsonl:-", err);
	for (size_t i = 0; i < from->count && result == 0; i++)
		result = from_use(run, from->item[i], err);

	/* The last tick may not be whole if something came in between. */
	if (result < 0 || cli_stop_signal())
		return result;
	ticks_end(run->ticks);
	if (ticks_use(run, err) < 0)
		return -1;
	if (power_summary_ticks(run->summary) || sink_documents(run->sink))
		return 0;
	if (run->first_lost)
		return err_set(err, ENODATA, "no tick could be used: %s",
			       run->first_lost);
	return err_set(err, ENODATA, "no HWPC reports in %s",
		       from->count ? from->item[0] : "standard input");
}

static void finish(const struct run *run)
{
	if (run->config->shared.json) {
		struct doc *doc = power_summary_to_doc(run->summary);
		char *text = doc_to_text(doc);

		puts(text);
		free(text);
		doc_free(doc);
	}
	if (log_level() >= LOG_NOTE)
		power_summary_print(run->summary, stderr);
}

int formula_run(struct cli *cli, void *values, struct err *err)
{
	struct formula_config *config = values;
	struct run run = {
		.idle_given = config_given(&cli->config, "idle-watts"),
	};
	int result;

	if (!strcmp(config->model, "smartwatts"))
		return formula_smartwatts(cli, config, err);
	result = run_init(&run, config, err);

	if (result == 0 && !config->from.count && isatty(STDIN_FILENO)) {
		err_set(err, EINVAL,
			"reports are expected on standard input (sensor | "
			"formula, or --from FILE)");
		result = CLI_USAGE;
	}
	if (result == 0) {
		run.sink = sink_open_all(&config->to,
					 config->shared.json ? NULL : "jsonl:-",
					 err);
		result = run.sink ? all_use(&run, err) : -1;
		if (sink_close(run.sink, result < 0 ? NULL : err) < 0)
			result = -1;
	}
	if (result == 0)
		finish(&run);
	run_done(&run);
	return result;
}
