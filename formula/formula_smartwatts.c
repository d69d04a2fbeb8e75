/* SPDX-License-Identifier: BSD-3-Clause */
/* formula --model smartwatts */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula/cpu_frequency.h"
#include "formula/formula.h"
#include "formula/hwpc_rows.h"
#include "formula/powerapi.h"
#include "formula/smartwatts_csv.h"
#include "formula/smartwatts_reader.h"
#include "formula/smartwatts_sink.h"
#include "lib/log.h"

struct run {
	const struct formula_config *config;
	struct smartwatts_settings settings;
	struct powerapi_places places;
	struct smartwatts *smartwatts;
	struct smartwatts_reader *reader;
	struct smartwatts_sink out;
	uint64_t reports;
};

/* ---- options --------------------------------------------------------------- */

static void scope_init(struct smartwatts_scope *scope,
		       const struct formula_config *config, bool dram)
{
	scope->name = dram ? "dram" : "cpu";
	scope->event = dram ? config->dram_event : config->cpu_event;
	scope->disabled = dram ? config->disable_dram : config->disable_cpu;
	scope->disable = dram ? "disable-dram-formula" : "disable-cpu-formula";
	scope->learning = (struct smartwatts_learning){
		.min_samples = (size_t)config->min_samples,
		.window = (size_t)config->window,
		.error_window = (size_t)config->error_window,
		.mean = config->method == 1,
		.threshold =
			dram ? config->dram_threshold : config->cpu_threshold,
		.tdp = (double)config->cpu_tdp,
	};
}

/* SmartWatts has 2100 MHz where nothing is said; a machine knows better. */
static int64_t base_frequency(struct cli *cli,
			      const struct formula_config *config)
{
	int64_t found;

	if (config->exact || config_given(&cli->config, "cpu-base-freq"))
		return config->base_freq;
	found = cpu_base_frequency("");
	if (found <= 0) {
		log_warn("formula",
			 "this CPU's base frequency is unknown: %lld MHz is "
			 "assumed, as SmartWatts does (--cpu-base-freq)",
			 (long long)config->base_freq);
		return config->base_freq;
	}
	log_note("cpu      base frequency %lld MHz, this machine's "
		 "(--cpu-base-freq for another)",
		 (long long)found);
	return found;
}

static int settings_init(struct run *run, struct cli *cli, struct err *err)
{
	const struct formula_config *config = run->config;
	struct smartwatts_settings *settings = &run->settings;

	if (config->disable_cpu && config->disable_dram)
		return err_set(err, EINVAL,
			       "both formulas are disabled: one must be left");
	for (int s = 0; s < SMARTWATTS_SCOPES; s++)
		scope_init(&settings->scope[s], config, s == 1);
	settings->period_s = (double)config->period_ms / 1000;
	settings->base_clock = config->base_clock;
	settings->base_freq = base_frequency(cli, config);
	return 0;
}

/* ---- what comes in ---------------------------------------------------------- */

static int lost_tell(struct run *run)
{
	const char *lost = smartwatts_lost(run->smartwatts);

	while (*lost) {
		int length = (int)strcspn(lost, "\n");

		log_warn("formula", "%.*s", length, lost);
		lost += length + 1;
	}
	return 0;
}

static int report_use(void *self, const struct doc *doc, struct err *err)
{
	struct run *run = self;
	const struct smartwatts_report *report =
		smartwatts_reader_read(run->reader, doc, err);

	if (!report || smartwatts_put(run->smartwatts, report, err) < 0)
		return -1;
	run->reports++;
	return lost_tell(run);
}

static int csv_use(struct run *run, const struct field_list *files,
		   struct err *err)
{
	struct smartwatts_csv *csv = smartwatts_csv_open(files, &run->settings,
							 run->smartwatts, err);
	int got = csv ? 1 : -1;

	while (got > 0 && !cli_stop_signal()) {
		got = smartwatts_csv_next(csv, err);
		lost_tell(run);
	}
	if (csv)
		run->reports += smartwatts_csv_reports(csv);
	smartwatts_csv_close(csv);
	return got < 0 ? -1 : 0;
}

static int from_use(struct run *run, const char *uri, struct err *err)
{
	const struct formula_config *config = run->config;
	struct field_list files = { 0 };
	int failed;

	if (!strncmp(uri, "csv:", 4) && !config->since_ms &&
	    !config->until_ms && hwpc_rows_files(uri + 4, &files)) {
		failed = csv_use(run, &files, err);
		if (failed)
			err_wrap(err, "%s", uri);
	} else {
		failed = formula_read(config, uri, report_use, run, err);
	}
	field_list_done(&files);
	return failed;
}

static int all_use(struct run *run, struct err *err)
{
	const struct field_list *from[] = { &run->config->from,
					    &run->places.from };
	bool any = run->places.csv.count > 0;
	int failed = 0;

	if (any)
		failed = csv_use(run, &run->places.csv, err);
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < from[k]->count && !failed; i++)
			failed = from_use(run, from[k]->item[i], err);
		any |= from[k]->count > 0;
	}
	if (!any && !failed)
		failed = from_use(run, "jsonl:-", err);
	if (failed || cli_stop_signal())
		return failed;
	if (!run->reports)
		return err_set(err, ENODATA, "no HWPC reports came in");
	/* SmartWatts never comes to its last five ticks. */
	if (!run->config->exact)
		failed = smartwatts_end(run->smartwatts, err);
	lost_tell(run);
	return failed;
}

/* ---- where it goes ----------------------------------------------------------- */

static struct sink *open_both(const struct field_list *ours,
			      const struct field_list *theirs,
			      const char *fallback, struct err *err)
{
	struct field_list all = { 0 };
	struct sink *sink;

	for (size_t i = 0; i < ours->count; i++)
		field_list_add(&all, ours->item[i]);
	for (size_t i = 0; i < theirs->count; i++)
		field_list_add(&all, theirs->item[i]);
	sink = sink_open_all(&all, fallback, err);
	field_list_done(&all);
	return sink;
}

static int sinks_use(struct run *run, struct err *err)
{
	const struct formula_config *config = run->config;
	const struct powerapi_places *places = &run->places;
	bool formula = config->formula_to.count + places->formula.count > 0;
	bool quiet = formula && !config->to.count && !places->power.count;
	int failed;

	run->out.power =
		open_both(&config->to, &places->power,
			  config->shared.json || quiet ? NULL : "jsonl:-", err);
	if (!run->out.power)
		return -1;
	if (formula) {
		run->out.formula = open_both(&config->formula_to,
					     &places->formula, NULL, err);
		if (!run->out.formula) {
			sink_close(run->out.power, NULL);
			return -1;
		}
	}
	failed = all_use(run, err);
	if (sink_close(run->out.power, failed ? NULL : err) < 0)
		failed = -1;
	if (sink_close(run->out.formula, failed ? NULL : err) < 0)
		failed = -1;
	return failed;
}

static int summary(const struct run *run)
{
	if (run->config->shared.json) {
		struct doc *doc = doc_new_object();
		char *text;

		doc_set_int(doc, "hwpc_reports", (int64_t)run->reports);
		doc_set_int(doc, "power_reports", (int64_t)run->out.powers);
		doc_set_int(doc, "formula_reports", (int64_t)run->out.formulas);
		text = doc_to_text(doc);
		puts(text);
		free(text);
		doc_free(doc);
	}
	log_note("reports  %llu in, %llu of power and %llu of models out",
		 (unsigned long long)run->reports,
		 (unsigned long long)run->out.powers,
		 (unsigned long long)run->out.formulas);
	return 0;
}

int formula_smartwatts(struct cli *cli, struct formula_config *config,
		       struct err *err)
{
	struct run run = { .config = config };
	int result = 0;

	if (powerapi_places(&cli->config, &config->input, &config->output,
			    &config->pre, config->config_file, &run.places,
			    err) < 0 ||
	    settings_init(&run, cli, err) < 0) {
		powerapi_places_done(&run.places);
		return CLI_USAGE;
	}
	if (!config->from.count && !run.places.from.count &&
	    !run.places.csv.count && isatty(STDIN_FILENO)) {
		err_set(err, EINVAL,
			"reports are expected on standard input (or --from "
			"FILE, or --input TYPE)");
		result = CLI_USAGE;
	} else {
		run.smartwatts = smartwatts_new(&run.settings,
						smartwatts_sink_emit, &run.out);
		run.reader =
			smartwatts_reader_new(&run.settings, run.smartwatts);
		result = sinks_use(&run, err);
	}
	if (result == 0)
		result = summary(&run);
	smartwatts_reader_free(run.reader);
	smartwatts_free(run.smartwatts);
	smartwatts_sink_done(&run.out);
	powerapi_places_done(&run.places);
	return result;
}
