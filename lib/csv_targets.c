/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_targets.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/csv.h"
#include "lib/csv_file.h"
#include "lib/csv_tables.h"
#include "lib/doc.h"
#include "lib/folder.h"
#include "lib/mem.h"

struct csv_targets {
	char *folder;
	void *files; /* a tree (search.h) of struct csv_file by path */
	struct text text;
	bool dirty;
};

/* One row on its way: the metadata as flat text members. */
struct record {
	const struct batch *batch;
	const struct row *row;
	struct field_list key, value; /* sorted by key */
};

/* ---- metadata ------------------------------------------------------------ */

static void record_add(struct record *record, const char *key,
		       const struct doc *value)
{
	char *text = doc_kind(value) == DOC_TEXT
			     ? xstrdup(doc_string(value, ""))
			     : doc_to_text(value);

	field_list_add(&record->key, key);
	field_list_add(&record->value, text);
	free(text);
}

/* PowerAPI flattens one level: {"k8s": {"pod": …}} is k8s_pod. */
static void record_flatten(struct record *record, const struct doc *metadata)
{
	for (size_t i = 0; i < doc_count(metadata); i++) {
		const struct doc *value, *inner;
		const char *key = doc_key_at(metadata, i, &value);

		if (doc_kind(value) != DOC_OBJECT) {
			record_add(record, key, value);
			continue;
		}
		for (size_t k = 0; k < doc_count(value); k++) {
			const char *below = doc_key_at(value, k, &inner);
			char *name = xasprintf("%s_%s", key, below);

			record_add(record, name, inner);
			free(name);
		}
	}
}

static int record_init(struct record *record, const struct batch *batch,
		       const struct row *row, struct err *err)
{
	struct doc *metadata;

	*record = (struct record){ .batch = batch, .row = row };
	if (!row->metadata)
		return 0;
	metadata = doc_parse(row->metadata, strlen(row->metadata), err);
	if (!metadata)
		return err_wrap(err, "metadata of '%.80s'", row->target);
	record_flatten(record, metadata);
	doc_free(metadata);
	return 0;
}

static void record_done(struct record *record)
{
	field_list_done(&record->key);
	field_list_done(&record->value);
}

static const char *record_get(const struct record *record, const char *key)
{
	for (size_t i = 0; i < record->key.count; i++)
		if (!strcmp(record->key.item[i], key))
			return record->value.item[i];
	return NULL;
}

/* ---- columns and cells --------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_once(struct field_list *list, const char *text)
{
	if (!field_list_has(list, text))
		field_list_add(list, text);
}

/* `more`: what an earlier header had besides. */
static struct field_list header_of(const struct record *record,
				   const struct field_list *more)
{
	const struct layout *layout = record->row->layout;
	struct field_list header = { 0 };
	size_t fixed;

	add_once(&header, "timestamp");
	add_once(&header, "sensor");
	add_once(&header, "target");
	for (size_t i = 0; i < layout->columns; i++)
		add_once(&header, layout->column[i].name);
	for (size_t i = 0; i < 2; i++)
		if (layout->key_column[i])
			add_once(&header, layout->key_column[i]);
	fixed = header.count;
	for (size_t i = 0; i < record->key.count; i++)
		add_once(&header, record->key.item[i]);
	for (size_t i = 0; more && i < more->count; i++)
		add_once(&header, more->item[i]);
	if (header.count > fixed)
		qsort(header.item + fixed, header.count - fixed, sizeof(char *),
		      compare_items);
	return header;
}

static const struct column *column_find(const struct layout *layout,
					const char *name, size_t *index)
{
	for (size_t i = 0; i < layout->columns; i++) {
		if (!strcmp(layout->column[i].name, name)) {
			*index = i;
			return &layout->column[i];
		}
	}
	return NULL;
}

static void put_cell(const struct record *record, const char *name,
		     struct text *out)
{
	const struct layout *layout = record->row->layout;
	size_t index = 0;
	const struct column *column = column_find(layout, name, &index);
	const char *text = record_get(record, name);

	if (!strcmp(name, "timestamp")) {
		text_put_int(out, record->batch->time_ms);
		return;
	}
	if (!strcmp(name, "sensor"))
		text = record->batch->sensor;
	else if (!strcmp(name, "target"))
		text = record->row->target;
	else if (column) {
		csv_put_value(column, &record->row->value[index], out);
		return;
	}
	for (size_t i = 0; i < 2 && !text && layout->columns > 0; i++)
		if (layout->key_column[i] &&
		    !strcmp(layout->key_column[i], name))
			text = layout->column[0].key[i];
	if (text)
		csv_put(out, text, ',');
}

static void put_record(const struct record *record,
		       const struct field_list *header, struct text *out)
{
	for (size_t i = 0; i < header->count; i++) {
		if (i > 0)
			text_put_char(out, ',');
		put_cell(record, header->item[i], out);
	}
	text_put(out, "\r\n");
}

/* ---- files --------------------------------------------------------------- */

/* SENSOR-TARGET, with nothing in it that leads upwards. */
static void put_safe(const char *name, struct text *out)
{
	while (*name) {
		size_t length = strcspn(name, "/");
		bool dots = length > 0 && length <= 2 &&
			    strspn(name, ".") >= length;

		if (dots)
			text_put_bytes(out, "__", length);
		else
			text_put_bytes(out, name, length);
		name += length;
		if (*name)
			text_put_char(out, *name++);
	}
}

static char *folder_of(const struct csv_targets *csv,
		       const struct record *record)
{
	char *name =
		xasprintf("%s-%s", record->batch->sensor, record->row->target);
	struct text path = TEXT_INIT;

	text_printf(&path, "%s/", csv->folder);
	put_safe(name, &path);
	free(name);
	return text_take(&path);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(csv_file_path(a), csv_file_path(b));
}

static int compare_path(const void *path, const void *file)
{
	return strcmp(path, csv_file_path(file));
}

/* The file as it is known, or NULL; tfind's "node" begins with our pointer. */
static struct csv_file *file_find(const struct csv_targets *csv,
				  const char *path)
{
	void *root = csv->files;
	struct csv_file *const *node = tfind(path, &root, compare_path);

	return node ? *node : NULL;
}

static bool has_all(const struct field_list *header,
		    const struct field_list *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!field_list_has(header, wanted->item[i]))
			return false;
	return true;
}

/* A file that has every column of the record: known, continued, or new. */
static struct csv_file *file_get(struct csv_targets *csv,
				 const struct record *record,
				 const char *folder, struct err *err)
{
	char *path = xasprintf("%s/%s.csv", folder,
			       record->row->layout->column[0].table);
	struct csv_file *file = file_find(csv, path);
	struct field_list header = header_of(record, NULL);

	if (file && !has_all(csv_file_header(file), &header)) {
		field_list_done(&header);
		header = header_of(record, csv_file_header(file));
		tdelete(file, &csv->files, compare_files);
		csv_file_close(file, NULL);
		file = NULL;
	}
	if (!file && folder_make(folder, err) == 0) {
		file = csv_file_open(path, &header, false, "\r\n", err);
		if (file)
			tsearch(file, &csv->files, compare_files);
	}
	field_list_done(&header);
	free(path);
	return file;
}

static int put_one(struct csv_targets *csv, const struct record *record,
		   struct err *err)
{
	char *folder = folder_of(csv, record);
	struct csv_file *file = file_get(csv, record, folder, err);
	int failed = file ? 0 : -1;

	if (file) {
		text_clear(&csv->text);
		put_record(record, csv_file_header(file), &csv->text);
		failed = csv_file_put(file, &csv->text, err);
		if (csv_file_rest(file, failed ? NULL : err) < 0)
			failed = -1;
	}
	if (failed)
		err_wrap(err, "%s", folder);
	free(folder);
	return failed;
}

int csv_targets_put(struct csv_targets *csv, const struct batch *batch,
		    struct err *err)
{
	for (size_t i = 0; i < batch->rows; i++) {
		const struct row *row = &batch->row[i];
		struct record record;
		int failed;

		if (row->layout->files != LAYOUT_TARGETS ||
		    row->layout->columns == 0)
			continue;
		if (record_init(&record, batch, row, err) < 0)
			return -1;
		failed = put_one(csv, &record, err);
		record_done(&record);
		if (failed)
			return -1;
		csv->dirty = true;
	}
	return 0;
}

struct csv_targets *csv_targets_new(const char *folder)
{
	struct csv_targets *csv = xcalloc(1, sizeof(*csv));

	csv->folder = xstrdup(folder);
	return csv;
}

int csv_targets_flush(struct csv_targets *csv, struct err *err)
{
	int fd, failed = 0;

	if (!csv->dirty)
		return 0;
	fd = open(csv->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", csv->folder);
	if (syncfs(fd) < 0)
		failed = err_sys(err, "syncfs");
	close(fd);
	csv->dirty = failed != 0;
	return failed;
}

static void file_free(void *file)
{
	csv_file_close(file, NULL);
}

void csv_targets_free(struct csv_targets *csv)
{
	tdestroy(csv->files, file_free);
	text_done(&csv->text);
	free(csv->folder);
	free(csv);
}
