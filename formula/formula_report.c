/* SPDX-License-Identifier: BSD-3-Clause */
/* formula report */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula/formula.h"
#include "formula/power_plots.h"
#include "formula/power_series.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/page.h"
#include "lib/quantity.h"
#include "lib/stat.h"
#include "lib/table.h"
#include "sensor/energy.h"

/* Rows of the table of joules; the others are one. */
#define ROWS_MAX 40

struct report_config {
	struct cli_shared shared;
	char *out;
	bool force;
};

/* clang-format off */
static const struct field report_fields[] = {
	{ "out", FIELD_TEXT, offsetof(struct report_config, out), .key = 'o',
	  .value = "FILE.html", .unlisted = true,
	  .help = "where the page goes" },
	CLI_FORCE(report_config, force),
	CLI_SHARED(report_config),
	FIELD_END
};
/* clang-format on */

static const char about[] =
	"Makes one HTML file, with everything inside, of one or more places of "
	"power reports: stacked watts over time by target, residuals, how well "
	"the model fits, joules per target; a plot for each place, sensor and "
	"idle policy, and their joules side by side. Formula reports of "
	"SmartWatts in them add the errors of its models.\n"
	"\n"
	"  formula report power.jsonl -o power.html\n"
	"  formula report fedwatts.jsonl smartwatts.jsonl -o both.html";

/* ---- cells ------------------------------------------------------------------ */

static void cell(struct table *table, double value, enum quantity quantity)
{
	char text[QUANTITY_TEXT_MAX] = "–";

	/* Rounding errors have no unit of their own. */
	if (quantity == QUANTITY_WATTS && value != 0 && fabs(value) < 1e-9)
		snprintf(text, sizeof(text), "%.1e W", value);
	else if (isfinite(value))
		quantity_text(value, quantity, text);
	table_cell(table, "%s", text);
}

static void cell_percent(struct table *table, double part, double whole)
{
	if (whole > 0 && isfinite(part))
		table_cell(table, "%.1f %%", 100 * part / whole);
	else
		table_cell(table, "–");
}

static void cell_class(struct table *table, const struct power_series *series)
{
	if (series->source == POWER_ROW_NO_CLASS)
		table_cell(table, "not said");
	else
		table_cell(table, "%d%s", series->source,
			   power_series_is_estimate(series) ? ", estimated"
							    : "");
}

/* ---- what was read ------------------------------------------------------------ */

static void put_series(struct page *page, const struct power_series *series)
{
	char label[ENERGY_LABEL_MAX] = "class not said",
	     joules[QUANTITY_TEXT_MAX];
	char seconds[QUANTITY_TEXT_MAX];
	double lo, hi;

	if (series->source != POWER_ROW_NO_CLASS) {
		enum energy_source source = (enum energy_source)series->source;

		energy_source_scale(source, &lo, &hi);
		energy_label(source, lo, hi, label);
	}
	page_paragraph(page,
		       "%s: sensor %s, %zu ticks in %s; meter %s, %s, %s; "
		       "formula %s, idle policy %s.",
		       series->label, series->sensor, series->ticks,
		       quantity_duration(series->seconds, seconds),
		       series->meter        ? series->meter
		       : series->smartwatts ? "its target rapl"
					    : "not said",
		       quantity_text(series->meter_j, QUANTITY_JOULES, joules),
		       series->estimated ? series->estimated : label,
		       series->smartwatts ? "SmartWatts'"
		       : series->formula  ? series->formula
					  : "not said",
		       strcmp(series->policy, "-") ? series->policy
						   : "not said");
	if (series->ticks_per_bin > 1)
		page_paragraph(page,
			       "%s: plots show means of %zu ticks each, so "
			       "that peaks are lower than they were; joules "
			       "and the figures of the fit are of all ticks.",
			       series->label, series->ticks_per_bin);
	if (series->late)
		page_paragraph(page,
			       "%s: %zu reports came after a newer tick and "
			       "were left out.",
			       series->label, series->late);
	if (series->left_out)
		page_paragraph(page,
			       "%s: more than %d targets; %zu reports of "
			       "further ones were left out.",
			       series->label, SERIES_TARGETS_MAX,
			       series->left_out);
}

/* ---- joules -------------------------------------------------------------------- */

/* A target in all series. */
struct joined {
	const struct series_target *in[SERIES_MAX];
	const char *name, *target;
	double most_j;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct joined *)a)->target,
		      ((const struct joined *)b)->target);
}

static int compare_joules(const void *a, const void *b)
{
	const struct joined *x = a, *y = b;

	if (x->most_j != y->most_j)
		return x->most_j < y->most_j ? 1 : -1;
	return compare_names(a, b);
}

/* All targets of all series, equal names brought together; yours. */
static struct joined *join(const struct power_history *history, size_t *count)
{
	size_t all = 0, n = 0;
	struct joined *joined;

	for (size_t s = 0; s < history->count; s++)
		all += history->series[s]->targets;
	joined = xcalloc(all + 1, sizeof(*joined));
	for (size_t s = 0; s < history->count; s++)
		for (size_t t = 0; t < history->series[s]->targets; t++) {
			const struct series_target *target =
				&history->series[s]->target[t];
			struct joined *one = &joined[n++];

			*one = (struct joined){ .name = target->name,
						.target = target->target,
						.most_j = target->joules };
			one->in[s] = target;
		}
	qsort(joined, n, sizeof(*joined), compare_names);
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		struct joined *last = *count ? &joined[*count - 1] : NULL;

		if (!last || compare_names(last, &joined[i]) != 0) {
			joined[(*count)++] = joined[i];
			continue;
		}
		last->most_j = fmax(last->most_j, joined[i].most_j);
		for (size_t s = 0; s < history->count; s++)
			if (joined[i].in[s])
				last->in[s] = joined[i].in[s];
	}
	qsort(joined, *count, sizeof(*joined), compare_joules);
	return joined;
}

static const char *note_of(const struct joined *joined,
			   const struct power_history *history)
{
	for (size_t s = 0; s < history->count; s++)
		if (joined->in[s] && joined->in[s]->within)
			return "within another";
	return "";
}

static void put_row(struct table *table, const struct power_history *history,
		    const struct joined *joined)
{
	table_cell(table, "%s", joined->name);
	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];
		const struct series_target *target = joined->in[s];
		double joules = target ? target->joules : (double)NAN;
		double sigma = target && target->variance > 0
				       ? sqrt(target->variance)
				       : (double)NAN;

		cell(table, joules, QUANTITY_JOULES);
		cell(table, sigma, QUANTITY_JOULES);
		cell_percent(table, joules, series->meter_j);
	}
	table_cell(table, "%s", note_of(joined, history));
}

static void put_others(struct table *table, const struct power_history *history,
		       const struct joined *joined, size_t count)
{
	table_cell(table, "%zu others", count);
	for (size_t s = 0; s < history->count; s++) {
		double joules = 0, variance = 0;

		for (size_t i = 0; i < count; i++) {
			const struct series_target *target = joined[i].in[s];

			joules +=
				target && !target->within ? target->joules : 0;
			variance += target && !target->within ? target->variance
							      : 0;
		}
		cell(table, joules, QUANTITY_JOULES);
		cell(table, variance > 0 ? sqrt(variance) : (double)NAN,
		     QUANTITY_JOULES);
		cell_percent(table, joules, history->series[s]->meter_j);
	}
	table_cell(table, "%s", "");
}

static struct table *joules_table(const struct power_history *history)
{
	struct table *table = table_new("target", NULL);

	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];
		char *head = xasprintf(
			">%s%s", series->label,
			power_series_is_estimate(series) ? ", estimated" : "");

		table_column(table, head);
		table_column(table, ">1 σ");
		table_column(table, ">share");
		free(head);
	}
	table_column(table, "");
	return table;
}

static void put_meter(struct table *table, const struct power_history *history)
{
	table_cell(table, "meter");
	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];

		cell(table, series->meter_j, QUANTITY_JOULES);
		table_cell(table, "%s", "");
		cell_class(table, series);
	}
	table_cell(table, "%s", "");
}

static void put_joules(struct page *page, const struct power_history *history)
{
	size_t count, shown;
	struct joined *joined = join(history, &count);
	struct table *table = joules_table(history);

	page_heading(page, "Joules");
	page_paragraph(page,
		       "1 σ is what the same meter would show again of the "
		       "target's part, and what its model does not know "
		       "where it says; ticks are taken to be independent. "
		       "What is within another target is part "
		       "of that one's joules and not to be added again. In "
		       "the last row, below the shares: the class of the "
		       "joules (0 wall meter, 1 hardware accumulator, 2 "
		       "firmware, 3 polled, 4 handed over, 5 to 7 models, 8 "
		       "unknown).");
	shown = count > ROWS_MAX + 1 ? ROWS_MAX : count;
	for (size_t i = 0; i < shown; i++)
		put_row(table, history, &joined[i]);
	if (count > shown)
		put_others(table, history, joined + shown, count - shown);
	put_meter(table, history);
	page_table(page, table);
	table_free(table);
	free(joined);
}

/* ---- the fit --------------------------------------------------------------------- */

static void put_fit(struct page *page, const struct power_history *history)
{
	struct table *table = table_new(
		"", ">ticks", "class", ">meter, mean", ">idle, mean",
		">unattributed", ">residual, mean", ">1 σ of it", ">worst",
		">worst, of the meter", ">within 1 σ", ">within 1.96 σ", NULL);

	for (size_t s = 0; s < history->count; s++) {
		const struct power_series *series = history->series[s];
		double mean_w = series->meter_j / series->seconds;
		double idle_j = 0, rest_j = 0;

		for (size_t i = 0; i < series->bins; i++)
			idle_j += series->bin[i].idle_j;
		for (size_t t = 0; t < series->targets; t++)
			if (series->target[t].part == POWER_PART_UNATTRIBUTED)
				rest_j += series->target[t].joules;
		table_cell(table, "%s", series->label);
		table_cell(table, "%zu", series->ticks);
		cell_class(table, series);
		cell(table, mean_w, QUANTITY_WATTS);
		cell(table, idle_j / series->seconds, QUANTITY_WATTS);
		cell_percent(table, rest_j, series->meter_j);
		cell(table, stat_mean(series->residual, series->residuals),
		     QUANTITY_WATTS);
		cell(table, stat_sd(series->residual, series->residuals),
		     QUANTITY_WATTS);
		cell(table, series->residual_worst, QUANTITY_WATTS);
		table_cell(table, "%.2g", series->residual_worst / mean_w);
		cell_percent(table, (double)series->within_1,
			     (double)series->sigmas);
		cell_percent(table, (double)series->within_2,
			     (double)series->sigmas);
	}
	page_table(page, table);
	table_free(table);
}

/* ---- the page --------------------------------------------------------------------- */

static int put_power(struct page *page, const struct power_history *history,
		     struct err *err)
{
	for (size_t s = 0; s < history->count; s++) {
		put_series(page, history->series[s]);
		if (power_plots_stacked(page, history->series[s], err) < 0)
			return -1;
	}
	put_joules(page, history);
	page_heading(page, "Residuals and fit");
	page_paragraph(page,
		       "The residual of a tick is what the meter read less "
		       "what its rows sum to (SmartWatts: less its target "
		       "global). Within 1 σ: ticks whose residual is not "
		       "above the sigma that they state; with normal errors "
		       "of that size it would be 68 %% of them, and 95 %% "
		       "within 1.96 σ.");
	put_fit(page, history);
	return power_plots_residuals(page, history, err);
}

static int put_page(struct page *page, const struct power_history *history,
		    struct err *err)
{
	if (history->count && put_power(page, history, err) < 0)
		return -1;
	return power_plots_errors(page, history, err);
}

static int formula_report(struct cli *cli, void *values, struct err *err)
{
	const struct report_config *config = values;
	struct power_history history = { .count = 0 };
	struct page *page;
	int failed = 0;

	if (!cli->arguments || !config->out) {
		err_set(err, EINVAL,
			"say which power reports, and where the page goes "
			"(formula report POWER.jsonl -o FILE.html)");
		return CLI_USAGE;
	}
	for (size_t i = 0; i < cli->arguments && !failed; i++)
		failed = power_history_read(&history, cli->argument[i], err);
	page = page_new("Whose watts the machine's watts were");
	if (!failed)
		failed = put_page(page, &history, err);
	if (!failed) {
		failed = page_write(page, config->out, config->force, err);
		if (failed && err && err->code == EEXIST)
			err_remedy(err, "--force replaces it");
	}
	if (!failed)
		log_note("wrote    %s", config->out);
	page_free(page);
	power_history_done(&history);
	return failed;
}

const struct cli_command formula_report_command = {
	.name = "report",
	.arguments = "POWER…",
	.summary = "an HTML page of recorded power reports",
	.about = about,
	.fields = report_fields,
	.config_size = sizeof(struct report_config),
	.run = formula_report,
	.takes_arguments = true,
};
