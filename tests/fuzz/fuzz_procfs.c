/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever stands in /proc: a line of stat or schedstat, a process's stat, and
 * whole files read as a machine's.  The first byte chooses. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/cputime.h"
#include "sensor/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_lines(const char *text)
{
	uint64_t figure[CPUTIME_FIGURES_MAX];
	struct process process = { .pid = 0 };
	size_t figures = 0;

	if (cputime_parse_line(text, figure, CPUTIME_FIGURES_MAX, &figures) >=
		    0 &&
	    figures > CPUTIME_FIGURES_MAX)
		abort();
	if (process_parse_stat(text, &process) == 0 &&
	    (process.pid <= 0 || strlen(process.name) >= PROCESS_NAME_MAX))
		abort();
}

static char folder[] = "/tmp/fuzz-procfs-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[96];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void remove_folder(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/stat", folder);
	(void)remove(path);
	(void)snprintf(path, sizeof(path), "%s/schedstat", folder);
	(void)remove(path);
	(void)remove(folder);
}

/* Twice what the text says: time never runs backwards. */
static void read_machine(const char *text, const char *name)
{
	static int made;
	struct cputime_reading first, second;
	struct cputime *cputime;

	if (!made++ && (!mkdtemp(folder) || atexit(remove_folder) != 0))
		abort();
	put("stat", "cpu0 1 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0\n");
	put("schedstat", "");
	put(name, text);
	cputime = cputime_open(folder, NULL);
	if (!cputime)
		return;
	if (cputime_read(cputime, &first, NULL) == 0) {
		double busy_s = first.busy_s;

		put("schedstat", "cpu0 0 0 0 0 0 0 5 0 0\n");
		if (cputime_read(cputime, &second, NULL) == 0 &&
		    second.busy_s < busy_s)
			abort();
	}
	cputime_close(cputime);
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
	if (data[0] == 's')
		read_machine(text, "stat");
	else if (data[0] == 'c')
		read_machine(text, "schedstat");
	else
		parse_lines(text);
	free(text);
	return 0;
}
