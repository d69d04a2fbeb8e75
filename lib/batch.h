/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch -- all targets of one tick, on their way to a sink.
 *
 * A layout says once what the values of a report are called: each column is a
 * path of keys in the document ("groups", "core", "0", "1", "INSTRUCTIONS")
 * and a place in a table of rows (table "core", keys "0" and "1", column
 * "INSTRUCTIONS").  A row is one target's array of values.  Sinks prepare what
 * they need per layout (text with holes) and then only fill in numbers.
 *
 *	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);
 *
 *	layout_key_columns(layout, "socket", "cpu");
 *	layout_add(layout, COLUMN_INT, "core", "0", "1", "INSTRUCTIONS",
 *		   "groups", "core", "0", "1", "INSTRUCTIONS", NULL);
 *	layout_end(layout);
 *	struct row row = { "all", layout, values, NULL };
 *	struct batch batch = { time_ms, "laptop", &row, 1 };
 *	sink_put(sink, &batch, &err);
 *
 * lib/ knows none of the words: sensor/hwpc_report.c and
 * formula/power_report.c do.
 *
 * Laws: columns with a common beginning of their paths stand side by side, so
 * that one pass writes a document.  A layout does not change after
 * layout_end() and outlives every batch that names it.  Values are borrowed for
 * the time of the call.
 */
#ifndef LIB_BATCH_H
#define LIB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"

#define LAYOUT_PATH_MAX 8

enum column_type { COLUMN_INT, COLUMN_REAL, COLUMN_TEXT };

struct column {
	const char *path[LAYOUT_PATH_MAX]; /* NULL-terminated */
	enum column_type type;
	const char *table;
	const char *key[2];
	const char *name;
};

/* How rows become files of a table-like sink.
 *
 * LAYOUT_TABLES: TABLE.csv (hwpc-sensor's GROUP.csv), a line per target and
 * pair of keys: timestamp,sensor,target, the key columns, then the names of
 * the table's columns in byte order.
 *
 * LAYOUT_TARGETS: SENSOR-TARGET/TABLE.csv (PowerAPI 2.10's PowerReport.csv):
 * timestamp,sensor,target, the table's columns, the key columns (out of the
 * metadata where it has a member of that name), then the metadata's other
 * members in byte order. */
enum layout_files { LAYOUT_TABLES, LAYOUT_TARGETS };

/* What values are called where they become time series, which have labels
 * (Prometheus) or tags (line protocol) instead of paths: once as PowerAPI 2.10
 * says it, once as its master branch does.  The strings are literals. */
enum layout_names { LAYOUT_NAMES_2_10, LAYOUT_NAMES_MASTER, LAYOUT_NAMES };

struct layout_series {
	const char *metric; /* Prometheus; NULL: it is not shown there */
	const char *help;
	bool adds_up; /* what came since the last: shown as a running total */
	bool stamped; /* shown with the time of its report */
	const char *measurement;  /* line protocol; NULL: it is not written */
	const char *field;        /* NULL: the column's name */
	const char *table_label;  /* whose value is the table; NULL: none */
	const char *column_label; /* whose value is the column's name */
	bool tagged; /* the metadata's texts are labels unless others are asked
			for */
};

struct layout {
	uint64_t id;      /* no other layout of the process ever has it */
	const char *kind; /* "hwpc", "power", "formula" */
	enum layout_files files;
	const char *key_column[2]; /* "socket", "cpu"; NULL: none */
	struct layout_series series[LAYOUT_NAMES];
	struct column *column;
	size_t columns;
	size_t capacity;
	char **json; /* the text before each value, and behind the last */
	size_t *json_length;
	size_t json_room; /* bytes that cover them and every number */
};

union value {
	uint64_t integer;
	double real; /* not finite: written as null */
	const char *text;
};

struct row {
	const char *target;
	const struct layout *layout;
	const union value *value;
	const char *metadata; /* a JSON object as text, or NULL */
};

struct batch {
	int64_t time_ms;
	const char *sensor;
	const struct row *row;
	size_t rows;
};

struct layout *layout_new(const char *kind, enum layout_files files);
void layout_key_columns(struct layout *layout, const char *first,
			const char *second);
/* For sinks of time series; a layout without it has none. */
void layout_series(struct layout *layout, enum layout_names names,
		   const struct layout_series *series);
/* The strings are copied; the path ends with NULL.  `key0`, `key1` may be
 * NULL. */
void layout_add(struct layout *layout, enum column_type type, const char *table,
		const char *key0, const char *key1, const char *name, ...)
	__attribute__((sentinel));
void layout_end(struct layout *layout);
void layout_free(struct layout *layout);

/* One row as a line of JSON: timestamp, sensor, target, the columns' nested
 * objects, then metadata where there is any; "\n" behind it. */
void batch_put_json(const struct batch *batch, const struct row *row,
		    struct text *out);
/* All of them, a line each: what is the same in all is written once. */
void batch_put_jsonl(const struct batch *batch, struct text *out);

#endif
