/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/record_map.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "lib/csv.h"
#include "lib/field.h"
#include "lib/mem.h"
#include "lib/quantity.h"
#include "lib/text.h"

struct record_map {
	struct config config;
	char run[DOC_DIGEST_MAX];
	/* the values: texts with {COLUMN} in them */
	char *model, *batch, *precision, *loss, *optimizer, *threads;
	char *device, *meter, *steps;
	char *seconds, *seconds_per_step;
	char *energy, *energy_per_step, *watts;
	char *delimiter;
	int64_t source;
	double scale_lo, scale_hi;
};

#define COLUMN_TEXT(name_)                  \
	.name = #name_, .type = FIELD_TEXT, \
	.offset = offsetof(struct record_map, name_)

/* clang-format off */
static const struct field map_fields[] = {
	{ COLUMN_TEXT(device), .help = "what was measured" },
	{ COLUMN_TEXT(meter), .help = "what gave the joules" },
	{ "source", FIELD_INT, offsetof(struct record_map, source),
	  .min = 0, .max = ENERGY_UNKNOWN,
	  .help = "class of the meter: 0 wall meter to 8 unknown" },
	{ "meter_low", FIELD_REAL, offsetof(struct record_map, scale_lo),
	  .initial = "1", .min = 1e-6, .max = 1,
	  .help = "true joules are at least this many times those shown" },
	{ "meter_high", FIELD_REAL, offsetof(struct record_map, scale_hi),
	  .initial = "1", .min = 1, .max = 1e6,
	  .help = "and at most this many times" },
	{ COLUMN_TEXT(model), .help = "as behind --models" },
	{ COLUMN_TEXT(batch), .help = "samples per step" },
	{ COLUMN_TEXT(precision), .initial = "fp32", .help = "precision" },
	{ COLUMN_TEXT(loss), .initial = "ce", .help = "loss" },
	{ COLUMN_TEXT(optimizer), .initial = "sgd", .help = "optimizer" },
	{ COLUMN_TEXT(threads), .initial = "1", .help = "threads" },
	{ COLUMN_TEXT(steps), .initial = "1", .help = "steps of a row" },
	{ COLUMN_TEXT(seconds), .help = "of all steps" },
	{ COLUMN_TEXT(seconds_per_step), .help = "of one step" },
	{ COLUMN_TEXT(energy), .help = "of all steps" },
	{ COLUMN_TEXT(energy_per_step), .help = "of one step" },
	{ COLUMN_TEXT(watts), .help = "instead of an energy" },
	{ COLUMN_TEXT(delimiter), .help = "between columns" },
	FIELD_END
};
/* clang-format on */

/* ---- the map --------------------------------------------------------------*/

static int need(const struct record_map *map, const char *const *names,
		struct err *err)
{
	size_t given = 0;

	for (size_t i = 0; names[i]; i++)
		given += config_given(&map->config, names[i]);
	if (given == 1)
		return 0;
	return err_set(err, EINVAL, "say %s%s%s%s%s%s",
		       names[1] ? "one of " : "", names[0],
		       names[1] ? ", " : "", names[1] ? names[1] : "",
		       names[1] && names[2] ? ", " : "",
		       names[1] && names[2] ? names[2] : "");
}

static int check_map(const struct record_map *map, struct err *err)
{
	static const char *const needed[][4] = {
		{ "device" },
		{ "meter" },
		{ "source" },
		{ "model" },
		{ "batch" },
		{ "seconds", "seconds_per_step" },
		{ "energy", "energy_per_step", "watts" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (need(map, needed[i], err) < 0)
			return -1;
	if (map->delimiter && strlen(map->delimiter) != 1)
		return err_set(err, EINVAL,
			       "delimiter '%s': expected one character",
			       map->delimiter);
	return 0;
}

struct record_map *record_map_from_doc(const struct doc *doc, const char *where,
				       struct err *err)
{
	struct record_map *map = xcalloc(1, sizeof(*map));
	struct doc *settings;

	config_init(&map->config, map_fields, map);
	if (config_set_doc(&map->config, doc, where, err) < 0) {
		record_map_free(map);
		return NULL;
	}
	if (check_map(map, err) < 0) {
		err_wrap(err, "%s", where);
		record_map_free(map);
		return NULL;
	}
	settings = config_to_doc(&map->config);
	doc_digest(settings, map->run);
	doc_free(settings);
	return map;
}

struct record_map *record_map_read(const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err);
	struct record_map *map;

	if (!doc)
		return NULL;
	map = record_map_from_doc(doc, path, err);
	doc_free(doc);
	return map;
}

void record_map_free(struct record_map *map)
{
	if (!map)
		return;
	config_done(&map->config);
	free(map);
}

/* ---- a row ----------------------------------------------------------------*/

/* A file at its present row. */
struct row {
	struct csv *csv;
	struct field_list names; /* of the columns */
	struct text text;        /* a value with its cells put in */
};

static int put_cell(struct row *row, const char *name, size_t length,
		    struct err *err)
{
	for (size_t i = 0; i < row->names.count; i++) {
		const char *column = row->names.item[i];

		if (strlen(column) != length || memcmp(column, name, length))
			continue;
		text_put(&row->text, csv_cell(row->csv, i));
		return 0;
	}
	return err_set(err, EINVAL, "there is no column '%.*s'",
		       (int)(length < 80 ? length : 80), name);
}

/* `value` with the row's cells in place of {COLUMN}; borrowed until the next
 * time. */
static const char *filled(struct row *row, const char *value, struct err *err)
{
	text_clear(&row->text);
	text_put(&row->text, "");
	while (*value) {
		size_t plain = strcspn(value, "{");
		const char *name = value + plain + 1;
		size_t length;

		text_put_bytes(&row->text, value, plain);
		value += plain;
		if (!*value)
			break;
		length = strcspn(name, "}");
		if (!name[length]) {
			err_set(err, EINVAL, "'%s' has no '}'", value);
			return NULL;
		}
		if (put_cell(row, name, length, err) < 0)
			return NULL;
		value = name + length + 1;
	}
	return row->text.data;
}

static int text_of(struct row *row, const char *key, const char *value,
		   char *out, size_t size, struct err *err)
{
	const char *text = filled(row, value, err);

	if (!text)
		return err_wrap(err, "%s", key);
	if (strlen(text) >= size)
		return err_set(err, EINVAL, "%s: longer than %zu characters",
			       key, size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int number_of(struct row *row, const char *key, const char *value,
		     enum quantity quantity, double *out, struct err *err)
{
	const char *text = filled(row, value, err);

	if (!text || quantity_parse(text, quantity, out, err) < 0)
		return err_wrap(err, "%s", key);
	if (isfinite(*out))
		return 0;
	return err_set(err, EINVAL, "%s: %g is not possible", key, *out);
}

/* Tables made by spreadsheets have counts like 32.0. */
static int count_of(struct row *row, const char *key, const char *value,
		    int64_t *out, struct err *err)
{
	double number = 0;

	if (number_of(row, key, value, QUANTITY_COUNT, &number, err) < 0)
		return -1;
	if (number != floor(number) || fabs(number) > 1e15)
		return err_set(err, EINVAL, "%s: %g is no whole number", key,
			       number);
	*out = (int64_t)number;
	return 0;
}

static int read_config(const struct record_map *map, struct row *row,
		       struct step_config *config, struct err *err)
{
	char model[NET_SPEC_MAX], precision[64], loss[64], optimizer[64];
	int64_t batch = 0, threads = 0;

	if (text_of(row, "model", map->model, model, sizeof(model), err) < 0 ||
	    text_of(row, "precision", map->precision, precision,
		    sizeof(precision), err) < 0 ||
	    text_of(row, "loss", map->loss, loss, sizeof(loss), err) < 0 ||
	    text_of(row, "optimizer", map->optimizer, optimizer,
		    sizeof(optimizer), err) < 0 ||
	    count_of(row, "batch", map->batch, &batch, err) < 0 ||
	    count_of(row, "threads", map->threads, &threads, err) < 0)
		return -1;
	return step_config_set(config, model, batch, precision, loss, optimizer,
			       threads, err);
}

/* Seconds and joules of one step. */
static int read_seconds(const struct record_map *map, struct row *row,
			double steps, double *seconds, struct err *err)
{
	if (map->seconds_per_step)
		return number_of(row, "seconds_per_step", map->seconds_per_step,
				 QUANTITY_SECONDS, seconds, err);
	if (number_of(row, "seconds", map->seconds, QUANTITY_SECONDS, seconds,
		      err) < 0)
		return -1;
	*seconds /= steps;
	return 0;
}

static int read_energy(const struct record_map *map, struct row *row,
		       double steps, double seconds, double *joules,
		       struct err *err)
{
	if (map->energy_per_step)
		return number_of(row, "energy_per_step", map->energy_per_step,
				 QUANTITY_JOULES, joules, err);
	if (map->watts) {
		if (number_of(row, "watts", map->watts, QUANTITY_WATTS, joules,
			      err) < 0)
			return -1;
		*joules *= seconds;
		return 0;
	}
	if (number_of(row, "energy", map->energy, QUANTITY_JOULES, joules,
		      err) < 0)
		return -1;
	*joules /= steps;
	return 0;
}

/* A mean over repetitions need not be of whole steps: then the record is of
 * one. */
static int read_window(const struct record_map *map, struct row *row,
		       struct bench_record *record, struct err *err)
{
	double steps = 0, seconds = 0, joules = 0;

	if (number_of(row, "steps", map->steps, QUANTITY_COUNT, &steps, err) <
	    0)
		return -1;
	if (!(steps > 0 && steps < 1e12))
		return err_set(err, EINVAL, "steps: %g is not possible", steps);
	if (read_seconds(map, row, steps, &seconds, err) < 0 ||
	    read_energy(map, row, steps, seconds, &joules, err) < 0)
		return -1;
	record->steps = steps == floor(steps) ? (uint64_t)steps : 1;
	record->seconds = seconds * (double)record->steps;
	record->energy.joules = joules * (double)record->steps;
	return 0;
}

static int read_row(const struct record_map *map, struct row *row,
		    struct bench_record *record, struct err *err)
{
	snprintf(record->run, sizeof(record->run), "%s", map->run);
	record->has_energy = true;
	record->energy.source = (enum energy_source)map->source;
	record->energy.scale_lo = map->scale_lo;
	record->energy.scale_hi = map->scale_hi;
	record->loss_value = (double)NAN;
	if (text_of(row, "device", map->device, record->device,
		    sizeof(record->device), err) < 0 ||
	    text_of(row, "meter", map->meter, record->meter,
		    sizeof(record->meter), err) < 0 ||
	    read_config(map, row, &record->config, err) < 0)
		return -1;
	return read_window(map, row, record, err);
}

/* ---- a file ---------------------------------------------------------------*/

static char delimiter_of(const struct record_map *map, const char *path)
{
	const char *name = strrchr(path, '/');

	if (map->delimiter)
		return map->delimiter[0];
	return strstr(name ? name : path, ".tsv") ? '\t' : ',';
}

static int read_header(struct row *row, const char *path, struct err *err)
{
	int got = csv_next(row->csv, err);

	if (!got)
		return err_set(err, EINVAL, "%s: is empty", path);
	for (size_t i = 0; got > 0 && i < csv_cells(row->csv); i++)
		field_list_add(&row->names, csv_cell(row->csv, i));
	return got;
}

static int take_row(const struct record_map *map, struct row *row,
		    const char *path, const char *meter,
		    struct records *records, struct err *err)
{
	struct bench_record record = { 0 };
	char where[512];

	snprintf(where, sizeof(where), "%s:%zu", path, csv_line(row->csv));
	if (csv_cells(row->csv) != row->names.count)
		return err_set(err, EINVAL,
			       "%s: %zu columns where the first line has %zu",
			       where, csv_cells(row->csv), row->names.count);
	if (read_row(map, row, &record, err) < 0)
		return err_wrap(err, "%s", where);
	return records_take(records, bench_record_to_doc(&record), meter, where,
			    err);
}

int record_map_rows(const struct record_map *map, const char *path,
		    const char *meter, struct records *records, struct err *err)
{
	struct row row = { .text = TEXT_INIT };
	size_t before = records->count;
	int got;

	row.csv = csv_open(path, delimiter_of(map, path), err);
	if (!row.csv)
		return -1;
	got = read_header(&row, path, err);
	while (got > 0 && (got = csv_next(row.csv, err)) > 0)
		if (take_row(map, &row, path, meter, records, err) < 0)
			got = -1;
	csv_close(row.csv);
	field_list_done(&row.names);
	text_done(&row.text);
	if (!got && records->count == before)
		return err_set(err, EINVAL, "%s: no rows%s%s", path,
			       meter ? " of meter " : "", meter ? meter : "");
	return got;
}
