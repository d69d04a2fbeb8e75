/* SPDX-License-Identifier: BSD-3-Clause */
/* Any three files as hwpc-sensor's CSV, cut at lines of "---": no crash, and no
 * watts that are negative or no number. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula/smartwatts_csv.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *self, const struct smartwatts_result *result,
		 struct err *err)
{
	(void)self;
	(void)err;
	for (size_t i = 0; i < result->powers; i++)
		if (!(result->power[i].power >= 0))
			abort();
	return 0;
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct smartwatts_learning learning = {
		.min_samples = 2,
		.window = 3,
		.error_window = 2,
		.threshold = 0.1,
		.tdp = 400,
	};
	const struct smartwatts_settings settings = {
		.scope = { { .name = "cpu",
			     .event = "RAPL_ENERGY_PKG",
			     .disable = "disable-cpu-formula",
			     .learning = learning },
			   { .name = "dram",
			     .event = "RAPL_ENERGY_DRAM",
			     .disabled = true,
			     .learning = learning } },
		.base_clock = 100,
		.base_freq = 2100,
		.period_s = 1,
	};
	struct smartwatts *smartwatts = smartwatts_new(&settings, check, NULL);
	char folder[] = "/tmp/fuzz-smartwatts-XXXXXX";
	struct field_list files = { 0 };
	struct smartwatts_csv *csv = NULL;
	struct err err = { 0 };
	int got = 0;

	if (mkdtemp(folder)) {
		write_files(folder, data, size, &files);
		csv = smartwatts_csv_open(&files, &settings, smartwatts, &err);
		while (csv && (got = smartwatts_csv_next(csv, &err)) > 0)
			;
		if (csv && got == 0)
			smartwatts_end(smartwatts, &err);
		for (size_t i = 0; i < files.count; i++)
			unlink(files.item[i]);
		rmdir(folder);
	}
	smartwatts_csv_close(csv);
	smartwatts_free(smartwatts);
	field_list_done(&files);
	return 0;
}
