/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows that were read and put out again read the same.  The first byte chooses
 * the delimiter; the rest is the file.  Output begins with a byte order mark,
 * as what is in the cells may look like one, or like the start of gzip. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char delimiters[] = { ',', ';', '\t', '|' };

/* The rows of the file behind `fd`, put out again; NULL if it is damaged. */
static char *copy_rows(int fd, char delimiter)
{
	struct text out = TEXT_INIT;
	struct err err = { 0 };
	char path[32];
	struct csv *csv;
	size_t i;
	int got;

	text_put(&out, "\xef\xbb\xbf");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	csv = csv_open(path, delimiter, &err);
	if (csv == NULL)
		abort();
	while ((got = csv_next(csv, &err)) > 0) {
		for (i = 0; i < csv_cells(csv); i++) {
			if (i > 0)
				text_put_char(&out, delimiter);
			csv_put(&out, csv_cell(csv, i), delimiter);
		}
		text_put_char(&out, '\n');
	}
	if (got < 0 && err.text[0] == '\0')
		abort();
	csv_close(csv);
	if (got == 0)
		return text_take(&out);
	text_done(&out);
	return NULL;
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char delimiter = delimiters[size > 0 ? data[0] % 4 : 0];
	char *rows, *same;
	int fd;

	if (size == 0)
		return 0;
	fd = file_of(data + 1, size - 1);
	rows = copy_rows(fd, delimiter);
	(void)close(fd);
	if (rows == NULL)
		return 0;
	fd = file_of(rows, strlen(rows));
	same = copy_rows(fd, delimiter);
	(void)close(fd);
	if (same == NULL || strcmp(rows, same) != 0)
		abort();
	free(rows);
	free(same);
	return 0;
}
