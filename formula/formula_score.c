/* SPDX-License-Identifier: BSD-3-Clause */
/* formula score --model MODEL.json | --map MAP.json, --from TABLE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "formula/formula_power.h"
#include "formula/power_trial.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/table.h"

/* clang-format off */
const struct field formula_score_fields[] = {
	FORMULA_TABLE_FROM(formula_score_config, from),
	{ "model", FIELD_TEXT, offsetof(struct formula_score_config, model),
	  .value = "MODEL.json", .unlisted = true,
	  .help = "test this model" },
	{ "map", FIELD_TEXT, offsetof(struct formula_score_config, map),
	  .value = "MAP.json", .unlisted = true,
	  .help = "train and test: leave one group out after the other" },
	{ "halves", FIELD_INT, offsetof(struct formula_score_config, halves),
	  .initial = "0", .min = 0, .max = 100000, .value = "N",
	  .help = "with --map: train on a random half of the groups, test on "
		  "the other, N times" },
	CLI_TO(formula_score_config, to),
	CLI_FORCE(formula_score_config, force),
	CLI_SHARED(formula_score_config),
	FIELD_END
};
/* clang-format on */

const char formula_score_about[] =
	"How far off a power model is on recorded tables: mean absolute "
	"error in percent (MAPE) and watts (MAE), and how often the 95 % "
	"interval held, in all, by group and by frequency.  With --map it "
	"trains, too, and tests on groups that were left out; everything is "
	"chosen inside the training part.\n"
	"\n"
	"  formula score --model model.json --from other.tsv\n"
	"  formula score --map map.json --from runs.tsv\n"
	"  formula score --map map.json --from runs.tsv --halves 20 --seed 1\n";

/* ---- what is said -----------------------------------------------------------------*/

static void put_row(struct table *table, const char *kind, const char *name,
		    const struct power_tally *tally)
{
	if (!tally->rows)
		return;
	table_cell(table, "%s", kind);
	table_cell(table, "%s", name);
	table_cell(table, "%zu", tally->rows);
	table_cell(table, "%.2f %%", 100 * power_tally_mape(tally));
	table_cell(table, "%.3g W", power_tally_mae(tally));
	table_cell(table, "%.1f %%", 100 * power_tally_coverage(tally));
}

static void print_trial(const struct power_trial *trial,
			const struct power_table *rows)
{
	const struct power_score *score = &trial->total;
	struct table *table =
		table_new("by", "", ">rows", ">MAPE", ">MAE", ">in pi95", NULL);
	char name[64];

	for (size_t g = 0; g < score->groups; g++)
		put_row(table, "group", rows->group_name[g], &score->group[g]);
	for (size_t i = 0; i < score->strata; i++) {
		snprintf(name, sizeof(name), "%.6g MHz", score->hertz[i] / 1e6);
		put_row(table, "frequency", name, &score->stratum[i]);
	}
	put_row(table, "all", "rows", &score->all);
	table_print(table, stdout);
	table_free(table);
	if (score->all.beyond)
		printf("%zu row%s beyond what was learnt: terms count no "
		       "more than their largest value there\n",
		       score->all.beyond,
		       score->all.beyond == 1 ? " is" : "s are");
	printf("mean over %zu %s: MAPE %.2f %%, in pi95 %.1f %%\n",
	       trial->splits,
	       trial->kind == POWER_TRIAL_HALVES          ? "halves"
	       : trial->kind == POWER_TRIAL_LEAVE_ONE_OUT ? "groups left out"
							  : "model",
	       100 * trial->mape, 100 * trial->coverage);
	for (size_t i = 0; i < score->strata; i++)
		printf("  at %.6g MHz: MAPE %.2f %%, in pi95 %.1f %%\n",
		       score->hertz[i] / 1e6, 100 * trial->stratum_mape[i],
		       100 * trial->stratum_coverage[i]);
}

/* ---- at work ----------------------------------------------------------------------*/

/* Nothing is overwritten, and nothing is added to what another run wrote. */
static int sink_is_fresh(const struct formula_score_config *config,
			 const struct sink *sink, struct err *err)
{
	const char *file = sink_file(sink);
	FILE *old = file ? fopen(file, "re") : NULL;
	bool fresh = !old || getc(old) == EOF;

	if (old)
		fclose(old);
	if (fresh)
		return 0;
	if (!config->force) {
		err_set(err, EEXIST, "%s: exists", file);
		return err_remedy(err, "--force replaces it");
	}
	return truncate(file, 0) < 0 ? err_sys(err, "%s", file) : 0;
}

static int run_trial(const struct formula_score_config *config,
		     struct power_trial *trial, const struct power_table *table,
		     const struct power_map *map,
		     const struct power_model *model, struct err *err)
{
	struct sink *sink = sink_open_all(&config->to, NULL, err);
	int result = sink ? sink_is_fresh(config, sink, err) : -1;

	if (result == 0)
		result = power_trial_run(trial, table, map, model, sink, err);
	if (sink && sink_close(sink, result < 0 ? NULL : err) < 0)
		result = -1;
	return result;
}

static int score_table(const struct formula_score_config *config,
		       const struct power_map *map,
		       const struct power_model *model, struct err *err)
{
	struct power_trial trial = {
		.kind = model            ? POWER_TRIAL_MODEL
			: config->halves ? POWER_TRIAL_HALVES
					 : POWER_TRIAL_LEAVE_ONE_OUT,
		.seed = (uint64_t)config->shared.seed,
		.splits = (size_t)config->halves,
	};
	struct power_table table;
	int result;

	if (power_table_read(&table, map, &config->from, err) < 0)
		return -1;
	log_note("read     %zu rows of %zu groups", table.rows, table.groups);
	result = run_trial(config, &trial, &table, map, model, err);
	if (result == 0 && config->shared.json) {
		struct doc *doc = power_trial_to_doc(&trial, &table);
		char *text = doc_to_text(doc);

		puts(text);
		free(text);
		doc_free(doc);
	} else if (result == 0) {
		print_trial(&trial, &table);
	}
	power_trial_done(&trial);
	power_table_done(&table);
	return result;
}

static int score_model(const struct formula_score_config *config,
		       struct err *err)
{
	struct doc *doc = doc_read(config->model, err);
	struct power_model model;
	int result = doc ? power_model_from_doc(&model, doc, config->model, err)
			 : -1;

	doc_free(doc);
	if (result < 0)
		return -1;
	result = score_table(config, model.map, &model, err);
	power_model_done(&model);
	return result;
}

int formula_score(struct cli *cli, void *values, struct err *err)
{
	const struct formula_score_config *config = values;
	struct power_map map;
	int result;

	(void)cli;
	if (!config->from.count || !config->map == !config->model) {
		err_set(err, EINVAL,
			"score: say --from TABLE, and --model MODEL.json or "
			"--map MAP.json");
		return CLI_USAGE;
	}
	if (config->model && config->halves) {
		err_set(err, EINVAL,
			"score: --halves trains models: it goes with --map");
		return CLI_USAGE;
	}
	if (config->model)
		return score_model(config, err);
	if (formula_map_read(&map, config->map, err) < 0)
		return -1;
	result = score_table(config, &map, NULL, err);
	power_map_done(&map);
	return result;
}
