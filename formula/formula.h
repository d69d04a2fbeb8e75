/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * formula -- the program's configuration, and the command that runs when none
 * is named.
 */
#ifndef FORMULA_FORMULA_H
#define FORMULA_FORMULA_H

#include "lib/cli.h"
#include "lib/field.h"

struct formula_config {
	struct cli_shared shared;
	struct field_list from, to;
	char *model;
	struct field_list idle;
	double idle_w;
	char *event;
	char *meter;
	char *target;
	int64_t since_ms, until_ms;
};

extern const struct field formula_fields[];
extern const char formula_about[];

/* Reports in, watts out, until the end of the stream. */
int formula_run(struct cli *cli, void *config, struct err *err);

#endif
