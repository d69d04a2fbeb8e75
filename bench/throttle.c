/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/throttle.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mem.h"

/* Files kept open: two per CPU; more CPUs than that heat up together. */
#define THROTTLE_FILES_MAX 256

struct throttle {
	int fd[THROTTLE_FILES_MAX];
	size_t files;
};

static void add_all(struct throttle *throttle, const char *sys,
		    const char *name)
{
	char *pattern = xasprintf("%s/devices/system/cpu/cpu[0-9]*"
				  "/thermal_throttle/%s",
				  sys, name);
	glob_t found = { 0 };
	int fd;

	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (throttle->files == THROTTLE_FILES_MAX)
				break;
			fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);
			if (fd >= 0)
				throttle->fd[throttle->files++] = fd;
		}
	}
	globfree(&found);
	free(pattern);
}

struct throttle *throttle_open(const char *sys)
{
	struct throttle *throttle = xcalloc(1, sizeof(*throttle));

	add_all(throttle, sys, "core_throttle_count");
	add_all(throttle, sys, "package_throttle_count");
	return throttle;
}

uint64_t throttle_count(const struct throttle *throttle)
{
	uint64_t sum = 0;
	char text[32];
	ssize_t got;

	for (size_t i = 0; i < throttle->files; i++) {
		got = pread(throttle->fd[i], text, sizeof(text) - 1, 0);
		if (got <= 0)
			continue;
		text[got] = '\0';
		sum += strtoull(text, NULL, 10);
	}
	return sum;
}

void throttle_close(struct throttle *throttle)
{
	if (!throttle)
		return;
	for (size_t i = 0; i < throttle->files; i++)
		close(throttle->fd[i]);
	free(throttle);
}
