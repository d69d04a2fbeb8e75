/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_group -- the rows of one event group, a tick at a time (for
 * source_csv.c alone).
 *
 * A group is core.csv, and before it what a sink moved away: core.1.csv,
 * core.2.csv.  Timestamps must not go back; rows of one tick may stand in any
 * order.  A last line without its newline is torn (its last number may be cut
 * short): it is skipped.  Columns: timestamp, sensor, target, socket, cpu; a
 * column metadata is passed over; all others are events, whole numbers or
 * empty.
 */
#ifndef LIB_CSV_GROUP_H
#define LIB_CSV_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* More rows than that in one tick is an error. */
#define CSV_GROUP_ROWS_MAX ((size_t)1 << 20)

struct csv_group;

struct csv_group_row {
	const char *group, *path;
	size_t line;
	int64_t time_ms;
	const char *sensor, *target;
	const char *key[2]; /* socket, cpu */
	size_t events;
	char *const *event; /* their names */
	uint64_t *value;
	bool *given; /* false: the cell was empty */
};

struct csv_group *csv_group_new(const char *name);
/* A file of the group, in the order of time. */
void csv_group_add(struct csv_group *group, const char *path);
int csv_group_start(struct csv_group *group, struct err *err);
const char *csv_group_name(const struct csv_group *group);

/* The timestamp of the next row, if there is one. */
bool csv_group_ahead(const struct csv_group *group, int64_t *time_ms);
/* Take every row of that timestamp (none, maybe); until the next call. */
int csv_group_read(struct csv_group *group, int64_t time_ms, struct err *err);
size_t csv_group_rows(const struct csv_group *group);
const struct csv_group_row *csv_group_row(const struct csv_group *group,
					  size_t index);
/* Was a torn last line skipped? */
bool csv_group_torn(const struct csv_group *group);
void csv_group_close(struct csv_group *group);

/* Its group, its socket, its CPU: what a document nests by. */
const char *csv_group_key(const struct csv_group_row *row, int depth);

#endif
