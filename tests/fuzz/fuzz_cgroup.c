/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths of cgroups, /proc/PID/cgroup, /proc/self/mounts.  The first byte
 * chooses. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/doc.h"
#include "sensor/cgroup.h"
#include "sensor/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is said of a path stays JSON, whatever the path is. */
static void parse_path(const char *path)
{
	struct text out = TEXT_INIT;
	struct container names;
	struct doc *doc;

	container_read("/nowhere", path, &names);
	text_put(&out, "{\"x\":1");
	container_put(&names, &out);
	text_put_char(&out, '}');
	doc = doc_parse(out.data, out.length, NULL);
	if (!doc)
		abort();
	doc_free(doc);
	text_done(&out);
}

static void parse_membership(const char *text)
{
	char path[32];

	for (int v1 = 0; v1 < 2; v1++)
		if (cgroup_parse_membership(text, v1, path, sizeof(path)) ==
			    0 &&
		    strlen(path) >= sizeof(path))
			abort();
}

static char folder[] = "/tmp/fuzz-cgroup-XXXXXX";

static void remove_folder(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/self/mounts", folder);
	(void)remove(path);
	(void)snprintf(path, sizeof(path), "%s/self", folder);
	(void)remove(path);
	(void)remove(folder);
}

static void read_mounts(const char *text)
{
	static int made;
	char path[96], base[64];
	FILE *file;

	if (!made++) {
		if (!mkdtemp(folder) || atexit(remove_folder) != 0)
			abort();
		(void)snprintf(path, sizeof(path), "%s/self", folder);
		if (mkdir(path, 0700) != 0)
			abort();
	}
	(void)snprintf(path, sizeof(path), "%s/self/mounts", folder);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
	if (cgroup_find_base(folder, base, sizeof(base), NULL) == 0 &&
	    strlen(base) >= sizeof(base))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0 || size > 1 << 16)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'm')
		read_mounts(text);
	else if (data[0] == 'p')
		parse_membership(text);
	else
		parse_path(text);
	free(text);
	return 0;
}
