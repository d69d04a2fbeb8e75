/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UCI heart disease (Janosi, Steinbrunn, Pfisterer, Detrano, 1989): rows of 14
 * numbers, the last of which says how diseased (0 … 4), from four centres.
 *
 * As FLamby's Fed-Heart-Disease takes them (du Terrail et al., 2022): disease
 * or none; without slope, ca and thal, which three centres hardly recorded;
 * cp and restecg, which are categories, as a feature for each but the first;
 * rows with a missing value ("?", NaN) are left out.  13 features remain.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench/dataset_table.h"
#include "lib/csv.h"
#include "lib/mem.h"

static const char *const centres[] = { "cleveland", "hungarian", "switzerland",
				       "va" };
#define CENTRES (sizeof(centres) / sizeof(centres[0]))

/* A range is that of categories; else any number will do. */
static const struct column {
	const char *name;
	int first, last;
	bool left_out;
} columns[] = {
	{ .name = "age" },
	{ .name = "sex" },
	{ .name = "cp", .first = 1, .last = 4 },
	{ .name = "trestbps" },
	{ .name = "chol" },
	{ .name = "fbs" },
	{ .name = "restecg", .first = 0, .last = 2 },
	{ .name = "thalach" },
	{ .name = "exang" },
	{ .name = "oldpeak" },
	{ .name = "slope", .left_out = true },
	{ .name = "ca", .left_out = true },
	{ .name = "thal", .left_out = true },
	{ .name = "num", .first = 0, .last = 4 },
};
#define COLUMNS  (sizeof(columns) / sizeof(columns[0]))
#define NUM      (COLUMNS - 1)
#define FEATURES 13

struct reader {
	const char *path;
	struct csv *csv;
	struct dataset_table table;
	size_t centre;
};

static int cell_read(const struct reader *reader, size_t i, double *value,
		     struct err *err)
{
	const struct column *column = &columns[i];

	if (csv_real(reader->csv, i, value, err) < 0)
		return -1;
	if (!column->last && *value >= -1e6 && *value <= 1e6)
		return 0;
	if (column->last && *value >= column->first && *value <= column->last &&
	    *value == (double)(int)*value)
		return 0;
	return err_set(err, EINVAL,
		       "%s:%zu: column %zu (%s): impossible value "
		       "%s",
		       reader->path, csv_line(reader->csv), i + 1, column->name,
		       csv_cell(reader->csv, i));
}

static bool to_be_dropped(const struct reader *reader)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (!columns[i].left_out &&
		    dataset_is_missing(csv_cell(reader->csv, i)))
			return true;
	return false;
}

static int row_read(struct reader *reader, struct err *err)
{
	float *x;
	double value;

	if (csv_cells(reader->csv) != COLUMNS)
		return err_set(err, EINVAL,
			       "%s:%zu: %zu columns, expected %zu (age … num)",
			       reader->path, csv_line(reader->csv),
			       csv_cells(reader->csv), COLUMNS);
	if (to_be_dropped(reader))
		return 0;
	x = dataset_table_row(&reader->table, err);
	if (!x)
		return -1;
	for (size_t i = 0; i < NUM; i++) {
		const struct column *column = &columns[i];

		if (column->left_out)
			continue;
		if (cell_read(reader, i, &value, err) < 0)
			return -1;
		if (!column->last)
			*x++ = (float)value;
		for (int c = column->first + 1; c <= column->last; c++)
			*x++ = value == c;
	}
	if (cell_read(reader, NUM, &value, err) < 0)
		return -1;
	dataset_table_put(&reader->table, value > 0.0, reader->centre, false);
	return 0;
}

static int rows_read(struct reader *reader, struct err *err)
{
	size_t before = reader->table.rows;
	int got;

	while ((got = csv_next(reader->csv, err)) > 0)
		if (row_read(reader, err) < 0)
			return -1;
	if (got == 0 && reader->table.rows == before)
		return err_set(err, EINVAL,
			       "%s: no rows without missing values",
			       reader->path);
	return got;
}

static int file_read(struct reader *reader, const char *path, struct err *err)
{
	char *found = dataset_file_path(path);
	int rc = -1;

	reader->path = found;
	reader->csv = csv_open(found, ',', err);
	if (reader->csv)
		rc = rows_read(reader, err);
	csv_close(reader->csv);
	free(found);
	return rc;
}

/* processed.CENTRE.data of each centre there is; the centres are the users. */
static int folder_read(struct reader *reader, const char *folder,
		       struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < CENTRES && rc == 0; i++) {
		char *plain =
			xasprintf("%s/processed.%s.data", folder, centres[i]);
		char *path = dataset_file_path(plain);
		bool there = dataset_file_exists(plain);

		free(plain);
		if (there)
			rc = dataset_words_find(&reader->table.users,
						centres[i], &reader->centre,
						err);
		if (there && rc == 0)
			rc = file_read(reader, path, err);
		free(path);
	}
	if (rc == 0 && !reader->table.users.count)
		return err_set(err, ENOENT,
			       "%s: no processed.cleveland.data, nor another "
			       "centre's",
			       folder);
	return rc;
}

static int heart_read(struct dataset *set, const char *place,
		      const struct dataset_options *options, struct err *err)
{
	struct reader reader = {
		.table = { .features = FEATURES },
		.centre = DATASET_NO_USER,
	};
	struct stat status;
	int rc;

	(void)options;
	if (stat(place, &status) == 0 && S_ISDIR(status.st_mode))
		rc = folder_read(&reader, place, err);
	else
		rc = file_read(&reader, place, err);
	if (rc == 0)
		rc = dataset_table_finish(&reader.table, set, err);
	dataset_table_done(&reader.table);
	return rc;
}

const struct dataset_kind dataset_kind_heart = {
	.scheme = "heart",
	.form = "heart:DIR",
	.fields = dataset_fields,
	.scale = DATASET_SCALE_STANDARD,
	.test = 0.34,
	.read = heart_read,
};
