/* SPDX-License-Identifier: BSD-3-Clause */
/* formula fit --map MAP.json --from TABLE --out MODEL.json */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "formula/formula_power.h"
#include "formula/power_model.h"
#include "lib/log.h"
#include "lib/table.h"

/* clang-format off */
const struct field formula_fit_fields[] = {
	FORMULA_TABLE_FROM(formula_fit_config, from),
	{ "map", FIELD_TEXT, offsetof(struct formula_fit_config, map),
	  .value = "MAP.json", .unlisted = true,
	  .help = "which column is what" },
	{ "out", FIELD_TEXT, offsetof(struct formula_fit_config, out),
	  .value = "MODEL.json", .unlisted = true,
	  .help = "where the model goes" },
	CLI_FORCE(formula_fit_config, force),
	CLI_SHARED(formula_fit_config),
	FIELD_END
};
/* clang-format on */

const char formula_fit_about[] =
	"Learns a power model from tables of measured power beside counters: "
	"a sum of terms of which none is negative (rates, clock, cores at "
	"work, each times V² where the voltage is known; leakage; a constant), "
	"one model for all frequencies.  How far off it is for work it has "
	"not seen is found by leaving out each group in turn; that gives the "
	"95 % interval, too.\n"
	"\n"
	"The map: { \"power\": COLUMN, \"group\": COLUMN, \"time\": COLUMN, "
	"\"counters\": [COLUMN, …] … }, all of it in formula(1).\n"
	"\n"
	"  formula fit --map map.json --from runs.tsv --out model.json\n"
	"  formula score --model model.json --from other.tsv\n";

int formula_map_read(struct power_map *map, const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err);
	int result = doc ? power_map_read(map, doc, path, err) : -1;

	doc_free(doc);
	return result;
}

static void print_model(const struct power_model *model)
{
	struct table *table = table_new("term", ">weight", ">top W", NULL);
	struct interval ratio = power_fit_interval(&model->fit, 1);

	for (size_t j = 0; j < model->fit.terms; j++) {
		if (model->fit.b[j] <= 0)
			continue;
		table_cell(table, "%s", model->terms.name[j]);
		table_cell(table, "%.4g", model->fit.b[j]);
		table_cell(table, "%.3g", model->fit.b[j] * model->fit.top[j]);
	}
	table_print(table, stdout);
	table_free(table);
	printf("a group left out: %.2f %% off on average; 95 %% interval "
	       "−%.1f/+%.1f %%\n",
	       100 * model->fit.error, 100 * (1 - ratio.lo),
	       100 * (ratio.hi - 1));
}

static int write_model(const struct formula_fit_config *config,
		       const struct power_model *model, struct err *err)
{
	struct doc *doc = power_model_to_doc(model);
	int failed = doc_write(doc, config->out, config->force, err);

	if (failed && err->code == EEXIST)
		err_remedy(err, "--force replaces it");
	if (!failed && config->shared.json) {
		char *text = doc_to_text(doc);

		puts(text);
		free(text);
	} else if (!failed) {
		print_model(model);
	}
	doc_free(doc);
	return failed;
}

static int fit_table(const struct formula_fit_config *config,
		     const struct power_map *map,
		     const struct power_table *table, struct err *err)
{
	struct power_model model;
	int result = power_model_train(&model, map, table, NULL, err);

	if (result < 0)
		return -1;
	log_note("read     %zu rows of %zu groups (%zu stale ones left out), "
		 "%zu terms",
		 table->rows, table->groups, table->rows - model.fit.rows,
		 model.terms.count);
	result = write_model(config, &model, err);
	power_model_done(&model);
	if (result < 0)
		return -1;
	log_note("wrote    %s", config->out);
	log_note("next     formula score --model %s --from TABLE; "
		 "formula score --map %s --from %s",
		 config->out, config->map, config->from.item[0]);
	return 0;
}

int formula_fit(struct cli *cli, void *values, struct err *err)
{
	const struct formula_fit_config *config = values;
	struct power_table table;
	struct power_map map;
	int result;

	(void)cli;
	if (!config->map || !config->from.count || !config->out) {
		err_set(err, EINVAL,
			"fit: say --map MAP.json, --from TABLE and --out "
			"MODEL.json");
		return CLI_USAGE;
	}
	if (formula_map_read(&map, config->map, err) < 0)
		return -1;
	result = power_table_read(&table, &map, &config->from, err);
	if (result == 0) {
		result = fit_table(config, &map, &table, err);
		power_table_done(&table);
	}
	power_map_done(&map);
	return result;
}
