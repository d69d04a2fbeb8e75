/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_commands.h"
#include "bench/bench_record.h"
#include "bench/energy_table.h"
#include "bench/record_map.h"
#include "bench/records.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/table.h"

struct fit_config {
	struct cli_shared shared;
	struct field_list from;
	char *map;
	char *out;
	char *meter;
	bool force;
};

/* clang-format off */
static const struct field fit_fields[] = {
	CLI_FROM(fit_config, from),
	{ "map", FIELD_TEXT, offsetof(struct fit_config, map),
	  .value = "FILE", .unlisted = true,
	  .help = "--from are CSV files that others measured: what their "
		  "columns are" },
	{ "out", FIELD_TEXT, offsetof(struct fit_config, out),
	  .value = "TABLE.json", .unlisted = true,
	  .help = "where the table goes" },
	{ "meter", FIELD_TEXT, offsetof(struct fit_config, meter),
	  .value = "M",
	  .help = "take the records of this meter (where there are several)" },
	CLI_FORCE(fit_config, force),
	CLI_SHARED(fit_config),
	FIELD_END
};
/* clang-format on */

static const char fit_about[] =
	"Turns the records of bench sweep into an energy table: what was "
	"measured, with intervals for the mean (ci95) and for a single run "
	"(pi95), and a model of layers (operations, bytes, kernels …, "
	"none negative) for what was not.  How good the model is, is found "
	"by leaving out each configuration in turn, and each model.\n"
	"\n"
	"Windows that were flagged (stolen, unsteady …), or slowed (the "
	"reference work timed among the steps took over 1.08 times as long as "
	"in the best window of the configuration), stay in the table: in "
	"means and intervals.  The model is fitted to the median of the "
	"undisturbed windows of each configuration.\n"
	"\n"
	"Examples:\n"
	"  bench fit --from sweep.jsonl --out table.json\n"
	"  bench fit --from monday.jsonl --from tuesday.jsonl --out "
	"table.json\n"
	"  bench fit --from theirs.csv --map map.json --out table.json\n"
	"where map.json is, for example,\n"
	"  { \"device\": \"their server\", \"meter\": \"RAPL\", \"source\": "
	"1,\n"
	"    \"model\": \"mlp:784-{width}-10\", \"batch\": \"{batch}\",\n"
	"    \"seconds_per_step\": \"{time}ms\", \"watts\": \"{power}\" }";

/* ---- what is said ---------------------------------------------------------*/

static double number(const struct doc *doc, const char *key)
{
	return doc_real(doc_get(doc, key), 0);
}

static void say_check(struct table *table, const struct doc *validation,
		      const char *figure, const char *key, const char *what)
{
	const struct doc *check = doc_get(doc_get(validation, figure), key);

	if (!check)
		return;
	table_cell(table, "%.*s", (int)strcspn(figure, "_"), figure);
	table_cell(table, "%s", what);
	table_cell(table, "%.0f", number(check, "n"));
	table_cell(table, "%.1f %%",
		   100 * number(check, "relative_error_median"));
	table_cell(table, "%.1f %%", 100 * number(check, "relative_error_p95"));
	table_cell(table, "%.0f %%", 100 * number(check, "pi95_coverage"));
}

static void print_validation(const struct doc *doc)
{
	static const char *const figures[] = { "seconds_per_step",
					       "joules_per_step" };
	const struct doc *validation = doc_get(doc, "validation");
	struct table *table;

	if (!validation)
		return;
	table = table_new("figure", "left out", ">n", ">median error",
			  ">95 % below", ">in pi95", NULL);
	for (size_t i = 0; i < 2; i++) {
		say_check(table, validation, figures[i],
			  "leave_one_configuration_out", "configuration");
		say_check(table, validation, figures[i], "leave_one_model_out",
			  "model");
	}
	table_print(table, stdout);
	table_free(table);
}

/* Repeatability: what the windows that nothing disturbed differ by. */
static void print_repeats(const struct doc *doc)
{
	const struct doc *entries = doc_get(doc, "entries");
	size_t count = doc_count(entries), n = 0;
	double *cv = xcalloc(count, sizeof(*cv));

	for (size_t i = 0; i < count; i++) {
		const struct doc *entry = doc_at(entries, i);

		if (doc_get(entry, "repeat_cv"))
			cv[n++] = number(entry, "repeat_cv");
	}
	if (n)
		printf("repeats: time per step varies by %.1f %% (median), "
		       "%.1f %% at most, in the undisturbed windows of %zu "
		       "configurations\n",
		       100 * stat_median(cv, n), 100 * stat_quantile(cv, n, 1),
		       n);
	free(cv);
}

static void print_json(const struct doc *doc, const char *out)
{
	struct doc *result = doc_new_object();
	char *line;

	doc_set_text(result, "table", out);
	doc_set_int(result, "records", doc_int(doc_get(doc, "records"), 0));
	doc_set_int(result, "flagged", doc_int(doc_get(doc, "flagged"), 0));
	doc_set_int(result, "slowed", doc_int(doc_get(doc, "slowed"), 0));
	doc_set_int(result, "again", doc_int(doc_get(doc, "again"), 0));
	doc_set_int(result, "entries",
		    (int64_t)doc_count(doc_get(doc, "entries")));
	doc_set_take(result, "validation",
		     doc_copy(doc_get(doc, "validation")));
	line = doc_to_text(result);
	puts(line);
	free(line);
	doc_free(result);
}

static void say_read(const struct energy_table *table)
{
	const struct doc *doc = energy_table_doc(table);
	struct interval scale = energy_table_meter(table);
	char label[ENERGY_LABEL_MAX];

	log_note("read     %.0f records of %zu configurations (%.0f flagged, "
		 "%.0f of them slowed; %.0f measured again), device %s",
		 number(doc, "records"), energy_table_entries(table),
		 number(doc, "flagged"), number(doc, "slowed"),
		 number(doc, "again"), energy_table_device(table));
	log_note("meter    %s, %s", doc_string(doc_get(doc, "meter"), ""),
		 energy_label(energy_table_source(table), scale.lo, scale.hi,
			      label));
	if (!doc_get(doc, "fit"))
		log_warn("fit", "too few configurations for a model: the table "
				"answers only for those measured");
}

/* ---- at work --------------------------------------------------------------*/

/* The manifest that the sweep laid beside its file, where there is one. */
static void add_manifest(struct energy_table *table, const char *uri)
{
	const char *file = strncmp(uri, "jsonl:", 6) ? uri : uri + 6;
	char *path = xasprintf("%s.manifest.json", file);
	struct doc *manifest = access(path, R_OK) ? NULL : doc_read(path, NULL);

	if (doc_is_schema(manifest, "fedwatts.manifest/1"))
		energy_table_set_manifest(table, manifest);
	doc_free(manifest);
	free(path);
}

static void say_next(const struct fit_config *config)
{
	bool ours = !config->map; /* bench report reads records only */

	log_note("wrote    %s", config->out);
	log_note("next     bench predict --table %s mlp:784-200-10 --batch 32; "
		 "bench report --table %s%s%s --out report.html",
		 config->out, config->out, ours ? " --from " : "",
		 ours ? config->from.item[0] : "");
}

/* Files of others, by their map. */
static int read_mapped(struct records *records, const struct fit_config *config,
		       struct err *err)
{
	struct record_map *map = record_map_read(config->map, err);
	int failed = 0;

	if (!map)
		return -1;
	for (size_t i = 0; !failed && i < config->from.count; i++) {
		const char *file = config->from.item[i];

		failed = record_map_rows(
			map, strncmp(file, "csv:", 4) ? file : file + 4,
			config->meter, records, err);
	}
	record_map_free(map);
	return failed;
}

static int fit_records(const struct fit_config *config,
		       const struct records *records, struct err *err)
{
	struct energy_table *table;
	int failed;

	table = energy_table_fit((const struct doc *const *)records->doc,
				 records->count, err);
	if (!table)
		return -1;
	add_manifest(table, config->from.item[0]);
	say_read(table);
	failed = doc_write(energy_table_doc(table), config->out, config->force,
			   err);
	if (failed && err->code == EEXIST)
		err_remedy(err, "--force replaces it");
	if (!failed && config->shared.json)
		print_json(energy_table_doc(table), config->out);
	else if (!failed) {
		print_validation(energy_table_doc(table));
		print_repeats(energy_table_doc(table));
	}
	if (!failed)
		say_next(config);
	energy_table_free(table);
	return failed;
}

static int bench_fit(struct cli *cli, void *values, struct err *err)
{
	struct fit_config *config = values;
	struct records records = { 0 };
	int failed;

	(void)cli;
	if (!config->from.count || !config->out) {
		err_set(err, EINVAL,
			"fit: say --from URI and --out TABLE.json");
		return CLI_USAGE;
	}
	failed = config->map ? read_mapped(&records, config, err)
			     : records_read(&records, &config->from,
					    config->meter, err);
	if (!failed)
		failed = fit_records(config, &records, err);
	records_done(&records);
	return failed;
}

const struct cli_command bench_fit_command = {
	.name = "fit",
	.summary = "turn records into an energy table",
	.about = fit_about,
	.fields = fit_fields,
	.config_size = sizeof(struct fit_config),
	.run = bench_fit,
};
