/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_reports.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/field.h"
#include "lib/instant.h"
#include "lib/mem.h"

#define DEPTH_MAX 32 /* of folders: targets are paths */

enum { TIMESTAMP, SENSOR, TARGET, POWER, FIXED };

static const char *const fixed_names[FIXED] = { "timestamp", "sensor", "target",
						"power" };

struct file {
	char *path;
	struct csv *csv;
	struct field_list header;
	size_t fixed[FIXED];
	bool ended; /* by a newline */
	bool ahead; /* a row is in `doc` */
	struct doc *doc;
	int64_t time_ms;
	size_t line;
};

struct csv_reports {
	struct file *file;
	size_t files, capacity;
	size_t at; /* within a tick */
	int64_t now_ms;
	bool torn;
};

/* ---- files --------------------------------------------------------------- */

struct csv_reports *csv_reports_new(void)
{
	return xcalloc(1, sizeof(struct csv_reports));
}

void csv_reports_add(struct csv_reports *reports, const char *path)
{
	reports->file = mem_grow(reports->file, &reports->capacity,
				 reports->files + 1, sizeof(struct file));
	reports->file[reports->files++] =
		(struct file){ .path = xstrdup(path) };
}

size_t csv_reports_files(const struct csv_reports *reports)
{
	return reports->files;
}

bool csv_reports_is_file(const char *path)
{
	struct csv *csv = csv_open(path, ',', NULL);
	bool power = false, cpu = false;

	if (csv && csv_next(csv, NULL) > 0)
		for (size_t i = 0; i < csv_cells(csv); i++) {
			power |= !strcmp(csv_cell(csv, i), "power");
			cpu |= !strcmp(csv_cell(csv, i), "cpu");
		}
	csv_close(csv);
	return power && !cpu;
}

static bool is_report_name(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strncmp(name, "PowerReport.", 12) &&
	       !strcmp(name + length - 4, ".csv");
}

static void scan(struct csv_reports *reports, const char *folder, int depth)
{
	struct dirent **entry;
	int count = scandir(folder, &entry, NULL, versionsort);

	for (int i = 0; i < count; i++) {
		const char *name = entry[i]->d_name;
		char *path = xasprintf("%s/%s", folder, name);

		if (depth > 0 && is_report_name(name))
			csv_reports_add(reports, path);
		else if (entry[i]->d_type == DT_DIR && depth < DEPTH_MAX &&
			 strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			scan(reports, path, depth + 1);
		free(path);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
}

void csv_reports_scan(struct csv_reports *reports, const char *folder)
{
	scan(reports, folder, 0);
}

static int header_read(struct file *file, struct err *err)
{
	for (size_t i = 0; i < csv_cells(file->csv); i++)
		field_list_add(&file->header, csv_cell(file->csv, i));
	for (int k = 0; k < FIXED; k++) {
		size_t i = 0;

		while (i < file->header.count &&
		       strcmp(file->header.item[i], fixed_names[k]) != 0)
			i++;
		if (i == file->header.count)
			return err_set(err, EINVAL,
				       "%s: no column '%s' in its first line "
				       "(is this PowerAPI's?)",
				       file->path, fixed_names[k]);
		file->fixed[k] = i;
	}
	return 0;
}

/* ---- rows ---------------------------------------------------------------- */

static void metadata_add(const struct file *file, struct doc *doc)
{
	struct doc *metadata = NULL;

	for (size_t i = 0; i < file->header.count; i++) {
		bool fixed = false;

		for (int k = 0; k < FIXED; k++)
			fixed |= file->fixed[k] == i;
		if (fixed || !*csv_cell(file->csv, i))
			continue;
		if (!metadata)
			metadata = doc_new_object();
		doc_set_text(metadata, file->header.item[i],
			     csv_cell(file->csv, i));
	}
	if (metadata)
		doc_set_take(doc, "metadata", metadata);
}

/* Milliseconds, or a date. */
static bool time_read(struct file *file, struct err *err)
{
	size_t column = file->fixed[TIMESTAMP];
	uint64_t ms;

	if (instant_is_date(csv_cell(file->csv, column), &file->time_ms))
		return true;
	if (csv_uint(file->csv, column, &ms, err) < 0)
		return false;
	file->time_ms = (int64_t)(ms & INT64_MAX);
	return true;
}

static int row_parse(struct file *file, struct err *err)
{
	const struct csv *csv = file->csv;
	double power = 0;

	if (csv_cells(csv) != file->header.count)
		return err_set(err, EINVAL,
			       "%s:%zu: expected %zu cells, found %zu",
			       file->path, csv_line(csv), file->header.count,
			       csv_cells(csv));
	if (!time_read(file, err))
		return -1;
	if (*csv_cell(csv, file->fixed[POWER]) &&
	    csv_real(csv, file->fixed[POWER], &power, err) < 0)
		return -1;
	file->doc = doc_new_object();
	doc_set_int(file->doc, "timestamp", file->time_ms);
	doc_set_text(file->doc, "sensor", csv_cell(csv, file->fixed[SENSOR]));
	doc_set_text(file->doc, "target", csv_cell(csv, file->fixed[TARGET]));
	/* What was no number was written as an empty cell. */
	if (*csv_cell(csv, file->fixed[POWER]))
		doc_set_real(file->doc, "power", power);
	metadata_add(file, file->doc);
	file->line = csv_line(csv);
	return 0;
}

/* The next row into `doc`, unless it is torn. */
static int row_advance(struct csv_reports *reports, struct file *file,
		       struct err *err)
{
	int64_t before = file->time_ms;
	struct err what = { 0 };
	int got = csv_next(file->csv, err);
	int parsed;
	bool last;

	file->ahead = false;
	if (got <= 0)
		return got;
	parsed = row_parse(file, &what);
	last = !file->ended && csv_at_end(file->csv);
	if (last) {
		reports->torn = true;
		doc_free(file->doc);
		file->doc = NULL;
		return 0;
	}
	if (parsed < 0) {
		if (err)
			*err = what;
		return -1;
	}
	file->ahead = true;
	if (file->time_ms < before)
		return err_set(err, EINVAL, "%s:%zu: the timestamp goes back",
			       file->path, file->line);
	return 0;
}

static int file_start(struct csv_reports *reports, struct file *file,
		      struct err *err)
{
	int got;

	file->time_ms = INT64_MIN;
	file->ended = csv_file_is_ended(file->path);
	file->csv = csv_open(file->path, ',', err);
	if (!file->csv)
		return errno == EMFILE ? err_remedy(err, "ulimit -n 65536")
				       : -1;
	got = csv_next(file->csv, err);
	if (got <= 0)
		return got;
	if (header_read(file, err) < 0)
		return -1;
	return row_advance(reports, file, err);
}

int csv_reports_start(struct csv_reports *reports, struct err *err)
{
	for (size_t i = 0; i < reports->files; i++)
		if (file_start(reports, &reports->file[i], err) < 0)
			return -1;
	reports->at = reports->files;
	return 0;
}

/* ---- in order ------------------------------------------------------------ */

static bool tick_begin(struct csv_reports *reports)
{
	bool any = false;

	for (size_t i = 0; i < reports->files; i++) {
		const struct file *file = &reports->file[i];

		if (file->ahead && (!any || file->time_ms < reports->now_ms)) {
			reports->now_ms = file->time_ms;
			any = true;
		}
	}
	reports->at = 0;
	return any;
}

int csv_reports_next(struct csv_reports *reports, struct doc **doc,
		     char **where, struct err *err)
{
	for (;;) {
		struct file *file = &reports->file[reports->at];

		if (reports->at == reports->files) {
			if (!tick_begin(reports))
				return 0;
			continue;
		}
		if (!file->ahead || file->time_ms != reports->now_ms) {
			reports->at++;
			continue;
		}
		*doc = file->doc;
		*where = xasprintf("%s:%zu", file->path, file->line);
		file->doc = NULL;
		if (row_advance(reports, file, err) == 0)
			return 1;
		doc_free(*doc);
		free(*where);
		return -1;
	}
}

bool csv_reports_torn(const struct csv_reports *reports)
{
	return reports->torn;
}

void csv_reports_free(struct csv_reports *reports)
{
	for (size_t i = 0; i < reports->files; i++) {
		struct file *file = &reports->file[i];

		csv_close(file->csv);
		doc_free(file->doc);
		field_list_done(&file->header);
		free(file->path);
	}
	free(reports->file);
	free(reports);
}
