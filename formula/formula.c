/* SPDX-License-Identifier: BSD-3-Clause */
/* formula -- whose watts the machine's watts are. */
#include "formula/formula.h"

#include <stdio.h>

#include "formula/formula_power.h"
#include "formula/powerapi.h"

static const struct cli_command compare = {
	.name = "compare",
	.arguments = "A B",
	.summary = "where two streams of power reports differ",
	.about = formula_compare_about,
	.fields = formula_compare_fields,
	.config_size = sizeof(struct formula_compare_config),
	.run = formula_compare,
	.takes_arguments = true,
};

static const struct cli_command fit = {
	.name = "fit",
	.summary = "learn a power model from a recorded table",
	.about = formula_fit_about,
	.fields = formula_fit_fields,
	.config_size = sizeof(struct formula_fit_config),
	.run = formula_fit,
};

static const struct cli_command score = {
	.name = "score",
	.summary = "how far off a power model is",
	.about = formula_score_about,
	.fields = formula_score_fields,
	.config_size = sizeof(struct formula_score_config),
	.run = formula_score,
};

static const struct cli_command self = {
	.summary = "watts per target from a sensor's reports",
	.about = formula_about,
	.fields = formula_fields,
	.config_size = sizeof(struct formula_config),
	.run = formula_run,
};

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		formula_top_command,
		formula_report_command,
		compare,
		fit,
		score,
		{ .name = NULL },
	};
	const struct cli_program program = {
		.name = "formula",
		.summary = "tell whose watts the machine's watts are",
		.commands = commands,
		.self = &self,
	};
	struct err err = { 0 };
	char **arguments;
	int status;

	if (!powerapi_wanted(argc, argv))
		return cli_main(&program, argc, argv);
	if (powerapi_arguments(&argc, argv, &arguments, &err) < 0) {
		fprintf(stderr, "formula: %s\n", err.text);
		return CLI_USAGE;
	}
	status = cli_main(&program, argc, arguments);
	powerapi_arguments_free(arguments);
	return status;
}
