/* SPDX-License-Identifier: BSD-3-Clause */
/* fl -- federated learning on a budget of joules. */
#include "bench/mat.h"
#include "fl/fl_commands.h"
#include "lib/cli.h"

#define COMMANDS_MAX 8

int main(int argc, char **argv)
{
	struct cli_command commands[COMMANDS_MAX] = {
		fl_run_command,
		fl_report_command,
	};
	const struct cli_program program = {
		"fl",
		"federated learning on a budget of joules",
		commands,
		NULL,
	};

	mat_prepare(argv);
	return cli_main(&program, argc, argv);
}
