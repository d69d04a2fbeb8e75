/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * formula -- the program's configuration, and the command that runs when none
 * is named.
 */
#ifndef FORMULA_FORMULA_H
#define FORMULA_FORMULA_H

#include "lib/cli.h"
#include "lib/doc.h"
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
	/* For `formula top`: power reports go through as they are, and ticks
	 * say more (power_board.h). */
	bool live;
	/* --model smartwatts */
	bool exact;
	struct field_list formula_to;
	bool stream;
	char *config_file;
	struct field_list input, output, pre; /* powerapi.h */
	bool disable_cpu, disable_dram;
	char *cpu_event, *dram_event;
	int64_t cpu_tdp, base_clock, base_freq;
	double cpu_threshold, dram_threshold;
	int64_t period_ms;
	int64_t min_samples, window, error_window;
	int method; /* of enum smartwatts_method */
};

/* Reads what one "--from" names and gives every report to `use`. */
typedef int formula_use(void *self, const struct doc *doc, struct err *err);
int formula_read(const struct formula_config *config, const char *uri,
		 formula_use *use, void *self, struct err *err);

extern const struct field formula_fields[];
extern const char formula_about[];

/* Reports in, watts out, until the end of the stream. */
int formula_run(struct cli *cli, void *config, struct err *err);
struct formula_compare_config {
	struct cli_shared shared;
	double tolerance;
};

extern const struct field formula_compare_fields[];
extern const char formula_compare_about[];
/* 2 when the two differ. */
int formula_compare(struct cli *cli, void *config, struct err *err);
extern const struct cli_command formula_top_command;
extern const struct cli_command formula_report_command;
/* What formula_run does with --model smartwatts. */
int formula_smartwatts(struct cli *cli, struct formula_config *config,
		       struct err *err);

#endif
