/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/unpack.h"

#define READ_BUFFER ((size_t)128 << 10)

struct csv {
	struct unpack *file;
	unsigned char *buffer;
	size_t next, have; /* in the buffer */
	struct err broken; /* why reading ended before the file did */
	char *path;
	char delimiter;
	size_t next_line;
	size_t line;
	struct text row; /* the cells, a NUL behind each */
	size_t taken;    /* bytes of the row, with quotes and delimiters */
	size_t *start;   /* where each cell starts in `row` */
	size_t cells, capacity;
};

/* False at the end, be it the file's or of what can be read of it. */
static bool refill(struct csv *csv)
{
	ssize_t got;

	if (csv->broken.code)
		return false;
	got = unpack_read(csv->file, csv->buffer, READ_BUFFER, &csv->broken);
	csv->next = 0;
	csv->have = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static int look(struct csv *csv)
{
	if (csv->next == csv->have && !refill(csv))
		return -1;
	return csv->buffer[csv->next];
}

static int get(struct csv *csv)
{
	int c = look(csv);

	csv->next += c >= 0;
	csv->next_line += c == '\n';
	csv->taken++;
	return c;
}

static int fail(const struct csv *csv, const char *why, struct err *err)
{
	return err_set(err, EINVAL, "%s:%zu: %s", csv->path, csv->line, why);
}

/* Spreadsheets put a byte order mark before the first cell.  (It is in the
 * first piece or not there: unpack.c begins with more than these bytes.) */
static void skip_mark(struct csv *csv)
{
	static const unsigned char mark[] = { 0xef, 0xbb, 0xbf };

	if (look(csv) >= 0 && csv->have >= sizeof(mark) &&
	    memcmp(csv->buffer, mark, sizeof(mark)) == 0)
		csv->next = sizeof(mark);
}

struct csv *csv_open(const char *path, char delimiter, struct err *err)
{
	struct unpack *file = unpack_open(path, err);
	struct csv *csv;

	if (file == NULL)
		return NULL;
	csv = xcalloc(1, sizeof(*csv));
	csv->file = file;
	csv->buffer = xmalloc(READ_BUFFER);
	csv->path = xstrdup(path);
	csv->delimiter = delimiter;
	csv->next_line = 1;
	skip_mark(csv);
	return csv;
}

/* Everything up to the last quote of a cell; a doubled one stands for one. */
static int take_quoted(struct csv *csv, struct err *err)
{
	int c;

	while ((c = get(csv)) >= 0 && csv->taken < CSV_ROW_MAX) {
		if (c == '"' && look(csv) != '"')
			return 0;
		if (c == '"')
			(void)get(csv);
		if (c == '\0')
			return fail(csv, "NUL byte in a cell", err);
		text_put_char(&csv->row, (char)c);
	}
	if (c >= 0)
		return fail(csv, "row too long", err);
	return fail(csv, "quote without an end", err);
}

/* Does `c`, which look() saw, end the cell?  CR counts only before LF or the
 * end; any other CR is put into the cell here. */
static bool at_end(struct csv *csv, int c)
{
	if (c == '\r' && csv->delimiter != '\r') {
		(void)get(csv);
		if (look(csv) == '\n' || look(csv) < 0)
			return true;
		text_put_char(&csv->row, '\r');
		return false;
	}
	return c < 0 || c == '\n' || c == csv->delimiter;
}

static int take_plain(struct csv *csv, struct err *err)
{
	int c;

	for (;;) {
		c = look(csv);
		if (at_end(csv, c))
			return 0;
		if (c == '\r' && csv->delimiter != '\r')
			continue;
		if (c == '\0')
			return fail(csv, "NUL byte in a cell", err);
		if (csv->taken >= CSV_ROW_MAX)
			return fail(csv, "row too long", err);
		text_put_char(&csv->row, (char)get(csv));
	}
}

static int take_cell(struct csv *csv, struct err *err)
{
	int rc;

	csv->start = mem_grow(csv->start, &csv->capacity, csv->cells + 1,
			      sizeof(*csv->start));
	csv->start[csv->cells++] = csv->row.length;
	if (look(csv) == '"') {
		(void)get(csv);
		rc = take_quoted(csv, err);
		if (rc == 0 && !at_end(csv, look(csv)))
			rc = fail(csv, "text behind a closing quote", err);
	} else {
		rc = take_plain(csv, err);
	}
	text_put_char(&csv->row, '\0');
	return rc;
}

static int take_row(struct csv *csv, struct err *err)
{
	csv->cells = 0;
	csv->taken = 0;
	csv->line = csv->next_line;
	text_clear(&csv->row);
	do {
		if (csv->taken >= CSV_ROW_MAX)
			return fail(csv, "row too long", err);
		if (take_cell(csv, err) < 0)
			return -1;
	} while (get(csv) == csv->delimiter);
	return 0;
}

/* Did the file end, or did reading it fail? */
static int check_end(const struct csv *csv, struct err *err)
{
	if (!csv->broken.code)
		return 0;
	return err_set(err, csv->broken.code, "%s: %s", csv->path,
		       csv->broken.text);
}

int csv_next(struct csv *csv, struct err *err)
{
	int rc;

	while (look(csv) >= 0) {
		rc = take_row(csv, err);
		/* What a damaged file says last is not to be trusted. */
		if (look(csv) < 0 && check_end(csv, err) < 0)
			return -1;
		if (rc < 0)
			return -1;
		if (csv->cells > 1 || csv->row.length > 1)
			return 1;
	}
	csv->cells = 0;
	return check_end(csv, err);
}

bool csv_at_end(struct csv *csv)
{
	return look(csv) < 0;
}

size_t csv_cells(const struct csv *csv)
{
	return csv->cells;
}

const char *csv_cell(const struct csv *csv, size_t index)
{
	if (index >= csv->cells)
		return NULL;
	return csv->row.data + csv->start[index];
}

size_t csv_line(const struct csv *csv)
{
	return csv->line;
}

static int not_a(const char *what, const struct csv *csv, size_t index,
		 struct err *err)
{
	if (index >= csv->cells)
		return err_set(err, EINVAL, "%s:%zu: column %zu: missing",
			       csv->path, csv->line, index + 1);
	return err_set(
		err, EINVAL, "%s:%zu: column %zu: expected %s, found \"%.40s\"",
		csv->path, csv->line, index + 1, what, csv_cell(csv, index));
}

int csv_real(const struct csv *csv, size_t index, double *value,
	     struct err *err)
{
	const char *cell = csv_cell(csv, index);
	double number;
	char *end;

	/* No "inf", "nan" or "0x10", which strtod() would take. */
	if (cell == NULL || cell[strspn(cell, "0123456789+-.eE \t")] != '\0')
		return not_a("a number", csv, index, err);
	number = strtod(cell, &end);
	end += strspn(end, " \t");
	if (end == cell || *end != '\0' || !isfinite(number))
		return not_a("a number", csv, index, err);
	*value = number;
	return 0;
}

int csv_uint(const struct csv *csv, size_t index, uint64_t *value,
	     struct err *err)
{
	const char *cell = csv_cell(csv, index);
	uint64_t number;
	char *end;

	if (cell == NULL || *cell == '\0' ||
	    cell[strspn(cell, "0123456789")] != '\0')
		return not_a("a whole number", csv, index, err);
	errno = 0;
	number = strtoull(cell, &end, 10);
	if (errno != 0)
		return not_a("a whole number below 2^64", csv, index, err);
	*value = number;
	return 0;
}

void csv_close(struct csv *csv)
{
	if (csv == NULL)
		return;
	unpack_close(csv->file);
	free(csv->buffer);
	text_done(&csv->row);
	free(csv->start);
	free(csv->path);
	free(csv);
}

bool csv_file_is_ended(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char last = '\n';
	bool ended;

	/* What cannot be rewound (a pipe) is taken as it comes. */
	ended = fd < 0 || lseek(fd, -1, SEEK_END) < 0 ||
		read(fd, &last, 1) != 1 || last == '\n';
	if (fd >= 0)
		close(fd);
	return ended;
}

static bool is_plain(const char *cell, size_t length, char delimiter)
{
	if (text_plain(cell, length) == length)
		return !memchr(cell, delimiter, length);
	for (size_t i = 0; i < length; i++)
		if (cell[i] == delimiter || cell[i] == '"' || cell[i] == '\r' ||
		    cell[i] == '\n')
			return false;
	return true;
}

void csv_put_bytes(struct text *out, const char *cell, size_t length,
		   char delimiter)
{
	if (is_plain(cell, length, delimiter)) {
		text_put_bytes(out, cell, length);
		return;
	}
	text_put_char(out, '"');
	for (size_t i = 0; i < length; i++) {
		if (cell[i] == '"')
			text_put_char(out, '"');
		text_put_char(out, cell[i]);
	}
	text_put_char(out, '"');
}

void csv_put(struct text *out, const char *cell, char delimiter)
{
	csv_put_bytes(out, cell, strlen(cell), delimiter);
}
