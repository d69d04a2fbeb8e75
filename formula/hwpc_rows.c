/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/hwpc_rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/digits.h"
#include "lib/mem.h"

#define BUFFER_SIZE ((size_t)1 << 20)

enum role { VALUE, TIME, SENSOR, TARGET, SOCKET, CPU, METADATA, ROLES };

static int complain(const struct hwpc_rows *rows, struct err *err,
		    const char *what)
{
	return err_set(err, EINVAL, "%s:%zu: %s", rows->path, rows->line, what);
}

/* ---- lines --------------------------------------------------------------- */

static int refill(struct hwpc_rows *rows, struct err *err)
{
	ssize_t got;

	memmove(rows->buffer, rows->buffer + rows->at, rows->filled - rows->at);
	rows->filled -= rows->at;
	rows->at = 0;
	if (rows->filled == BUFFER_SIZE)
		return complain(rows, err, "the row is too long");
	do
		got = read(rows->fd, rows->buffer + rows->filled,
			   BUFFER_SIZE - rows->filled);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(err, "read %s", rows->path);
	rows->filled += (size_t)got;
	rows->ended = got == 0;
	return 0;
}

/* The next line, its end a NUL; NULL at the end (a torn last line is left out:
 * its last number may be cut short) and on an error. */
static char *line_next(struct hwpc_rows *rows, struct err *err, int *failed)
{
	for (;;) {
		char *line = rows->buffer + rows->at;
		char *end = memchr(line, '\n', rows->filled - rows->at);

		if (end) {
			rows->at = (size_t)(end - rows->buffer) + 1;
			rows->line++;
			if (end > line && end[-1] == '\r')
				end--;
			*end = '\0';
			return line;
		}
		if (rows->ended) {
			rows->torn = rows->at < rows->filled;
			return NULL;
		}
		*failed = refill(rows, err);
		if (*failed)
			return NULL;
	}
}

/* Most cells are the number of a CPU or package. */
static char *comma_find(char *cell)
{
	for (int i = 0; i < 4; i++, cell++)
		if (*cell == ',' || !*cell)
			return cell;
	return strchrnul(cell, ',');
}

/* Cuts a cell off, in place. */
static char *cell_next(char **rest, bool *last, size_t *length)
{
	char *cell = *rest, *end;

	if (*cell == '"') { /* RFC 4180 */
		char *to = cell;

		for (end = cell + 1; *end; end++) {
			if (*end == '"' && end[1] != '"')
				break;
			end += *end == '"';
			*to++ = *end;
		}
		end += *end == '"';
		*last = *end != ',';
		*rest = end + 1;
		*to = '\0';
		*length = (size_t)(to - cell);
		return cell;
	}
	end = comma_find(cell);
	*last = !*end;
	*end = '\0';
	*rest = end + 1;
	*length = (size_t)(end - cell);
	return cell;
}

/* ---- the header ------------------------------------------------------------ */

static int header_read(struct hwpc_rows *rows, struct err *err)
{
	static const char *const name[ROLES] = { NULL,      "timestamp",
						 "sensor",  "target",
						 "socket",  "cpu",
						 "metadata" };
	bool seen[ROLES] = { false }, last = false;
	int failed = 0;
	char *rest = line_next(rows, err, &failed);
	size_t length;

	if (!rest)
		return failed ? -1 : complain(rows, err, "has no header");
	while (!last) {
		const char *cell = cell_next(&rest, &last, &length);
		size_t i = rows->columns++;

		if (i == HWPC_COLUMNS_MAX)
			return complain(rows, err, "too many columns");
		for (int r = TIME; r < ROLES; r++)
			if (!strcmp(cell, name[r]))
				rows->role[i] = (unsigned char)r;
		seen[rows->role[i]] = true;
		if (rows->role[i] == VALUE)
			rows->event[i] = xstrdup(cell);
	}
	for (int r = TIME; r < METADATA; r++)
		if (!seen[r])
			return err_set(err, EINVAL, "%s: has no column '%s'",
				       rows->path, name[r]);
	return 0;
}

/* ---- a row ----------------------------------------------------------------- */

/* A whole number up to ',' or the end; NULL: it is none. */
static char *number_read(char *at, uint64_t *value)
{
	static const uint64_t power[] = { 1,       10,       100,
					  1000,    10000,    100000,
					  1000000, 10000000, 100000000 };
	char *start = at;
	uint64_t sum = 0, part = 0;
	unsigned n;

	do {
		n = digits_get(at, &part);
		sum = n ? sum * power[n] + part : sum;
		at += n;
	} while (n == 8 && at - start <= 20);
	*value = sum;
	/* 20 digits fit below 2^64, and then do not begin anew at 0. */
	if (at - start == 20 && *start != '0' &&
	    (*start > '1' || sum < UINT64_C(10000000000000000000)))
		return NULL;
	if (at == start || at - start > 20 || (*at && *at != ','))
		return NULL;
	return at;
}

/* Behind the cell of a number, at ',' or the end; NULL: it is none. */
static char *cell_read(struct hwpc_rows *rows, size_t i, char *at)
{
	uint64_t *value = &rows->value[i];
	size_t length;
	bool last;
	char *cell;

	if (*at != '"' && *at != ',' && *at)
		return number_read(at, value);
	cell = cell_next(&at, &last, &length);
	if (!length && rows->sparse && rows->role[i] == VALUE) {
		*value = HWPC_ROWS_EMPTY;
	} else {
		cell = number_read(cell, value);
		if (!cell || *cell)
			return NULL;
	}
	at[-1] = last ? '\0' : ',';
	return at - 1;
}

static int row_wrong(const struct hwpc_rows *rows, size_t i, struct err *err)
{
	return err_set(err, EINVAL, "%s:%zu: %s: expected a whole number",
		       rows->path, rows->line,
		       rows->event[i] ? rows->event[i] : "timestamp");
}

/* The rows of a tick begin alike, "TIME,SENSOR,".  Where this one does, as many
 * cells are known; otherwise its beginning is kept, if it is a plain one. */
static size_t head_read(struct hwpc_rows *rows, char **at)
{
	const char *line = *at, *time_end, *end;
	size_t length;

	if (rows->head_length && !memcmp(line, rows->head, rows->head_length)) {
		*at += rows->head_length;
		rows->sensor = rows->head_sensor;
		return 2;
	}
	rows->head_length = 0;
	if (rows->role[0] != TIME || rows->role[1] != SENSOR)
		return 0;
	time_end = strchrnul(line, ',');
	end = *time_end ? strchr(time_end + 1, ',') : NULL;
	length = end ? (size_t)(end - line) + 1 : 0;
	if (!end || length >= HWPC_HEAD_MAX || time_end[1] == '"')
		return 0;
	memcpy(rows->head, line, length);
	memcpy(rows->head_sensor, time_end + 1, (size_t)(end - time_end) - 1);
	rows->head_sensor[end - time_end - 1] = '\0';
	rows->head_length = length;
	return 0;
}

static int row_read(struct hwpc_rows *rows, char *at, struct err *err)
{
	for (size_t i = head_read(rows, &at); i < rows->columns; i++) {
		enum role role = rows->role[i];
		size_t length;
		bool last;
		char *text;

		if (role <= TIME) {
			char *end = cell_read(rows, i, at);

			if (!end)
				return row_wrong(rows, i, err);
			if (role == TIME)
				rows->time_ms = (int64_t)rows->value[i];
			last = !*end;
			at = end + 1;
		} else {
			text = cell_next(&at, &last, &length);
			if (role == SENSOR)
				rows->sensor = text;
			else if (role == SOCKET)
				rows->socket = text;
			else if (role == CPU)
				rows->cpu = text;
			else if (role == TARGET) {
				rows->target = text;
				rows->target_length = length;
			}
		}
		if (last != (i + 1 == rows->columns))
			return complain(rows, err,
					"not as many cells as the header has");
	}
	return 0;
}

int hwpc_rows_next(struct hwpc_rows *rows, struct err *err)
{
	int64_t before = rows->ahead ? rows->time_ms : INT64_MIN;
	int failed = 0;
	char *line;

	do
		line = line_next(rows, err, &failed);
	while (line && !*line);
	rows->ahead = line != NULL;
	if (!line)
		return failed;
	if (row_read(rows, line, err) < 0)
		return -1;
	if (rows->time_ms < before)
		return complain(rows, err, "timestamps go back");
	return 0;
}

struct hwpc_rows *hwpc_rows_open(const char *path, bool sparse, struct err *err)
{
	struct hwpc_rows *rows = xcalloc(1, sizeof(*rows));
	const char *slash = strrchr(path, '/');
	size_t length;

	rows->sparse = sparse;
	rows->path = xstrdup(path);
	rows->group = xstrdup(slash ? slash + 1 : path);
	length = strlen(rows->group);
	if (length > 4 && !strcmp(rows->group + length - 4, ".csv"))
		rows->group[length - 4] = '\0';
	/* What is compared and read as a whole may reach behind the end. */
	rows->buffer = xcalloc(BUFFER_SIZE + HWPC_HEAD_MAX, 1);
	rows->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rows->fd < 0)
		err_sys(err, "open %s", path);
	if (rows->fd < 0 || header_read(rows, err) < 0 ||
	    hwpc_rows_next(rows, err) < 0) {
		hwpc_rows_close(rows);
		return NULL;
	}
	return rows;
}

void hwpc_rows_close(struct hwpc_rows *rows)
{
	if (!rows)
		return;
	if (rows->fd >= 0)
		close(rows->fd);
	for (size_t i = 0; i < rows->columns && i < HWPC_COLUMNS_MAX; i++)
		free(rows->event[i]);
	free(rows->path);
	free(rows->group);
	free(rows->buffer);
	free(rows);
}

/* ---- csv:DIR --------------------------------------------------------------- */

static int is_csv(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && entry->d_name[0] != '.' &&
	       !strcmp(entry->d_name + length - 4, ".csv");
}

bool hwpc_rows_files(const char *folder, struct field_list *files)
{
	struct dirent **entry;
	int n = scandir(folder, &entry, is_csv, alphasort);
	bool plain = n > 0;

	/* "core.1.csv" is what a sink moved away. */
	for (int i = 0; i < n; i++)
		plain &= strchr(entry[i]->d_name, '.') ==
			 strrchr(entry[i]->d_name, '.');
	/* "all" comes first where it is in files that stand first. */
	for (int i = n - 1; i >= 0; i--) {
		char *path = xasprintf("%s/%s", folder, entry[i]->d_name);

		if (plain)
			field_list_add(files, path);
		free(path);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	return plain;
}
