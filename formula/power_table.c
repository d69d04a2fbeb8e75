/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/mem.h"
#include "lib/stat.h"

/* A gap longer than this many usual ones is a pause. */
#define PAUSE 1.5

/* What lies beyond is no count, frequency or voltage, and its square would not
 * be a number. */
#define LARGEST 1e30
/* Watts: below it the meter has nothing to say. */
#define LEAST_WATTS 1e-12

/* Where the map's columns are in a file. */
struct columns {
	const char *path;
	size_t power, group, time, frequency, voltage, temperature;
	size_t *rate, *thread;
};

/* ---- the header ---------------------------------------------------------------*/

/* The header with the delimiter it really has: tabs, else commas. */
static struct csv *open_table(const char *path, struct err *err)
{
	struct csv *csv = csv_open(path, ',', err);
	bool tabs = false;
	int got;

	if (!csv)
		return NULL;
	got = csv_next(csv, err);
	for (size_t i = 0; got > 0 && i < csv_cells(csv); i++)
		tabs = tabs || strchr(csv_cell(csv, i), '\t');
	if (got > 0 && tabs) {
		csv_close(csv);
		csv = csv_open(path, '\t', err);
		if (!csv)
			return NULL;
		got = csv_next(csv, err);
	}
	if (got > 0)
		return csv;
	if (got == 0)
		err_set(err, EINVAL,
			"%s: empty: a header with the columns' "
			"names is expected",
			path);
	csv_close(csv);
	return NULL;
}

static const char *header_cell(const struct csv *csv, size_t i)
{
	const char *cell = csv_cell(csv, i);

	return i == 0 && cell[0] == '#' ? cell + 1 : cell;
}

static int missing(const struct csv *csv, const char *path, const char *name,
		   struct err *err)
{
	size_t count = csv_cells(csv);
	const char **names = xcalloc(count + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < count; i++)
		names[i] = header_cell(csv, i);
	near = field_nearest(name, names);
	if (near)
		err_set(err, EINVAL,
			"%s: no column is called '%s' (did you mean '%s'?)",
			path, name, near);
	else
		err_set(err, EINVAL,
			"%s: no column is called '%s' (the first of %zu is "
			"'%.60s')",
			path, name, count, names[0]);
	free(names);
	return -1;
}

static int find(const struct csv *csv, const char *path, const char *name,
		size_t *column, struct err *err)
{
	if (!name)
		return 0;
	for (*column = 0; *column < csv_cells(csv); ++*column)
		if (!strcmp(header_cell(csv, *column), name))
			return 0;
	return missing(csv, path, name, err);
}

static int find_list(const struct csv *csv, const char *path,
		     const struct field_list *list, size_t *column,
		     struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (find(csv, path, list->item[i], &column[i], err) < 0)
			return -1;
	return 0;
}

static int columns_find(struct columns *columns, const struct csv *csv,
			const struct power_map *map, struct err *err)
{
	const char *path = columns->path;

	if (find(csv, path, map->power, &columns->power, err) < 0 ||
	    find(csv, path, map->group, &columns->group, err) < 0 ||
	    find(csv, path, map->time, &columns->time, err) < 0 ||
	    find(csv, path, map->frequency, &columns->frequency, err) < 0 ||
	    find(csv, path, map->voltage, &columns->voltage, err) < 0 ||
	    find(csv, path, map->temperature, &columns->temperature, err) < 0 ||
	    find_list(csv, path, &map->counters, columns->rate, err) < 0 ||
	    find_list(csv, path, &map->rates,
		      columns->rate + map->counters.count, err) < 0 ||
	    find_list(csv, path, &map->threads, columns->thread, err) < 0)
		return -1;
	return 0;
}

/* ---- rows ---------------------------------------------------------------------*/

static size_t group_of(struct power_table *table, const char *name)
{
	/* Rows of a group mostly come together. */
	for (size_t i = table->groups; i-- > 0;)
		if (!strcmp(table->group_name[i], name))
			return i;
	table->group_name =
		mem_grow(table->group_name, &table->room[0], table->groups + 1,
			 sizeof(*table->group_name));
	table->group_name[table->groups] = xstrdup(name);
	return table->groups++;
}

static void table_grow(struct power_table *table, const struct power_map *map)
{
	size_t n = table->rows + 1, *room = table->room;

	table->watts = mem_grow(table->watts, &room[1], n, sizeof(double));
	table->rate = mem_grow(table->rate, &room[2], n * table->rates + 1,
			       sizeof(double));
	if (map->frequency)
		table->hertz =
			mem_grow(table->hertz, &room[3], n, sizeof(double));
	if (map->voltage)
		table->volts =
			mem_grow(table->volts, &room[4], n, sizeof(double));
	if (map->temperature)
		table->celsius =
			mem_grow(table->celsius, &room[5], n, sizeof(double));
	if (map->threads.count)
		table->cores =
			mem_grow(table->cores, &room[6],
				 n * POWER_TABLE_CORE_USES, sizeof(double));
	table->group =
		mem_grow(table->group, &room[7], n, sizeof(*table->group));
	if (map->time)
		table->time =
			mem_grow(table->time, &room[8], n, sizeof(double));
}

/* A cell that may not be negative. */
static int amount_read(const struct columns *columns, const struct csv *csv,
		       size_t column, double *value, struct err *err)
{
	if (csv_real(csv, column, value, err) < 0)
		return -1;
	if (*value >= 0 && *value <= LARGEST)
		return 0;
	return err_set(err, EINVAL,
		       "%s:%zu: column %zu: a number from 0 to %g is expected, "
		       "found %.40s",
		       columns->path, csv_line(csv), column + 1, LARGEST,
		       csv_cell(csv, column));
}

static int cores_read(struct power_table *table, const struct power_map *map,
		      const struct columns *columns, const struct csv *csv,
		      struct err *err)
{
	size_t siblings = (size_t)map->siblings;
	size_t cores = siblings ? siblings : map->threads.count;
	double *use = table->cores + table->rows * POWER_TABLE_CORE_USES;

	memset(use, 0, POWER_TABLE_CORE_USES * sizeof(*use));
	for (size_t i = 0; i < cores; i++) {
		double first, second = 0;

		if (amount_read(columns, csv, columns->thread[i], &first, err) <
			    0 ||
		    (siblings &&
		     amount_read(columns, csv, columns->thread[i + siblings],
				 &second, err) < 0))
			return -1;
		use[0] += first > 0 || second > 0;
		use[1] += fmax(first, second) / map->thread_full;
		use[2] += (first + second) / map->thread_full;
	}
	return 0;
}

/* The power, and what is there but for the counters. */
static int watts_read(struct power_table *table, const struct power_map *map,
		      const struct columns *columns, const struct csv *csv,
		      struct err *err)
{
	double *watts = &table->watts[table->rows];

	if (csv_real(csv, columns->power, watts, err) < 0)
		return -1;
	if (*watts >= LEAST_WATTS && *watts <= LARGEST)
		return 0;
	return err_set(err, EINVAL,
		       "%s:%zu: %s: a power above 0 is expected, found %g",
		       columns->path, csv_line(csv), map->power, *watts);
}

static int conditions_read(struct power_table *table,
			   const struct power_map *map,
			   const struct columns *columns, const struct csv *csv,
			   struct err *err)
{
	size_t row = table->rows;

	if ((map->time &&
	     csv_real(csv, columns->time, &table->time[row], err) < 0) ||
	    (map->frequency && amount_read(columns, csv, columns->frequency,
					   &table->hertz[row], err) < 0) ||
	    (map->voltage && amount_read(columns, csv, columns->voltage,
					 &table->volts[row], err) < 0) ||
	    (map->temperature && csv_real(csv, columns->temperature,
					  &table->celsius[row], err) < 0))
		return -1;
	if (map->time)
		table->time[row] *= power_map_second(map);
	if (map->frequency)
		table->hertz[row] *= power_map_hertz(map);
	return 0;
}

static int row_read(struct power_table *table, const struct power_map *map,
		    const struct columns *columns, const struct csv *csv,
		    struct err *err)
{
	size_t row = table->rows;
	double *rate;

	if (row * (table->rates + 10) > POWER_TABLE_CELLS_MAX)
		return err_set(err, EFBIG, "%s: more than %zu values",
			       columns->path, POWER_TABLE_CELLS_MAX);
	table_grow(table, map);
	rate = table->rate + row * table->rates;
	for (size_t i = 0; i < table->rates; i++)
		if (amount_read(columns, csv, columns->rate[i], &rate[i], err) <
		    0)
			return -1;
	if (watts_read(table, map, columns, csv, err) < 0 ||
	    conditions_read(table, map, columns, csv, err) < 0 ||
	    (map->threads.count &&
	     cores_read(table, map, columns, csv, err) < 0))
		return -1;
	if (map->group && columns->group >= csv_cells(csv))
		return err_set(err, EINVAL, "%s:%zu: column %zu: missing",
			       columns->path, csv_line(csv),
			       columns->group + 1);
	table->group[row] =
		group_of(table, map->group ? csv_cell(csv, columns->group)
					   : columns->path);
	table->rows++;
	return 0;
}

/* ---- what lies between rows ----------------------------------------------------*/

/* How long rows usually are apart in this file; NaN where nobody knows. */
static double usual_gap(const struct power_table *table, size_t from)
{
	size_t n = table->rows - from, gaps = 0;
	double *gap = xcalloc(n + 1, sizeof(*gap)), usual;

	for (size_t i = from + 1; i < table->rows; i++)
		if (table->time[i] > table->time[i - 1])
			gap[gaps++] = table->time[i] - table->time[i - 1];
	usual = gaps ? stat_median(gap, gaps) : (double)NAN;
	free(gap);
	return usual;
}

static bool is_stale(const struct power_table *table, size_t row)
{
	return table->rates && !memcmp(table->rate + row * table->rates,
				       table->rate + (row - 1) * table->rates,
				       table->rates * sizeof(double));
}

static int rows_relate(struct power_table *table, const struct power_map *map,
		       size_t from, const char *path, struct err *err)
{
	double usual = map->time ? usual_gap(table, from) : 1;

	if (isnan(usual) && map->counters.count)
		return err_set(err, EINVAL,
			       "%s: %s never advances: how long counters were "
			       "counting is not known",
			       path, map->time);
	table->follows =
		xrealloc(table->follows, table->rows, sizeof(*table->follows));
	table->stale =
		xrealloc(table->stale, table->rows, sizeof(*table->stale));
	/* Counts first: a rate differs where only the time does. */
	for (size_t i = from; i < table->rows; i++)
		table->stale[i] = i > from && is_stale(table, i);
	for (size_t i = from; i < table->rows; i++) {
		double gap = i > from && map->time
				     ? table->time[i] - table->time[i - 1]
				     : usual;

		table->follows[i] = i > from && gap > 0 && gap < PAUSE * usual;
		for (size_t j = 0; j < map->counters.count; j++)
			table->rate[i * table->rates + j] /=
				table->follows[i] ? gap : usual;
	}
	return 0;
}

static int file_read(struct power_table *table, const struct power_map *map,
		     const char *path, struct err *err)
{
	struct columns columns = { .path = path };
	struct csv *csv = open_table(path, err);
	size_t from = table->rows;
	int result;

	if (!csv)
		return -1;
	columns.rate = xcalloc(table->rates + 1, sizeof(size_t));
	columns.thread = xcalloc(map->threads.count + 1, sizeof(size_t));
	result = columns_find(&columns, csv, map, err);
	while (result == 0 && (result = csv_next(csv, err)) > 0)
		result = row_read(table, map, &columns, csv, err);
	if (result == 0 && table->rows == from)
		result = err_set(err, EINVAL, "%s: no rows below the header",
				 path);
	if (result == 0)
		result = rows_relate(table, map, from, path, err);
	free(columns.rate);
	free(columns.thread);
	csv_close(csv);
	return result;
}

int power_table_read(struct power_table *table, const struct power_map *map,
		     const struct field_list *files, struct err *err)
{
	memset(table, 0, sizeof(*table));
	table->rates = map->counters.count + map->rates.count;
	for (size_t i = 0; i < files->count; i++)
		if (file_read(table, map, files->item[i], err) < 0) {
			power_table_done(table);
			return -1;
		}
	return 0;
}

void power_table_done(struct power_table *table)
{
	for (size_t i = 0; i < table->groups; i++)
		free(table->group_name[i]);
	free(table->group_name);
	free(table->watts);
	free(table->rate);
	free(table->hertz);
	free(table->volts);
	free(table->celsius);
	free(table->cores);
	free(table->group);
	free(table->follows);
	free(table->stale);
	free(table->time);
	memset(table, 0, sizeof(*table));
}
