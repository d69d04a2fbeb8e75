/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/append.h"
#include "lib/csv.h"
#include "lib/log.h"
#include "lib/mem.h"

struct csv_file {
	char *path;
	struct field_list header;
	const char *newline;
	struct append *file; /* NULL while it rests */
};

const char *csv_file_path(const struct csv_file *file)
{
	return file->path;
}

const struct field_list *csv_file_header(const struct csv_file *file)
{
	return &file->header;
}

/* ---- what is there ------------------------------------------------------- */

/* The first row of an existing file; none when it is empty. */
static int header_read(const char *path, struct field_list *header,
		       struct err *err)
{
	struct csv *csv = csv_open(path, ',', err);
	int got;

	if (!csv)
		return -1;
	got = csv_next(csv, err);
	for (size_t i = 0; got > 0 && i < csv_cells(csv); i++)
		field_list_add(header, csv_cell(csv, i));
	csv_close(csv);
	return got < 0 ? -1 : 0;
}

static bool is_same(const struct field_list *a, const struct field_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return true;
}

static bool has_all(const struct field_list *have,
		    const struct field_list *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!field_list_has(have, wanted->item[i]))
			return false;
	return true;
}

static int move_away(const char *path, struct err *err)
{
	char *to;

	if (append_move_away(path, &to, err) < 0)
		return -1;
	log_warn("csv", "%s has other columns: moved to %s", path, to);
	free(to);
	return 0;
}

/* ---- opening ------------------------------------------------------------- */

static void put_header(const struct csv_file *file,
		       const struct field_list *columns, struct text *line)
{
	for (size_t i = 0; i < columns->count; i++) {
		if (i > 0)
			text_put_char(line, ',');
		csv_put(line, columns->item[i], ',');
	}
	text_put(line, file->newline);
}

/* `torn` bytes of a header that a crash cut short are replaced. */
static int file_start(struct csv_file *file, const struct field_list *columns,
		      size_t torn, struct err *err)
{
	struct text line = TEXT_INIT;
	int failed = 0;

	file->file = append_open(file->path, err);
	if (!file->file)
		return -1;
	if (torn > 0)
		failed = append_cut(file->file, torn, err);
	put_header(file, columns, &line);
	for (size_t i = 0; i < columns->count; i++)
		field_list_add(&file->header, columns->item[i]);
	if (!failed)
		failed = append_put(file->file, &line, err);
	text_done(&line);
	return failed;
}

static int file_continue(struct csv_file *file, struct err *err)
{
	struct text tail = TEXT_INIT;
	int failed;

	file->file = append_open(file->path, err);
	if (!file->file)
		return -1;
	failed = append_tail(file->file, CSV_ROW_MAX, &tail, err);
	if (!failed && tail.length > 0) {
		log_warn("csv", "%s: cut off %zu bytes of a torn last line",
			 file->path, tail.length);
		failed = append_cut(file->file, tail.length, err);
	}
	text_done(&tail);
	return failed;
}

/* A crash while the header was written: how many bytes of it there are, if
 * they are all that there is. */
static size_t torn_header(const struct csv_file *file,
			  const struct field_list *columns)
{
	struct text there = TEXT_INIT, line = TEXT_INIT;
	size_t torn = 0;

	put_header(file, columns, &line);
	if (text_read_file(&there, file->path, line.length, NULL) == 0 &&
	    there.length < line.length &&
	    !memcmp(there.data, line.data, there.length))
		torn = there.length;
	text_done(&there);
	text_done(&line);
	return torn;
}

static int file_open(struct csv_file *file, const struct field_list *columns,
		     bool exact, struct err *err)
{
	struct field_list there = { 0 };
	struct stat status;
	size_t torn;
	bool fits;

	if (stat(file->path, &status) < 0 || status.st_size == 0)
		return file_start(file, columns, 0, err);
	torn = torn_header(file, columns);
	if (torn > 0)
		return file_start(file, columns, torn, err);
	if (header_read(file->path, &there, err) < 0)
		return -1;
	fits = exact ? is_same(&there, columns) : has_all(&there, columns);
	if (fits) {
		file->header = there;
		return file_continue(file, err);
	}
	field_list_done(&there);
	if (move_away(file->path, err) < 0)
		return -1;
	return file_start(file, columns, 0, err);
}

struct csv_file *csv_file_open(const char *path,
			       const struct field_list *columns, bool exact,
			       const char *newline, struct err *err)
{
	struct csv_file *file = xcalloc(1, sizeof(*file));

	file->path = xstrdup(path);
	file->newline = newline;
	if (file_open(file, columns, exact, err) < 0) {
		csv_file_close(file, NULL);
		return NULL;
	}
	return file;
}

/* ---- writing ------------------------------------------------------------- */

int csv_file_put(struct csv_file *file, const struct text *lines,
		 struct err *err)
{
	if (!file->file)
		file->file = append_open(file->path, err);
	return file->file ? append_put(file->file, lines, err) : -1;
}

int csv_file_cut(struct csv_file *file, size_t bytes, struct err *err)
{
	return file->file ? append_cut(file->file, bytes, err) : 0;
}

int csv_file_flush(struct csv_file *file, struct err *err)
{
	return file->file ? append_flush(file->file, err) : 0;
}

int csv_file_rest(struct csv_file *file, struct err *err)
{
	int failed = append_close(file->file, err);

	file->file = NULL;
	return failed;
}

int csv_file_close(struct csv_file *file, struct err *err)
{
	int failed;

	if (!file)
		return 0;
	failed = csv_file_rest(file, err);
	field_list_done(&file->header);
	free(file->path);
	free(file);
	return failed;
}
