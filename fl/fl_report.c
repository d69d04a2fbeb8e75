/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fl/fl_commands.h"
#include "fl/run_plot.h"
#include "fl/run_read.h"
#include "lib/log.h"
#include "lib/page.h"
#include "lib/quantity.h"
#include "lib/table.h"

struct report_config {
	struct cli_shared shared;
	char *out;
	bool force;
};

static const struct field report_fields[] = {
	{ "out", FIELD_TEXT, offsetof(struct report_config, out),
	  .value = "FILE.html", .help = "where the page goes" },
	CLI_FORCE(report_config, force),
	CLI_SHARED(report_config),
	FIELD_END
};

static const char about[] =
	"Draws one or more runs side by side into one HTML file that needs "
	"nothing else: accuracy against rounds and against joules, what each "
	"device has left, who took part, and a table of results.\n"
	"\n"
	"  fl report uniform.jsonl --out report.html\n"
	"  fl report none.jsonl uniform.jsonl --out report.html --force\n"
	"\n"
	"A run that is not finished yet is drawn as far as it goes.";

/* ---- tables ------------------------------------------------------------- */

static double figure(const struct doc *doc, const char *key)
{
	return doc_real(doc_get(doc, key), (double)NAN);
}

static void cell_number(struct table *table, int decimals, double value)
{
	if (isnan(value))
		table_cell(table, "–");
	else
		table_cell(table, "%.*f", decimals, value);
}

static void cell_joules(struct table *table, double joules)
{
	char text[QUANTITY_TEXT_MAX];

	table_cell(table, "%s",
		   isnan(joules)
			   ? "–"
			   : quantity_text(joules, QUANTITY_JOULES, text));
}

static void cell_scaled(struct table *table, const struct run *run,
			double joules)
{
	char lo[QUANTITY_TEXT_MAX], hi[QUANTITY_TEXT_MAX];

	quantity_text(joules * run->scale_lo, QUANTITY_JOULES, lo);
	quantity_text(joules * run->scale_hi, QUANTITY_JOULES, hi);
	table_cell(table, "%s … %s", lo, hi);
}

static void put_settings(struct page *page, struct run *const *run, size_t runs)
{
	struct table *table = table_new(
		"run", "data", "model", "partition", ">devices", "policy",
		"rule", ">rounds", ">budget each", ">seed", "digest", NULL);

	for (size_t i = 0; i < runs; i++) {
		const struct doc *settings =
			doc_get(run[i]->header, "configuration");
		double lo = (double)INFINITY, hi = 0.0;

		for (size_t k = 0; k < run[i]->devices; k++) {
			lo = fmin(lo, run[i]->budget_j[k]);
			hi = fmax(hi, run[i]->budget_j[k]);
		}
		table_cell(table, "%s%s", run[i]->name,
			   run[i]->summary ? "" : " (unfinished)");
		table_cell(table, "%s", run_setting(run[i], "data"));
		table_cell(table, "%s", run_setting(run[i], "model"));
		table_cell(table, "%s", run_setting(run[i], "partition"));
		table_cell(table, "%zu", run[i]->devices);
		table_cell(table, "%s", run_setting(run[i], "policy"));
		table_cell(table, "%s", run_setting(run[i], "rule"));
		table_cell(table, "%zu", run[i]->rounds);
		cell_joules(table,
			    run[i]->has_budget && lo == hi ? hi : (double)NAN);
		table_cell(table, "%lld",
			   (long long)doc_int(doc_get(settings, "seed"), 0));
		table_cell(table, "%s",
			   doc_string(doc_get(run[i]->header, "run"), ""));
	}
	page_table(page, table);
	table_free(table);
}

static void put_results(struct page *page, struct run *const *run, size_t runs)
{
	struct table *table =
		table_new("run", ">accuracy", ">mean of last 5", ">best",
			  ">loss", ">fleet joules", ">1 σ", ">meter95",
			  ">budget left, %", ">virtual time", NULL);

	for (size_t i = 0; i < runs; i++) {
		const struct doc *summary = run[i]->summary;
		size_t last = run[i]->rounds - 1;
		double joules = run[i]->energy_total_j[last];
		char took[QUANTITY_TEXT_MAX];

		table_cell(table, "%s", run[i]->name);
		cell_number(table, 3, run[i]->accuracy[last]);
		cell_number(table, 3, figure(summary, "accuracy_last"));
		cell_number(table, 3,
			    figure(doc_get(summary, "best"), "accuracy"));
		cell_number(table, 3, run[i]->loss[last]);
		cell_joules(table, joules);
		cell_joules(table, figure(summary, "energy_total_sigma_j"));
		cell_scaled(table, run[i], joules);
		cell_number(table, 1,
			    100.0 * figure(summary, "budget_left_share"));
		table_cell(table, "%s",
			   quantity_duration(run[i]->time_s[last], took));
	}
	page_table(page, table);
	table_free(table);
}

static void put_fairness(struct page *page, struct run *const *run, size_t runs)
{
	struct table *table = table_new(
		"run", ">updates", ">lost (ran dry)", ">devices without update",
		">Jain index of joules", ">of updates",
		">device accuracy: mean", ">worst tenth", ">worst", NULL);

	for (size_t i = 0; i < runs; i++) {
		const struct doc *part =
			doc_get(run[i]->summary, "participation");
		const struct doc *fair = doc_get(run[i]->summary, "fairness");
		const struct doc *device = doc_get(fair, "device_accuracy");

		table_cell(table, "%s", run[i]->name);
		cell_number(table, 0, figure(part, "updates"));
		cell_number(table, 0, figure(part, "ran_dry"));
		cell_number(table, 0, figure(part, "devices_without_update"));
		cell_number(table, 3, figure(fair, "energy_jain"));
		cell_number(table, 3, figure(fair, "participation_jain"));
		cell_number(table, 3, figure(device, "mean"));
		cell_number(table, 3, figure(device, "worst_tenth"));
		cell_number(table, 3, figure(device, "worst"));
	}
	page_table(page, table);
	table_free(table);
}

static void put_targets(struct page *page, struct run *const *run, size_t runs)
{
	struct table *table = table_new("run", ">accuracy reached", ">in round",
					">fleet joules", ">meter95", NULL);

	for (size_t i = 0; i < runs; i++) {
		const struct doc *targets = doc_get(run[i]->summary, "targets");

		for (size_t t = 0; t < doc_count(targets); t++) {
			const struct doc *target = doc_at(targets, t);
			double joules = figure(target, "energy_total_j");

			if (isnan(joules))
				continue;
			table_cell(table, "%s", run[i]->name);
			cell_number(table, 2, figure(target, "accuracy"));
			cell_number(table, 0, figure(target, "round"));
			cell_joules(table, joules);
			cell_scaled(table, run[i], joules);
		}
	}
	if (table_rows(table))
		page_table(page, table);
	table_free(table);
}

/* ---- the page ----------------------------------------------------------- */

static void put_truth(struct page *page, struct run *const *run, size_t runs)
{
	char truth[ENERGY_LABEL_MAX];

	for (size_t i = 0; i < runs; i++)
		page_paragraph(
			page,
			"Joules of %s: %s, meter %s, from the energy "
			"table of %s.",
			run[i]->name, run_truth(run[i], truth),
			doc_string(doc_get(run[i]->header, "meter"), "?"),
			doc_string(doc_get(doc_at(doc_get(run[i]->header,
							  "tables"),
						  0),
					   "device"),
				   "?"));
	page_paragraph(page,
		       "1 σ is what the same meter would show again; meter95 "
		       "is where the truth lies if the meter is off by as much "
		       "as it may be, by the same factor for all values of one "
		       "meter: it moves the axis of joules, not the order of "
		       "runs with one table.");
}

static int fill_page(struct page *page, struct run *const *run, size_t runs,
		     struct err *err)
{
	put_truth(page, run, runs);
	page_heading(page, "Results");
	put_results(page, run, runs);
	if (run_plot_learning(page, run, runs, err) < 0)
		return -1;
	put_targets(page, run, runs);
	page_heading(page, "Budgets");
	if (run_plot_budgets(page, run, runs, err) < 0)
		return -1;
	page_heading(page, "Participation and fairness");
	if (run_plot_participation(page, run, runs, err) < 0)
		return -1;
	put_fairness(page, run, runs);
	page_paragraph(page,
		       "A device's accuracy is the test accuracy under its own "
		       "mix of classes. Jain's index is 1 when all devices "
		       "have the same, 1/n when one has everything.");
	page_heading(page, "Settings");
	put_settings(page, run, runs);
	return 0;
}

static int write_page(struct run *const *run, size_t runs,
		      const struct report_config *values, struct err *err)
{
	struct page *page = page_new("Federated learning on a budget");
	int result = fill_page(page, run, runs, err);

	if (!result)
		result = page_write(page, values->out, values->force, err);
	page_free(page);
	return result;
}

static int check_usage(const struct cli *cli,
		       const struct report_config *values, struct err *err)
{
	if (!cli->arguments)
		return err_set(err, EINVAL,
			       "which run? (fl report RUN.jsonl --out "
			       "FILE.html)");
	if (cli->arguments > RUN_PLOTS_MAX)
		return err_set(err, EINVAL, "at most %d runs on a page",
			       RUN_PLOTS_MAX);
	if (!values->out)
		return err_set(err, EINVAL, "--out FILE.html is missing");
	return 0;
}

static int fl_report(struct cli *cli, void *config_values, struct err *err)
{
	const struct report_config *values = config_values;
	struct run *run[RUN_PLOTS_MAX];
	size_t runs = 0;
	int result = 0;

	if (check_usage(cli, values, err) < 0)
		return CLI_USAGE;
	while (!result && runs < cli->arguments) {
		run[runs] = run_read(cli->argument[runs], err);
		if (run[runs])
			runs++;
		else
			result = -1;
	}
	if (!result)
		result = write_page(run, runs, values, err);
	if (!result)
		log_note("wrote    %s: %zu run%s", values->out, runs,
			 runs == 1 ? "" : "s");
	while (runs)
		run_free(run[--runs]);
	return result;
}

const struct cli_command fl_report_command = {
	.name = "report",
	.arguments = "RUN…",
	.summary = "draw runs side by side into one HTML file",
	.about = about,
	.fields = report_fields,
	.config_size = sizeof(struct report_config),
	.run = fl_report,
	.takes_arguments = true,
};
