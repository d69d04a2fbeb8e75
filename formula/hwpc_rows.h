/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwpc_rows -- one CSV file of hwpc-sensor, row by row, quickly: for
 * hwpc_csv.c and smartwatts_csv.c.
 *
 *	struct hwpc_rows *rows = hwpc_rows_open("core.csv", false, &err);
 *
 *	while (rows->ahead && rows->time_ms == tick) {
 *		use(rows->target, rows->value[0]);
 *		if (hwpc_rows_next(rows, &err) < 0)
 *			return -1;
 *	}
 *	hwpc_rows_close(rows);
 *
 * Where empty cells may be (`sparse`), they are HWPC_ROWS_EMPTY; else they are an
 * error.  The row ahead is there as soon as the file is open.  Texts are NUL-terminated
 * in the buffer and borrowed until the next row.
 */
#ifndef FORMULA_HWPC_ROWS_H
#define FORMULA_HWPC_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/field.h"

#define HWPC_COLUMNS_MAX    256
#define HWPC_ROWS_FILES_MAX 32
#define HWPC_ROWS_EMPTY     UINT64_MAX
#define HWPC_HEAD_MAX       128

struct hwpc_rows {
	char *path, *group;
	/* What columns hold: events by name, NULL for the five common ones. */
	char *event[HWPC_COLUMNS_MAX];
	size_t columns;
	bool ahead;
	int64_t time_ms;
	const char *sensor, *target, *socket, *cpu;
	size_t target_length;
	uint64_t value[HWPC_COLUMNS_MAX]; /* by column */
	size_t line;
	/* The buffer, and where in it the next row begins. */
	int fd;
	char *buffer;
	size_t filled, at;
	bool ended, sparse;
	bool torn; /* the last line had no end, and was left out */
	unsigned char role[HWPC_COLUMNS_MAX];
	/* How the row before began; 0: with nothing to go by. */
	size_t head_length;
	char head[HWPC_HEAD_MAX], head_sensor[HWPC_HEAD_MAX];
};

struct hwpc_rows *hwpc_rows_open(const char *path, bool sparse,
				 struct err *err);
int hwpc_rows_next(struct hwpc_rows *rows, struct err *err);
void hwpc_rows_close(struct hwpc_rows *rows); /* accepts NULL */

/* The files of csv:DIR if this is the way to read them (no rotated ones);
 * false: ask source.h. */
bool hwpc_rows_files(const char *folder, struct field_list *files);

#endif
