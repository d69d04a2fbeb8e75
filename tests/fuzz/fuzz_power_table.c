/* SPDX-License-Identifier: BSD-3-Clause */
/* A map on the first line, a table below it: what is taken has rows that fit
 * together and makes a model that says finite watts, or says why not.  A model
 * document on the first line is taken, or refused with a reason. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formula/power_model.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void train(const struct power_map *map, const struct power_table *table)
{
	struct err err = { 0 };
	struct power_model model;
	double *watts;

	if (power_model_train(&model, map, table, NULL, &err) < 0) {
		if (!err.text[0])
			abort();
		return;
	}
	watts = xcalloc(table->rows, sizeof(*watts));
	power_model_predict(&model, table, watts, NULL);
	for (size_t i = 0; i < table->rows; i++)
		if (!(watts[i] >= 0) || !isfinite(watts[i]))
			abort();
	free(watts);
	power_model_done(&model);
}

static void read_table(const struct power_map *map, const uint8_t *data,
		       size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct power_table table;
	struct err err = { 0 };
	char path[32], *file[1] = { path };
	struct field_list files = { file, 1 };

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (power_table_read(&table, map, &files, &err) == 0) {
		for (size_t i = 0; i < table.rows; i++)
			if (table.group[i] >= table.groups ||
			    !(table.watts[i] > 0))
				abort();
		/* Training takes its time. */
		if (table.rows * (table.rates + 8) < 4096)
			train(map, &table);
		power_table_done(&table);
	} else if (!err.text[0]) {
		abort();
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t head = end ? (size_t)(end - data) : size;
	struct doc *doc = doc_parse((const char *)data, head, NULL);
	struct power_model model;
	struct power_map map;

	if (!doc)
		return 0;
	if (power_model_from_doc(&model, doc, "model", NULL) == 0) {
		doc_free(power_model_to_doc(&model));
		power_model_done(&model);
	}
	if (end && power_map_read(&map, doc, "map", NULL) == 0) {
		read_table(&map, end + 1, size - head - 1);
		power_map_done(&map);
	}
	doc_free(doc);
	return 0;
}
