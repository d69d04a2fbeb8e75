/* SPDX-License-Identifier: BSD-3-Clause */
/* Any file as a spool: what is whole comes out, and it goes on from there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/spool.h"

static char folder[] = "/tmp/fedwatts-fuzz-XXXXXX";
static char path[64];

static void leave(void)
{
	unlink(path);
	rmdir(folder);
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static void use(struct spool *spool)
{
	uint64_t records = spool_records(spool), read = 0;
	const void *record;
	size_t length;

	while (spool_next(spool, &record, &length, NULL) > 0)
		read++;
	must(read == records);
	spool_rewind(spool);
	must(spool_put(spool, "new", 3, NULL) == 0);
	while (spool_next(spool, &record, &length, NULL) > 0)
		;
	must(length == 3 && !memcmp(record, "new", 3));
	must(spool_done(spool, NULL) == 0 && spool_records(spool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool *spool;
	FILE *file;

	if (!path[0]) {
		must(mkdtemp(folder) != NULL);
		snprintf(path, sizeof(path), "%s/s", folder);
		atexit(leave);
	}
	file = fopen(path, "w");
	must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
	spool = spool_open(path, (uint64_t)1 << 30, NULL);
	if (spool)
		use(spool);
	spool_close(spool);
	return 0;
}
