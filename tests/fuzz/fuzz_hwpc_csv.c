/* SPDX-License-Identifier: BSD-3-Clause */
/* Any three files as hwpc-sensor's CSV, cut at lines of "---": no crash, and
 * reports in the order of time, without a negative value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula/hwpc_csv.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_files(const char *folder, const uint8_t *data, size_t size,
			struct field_list *files)
{
	static const char *const name[] = { "rapl", "msr", "core" };
	const char *at = (const char *)data, *end = at + size;

	for (size_t i = 0; i < 3; i++) {
		char *path = xasprintf("%s/%s.csv", folder, name[i]);
		const char *cut = memmem(at, (size_t)(end - at), "---\n", 4);
		FILE *file = fopen(path, "w");

		if (!file || !cut || i == 2)
			cut = end;
		if (file) {
			fwrite(at, 1, (size_t)(cut - at), file);
			fclose(file);
		}
		at = cut < end ? cut + 4 : end;
		field_list_add(files, path);
		free(path);
	}
}

static void read_all(const struct field_list *files)
{
	struct hwpc_csv *csv = hwpc_csv_open(files, NULL);
	const struct hwpc_report *report;
	int64_t last = INT64_MIN;

	while (csv && hwpc_csv_next(csv, &report, NULL) > 0) {
		if (report->time_ms < last)
			abort();
		last = report->time_ms;
		for (size_t i = 0; i < report->values; i++)
			if (!(report->value[i].value >= 0))
				abort();
	}
	hwpc_csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/tmp/fuzz-hwpc-csv-XXXXXX";
	struct field_list files = { 0 };

	if (!mkdtemp(folder))
		return 0;
	write_files(folder, data, size, &files);
	read_all(&files);
	for (size_t i = 0; i < files.count; i++)
		unlink(files.item[i]);
	rmdir(folder);
	field_list_done(&files);
	return 0;
}
