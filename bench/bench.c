/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench -- what a training step costs in joules, on this device.
 */
#include "bench/bench_commands.h"
#include "bench/mat.h"
#include "lib/cli.h"

int main(int argc, char **argv)
{
	/* A table of structs, not of pointers: copied here, in the order in
	 * which a newcomer needs them. */
	const struct cli_command commands[] = {
		bench_sweep_command,   bench_fit_command,
		bench_predict_command, bench_report_command,
		bench_train_command,   bench_describe_command,
		bench_tune_command,    bench_doctor_command,
		{ .name = NULL },
	};
	const struct cli_program program = {
		.name = "bench",
		.summary = "what a training step costs in joules",
		.commands = commands,
	};

	mat_prepare(argv);
	return cli_main(&program, argc, argv);
}
