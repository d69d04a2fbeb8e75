/* SPDX-License-Identifier: BSD-3-Clause */
/* A map is refused with a sentence, or makes records that are taken of a file's
 * rows, or refuses these.  The first line is the map, the rest is the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench_record.h"
#include "bench/record_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_rows(const struct record_map *map, int fd)
{
	struct records records = { 0 };
	struct bench_record record;
	struct err err = { 0 };
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (record_map_rows(map, path, NULL, &records, &err) < 0 && !*err.text)
		abort();
	for (size_t i = 0; i < records.count; i++)
		if (bench_record_read(records.doc[i], &record, NULL) < 0)
			abort();
	records_done(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t length = end ? (size_t)(end - data) + 1 : size;
	struct doc *doc = doc_parse((const char *)data, length, NULL);
	struct err err = { 0 };
	struct record_map *map;
	int fd;

	if (!doc)
		return 0;
	map = record_map_from_doc(doc, "map", &err);
	doc_free(doc);
	if (!map && !*err.text)
		abort();
	if (!map)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 ||
	    write(fd, data + length, size - length) != (ssize_t)(size - length))
		abort();
	read_rows(map, fd);
	close(fd);
	record_map_free(map);
	return 0;
}
