/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_commands.h"
#include "bench/cost_plots.h"
#include "bench/energy_table.h"
#include "bench/records.h"
#include "lib/log.h"
#include "lib/page.h"
#include "lib/quantity.h"
#include "lib/table.h"

struct report_config {
	struct cli_shared shared;
	char *table;
	struct field_list from;
	char *out;
	bool force;
};

/* clang-format off */
static const struct field report_fields[] = {
	{ "table", FIELD_TEXT, offsetof(struct report_config, table),
	  .value = "TABLE.json", .unlisted = true,
	  .help = "what bench fit made" },
	CLI_FROM(report_config, from),
	{ "out", FIELD_TEXT, offsetof(struct report_config, out),
	  .value = "FILE.html", .unlisted = true,
	  .help = "where the page goes" },
	CLI_FORCE(report_config, force),
	CLI_SHARED(report_config),
	FIELD_END
};
/* clang-format on */

static const char report_about[] =
	"Makes one HTML file, with everything inside, of an energy table: "
	"what was measured on what, plots of energy and time, how well the "
	"model predicts, all figures.  With --from it shows the single "
	"windows, too.\n"
	"\n"
	"Examples:\n"
	"  bench report --table table.json --out report.html\n"
	"  bench report --table table.json --from sweep.jsonl --out "
	"report.html --force";

/* ---- text -----------------------------------------------------------------*/

static const char *text_of(const struct doc *doc, const char *key)
{
	return doc_string(doc_get(doc, key), "unknown");
}

static void put_machine(struct page *page, const struct doc *manifest)
{
	const struct doc *cpu = doc_get(manifest, "cpu");
	const struct doc *meters = doc_get(manifest, "meters");

	if (!manifest)
		return;
	page_paragraph(page,
		       "Machine: %s, %lld CPUs%s, kernel %s, governor %s. "
		       "Kernels: %s. Made by version %s.",
		       text_of(cpu, "model"),
		       (long long)doc_int(doc_get(cpu, "cpus"), 0),
		       doc_bool(doc_get(cpu, "hypervisor"), false)
			       ? " of a virtual machine"
			       : "",
		       text_of(doc_get(manifest, "kernel"), "release"),
		       text_of(cpu, "governor"), text_of(manifest, "kernels"),
		       text_of(manifest, "version"));
	for (size_t i = 0; i < doc_count(meters); i++)
		page_paragraph(page, "Meter: %s.",
			       doc_string(doc_at(meters, i), ""));
}

static void put_head(struct page *page, const struct energy_table *table,
		     const struct cost_view *view)
{
	const struct doc *doc = energy_table_doc(table);
	struct interval scale = energy_table_meter(table);

	page_paragraph(
		page,
		"Device %s, meter %s: energy is %s. %lld windows of %zu "
		"configurations, %lld of them flagged as disturbed (%lld "
		"because memory was slower than in the best window of their "
		"configuration), %lld measured again in extra blocks.",
		energy_table_device(table), text_of(doc, "meter"), view->label,
		(long long)doc_int(doc_get(doc, "records"), 0), view->entries,
		(long long)doc_int(doc_get(doc, "flagged"), 0),
		(long long)doc_int(doc_get(doc, "slowed"), 0),
		(long long)doc_int(doc_get(doc, "again"), 0));
	if (energy_table_source(table) >= ENERGY_CALIBRATED)
		page_paragraph(page,
			       "No hardware meter stands behind these joules: "
			       "true values may be from %.2g to %.2g times "
			       "what is shown (meter95), with the same factor "
			       "for all. Comparisons on this device are not "
			       "touched by it; budgets in true joules are.",
			       scale.lo, scale.hi);
	put_machine(page, doc_get(doc, "manifest"));
}

/* ---- tables ---------------------------------------------------------------*/

static void cell_quantity(struct table *table, double value,
			  enum quantity quantity)
{
	char text[QUANTITY_TEXT_MAX];

	if (isfinite(value))
		table_cell(table, "%s", quantity_text(value, quantity, text));
	else
		table_cell(table, "–");
}

static void cell_bounds(struct table *table, double lo, double hi,
			enum quantity quantity)
{
	char text[2][QUANTITY_TEXT_MAX];

	if (isfinite(lo) && isfinite(hi))
		table_cell(table, "%s … %s",
			   quantity_text(lo, quantity, text[0]),
			   quantity_text(hi, quantity, text[1]));
	else
		table_cell(table, "–");
}

static void put_row(struct table *table, size_t number,
		    const struct energy_entry *entry, struct interval scale)
{
	const struct step_figure *seconds = &entry->seconds.figure;
	const struct step_figure *joules = &entry->joules.figure;
	double left_out = entry->joules.left_out;

	table_cell(table, "%zu", number);
	table_cell(table, "%s", entry->config.model.text);
	table_cell(table, "%zu", entry->config.batch);
	table_cell(table, "%s", loss_name(entry->config.loss));
	table_cell(table, entry->flagged ? "%zu (%zu)" : "%zu", entry->n,
		   entry->flagged);
	cell_quantity(table, seconds->mean, QUANTITY_SECONDS);
	cell_bounds(table, seconds->pi.lo, seconds->pi.hi, QUANTITY_SECONDS);
	cell_quantity(table, joules->mean, QUANTITY_JOULES);
	cell_bounds(table, joules->pi.lo, joules->pi.hi, QUANTITY_JOULES);
	cell_bounds(table, scale.lo * joules->mean, scale.hi * joules->mean,
		    QUANTITY_JOULES);
	if (isfinite(left_out))
		table_cell(table, "%+.1f %%",
			   100 * (left_out / entry->joules.median - 1));
	else
		table_cell(table, "–");
}

static void put_entries(struct page *page, const struct cost_view *view,
			struct interval scale)
{
	struct table *table = table_new(
		">no.", "model", ">batch", "loss", ">windows (flagged)",
		">time/step", "pi95", ">energy/step", "pi95", "meter95",
		">predicted, left out", NULL);

	page_heading(page, "All configurations");
	page_paragraph(page,
		       "Energy: %s. pi95 is repeatability, meter95 the "
		       "meter's own error.",
		       view->label);
	for (size_t i = 0; i < view->entries; i++)
		put_row(table, i + 1, &view->entry[i], scale);
	page_table(page, table);
	table_free(table);
}

static void put_check(struct table *table, const struct doc *validation,
		      const char *figure, const char *key, const char *what)
{
	const struct doc *check = doc_get(doc_get(validation, figure), key);

	if (!check)
		return;
	table_cell(table, "%.*s", (int)strcspn(figure, "_"), figure);
	table_cell(table, "%s", what);
	table_cell(table, "%lld", (long long)doc_int(doc_get(check, "n"), 0));
	table_cell(table, "%.1f %%",
		   100 * doc_real(doc_get(check, "relative_error_median"), 0));
	table_cell(table, "%.1f %%",
		   100 * doc_real(doc_get(check, "relative_error_p95"), 0));
	table_cell(table, "%.0f %%",
		   100 * doc_real(doc_get(check, "pi95_coverage"), 0));
}

static void put_validation(struct page *page, const struct doc *doc)
{
	static const char *const figures[] = { "seconds_per_step",
					       "joules_per_step" };
	const struct doc *validation = doc_get(doc, "validation");
	struct table *table;

	if (!validation)
		return;
	table = table_new("figure", "left out", ">configurations",
			  ">median error", ">95 % below", ">windows in pi95",
			  NULL);
	for (size_t i = 0; i < 2; i++) {
		put_check(table, validation, figures[i],
			  "leave_one_configuration_out", "each configuration");
		put_check(table, validation, figures[i], "leave_one_model_out",
			  "each model");
	}
	page_table(page, table);
	table_free(table);
}

static void put_terms(struct page *page, const struct doc *doc)
{
	const struct doc *fit = doc_get(doc, "fit");
	const struct doc *seconds =
		doc_get(doc_get(fit, "seconds_per_step"), "terms");
	const struct doc *joules =
		doc_get(doc_get(fit, "joules_per_step"), "terms");
	struct table *table;

	if (!fit)
		return;
	table = table_new("term", ">time", "", ">energy", "", NULL);
	for (size_t i = 0; i < doc_count(seconds); i++) {
		const struct doc *s = doc_at(seconds, i);
		const struct doc *j = doc_at(joules, i);

		table_cell(table, "%s", text_of(s, "name"));
		table_cell(table, "%.3g",
			   doc_real(doc_get(s, "coefficient"), 0));
		table_cell(table, "%s", text_of(s, "unit"));
		table_cell(table, "%.3g",
			   doc_real(doc_get(j, "coefficient"), 0));
		table_cell(table, "%s", text_of(j, "unit"));
	}
	page_paragraph(page, "The model: a step costs the sum of its terms, "
			     "none of them negative.");
	page_table(page, table);
	table_free(table);
}

/* ---- at work --------------------------------------------------------------*/

static int put_repeats(struct page *page, const struct cost_view *view,
		       const struct report_config *config,
		       const struct doc *table, struct err *err)
{
	struct records records = { 0 };
	int failed;

	if (!config->from.count)
		return 0;
	failed = records_read(&records, &config->from,
			      doc_string(doc_get(table, "meter"), NULL), err);
	if (!failed)
		failed = cost_plots_repeats(
			page, view, (const struct doc *const *)records.doc,
			records.count, err);
	records_done(&records);
	return failed;
}

static int put_page(struct page *page, const struct energy_table *table,
		    const struct report_config *config, struct err *err)
{
	const struct doc *doc = energy_table_doc(table);
	struct cost_view view;
	int failed;

	if (cost_view_init(&view, table, err) < 0)
		return -1;
	put_head(page, table, &view);
	failed = cost_plots_put(page, &view, err);
	if (!failed) {
		put_validation(page, doc);
		put_terms(page, doc);
		failed = put_repeats(page, &view, config, doc, err);
	}
	if (!failed)
		put_entries(page, &view, energy_table_meter(table));
	cost_view_done(&view);
	return failed;
}

static int bench_report(struct cli *cli, void *values, struct err *err)
{
	const struct report_config *config = values;
	struct energy_table *table;
	struct page *page;
	int failed;

	(void)cli;
	if (!config->table || !config->out) {
		err_set(err, EINVAL,
			"report: say --table TABLE.json and --out FILE.html");
		return CLI_USAGE;
	}
	table = energy_table_read(config->table, err);
	if (!table)
		return -1;
	page = page_new("What a training step costs");
	failed = put_page(page, table, config, err);
	if (!failed) {
		failed = page_write(page, config->out, config->force, err);
		if (failed && err->code == EEXIST)
			err_remedy(err, "--force replaces it");
	}
	if (!failed)
		log_note("wrote    %s", config->out);
	page_free(page);
	energy_table_free(table);
	return failed;
}

const struct cli_command bench_report_command = {
	.name = "report",
	.summary = "an HTML page of a table, with plots",
	.about = report_about,
	.fields = report_fields,
	.config_size = sizeof(struct report_config),
	.run = bench_report,
};
