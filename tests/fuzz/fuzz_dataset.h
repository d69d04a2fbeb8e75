/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_dataset -- files in a folder of the fuzzer's own, and a data set of
 * them: it is refused with a sentence, or keeps the laws of a data set.
 */
#ifndef TESTS_FUZZ_FUZZ_DATASET_H
#define TESTS_FUZZ_FUZZ_DATASET_H

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/dataset.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char fuzz_folder[64];

/* What was put there; removed at the end. */
static char fuzz_made[32][128];

static inline void fuzz_clean(void)
{
	static const char *const folders[] = { "/train", "/test", "" };

	for (size_t i = 0; i < 32; i++)
		if (*fuzz_made[i])
			unlink(fuzz_made[i]);
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", fuzz_folder, folders[i]);
		rmdir(path);
	}
}

static inline void fuzz_path(const char *name, char path[static 128])
{
	const char *scratch = getenv("TMPDIR");

	if (!*fuzz_folder) {
		snprintf(fuzz_folder, sizeof(fuzz_folder),
			 "%s/fuzz-dataset-XXXXXX",
			 scratch && *scratch ? scratch : "/tmp");
		if (!mkdtemp(fuzz_folder))
			abort();
		fuzz_path("train", path);
		mkdir(path, 0700);
		fuzz_path("test", path);
		mkdir(path, 0700);
		atexit(fuzz_clean);
	}
	snprintf(path, 128, "%s/%s", fuzz_folder, name);
}

static inline void fuzz_remove(const char *name)
{
	char path[128];

	fuzz_path(name, path);
	unlink(path);
}

static inline void fuzz_put(const char *name, const void *bytes, size_t size)
{
	char path[128];
	size_t i = 0;
	int fd;

	fuzz_path(name, path);
	while (*fuzz_made[i] && strcmp(fuzz_made[i], path) != 0)
		i++;
	snprintf(fuzz_made[i], sizeof(fuzz_made[i]), "%s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

static inline void fuzz_put_text(const char *name, const char *text)
{
	fuzz_put(name, text, strlen(text));
}

static inline void fuzz_check_part(const struct dataset *set,
				   const struct dataset_part *part)
{
	float *x = xcalloc(set->features, sizeof(*x));
	int32_t label;

	if (!part->samples || !part->user != !set->users)
		abort();
	for (size_t i = 0; i < part->samples; i++) {
		dataset_batch(part, set->features, &i, 1, x, &label);
		if (label < 0 || (size_t)label >= set->classes ||
		    (part->user && part->user[i] >= set->users))
			abort();
		for (size_t j = 0; j < set->features; j++)
			if (!isfinite(x[j]))
				abort();
	}
	free(x);
}

/* `kind` is "idx"; `rest` is what stands behind the folder. */
static inline void fuzz_open(const char *kind, const char *rest)
{
	struct err err = { 0 };
	struct dataset *set;
	char text[128];

	snprintf(text, sizeof(text), "%s:%s%s", kind, fuzz_folder, rest);
	set = dataset_open(text, 1, &err);
	if (!set && (!*err.text || !err.code))
		abort();
	if (set) {
		fuzz_check_part(set, &set->train);
		fuzz_check_part(set, &set->test);
	}
	dataset_free(set);
}

#endif
