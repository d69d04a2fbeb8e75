/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_commands -- what `bench` can do: one command per file bench_NAME.c.
 *
 * To add one: a file with its config struct, its table of fields and one
 * `const struct cli_command bench_NAME_command`, a line here and a line in the
 * table in bench.c.
 */
#ifndef BENCH_BENCH_COMMANDS_H
#define BENCH_BENCH_COMMANDS_H

#include "lib/cli.h"

extern const struct cli_command bench_sweep_command, bench_fit_command,
	bench_predict_command, bench_report_command, bench_train_command,
	bench_describe_command, bench_tune_command, bench_doctor_command;

#endif
