/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of IDX files is refused with a sentence, or keeps the laws of a
 * data set.  The first byte chooses which of the four files the rest is, as it
 * stands or under gzip's name; the other three are well-formed. */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static const struct {
	const char *name;
	size_t size;
	uint8_t bytes[28];
} files[] = {
	{ "train-images-idx3-ubyte", 28, { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0,
					   0, 2, 0, 0, 0, 2, 1, 2, 3, 4 } },
	{ "train-labels-idx1-ubyte", 11, { 0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1 } },
	{ "t10k-images-idx3-ubyte", 24, { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0,
					  0, 2, 0, 0, 0, 2, 9, 9, 9, 9 } },
	{ "t10k-labels-idx1-ubyte", 10, { 0, 0, 8, 1, 0, 0, 0, 2, 1, 3 } },
};

static void path_of(size_t i, const char *suffix, char path[static 128])
{
	snprintf(path, 128, "%s/%s%s", folder, files[i].name, suffix);
}

static void file_remove(size_t i)
{
	char path[128];

	path_of(i, "", path);
	unlink(path);
	path_of(i, ".gz", path);
	unlink(path);
}

static void file_put(size_t i, const char *suffix, const void *bytes,
		     size_t size)
{
	char path[128];
	int fd;

	path_of(i, suffix, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void clean(void)
{
	for (size_t i = 0; i < 4; i++)
		file_remove(i);
	rmdir(folder);
}

static void folder_make(void)
{
	const char *scratch = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/fuzz-idx-XXXXXX",
		 scratch && *scratch ? scratch : "/tmp");
	if (!mkdtemp(folder))
		abort();
	atexit(clean);
}

static void part_check(const struct dataset *set,
		       const struct dataset_part *part)
{
	if (!part->samples)
		abort();
	for (size_t i = 0; i < part->samples; i++)
		if (part->label[i] < 0 ||
		    (size_t)part->label[i] >= set->classes)
			abort();
	for (size_t i = 0; i < part->samples * set->features; i++)
		if (!(part->x[i] >= 0.0f && part->x[i] <= 1.0f))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct dataset *set;
	char text[80];

	if (!size)
		return 0;
	if (!*folder)
		folder_make();
	for (size_t i = 0; i < 4; i++) {
		file_remove(i);
		if (i == (data[0] & 3u))
			file_put(i, data[0] & 4u ? ".gz" : "", data + 1,
				 size - 1);
		else
			file_put(i, "", files[i].bytes, files[i].size);
	}
	snprintf(text, sizeof(text), "idx:%s", folder);
	set = dataset_open(text, 1, &err);
	if (!set && !*err.text)
		abort();
	if (set) {
		part_check(set, &set->train);
		part_check(set, &set->test);
	}
	dataset_free(set);
	return 0;
}
