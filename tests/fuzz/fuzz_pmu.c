/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of events, and what sysfs says of them: the first line is the name, the
 * second the text of every format, the rest that of every alias. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/pmu.h"
#include "sensor/sysfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz-pmu-XXXXXX";

static const char *const names[] = {
	"bus",
	"bus/event_source",
	"bus/event_source/devices",
	"bus/event_source/devices/p",
	"bus/event_source/devices/p/events",
	"bus/event_source/devices/p/format",
	"bus/event_source/devices/p/type",
	"bus/event_source/devices/p/cpus",
	"bus/event_source/devices/p/events/e",
	"bus/event_source/devices/p/format/f",
};
#define FOLDERS 6
#define NAMES   10

static const char *place(size_t i)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
	return path;
}

static void put(size_t i, const char *text)
{
	FILE *file = fopen(place(i), "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void remove_folder(void)
{
	for (size_t i = NAMES; i > 0; i--)
		(void)remove(place(i - 1));
	(void)remove(folder);
}

static void make_folder(void)
{
	static int made;

	if (made++)
		return;
	if (!mkdtemp(folder) || atexit(remove_folder) != 0)
		abort();
	for (size_t i = 0; i < FOLDERS; i++)
		if (mkdir(place(i), 0700) != 0)
			abort();
	put(6, "7\n");
	sysfs_root = folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pmu_cores cores;
	struct event event, there;
	char *text, *rest, *name, *format;

	if (size > 4096)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	rest = text;
	name = strsep(&rest, "\n");
	format = rest ? strsep(&rest, "\n") : NULL;
	make_folder();
	put(9, format ? format : "");
	put(8, rest ? rest : "");
	put(7, format ? format : "");
	if (pmu_find_event(name, &event, NULL) == 0) {
		if (strlen(event.name) >= EVENT_NAME_MAX)
			abort();
		pmu_cores_read(&cores);
		pmu_event_on(&cores, &event, 1, &there);
	}
	free(text);
	return 0;
}
