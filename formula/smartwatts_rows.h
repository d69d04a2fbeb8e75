/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_rows -- one CSV file of hwpc-sensor, row by row, quickly (for
 * smartwatts_csv.c).
 *
 *	struct smartwatts_rows *rows = smartwatts_rows_open("core.csv", &err);
 *
 *	while (rows->ahead && rows->time_ms == tick) {
 *		use(rows->target, rows->value[0]);
 *		if (smartwatts_rows_next(rows, &err) < 0)
 *			return -1;
 *	}
 *	smartwatts_rows_close(rows);
 *
 * The row ahead is there as soon as the file is open.  Texts are NUL-terminated
 * in the buffer and borrowed until the next row.
 */
#ifndef FORMULA_SMARTWATTS_ROWS_H
#define FORMULA_SMARTWATTS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define SMARTWATTS_COLUMNS_MAX 256
#define SMARTWATTS_HEAD_MAX    128

struct smartwatts_rows {
	char *path, *group;
	/* What columns hold: events by name, NULL for the five common ones. */
	char *event[SMARTWATTS_COLUMNS_MAX];
	size_t columns;
	bool ahead;
	int64_t time_ms;
	const char *sensor, *target, *socket, *cpu;
	size_t target_length;
	uint64_t value[SMARTWATTS_COLUMNS_MAX]; /* by column */
	size_t line;
	/* The buffer, and where in it the next row begins. */
	int fd;
	char *buffer;
	size_t filled, at;
	bool ended;
	unsigned char role[SMARTWATTS_COLUMNS_MAX];
	/* How the row before began; 0: with nothing to go by. */
	size_t head_length;
	char head[SMARTWATTS_HEAD_MAX], head_sensor[SMARTWATTS_HEAD_MAX];
};

struct smartwatts_rows *smartwatts_rows_open(const char *path, struct err *err);
int smartwatts_rows_next(struct smartwatts_rows *rows, struct err *err);
void smartwatts_rows_close(struct smartwatts_rows *rows); /* accepts NULL */

#endif
