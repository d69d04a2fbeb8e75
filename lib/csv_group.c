/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/field.h"
#include "lib/mem.h"

enum { TIMESTAMP, SENSOR, TARGET, SOCKET, CPU, FIXED };

static const char *const fixed_names[FIXED] = {
	[TIMESTAMP] = "timestamp", [SENSOR] = "sensor", [TARGET] = "target",
	[SOCKET] = "socket",       [CPU] = "cpu",
};

/* One file, its columns; kept as long as rows may name them. */
struct file {
	char *path;
	size_t fixed[FIXED];     /* columns of those */
	struct field_list event; /* the others */
	size_t *event_column;
	size_t columns;
	bool ended; /* by a newline */
};

struct csv_group {
	char *name;
	struct file *file;
	size_t files, at;
	struct csv *csv;
	int next;                    /* is there a row in `csv`? */
	struct csv_group_row *ahead; /* the one before it */
	int64_t last_ms;
	struct csv_group_row **row;
	size_t rows, capacity;
	bool torn;
};

/* ---- files --------------------------------------------------------------- */

struct csv_group *csv_group_new(const char *name)
{
	struct csv_group *group = xcalloc(1, sizeof(*group));

	group->name = xstrdup(name);
	group->last_ms = INT64_MIN;
	return group;
}

void csv_group_add(struct csv_group *group, const char *path)
{
	group->file =
		xrealloc(group->file, group->files + 1, sizeof(struct file));
	group->file[group->files++] = (struct file){ .path = xstrdup(path) };
}

static void file_done(struct file *file)
{
	field_list_done(&file->event);
	free(file->event_column);
	free(file->path);
}

static int header_column(struct file *file, const struct csv *csv,
			 size_t column, bool found[FIXED], struct err *err)
{
	const char *name = csv_cell(csv, column);

	for (int i = 0; i < FIXED; i++) {
		if (strcmp(fixed_names[i], name) != 0)
			continue;
		file->fixed[i] = column;
		found[i] = true;
		return 0;
	}
	if (!strcmp(name, "metadata"))
		return 0;
	if (field_list_has(&file->event, name))
		return err_set(err, EINVAL, "%s: two columns '%.80s'",
			       file->path, name);
	file->event_column[file->event.count] = column;
	field_list_add(&file->event, name);
	return 0;
}

static int header_read(struct file *file, const struct csv *csv,
		       struct err *err)
{
	bool found[FIXED] = { false };

	file->columns = csv_cells(csv);
	file->event_column = xcalloc(file->columns, sizeof(size_t));
	for (size_t i = 0; i < file->columns; i++)
		if (header_column(file, csv, i, found, err) < 0)
			return -1;
	for (int i = 0; i < FIXED; i++)
		if (!found[i])
			return err_set(err, EINVAL,
				       "%s: no column '%s' in its first line "
				       "(is this hwpc-sensor's?)",
				       file->path, fixed_names[i]);
	return 0;
}

/* Open the next file and read its first row. */
static int file_start(struct csv_group *group, struct err *err)
{
	struct file *file = &group->file[group->at];
	int got;

	group->csv = csv_open(file->path, ',', err);
	if (!group->csv)
		return -1;
	file->ended = csv_file_is_ended(file->path);
	got = csv_next(group->csv, err);
	if (got > 0 && header_read(file, group->csv, err) < 0)
		return -1;
	group->next = got > 0 ? csv_next(group->csv, err) : got;
	return group->next < 0 ? -1 : 0;
}

/* ---- rows ---------------------------------------------------------------- */

/* A cell into the row's own memory. */
static const char *keep(char **at, const char *cell)
{
	char *copy = *at;

	*at = stpcpy(copy, cell) + 1;
	return copy;
}

static struct csv_group_row *row_new(const struct csv_group *group)
{
	const struct file *file = &group->file[group->at];
	const struct csv *csv = group->csv;
	size_t events = file->event.count;
	size_t size = sizeof(struct csv_group_row) +
		      events * (sizeof(uint64_t) + sizeof(bool));
	struct csv_group_row *row;
	char *at;

	for (int i = SENSOR; i < FIXED; i++)
		size += strlen(csv_cell(csv, file->fixed[i])) + 1;
	row = xcalloc(1, size);
	row->value = (uint64_t *)(row + 1);
	row->given = (bool *)(row->value + events);
	at = (char *)(row->given + events);
	row->group = group->name;
	row->path = file->path;
	row->line = csv_line(csv);
	row->sensor = keep(&at, csv_cell(csv, file->fixed[SENSOR]));
	row->target = keep(&at, csv_cell(csv, file->fixed[TARGET]));
	row->key[0] = keep(&at, csv_cell(csv, file->fixed[SOCKET]));
	row->key[1] = keep(&at, csv_cell(csv, file->fixed[CPU]));
	row->events = events;
	row->event = file->event.item;
	return row;
}

static int row_numbers(const struct csv_group *group, struct csv_group_row *row,
		       struct err *err)
{
	const struct file *file = &group->file[group->at];
	uint64_t number;

	if (csv_uint(group->csv, file->fixed[TIMESTAMP], &number, err) < 0)
		return -1;
	row->time_ms = (int64_t)(number & INT64_MAX);
	for (size_t i = 0; i < row->events; i++) {
		size_t column = file->event_column[i];

		if (!*csv_cell(group->csv, column))
			continue;
		if (csv_uint(group->csv, column, &row->value[i], err) < 0)
			return -1;
		if (row->value[i] > INT64_MAX)
			return err_set(err, ERANGE,
				       "%s:%zu: column %zu: larger than 2^63",
				       row->path, row->line, column + 1);
		row->given[i] = true;
	}
	return 0;
}

/* The row that `csv` holds. */
static struct csv_group_row *row_read(const struct csv_group *group,
				      struct err *err)
{
	const struct file *file = &group->file[group->at];
	struct csv_group_row *row;

	if (csv_cells(group->csv) != file->columns) {
		err_set(err, EINVAL, "%s:%zu: expected %zu cells, found %zu",
			file->path, csv_line(group->csv), file->columns,
			csv_cells(group->csv));
		return NULL;
	}
	row = row_new(group);
	if (row_numbers(group, row, err) < 0) {
		free(row);
		return NULL;
	}
	return row;
}

static int check_order(struct csv_group *group, struct err *err)
{
	const struct csv_group_row *row = group->ahead;

	if (row->time_ms < group->last_ms)
		return err_set(err, EINVAL,
			       "%s:%zu: the timestamp goes back from %lld to "
			       "%lld (split the files there)",
			       row->path, row->line, (long long)group->last_ms,
			       (long long)row->time_ms);
	group->last_ms = row->time_ms;
	return 0;
}

/* Put the next row of all files into `ahead`; NULL there at the end. */
static int row_advance(struct csv_group *group, struct err *err)
{
	group->ahead = NULL;
	while (group->at < group->files) {
		struct err what = { 0 };
		bool torn;

		if (!group->csv && file_start(group, err) < 0)
			return -1;
		if (!group->next) {
			csv_close(group->csv);
			group->csv = NULL;
			group->at++;
			continue;
		}
		group->ahead = row_read(group, &what);
		group->next = csv_next(group->csv, err);
		if (group->next < 0)
			return -1;
		torn = !group->next && !group->file[group->at].ended;
		if (!torn && !group->ahead) {
			if (err)
				*err = what;
			return -1;
		}
		if (!torn)
			return check_order(group, err);
		group->torn = true;
		free(group->ahead);
		group->ahead = NULL;
	}
	return 0;
}

int csv_group_start(struct csv_group *group, struct err *err)
{
	return row_advance(group, err);
}

const char *csv_group_name(const struct csv_group *group)
{
	return group->name;
}

bool csv_group_ahead(const struct csv_group *group, int64_t *time_ms)
{
	if (group->ahead)
		*time_ms = group->ahead->time_ms;
	return group->ahead != NULL;
}

static void rows_drop(struct csv_group *group)
{
	for (size_t i = 0; i < group->rows; i++)
		free(group->row[i]);
	group->rows = 0;
}

int csv_group_read(struct csv_group *group, int64_t time_ms, struct err *err)
{
	rows_drop(group);
	while (group->ahead && group->ahead->time_ms == time_ms) {
		if (group->rows == CSV_GROUP_ROWS_MAX)
			return err_set(err, EFBIG,
				       "%s:%zu: more than %zu rows in one tick",
				       group->ahead->path, group->ahead->line,
				       CSV_GROUP_ROWS_MAX);
		group->row =
			mem_grow(group->row, &group->capacity, group->rows + 1,
				 sizeof(struct csv_group_row *));
		group->row[group->rows++] = group->ahead;
		if (row_advance(group, err) < 0)
			return -1;
	}
	return 0;
}

size_t csv_group_rows(const struct csv_group *group)
{
	return group->rows;
}

const struct csv_group_row *csv_group_row(const struct csv_group *group,
					  size_t index)
{
	return group->row[index];
}

bool csv_group_torn(const struct csv_group *group)
{
	return group->torn;
}

void csv_group_close(struct csv_group *group)
{
	rows_drop(group);
	free(group->ahead);
	csv_close(group->csv);
	for (size_t i = 0; i < group->files; i++)
		file_done(&group->file[i]);
	free(group->file);
	free(group->row);
	free(group->name);
	free(group);
}

const char *csv_group_key(const struct csv_group_row *row, int depth)
{
	return depth == 0 ? row->group : row->key[depth - 1];
}
