/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_commands.h"
#include "bench/energy_table.h"
#include "lib/log.h"
#include "lib/quantity.h"
#include "lib/table.h"

struct predict_config {
	struct cli_shared shared;
	char *table;
	struct field_list batches, losses;
	char *precision, *optimizer;
	double budget_j;
};

/* clang-format off */
static const struct field predict_fields[] = {
	{ "table", FIELD_TEXT, offsetof(struct predict_config, table),
	  .value = "TABLE.json", .unlisted = true,
	  .help = "what bench fit made" },
	{ "batch", FIELD_WORDS, offsetof(struct predict_config, batches),
	  .initial = "32", .value = "N", .help = "samples per step" },
	{ "precision", FIELD_TEXT, offsetof(struct predict_config, precision),
	  .initial = "fp32", .value = "P",
	  .help = "fp32, bf16, int8, fp16, fake-intN" },
	{ "loss", FIELD_WORDS, offsetof(struct predict_config, losses),
	  .initial = "ce", .value = "L", .help = LOSS_NAMES },
	{ "optimizer", FIELD_TEXT, offsetof(struct predict_config, optimizer),
	  .initial = "sgd", .value = "O", .help = SGD_NAMES },
	{ "budget", FIELD_JOULES, offsetof(struct predict_config, budget_j),
	  .max = 1e15, .value = "ENERGY",
	  .help = "how many steps fit into it with 95 % (0: not asked)" },
	CLI_SHARED(predict_config),
	FIELD_END
};
/* clang-format on */

static const char predict_about[] =
	"Says what a training step costs in seconds and joules, whether it "
	"was measured or not.  pi95 is what the next run on this device "
	"would show, read by this meter; meter95 is how far the meter "
	"itself may be from the truth.  Outside of what was measured the "
	"answer says so and its interval widens.\n"
	"\n"
	"With --budget: how many steps cost at most that much with a "
	"probability of 95 % or more, as this meter counts, and in true "
	"joules (the meter's own error at its worst).\n"
	"\n"
	"Examples:\n"
	"  bench predict --table table.json mlp:784-200-10 --batch 8,32\n"
	"  bench predict --table table.json softmax:784-10 --budget 40J\n"
	"  bench predict --table table.json mlp:784-64-10 --json";

/* Steps that a budget pays for: by the meter, and in true joules.  Unknown
 * (NaN) where a step's interval is. */
struct affordable {
	double steps, steps_true;
};

static struct affordable afford(const struct step_cost *cost,
				struct interval meter, double budget_j)
{
	double dear = cost->joules.pi.hi;

	return (struct affordable){ floor(budget_j / dear),
				    floor(budget_j / (dear * meter.hi)) };
}

/* ---- as JSON --------------------------------------------------------------*/

static struct doc *figure_to_doc(const struct step_figure *figure)
{
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "mean", figure->mean);
	doc_set_bounds(doc, "pi95", figure->pi.lo, figure->pi.hi);
	return doc;
}

static void set_count(struct doc *doc, const char *key, double count)
{
	if (isfinite(count))
		doc_set_int(doc, key, (int64_t)fmin(count, 1e18));
}

static void print_json(const struct step_config *config,
		       const struct step_cost *cost, struct interval meter,
		       double budget_j)
{
	struct doc *doc = doc_new_object(), *joules;
	char *line;

	doc_set_text(doc, "schema", "fedwatts.prediction/1");
	step_config_put(config, doc);
	doc_set_take(doc, "seconds_per_step", figure_to_doc(&cost->seconds));
	joules = figure_to_doc(&cost->joules);
	doc_set_bounds(joules, "meter95", cost->meter.lo, cost->meter.hi);
	doc_set_take(doc, "joules_per_step", joules);
	doc_set_bool(doc, "measured", cost->measured);
	doc_set_bool(doc, "inside_domain", cost->inside_domain);
	doc_set_int(doc, "source", cost->source);
	if (budget_j > 0) {
		struct affordable steps = afford(cost, meter, budget_j);

		doc_set_real(doc, "budget_j", budget_j);
		set_count(doc, "steps", steps.steps);
		set_count(doc, "steps_true", steps.steps_true);
	}
	line = doc_to_text(doc);
	puts(line);
	free(line);
	doc_free(doc);
}

/* ---- as a table -----------------------------------------------------------*/

/* "6.20 mJ  (5.9 … 6.5)": the bounds in the unit of the mean. */
static void put_figure(struct table *table, double mean, struct interval bounds,
		       enum quantity quantity)
{
	char text[3][QUANTITY_TEXT_MAX];

	table_cell(table, "%s", quantity_text(mean, quantity, text[0]));
	if (isfinite(bounds.lo) && isfinite(bounds.hi))
		table_cell(table, "%s … %s",
			   quantity_text(bounds.lo, quantity, text[1]),
			   quantity_text(bounds.hi, quantity, text[2]));
	else
		table_cell(table, "unknown");
}

static void put_bounds(struct table *table, struct interval bounds)
{
	char text[2][QUANTITY_TEXT_MAX];

	table_cell(table, "%s … %s",
		   quantity_text(bounds.lo, QUANTITY_JOULES, text[0]),
		   quantity_text(bounds.hi, QUANTITY_JOULES, text[1]));
}

static void put_count(struct table *table, double count)
{
	if (isfinite(count))
		table_cell(table, "%.0f", count);
	else
		table_cell(table, "unknown");
}

static const char *how(const struct step_cost *cost)
{
	if (cost->measured)
		return "measured";
	return cost->inside_domain ? "inside the measured domain"
				   : "OUTSIDE the measured domain";
}

static void put_row(struct table *table, const struct step_config *config,
		    const struct step_cost *cost, struct interval meter,
		    double budget_j)
{
	char text[STEP_CONFIG_TEXT_MAX];

	table_cell(table, "%s", step_config_text(config, text));
	put_figure(table, cost->seconds.mean, cost->seconds.pi,
		   QUANTITY_SECONDS);
	put_figure(table, cost->joules.mean, cost->joules.pi, QUANTITY_JOULES);
	put_bounds(table, cost->meter);
	if (budget_j > 0) {
		struct affordable steps = afford(cost, meter, budget_j);

		put_count(table, steps.steps);
		put_count(table, steps.steps_true);
	}
	table_cell(table, "%s", how(cost));
}

static struct table *new_table(double budget_j)
{
	if (budget_j > 0)
		return table_new("configuration", ">time/step", "pi95",
				 ">energy/step", "pi95", "meter95",
				 ">steps (this meter)", ">steps (true joules)",
				 "answer", NULL);
	return table_new("configuration", ">time/step", "pi95", ">energy/step",
			 "pi95", "meter95", "answer", NULL);
}

static void say_source(const struct energy_table *table)
{
	struct interval scale = energy_table_meter(table);
	char label[ENERGY_LABEL_MAX];

	printf("energy: %s, device %s, meter %s\n",
	       energy_label(energy_table_source(table), scale.lo, scale.hi,
			    label),
	       energy_table_device(table),
	       doc_string(doc_get(energy_table_doc(table), "meter"), ""));
}

/* ---- at work --------------------------------------------------------------*/

static int one(const struct predict_config *values,
	       const struct energy_table *table, struct table *rows,
	       const struct step_config *config, struct err *err)
{
	struct interval meter = energy_table_meter(table);
	struct step_cost cost;

	if (energy_table_predict(table, config, &cost, err) < 0)
		return -1;
	if (values->shared.json)
		print_json(config, &cost, meter, values->budget_j);
	else
		put_row(rows, config, &cost, meter, values->budget_j);
	return 0;
}

static int parse_batch(const char *text, int64_t *batch, struct err *err)
{
	char *end;

	errno = 0;
	*batch = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return err_set(err, EINVAL,
			       "batch '%s': expected a whole number", text);
	return 0;
}

static int one_model(const struct predict_config *values, const char *model,
		     const struct energy_table *table, struct table *rows,
		     struct err *err)
{
	int64_t threads = values->shared.threads ? values->shared.threads : 1;
	struct step_config config;
	int64_t batch;

	for (size_t b = 0; b < values->batches.count; b++)
		for (size_t l = 0; l < values->losses.count; l++)
			if (parse_batch(values->batches.item[b], &batch, err) <
				    0 ||
			    step_config_set(
				    &config, model, batch, values->precision,
				    values->losses.item[l], values->optimizer,
				    threads, err) < 0 ||
			    one(values, table, rows, &config, err) < 0)
				return -1;
	return 0;
}

static int bench_predict(struct cli *cli, void *config, struct err *err)
{
	struct predict_config *values = config;
	struct energy_table *table;
	struct table *rows;
	int failed = 0;

	if (!values->table || !cli->arguments) {
		err_set(err, EINVAL,
			"predict: say --table TABLE.json and a MODEL "
			"(mlp:784-256-10)");
		return CLI_USAGE;
	}
	table = energy_table_read(values->table, err);
	if (!table)
		return -1;
	rows = new_table(values->budget_j);
	for (size_t i = 0; !failed && i < cli->arguments; i++)
		failed = one_model(values, cli->argument[i], table, rows, err);
	if (!failed && !values->shared.json) {
		table_print(rows, stdout);
		say_source(table);
	}
	table_free(rows);
	energy_table_free(table);
	return failed;
}

const struct cli_command bench_predict_command = {
	.name = "predict",
	.arguments = "MODEL…",
	.summary = "what a step costs, measured or not",
	.about = predict_about,
	.fields = predict_fields,
	.config_size = sizeof(struct predict_config),
	.run = bench_predict,
	.takes_arguments = true,
};
