/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of numbers, one column of which is the class, be it a number or a
 * word, and one of which may say who produced the row.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/dataset_table.h"
#include "bench/net.h"
#include "lib/csv.h"
#include "lib/mem.h"

#define NONE SIZE_MAX

struct reader {
	const struct dataset_options *options;
	const char *path; /* for messages */
	struct csv *csv;
	struct dataset_table table;
	size_t columns, label, user; /* NONE: no column of users */
	bool named;                  /* has a header */
	bool test;
	size_t dropped;
};

/* ---- the first row --------------------------------------------------------- */

/* A first row with a feature that is no number has the columns' names. */
static bool is_header(const struct reader *reader)
{
	double value;

	if (reader->options->header != DATASET_HEADER_AUTO)
		return reader->options->header == DATASET_HEADER_YES;
	for (size_t i = 0; i < reader->columns; i++)
		if (i != reader->label && i != reader->user &&
		    !dataset_is_missing(csv_cell(reader->csv, i)) &&
		    csv_real(reader->csv, i, &value, NULL) < 0)
			return true;
	return false;
}

/* "num" in the header, "14" or "last".  NONE where there is none such. */
static size_t column_find(const struct reader *reader, const char *which)
{
	char *end;
	unsigned long number;

	for (size_t i = 0; i < reader->columns; i++)
		if (strcmp(csv_cell(reader->csv, i), which) == 0)
			return i;
	if (strcmp(which, "last") == 0)
		return reader->columns - 1;
	number = strtoul(which, &end, 10);
	if (*end || number < 1 || number > reader->columns)
		return NONE;
	return number - 1;
}

static int column_need(const struct reader *reader, const char *role,
		       const char *which, size_t *column, struct err *err)
{
	*column = column_find(reader, which);
	if (*column != NONE)
		return 0;
	err_set(err, EINVAL, "%s: no column '%.60s' for %s=", reader->path,
		which, role);
	return err_remedy(err,
			  "a name of the first row, 1 … %zu, or \"last\"; the "
			  "first row begins \"%.40s\"",
			  reader->columns, csv_cell(reader->csv, 0));
}

/* Which columns are what; 1: the row was a header. */
static int first_row(struct reader *reader, struct err *err)
{
	const struct dataset_options *options = reader->options;

	reader->columns = csv_cells(reader->csv);
	reader->user = NONE;
	if (column_need(reader, "label",
			options->label ? options->label : "last",
			&reader->label, err) < 0 ||
	    (options->user && column_need(reader, "user", options->user,
					  &reader->user, err) < 0))
		return -1;
	if (reader->label == reader->user)
		return err_set(err, EINVAL,
			       "%s: column %zu cannot be label and user",
			       reader->path, reader->label + 1);
	if (reader->columns < 2u + (reader->user != NONE) ||
	    reader->columns > NET_WIDTH_MAX + 2) {
		err_set(err, EINVAL,
			"%s: %zu columns; expected features, then the class",
			reader->path, reader->columns);
		return err_remedy(err, "csv: cuts at commas, tsv: at tabs");
	}
	reader->table.features = reader->columns - 1 - (reader->user != NONE);
	return is_header(reader);
}

/* ---- rows ------------------------------------------------------------------ */

static bool to_be_dropped(const struct reader *reader)
{
	if (reader->options->missing != DATASET_MISSING_DROP)
		return false;
	for (size_t i = 0; i < reader->columns; i++)
		if (dataset_is_missing(csv_cell(reader->csv, i)))
			return true;
	return false;
}

static int feature_read(const struct reader *reader, size_t column, float *x,
			struct err *err)
{
	const char *cell = csv_cell(reader->csv, column);
	double value;

	if (csv_real(reader->csv, column, &value, err) < 0)
		return dataset_is_missing(cell)
			       ? err_remedy(err, "missing=drop leaves such "
						 "rows out")
			       : -1;
	*x = (float)value;
	if (isfinite(*x))
		return 0;
	return err_set(err, EINVAL, "%s:%zu: column %zu: %s is too large",
		       reader->path, csv_line(reader->csv), column + 1, cell);
}

static int features_read(struct reader *reader, struct err *err)
{
	float *x = dataset_table_row(&reader->table, err);

	if (!x)
		return err_wrap(err, "%s", reader->path);
	for (size_t i = 0; i < reader->columns; i++)
		if (i != reader->label && i != reader->user &&
		    feature_read(reader, i, x++, err) < 0)
			return -1;
	return 0;
}

static int word_read(struct reader *reader, struct dataset_words *words,
		     size_t column, const char *what, size_t *index,
		     struct err *err)
{
	if (dataset_words_find(words, csv_cell(reader->csv, column), index,
			       err) == 0)
		return 0;
	err_wrap(err, "%s: column %zu", reader->path, column + 1);
	return err_remedy(err, "is it the %s?", what);
}

static int row_read(struct reader *reader, struct err *err)
{
	struct dataset_table *table = &reader->table;
	size_t class, user = DATASET_NO_USER;

	if (csv_cells(reader->csv) != reader->columns)
		return err_set(err, EINVAL,
			       "%s:%zu: %zu columns where the first row has "
			       "%zu",
			       reader->path, csv_line(reader->csv),
			       csv_cells(reader->csv), reader->columns);
	if (to_be_dropped(reader)) {
		reader->dropped++;
		return 0;
	}
	if (features_read(reader, err) < 0 ||
	    word_read(reader, &table->classes, reader->label, "class", &class,
		      err) < 0 ||
	    (reader->user != NONE &&
	     word_read(reader, &table->users, reader->user, "user", &user,
		       err) < 0))
		return -1;
	dataset_table_put(table, class, user, reader->test);
	return 0;
}

static int rows_read(struct reader *reader, struct err *err)
{
	size_t columns = reader->columns, before = reader->table.rows;
	int got = csv_next(reader->csv, err), header;

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, EINVAL, "%s: no rows",
					 reader->path);
	if (columns && columns != csv_cells(reader->csv))
		return err_set(err, EINVAL,
			       "%s: %zu columns where the training part has "
			       "%zu",
			       reader->path, csv_cells(reader->csv), columns);
	header = first_row(reader, err);
	if (header < 0)
		return -1;
	if (header)
		got = csv_next(reader->csv, err);
	for (; got > 0; got = csv_next(reader->csv, err))
		if (row_read(reader, err) < 0)
			return -1;
	if (got == 0 && reader->table.rows == before)
		return err_set(err, EINVAL, "%s: no rows%s", reader->path,
			       reader->dropped ? " without missing values"
					       : " behind the header");
	return got;
}

static int file_read(struct reader *reader, const char *path, char delimiter,
		     struct err *err)
{
	char *found = dataset_file_path(path);
	int rc = -1;

	reader->path = found;
	reader->csv = csv_open(found, delimiter, err);
	if (reader->csv)
		rc = rows_read(reader, err);
	csv_close(reader->csv);
	free(found);
	return rc;
}

/* ---- files ----------------------------------------------------------------- */

static int part_read(struct reader *reader, const char *folder,
		     const char *name, char delimiter, struct err *err)
{
	char *path = xasprintf("%s/%s.%s", folder, name,
			       delimiter == '\t' ? "tsv" : "csv");
	int rc = file_read(reader, path, delimiter, err);

	free(path);
	return rc;
}

static int place_read(struct reader *reader, const char *place, char delimiter,
		      struct err *err)
{
	struct stat status;

	if (stat(place, &status) < 0 || !S_ISDIR(status.st_mode))
		return file_read(reader, place, delimiter, err);
	if (part_read(reader, place, "train", delimiter, err) < 0)
		return -1;
	reader->test = true;
	return part_read(reader, place, "test", delimiter, err);
}

static int table_read(struct dataset *set, const char *place, char delimiter,
		      const struct dataset_options *options, struct err *err)
{
	struct reader reader = {
		.options = options,
		.table = { .users = { .max = DATASET_USERS_MAX } },
	};
	int rc = place_read(&reader, place, delimiter, err);

	if (rc == 0)
		rc = dataset_table_finish(&reader.table, set, err);
	dataset_table_done(&reader.table);
	return rc;
}

static int csv_read(struct dataset *set, const char *place,
		    const struct dataset_options *options, struct err *err)
{
	return table_read(set, place, ',', options, err);
}

static int tsv_read(struct dataset *set, const char *place,
		    const struct dataset_options *options, struct err *err)
{
	return table_read(set, place, '\t', options, err);
}

static const char *const missing_names[] = { "refuse", "drop", NULL };
static const char *const header_names[] = { "auto", "yes", "no", NULL };

/* clang-format off */
static const struct field fields[] = {
	DATASET_FIELDS,
	{ "label", FIELD_TEXT, offsetof(struct dataset_options, label),
	  .initial = NULL },
	{ "user", FIELD_TEXT, offsetof(struct dataset_options, user),
	  .initial = NULL },
	{ "missing", FIELD_CHOICE, offsetof(struct dataset_options, missing),
	  .choices = missing_names },
	{ "header", FIELD_CHOICE, offsetof(struct dataset_options, header),
	  .choices = header_names },
	FIELD_END
};
/* clang-format on */

const struct dataset_kind dataset_kind_csv = {
	.scheme = "csv",
	.form = "csv:FILE",
	.fields = fields,
	.scale = DATASET_SCALE_STANDARD,
	.test = 0.2,
	.read = csv_read,
};

const struct dataset_kind dataset_kind_tsv = {
	.scheme = "tsv",
	.form = "tsv:FILE",
	.fields = fields,
	.scale = DATASET_SCALE_STANDARD,
	.test = 0.2,
	.read = tsv_read,
};
