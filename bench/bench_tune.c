/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench_commands.h"
#include "bench/mat_kind.h"
#include "bench/mat_tune.h"
#include "bench/plan.h"
#include "lib/doc.h"
#include "lib/log.h"
#include "lib/progress.h"
#include "lib/table.h"

#define DEFAULT_OUT "backends.json"

struct tune_config {
	struct cli_shared shared;
	struct plan_settings plan;
	char *out;
	bool force;
};

/* clang-format off */
static const struct field tune_fields[] = {
	{ "preset", FIELD_CHOICE, offsetof(struct tune_config, plan.preset),
	  .initial = "quick", .choices = plan_presets, .value = "NAME",
	  .help = "the models and batches of a sweep, where none are given" },
	{ "models", FIELD_LIST, offsetof(struct tune_config, plan.models),
	  .value = "M,…", .help = "models: mlp:784-128-10,softmax:784-10" },
	{ "batches", FIELD_WORDS, offsetof(struct tune_config, plan.batches),
	  .value = "N,…", .help = "samples per training step" },
	{ "out", FIELD_TEXT, offsetof(struct tune_config, out),
	  .initial = DEFAULT_OUT, .value = "FILE",
	  .help = "where the table goes" },
	CLI_FORCE(tune_config, force),
	CLI_SHARED(tune_config),
	FIELD_END
};
/* clang-format on */

static const char tune_about[] =
	"Measures which matrix library serves which product of the models' "
	"training steps best on this machine, and writes a table for --backends "
	"of bench sweep and bench train.  The same table gives the same bits; "
	"shapes that it does not list are served by the fixed rule, which is "
	"what is used without a table.  A library that does not repeat its bits "
	"for a shape does not serve it.\n"
	"\n"
	"Examples:\n"
	"  bench tune\n"
	"  bench tune --models mlp:784-256-256-10,lenet5 --batches 1,8,32 "
	"--out lab.json\n"
	"  bench train --model lenet5 --data fashion-mnist --backends lab.json";

/* Every model at every batch size of the plan, once. */
static int shapes_of(const struct plan *plan, struct mat_table *table,
		     struct err *err)
{
	for (size_t i = 0; i < plan->configs; i++) {
		const struct step_config *config = &plan->config[i];

		if (mat_tune_shapes(table, &config->model, config->batch, err) <
		    0)
			return -1;
	}
	return 0;
}

static void measure(struct mat_table *table)
{
	struct progress *progress = progress_new();
	size_t count = mat_table_count(table);

	for (size_t i = 0; i < count && !cli_stop_signal(); i++) {
		const struct mat_shape *s = &mat_table_at(table, i)->shape;

		progress_show(progress, (double)i / (double)count,
			      "%zu x %zu x %zu", s->m, s->n, s->k);
		mat_tune(table, i);
	}
	progress_wipe();
	progress_free(progress);
}

static void print_table(const struct mat_table *shapes)
{
	static const char *const marks[] = { "", "'" };
	struct table *table =
		table_new("product", ">m", ">n", ">k", "library",
			  ">openblas µs", ">onednn µs", ">plain µs", NULL);

	for (size_t i = 0; i < mat_table_count(shapes); i++) {
		const struct mat_choice *choice = mat_table_at(shapes, i);
		const struct mat_shape *s = &choice->shape;

		table_cell(table, "A%s B%s", marks[s->ta], marks[s->tb]);
		table_cell(table, "%zu", s->m);
		table_cell(table, "%zu", s->n);
		table_cell(table, "%zu", s->k);
		table_cell(table, "%s", mat_library(choice->library)->name);
		for (size_t l = 0; l < MAT_LIBRARIES; l++)
			if (isnan(choice->us[l]))
				table_cell(table, "differs");
			else
				table_cell(table, "%.1f", choice->us[l]);
	}
	table_print(table, stdout);
	table_free(table);
}

static int finish(const struct tune_config *config,
		  const struct mat_table *table, struct err *err)
{
	struct doc *doc = mat_table_to_doc(table);
	int failed = doc_write(doc, config->out, config->force, err);
	char *text;

	if (failed && err->code == EEXIST)
		err_remedy(err, "--force replaces it");
	if (!failed && config->shared.json) {
		text = doc_to_text(doc);
		puts(text);
		free(text);
	} else if (!failed) {
		print_table(table);
	}
	if (!failed)
		log_note("wrote    %s: %zu shapes; next: bench sweep "
			 "--backends %s",
			 config->out, mat_table_count(table), config->out);
	doc_free(doc);
	return failed;
}

static int tune(const struct tune_config *config, const struct plan *plan,
		struct err *err)
{
	struct mat_table *table = mat_table_new();
	int status = shapes_of(plan, table, err);

	if (!status) {
		log_note("kernels  %s", mat_describe());
		measure(table);
		/* Half a table would be another machine's tomorrow. */
		status = cli_stop_signal() ? cli_stop_status()
					   : finish(config, table, err);
	}
	mat_table_free(table);
	return status;
}

static int bench_tune(struct cli *cli, void *values, struct err *err)
{
	struct tune_config *config = values;
	struct plan *plan;
	int status;

	(void)cli;
	field_list_add(&config->plan.losses, "ce"); /* one of them will do */
	config->plan.window_s = -1;
	plan = plan_new(&config->plan, 1, err);
	field_list_done(&config->plan.losses);
	if (!plan)
		return -1;
	cli_stop_signal();
	status = tune(config, plan, err);
	plan_free(plan);
	return status;
}

const struct cli_command bench_tune_command = {
	.name = "tune",
	.summary = "measure which library serves which shape best",
	.about = tune_about,
	.fields = tune_fields,
	.config_size = sizeof(struct tune_config),
	.run = bench_tune,
};
