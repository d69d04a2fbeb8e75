/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fl_commands -- what `fl` can do: one command per file fl_NAME.c.
 *
 * To add one: a file with its config struct, its table of fields and one
 * `const struct cli_command fl_NAME_command`, a line here and a line in the
 * table in fl.c.
 */
#ifndef FL_FL_COMMANDS_H
#define FL_FL_COMMANDS_H

#include "lib/cli.h"

extern const struct cli_command fl_run_command, fl_report_command;

#endif
