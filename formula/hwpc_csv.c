/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/hwpc_csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formula/hwpc_rows.h"
#include "lib/mem.h"

#define ROWS_MAX  ((size_t)1 << 20)
#define NAMES_MAX ((size_t)1 << 20)

/* Texts that come again and again, each once. */
struct names {
	char **item;
	size_t count, capacity, last;
};

/* One row of the tick at hand. */
struct line {
	size_t target; /* where it starts in `targets` */
	uint32_t sensor, package, cpu;
	size_t line;
	size_t value; /* where its values start in `value` */
};

struct group {
	struct hwpc_rows *rows;
	size_t *column; /* of each event */
	size_t events;
	struct line *row;
	size_t count, capacity, at;
	bool sorted;
};

/* What a row of a report is of. */
struct cell {
	uint32_t group, package, cpu;
};

struct hwpc_csv {
	struct group group[HWPC_ROWS_FILES_MAX];
	size_t groups;
	struct names sensor, package, cpu;
	struct text targets; /* of the tick, NUL-separated */
	uint64_t *value;
	size_t values, value_capacity;
	int64_t time_ms;
	struct hwpc_report report;
	size_t report_capacity;
	/* Rows of the report, and of the one whose names it has. */
	struct cell *cell, *known;
	const struct line **from;
	size_t cells, knowns, cell_capacity, known_capacity, from_capacity;
	uint64_t shape;
	const char *path;
	size_t line;
	char *where;
};

static uint32_t name_find(struct names *names, const char *name)
{
	size_t count = names->count, i = names->last;

	/* It, or the next: CPUs come in order, sensors and packages alike. */
	for (size_t tries = 0; tries < count; tries++) {
		if (!strcmp(names->item[i], name)) {
			names->last = i;
			return (uint32_t)i;
		}
		i = i + 1 < count ? i + 1 : 0;
	}
	names->item = mem_grow(names->item, &names->capacity, count + 1,
			       sizeof(*names->item));
	names->item[count] = xstrdup(name);
	names->last = names->count++;
	return (uint32_t)count;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->item[i]);
	free(names->item);
}

/* ---- files ----------------------------------------------------------------- */

static int group_start(struct group *group, const char *path, struct err *err)
{
	struct hwpc_rows *rows = hwpc_rows_open(path, true, err);

	group->rows = rows;
	if (!rows)
		return -1;
	group->column = xcalloc(rows->columns, sizeof(size_t));
	for (size_t i = 0; i < rows->columns; i++) {
		if (!rows->event[i])
			continue;
		for (size_t j = 0; j < group->events; j++)
			if (!strcmp(rows->event[group->column[j]],
				    rows->event[i]))
				return err_set(err, EINVAL,
					       "%s: two columns '%.80s'", path,
					       rows->event[i]);
		group->column[group->events++] = i;
	}
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return strcmp(x->rows->group, y->rows->group);
}

struct hwpc_csv *hwpc_csv_open(const struct field_list *files, struct err *err)
{
	struct hwpc_csv *csv = xcalloc(1, sizeof(*csv));
	int failed = 0;

	if (files->count > HWPC_ROWS_FILES_MAX)
		failed = err_set(err, EFBIG, "more than %d CSV files",
				 HWPC_ROWS_FILES_MAX);
	for (size_t i = 0; i < files->count && !failed; i++)
		failed = group_start(&csv->group[csv->groups++], files->item[i],
				     err);
	if (failed) {
		hwpc_csv_close(csv);
		return NULL;
	}
	qsort(csv->group, csv->groups, sizeof(csv->group[0]), compare_groups);
	return csv;
}

void hwpc_csv_close(struct hwpc_csv *csv)
{
	if (!csv)
		return;
	for (size_t i = 0; i < csv->groups; i++) {
		hwpc_rows_close(csv->group[i].rows);
		free(csv->group[i].column);
		free(csv->group[i].row);
	}
	names_done(&csv->sensor);
	names_done(&csv->package);
	names_done(&csv->cpu);
	text_done(&csv->targets);
	hwpc_report_done(&csv->report);
	free(csv->value);
	free(csv->cell);
	free(csv->known);
	free(csv->from);
	free(csv->where);
	free(csv);
}

bool hwpc_csv_torn(const struct hwpc_csv *csv)
{
	for (size_t i = 0; i < csv->groups; i++)
		if (csv->group[i].rows->torn)
			return true;
	return false;
}

const char *hwpc_csv_where(struct hwpc_csv *csv)
{
	free(csv->where);
	csv->where =
		xasprintf("%s:%zu", csv->path ? csv->path : "csv", csv->line);
	return csv->where;
}

/* ---- a tick ---------------------------------------------------------------- */

static const char *target_of(const struct hwpc_csv *csv, const struct line *row)
{
	return csv->targets.data + row->target;
}

/* "all" first, then by name, then by sensor: whose report it is. */
static int compare_owners(const struct hwpc_csv *csv, const struct line *a,
			  const struct line *b)
{
	const char *x = target_of(csv, a), *y = target_of(csv, b);
	int order = 0;

	if (a->target != b->target)
		order = strcmp(x, y);
	if (order &&
	    (!strcmp(x, HWPC_TARGET_ALL) || !strcmp(y, HWPC_TARGET_ALL)))
		return strcmp(x, HWPC_TARGET_ALL) ? 1 : -1;
	if (!order && a->sensor != b->sensor)
		order = strcmp(csv->sensor.item[a->sensor],
			       csv->sensor.item[b->sensor]);
	return order;
}

static int compare_rows(const void *a, const void *b, void *self)
{
	const struct hwpc_csv *csv = self;
	const struct line *x = a, *y = b;
	int order = compare_owners(csv, x, y);

	if (!order && x->package != y->package)
		order = strverscmp(csv->package.item[x->package],
				   csv->package.item[y->package]);
	if (!order && x->cpu != y->cpu)
		order = strverscmp(csv->cpu.item[x->cpu],
				   csv->cpu.item[y->cpu]);
	if (!order)
		order = x->line < y->line ? -1 : 1;
	return order;
}

/* Where its target stands: mostly the row before has the same. */
static size_t target_put(struct hwpc_csv *csv, const struct hwpc_rows *rows,
			 const struct line *before)
{
	size_t start = csv->targets.length;

	if (before && start - before->target == rows->target_length + 1 &&
	    !memcmp(target_of(csv, before), rows->target, rows->target_length))
		return before->target;
	text_put_bytes(&csv->targets, rows->target, rows->target_length);
	text_put_bytes(&csv->targets, "", 1);
	return start;
}

static int values_put(struct hwpc_csv *csv, const struct group *group,
		      struct err *err)
{
	const struct hwpc_rows *rows = group->rows;

	csv->value =
		mem_grow(csv->value, &csv->value_capacity,
			 csv->values + group->events + 1, sizeof(*csv->value));
	for (size_t i = 0; i < group->events; i++) {
		uint64_t value = rows->value[group->column[i]];

		if (value > INT64_MAX && value != HWPC_ROWS_EMPTY)
			return err_set(err, ERANGE,
				       "%s:%zu: %s: larger than 2^63",
				       rows->path, rows->line,
				       rows->event[group->column[i]]);
		csv->value[csv->values++] = value;
	}
	return 0;
}

static int row_put(struct hwpc_csv *csv, struct group *group, struct err *err)
{
	const struct hwpc_rows *rows = group->rows;
	const struct line *before;
	struct line *row;

	if (group->count == ROWS_MAX || csv->cpu.count == NAMES_MAX ||
	    csv->sensor.count == NAMES_MAX || csv->package.count == NAMES_MAX)
		return err_set(err, EFBIG, "%s:%zu: too many rows in one tick",
			       rows->path, rows->line);
	group->row = mem_grow(group->row, &group->capacity, group->count + 1,
			      sizeof(*group->row));
	row = &group->row[group->count];
	before = group->count ? row - 1 : NULL;
	row->target = target_put(csv, rows, before);
	row->sensor = name_find(&csv->sensor, rows->sensor);
	row->package = name_find(&csv->package, rows->socket);
	row->cpu = name_find(&csv->cpu, rows->cpu);
	row->line = rows->line;
	row->value = csv->values;
	group->count++;
	if (before && group->sorted)
		group->sorted = compare_rows(before, row, csv) < 0;
	return values_put(csv, group, err);
}

static int group_read(struct hwpc_csv *csv, struct group *group,
		      struct err *err)
{
	struct hwpc_rows *rows = group->rows;

	group->count = group->at = 0;
	group->sorted = true;
	while (rows->ahead && rows->time_ms == csv->time_ms)
		if (row_put(csv, group, err) < 0 ||
		    hwpc_rows_next(rows, err) < 0)
			return -1;
	if (!group->sorted)
		qsort_r(group->row, group->count, sizeof(*group->row),
			compare_rows, csv);
	return 0;
}

/* All rows of the earliest timestamp; 1, or 0 at the end. */
static int tick_read(struct hwpc_csv *csv, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < csv->groups; i++) {
		const struct hwpc_rows *rows = csv->group[i].rows;

		if (rows->ahead && (!any || rows->time_ms < csv->time_ms)) {
			csv->time_ms = rows->time_ms;
			any = true;
		}
	}
	if (!any)
		return 0;
	csv->values = 0;
	text_clear(&csv->targets);
	for (size_t i = 0; i < csv->groups; i++)
		if (group_read(csv, &csv->group[i], err) < 0)
			return -1;
	return 1;
}

/* ---- a report -------------------------------------------------------------- */

/* Of the next report, one row; NULL: the tick is through. */
static const struct line *first_find(struct hwpc_csv *csv)
{
	const struct line *first = NULL;

	for (size_t i = 0; i < csv->groups; i++) {
		struct group *group = &csv->group[i];
		const struct line *row = &group->row[group->at];

		if (group->at == group->count ||
		    (first && compare_owners(csv, row, first) >= 0))
			continue;
		first = row;
		csv->path = group->rows->path;
		csv->line = row->line;
	}
	return first;
}

static void cell_add(struct hwpc_csv *csv, size_t group, const struct line *row)
{
	struct cell cell = { (uint32_t)group, row->package, row->cpu };

	/* The later one of two is what was meant. */
	if (csv->cells > 0 &&
	    !memcmp(&csv->cell[csv->cells - 1], &cell, sizeof(cell)))
		csv->cells--;
	csv->cell = mem_grow(csv->cell, &csv->cell_capacity, csv->cells + 1,
			     sizeof(*csv->cell));
	csv->from = mem_grow(csv->from, &csv->from_capacity, csv->cells + 1,
			     sizeof(*csv->from));
	csv->from[csv->cells] = row;
	csv->cell[csv->cells++] = cell;
}

static void cells_take(struct hwpc_csv *csv, const struct line *first)
{
	csv->cells = 0;
	for (size_t i = 0; i < csv->groups; i++) {
		struct group *group = &csv->group[i];

		while (group->at < group->count &&
		       !compare_owners(csv, &group->row[group->at], first))
			cell_add(csv, i, &group->row[group->at++]);
	}
}

static bool is_known(const struct hwpc_csv *csv)
{
	return csv->shape && csv->cells == csv->knowns &&
	       !memcmp(csv->cell, csv->known, csv->cells * sizeof(*csv->cell));
}

/* Every value by name; of empty cells there is none. */
static bool names_fill(struct hwpc_csv *csv)
{
	struct hwpc_report *report = &csv->report;
	bool whole = true;

	report->values = 0;
	for (size_t c = 0; c < csv->cells; c++) {
		const struct cell *cell = &csv->cell[c];
		const struct group *group = &csv->group[cell->group];

		report->value = mem_grow(report->value, &csv->report_capacity,
					 report->values + group->events + 1,
					 sizeof(*report->value));
		for (size_t i = 0; i < group->events; i++) {
			if (csv->value[csv->from[c]->value + i] ==
			    HWPC_ROWS_EMPTY) {
				whole = false;
				continue;
			}
			report->value[report->values++] = (struct hwpc_value){
				.group = group->rows->group,
				.package = csv->package.item[cell->package],
				.cpu = csv->cpu.item[cell->cpu],
				.event = group->rows->event[group->column[i]],
			};
		}
	}
	return whole;
}

/* False: a cell is empty that was not when these names were found. */
static bool values_fill(struct hwpc_csv *csv)
{
	struct hwpc_value *to = csv->report.value;
	bool whole = true;

	for (size_t c = 0; c < csv->cells; c++) {
		const uint64_t *from = csv->value + csv->from[c]->value;
		size_t events = csv->group[csv->cell[c].group].events;

		for (size_t i = 0; i < events; i++) {
			if (from[i] != HWPC_ROWS_EMPTY)
				to++->value = (double)(int64_t)from[i];
			else
				whole = false;
		}
	}
	return whole;
}

/* Reports with empty cells are each of their own shape. */
static void report_fill(struct hwpc_csv *csv, const struct line *first)
{
	struct hwpc_report *report = &csv->report;

	if (!is_known(csv) || !values_fill(csv)) {
		bool whole = names_fill(csv);

		values_fill(csv);
		csv->known = mem_grow(csv->known, &csv->known_capacity,
				      csv->cells, sizeof(*csv->known));
		memcpy(csv->known, csv->cell, csv->cells * sizeof(*csv->cell));
		csv->knowns = whole ? csv->cells : 0;
		csv->shape++;
	}
	report->shape = csv->shape;
	report->time_ms = csv->time_ms;
	report->sensor = csv->sensor.item[first->sensor];
	report->target = target_of(csv, first);
}

int hwpc_csv_next(struct hwpc_csv *csv, const struct hwpc_report **report,
		  struct err *err)
{
	const struct line *first;

	while (!(first = first_find(csv))) {
		int got = tick_read(csv, err);

		if (got <= 0)
			return got;
	}
	cells_take(csv, first);
	report_fill(csv, first);
	*report = &csv->report;
	return 1;
}
