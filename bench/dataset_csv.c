/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of numbers whose last column is the class, be it a number or a word.
 * Classes are numbered in their natural order: numbers by value, words by
 * bytes.
 */
#include "bench/dataset_kind.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net.h"
#include "lib/csv.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define HELD_OUT 5 /* a fifth */

struct rows {
	const char *path; /* for messages */
	size_t features, rows;
	float *x;
	size_t x_capacity;
	size_t *class; /* of each row: index into `name` */
	size_t class_capacity;
	char **name;
	size_t names, name_capacity;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->names; i++)
		free(rows->name[i]);
	free(rows->name);
	free(rows->class);
	free(rows->x);
}

/* ---- reading --------------------------------------------------------------- */

static int class_of(struct rows *rows, const char *cell, size_t *class,
		    struct err *err)
{
	for (*class = 0; *class < rows->names; ++*class)
		if (strcmp(rows->name[*class], cell) == 0)
			return 0;
	if (rows->names == DATASET_CLASSES_MAX)
		return err_set(err, EFBIG,
			       "%s: more than %d different values in the last "
			       "column: is it the class?",
			       rows->path, DATASET_CLASSES_MAX);
	rows->name = mem_grow(rows->name, &rows->name_capacity, rows->names + 1,
			      sizeof(*rows->name));
	rows->name[rows->names++] = xstrdup(cell);
	return 0;
}

static int features_read(struct rows *rows, const struct csv *csv,
			 struct err *err)
{
	size_t at = rows->rows * rows->features;

	if (at + rows->features > DATASET_FLOATS_MAX)
		return err_set(err, EFBIG,
			       "%s: more than the limit of %zu values",
			       rows->path, DATASET_FLOATS_MAX);
	rows->x = mem_grow(rows->x, &rows->x_capacity, at + rows->features,
			   sizeof(*rows->x));
	for (size_t i = 0; i < rows->features; i++) {
		double value;

		if (csv_real(csv, i, &value, err) < 0)
			return -1;
		rows->x[at + i] = (float)value;
		if (!isfinite(rows->x[at + i]))
			return err_set(err, EINVAL,
				       "%s:%zu: column %zu: %s is too large",
				       rows->path, csv_line(csv), i + 1,
				       csv_cell(csv, i));
	}
	return 0;
}

static int row_read(struct rows *rows, const struct csv *csv, struct err *err)
{
	size_t class;

	if (csv_cells(csv) != rows->features + 1)
		return err_set(err, EINVAL,
			       "%s:%zu: %zu columns where the first row has "
			       "%zu",
			       rows->path, csv_line(csv), csv_cells(csv),
			       rows->features + 1);
	if (class_of(rows, csv_cell(csv, rows->features), &class, err) < 0 ||
	    features_read(rows, csv, err) < 0)
		return -1;
	rows->class = mem_grow(rows->class, &rows->class_capacity,
			       rows->rows + 1, sizeof(*rows->class));
	rows->class[rows->rows++] = class;
	return 0;
}

/* A first row with a feature that is no number has the columns' names. */
static bool is_header(const struct csv *csv)
{
	double value;

	for (size_t i = 0; i + 1 < csv_cells(csv); i++)
		if (csv_real(csv, i, &value, NULL) < 0)
			return true;
	return false;
}

static int rows_read(struct rows *rows, struct csv *csv, struct err *err)
{
	int got = csv_next(csv, err);

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, EINVAL, "%s: no rows",
					 rows->path);
	if (csv_cells(csv) < 2 || csv_cells(csv) > NET_WIDTH_MAX + 1)
		return err_set(err, EINVAL,
			       "%s: %zu columns; expected features, then the "
			       "class",
			       rows->path, csv_cells(csv));
	rows->features = csv_cells(csv) - 1;
	if (is_header(csv))
		got = csv_next(csv, err);
	for (; got > 0; got = csv_next(csv, err))
		if (row_read(rows, csv, err) < 0)
			return -1;
	if (got < 0)
		return -1;
	if (rows->rows < HELD_OUT)
		return err_set(err, EINVAL, "%s: %zu samples; %d are the least",
			       rows->path, rows->rows, HELD_OUT);
	if (rows->names < 2)
		return err_set(err, EINVAL, "%s: all samples are of one class",
			       rows->path);
	return 0;
}

/* ---- classes in their order -------------------------------------------------- */

struct name_place {
	const char *name;
	size_t index;
};

static bool is_number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end;
}

static int name_compare(const void *a, const void *b)
{
	const char *x = ((const struct name_place *)a)->name;
	const char *y = ((const struct name_place *)b)->name;
	double p, q;

	if (is_number(x, &p) && is_number(y, &q) && p != q)
		return p < q ? -1 : 1;
	return strcmp(x, y);
}

static void classes_order(struct rows *rows)
{
	struct name_place *place = xcalloc(rows->names, sizeof(*place));
	size_t *rank = xcalloc(rows->names, sizeof(*rank));

	for (size_t i = 0; i < rows->names; i++)
		place[i] = (struct name_place){ rows->name[i], i };
	qsort(place, rows->names, sizeof(*place), name_compare);
	for (size_t i = 0; i < rows->names; i++)
		rank[place[i].index] = i;
	for (size_t i = 0; i < rows->rows; i++)
		rows->class[i] = rank[rows->class[i]];
	free(rank);
	free(place);
}

/* ---- parts ----------------------------------------------------------------- */

static void part_fill(struct dataset_part *part, const struct rows *rows,
		      const size_t *order)
{
	assert(rows->x);
	for (size_t i = 0; i < part->samples; i++) {
		memcpy(part->x + i * rows->features,
		       rows->x + order[i] * rows->features,
		       rows->features * sizeof(*part->x));
		part->label[i] = (int32_t)rows->class[order[i]];
	}
}

static void column_scale(struct dataset_part *part, size_t features,
			 size_t column, double mean, double sd)
{
	for (size_t i = 0; i < part->samples; i++) {
		float *x = part->x + i * features + column;

		*x = (float)(((double)*x - mean) / sd);
	}
}

/* Mean 0 and deviation 1, by the training part alone; a constant column is
 * left at 0. */
static void standardise(struct dataset *set)
{
	const struct dataset_part *train = &set->train;
	double n = (double)train->samples;

	for (size_t j = 0; j < set->features; j++) {
		double mean = 0.0, square = 0.0, d;

		for (size_t i = 0; i < train->samples; i++)
			mean += (double)train->x[i * set->features + j] / n;
		for (size_t i = 0; i < train->samples; i++) {
			d = (double)train->x[i * set->features + j] - mean;
			square += d * d / n;
		}
		d = square > 0.0 ? sqrt(square) : 1.0;
		column_scale(&set->train, set->features, j, mean, d);
		column_scale(&set->test, set->features, j, mean, d);
	}
}

static int parts_make(struct dataset *set, const struct rows *rows,
		      uint64_t seed, struct err *err)
{
	size_t held_out = rows->rows / HELD_OUT;
	size_t kept = rows->rows - held_out;
	struct rng rng = rng_stream(seed, "csv split", 0, 0);
	size_t *order;

	set->features = rows->features;
	set->classes = rows->names;
	if (dataset_part_new(&set->train, kept, rows->features, err) < 0 ||
	    dataset_part_new(&set->test, held_out, rows->features, err) < 0)
		return -1;
	order = xcalloc(rows->rows, sizeof(*order));
	for (size_t i = 0; i < rows->rows; i++)
		order[i] = i;
	rng_shuffle(&rng, order, rows->rows);
	part_fill(&set->train, rows, order);
	part_fill(&set->test, rows, order + kept);
	free(order);
	standardise(set);
	return 0;
}

static int csv_read(struct dataset *set, const char *path, uint64_t seed,
		    struct err *err)
{
	struct csv *csv = csv_open(path, ',', err);
	struct rows rows = { .path = path };
	int rc;

	if (!csv)
		return -1;
	rc = rows_read(&rows, csv, err);
	csv_close(csv);
	if (rc == 0) {
		classes_order(&rows);
		rc = parts_make(set, &rows, seed, err);
	}
	rows_done(&rows);
	return rc;
}

const struct dataset_kind dataset_kind_csv = {
	.scheme = "csv",
	.form = "csv:FILE",
	.read = csv_read,
};
