/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/csv_file.h"
#include "lib/csv_tables.h"
#include "lib/instant.h"
#include "lib/mem.h"

struct flat_file {
	char *kind;
	struct csv_file *file;
};

struct csv_flat {
	char *folder;
	struct flat_file *file;
	size_t files;
	struct text time, text; /* of one put */
};

struct csv_flat *csv_flat_new(const char *folder)
{
	struct csv_flat *csv = xcalloc(1, sizeof(*csv));

	csv->folder = xstrdup(folder);
	return csv;
}

static struct csv_file *file_new(struct csv_flat *csv,
				 const struct layout *layout, struct err *err)
{
	char *path = xasprintf("%s/%s.csv", csv->folder, layout->kind);
	struct field_list header = { 0 };
	struct csv_file *file;

	field_list_add(&header, "timestamp");
	field_list_add(&header, "sensor");
	field_list_add(&header, "target");
	for (size_t i = 0; i < layout->columns; i++)
		field_list_add(&header, layout->column[i].name);
	file = csv_file_open(path, &header, true, "\r\n", err);
	field_list_done(&header);
	free(path);
	if (!file)
		return NULL;
	csv->file = xrealloc(csv->file, csv->files + 1, sizeof(*csv->file));
	csv->file[csv->files++] =
		(struct flat_file){ xstrdup(layout->kind), file };
	return file;
}

static struct csv_file *file_get(struct csv_flat *csv,
				 const struct layout *layout, struct err *err)
{
	for (size_t i = 0; i < csv->files; i++)
		if (!strcmp(csv->file[i].kind, layout->kind))
			return csv->file[i].file;
	return file_new(csv, layout, err);
}

static void put_line(struct csv_flat *csv, const struct batch *batch,
		     const struct row *row)
{
	struct text *out = &csv->text;

	text_put_bytes(out, csv->time.data, csv->time.length);
	text_put_char(out, ',');
	csv_put(out, batch->sensor, ',');
	text_put_char(out, ',');
	csv_put(out, row->target, ',');
	for (size_t i = 0; i < row->layout->columns; i++) {
		text_put_char(out, ',');
		csv_put_value(&row->layout->column[i], &row->value[i], out);
	}
	text_put(out, "\r\n");
}

/* Rows of one layout stand together: a write for each. */
int csv_flat_put(struct csv_flat *csv, const struct batch *batch,
		 struct err *err)
{
	text_clear(&csv->time);
	instant_put(batch->time_ms, &csv->time);
	for (size_t i = 0; i < batch->rows;) {
		const struct layout *layout = batch->row[i].layout;
		struct csv_file *file;

		if (layout->files != LAYOUT_TARGETS) {
			i++;
			continue;
		}
		file = file_get(csv, layout, err);
		text_clear(&csv->text);
		for (; i < batch->rows && batch->row[i].layout == layout; i++)
			put_line(csv, batch, &batch->row[i]);
		if (!file || csv_file_put(file, &csv->text, err) < 0)
			return err_wrap(err, "%s.csv", layout->kind);
	}
	return 0;
}

int csv_flat_flush(struct csv_flat *csv, struct err *err)
{
	for (size_t i = 0; i < csv->files; i++)
		if (csv_file_flush(csv->file[i].file, err) < 0)
			return err_wrap(err, "%s.csv", csv->file[i].kind);
	return 0;
}

void csv_flat_free(struct csv_flat *csv)
{
	for (size_t i = 0; i < csv->files; i++) {
		free(csv->file[i].kind);
		csv_file_close(csv->file[i].file, NULL);
	}
	free(csv->file);
	text_done(&csv->time);
	text_done(&csv->text);
	free(csv->folder);
	free(csv);
}
