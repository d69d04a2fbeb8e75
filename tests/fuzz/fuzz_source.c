/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents out of anything: a jsonl file, packed or not, or a folder with one CSV
 * file. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/frames.h"
#include "lib/source.h"

static char folder[] = "/tmp/fedwatts-fuzz-XXXXXX";
static char path[64], uri[64];

static void leave(void)
{
	unlink(path);
	rmdir(folder);
}

static void read_all(const char *place)
{
	struct source_filter filter = { .since_ms = 1, .target = "a*" };
	struct source *source = source_open(place, &filter, NULL);
	struct doc *doc;

	while (source && source_next(source, &doc, NULL) > 0)
		doc_free(doc);
	source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file;

	if (!path[0]) {
		if (!mkdtemp(folder))
			abort();
		snprintf(path, sizeof(path), "%s/g.csv", folder);
		snprintf(uri, sizeof(uri), "csv:%s", folder);
		atexit(leave);
	}
	file = fopen(path, "w");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
	read_all(path);
	read_all(uri);
	(void)frames_whole(path, NULL);
	return 0;
}
