/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_read -- a run as it was written, for reports.
 *
 *	struct run *run = run_read("uniform.jsonl", &err);
 *
 *	for (size_t t = 0; t < run->rounds; t++)
 *		plot(run->round[t], run->accuracy[t]);
 *	run_free(run);
 *
 * A run that is not finished is read as far as it goes: `summary` is NULL.
 */
#ifndef FL_RUN_READ_H
#define FL_RUN_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/doc.h"
#include "lib/err.h"

/* More rounds or devices than that do not come from `fl run`. */
#define RUN_ROUNDS_MAX 1000000
#define RUN_CELLS_MAX  ((size_t)1 << 26) /* rounds × devices */

struct run {
	char *name; /* the file's, without folder and ending */
	struct doc *header, *summary;
	size_t rounds, devices;
	/* By round: */
	double *round, *accuracy, *loss, *time_s, *energy_total_j, *in;
	/* Joules left (NAN without a budget): for each device its budget, then
	 * what was left after each round; `left_at` is 0, 1, 2, …, and
	 * `left_stride` the distance between two devices. */
	double *left_at, *left_j;
	size_t left_stride;
	double *updates, *spent_j, *budget_j; /* by device */
	bool has_budget;
	/* Whose joules they are. */
	int source;
	double scale_lo, scale_hi;
};

struct run *run_read(const char *path, struct err *err);
void run_free(struct run *run); /* accepts NULL */

/* A setting of the run as text ("policy"), "" where there is none. */
const char *run_setting(const struct run *run, const char *name);

#endif
