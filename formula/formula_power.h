/* SPDX-License-Identifier: BSD-3-Clause */
/* formula_power -- the commands that train and test power models on tables. */
#ifndef FORMULA_FORMULA_POWER_H
#define FORMULA_FORMULA_POWER_H

#include "formula/power_map.h"
#include "lib/cli.h"

struct formula_fit_config {
	struct cli_shared shared;
	struct field_list from;
	char *map, *out;
	bool force;
};

struct formula_score_config {
	struct cli_shared shared;
	struct field_list from, to;
	char *map, *model;
	int64_t halves;
	bool force;
};

extern const struct field formula_fit_fields[], formula_score_fields[];
extern const char formula_fit_about[], formula_score_about[];

int formula_fit(struct cli *cli, void *config, struct err *err);
int formula_score(struct cli *cli, void *config, struct err *err);

/* The map in a JSON file. */
int formula_map_read(struct power_map *map, const char *path, struct err *err);

/* clang-format off */
#define FORMULA_TABLE_FROM(type, member) \
	{ "from", FIELD_LIST, offsetof(struct type, member), .value = "TABLE", \
	  .unlisted = true, \
	  .help = "recorded table, CSV or TSV, .gz too (repeatable)" }
/* clang-format on */

#endif
