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
#include "lib/clock.h"
#include "lib/csv_file.h"
#include "lib/csv_metadata.h"
#include "lib/csv_tables.h"
#include "lib/folder.h"
#include "lib/mem.h"

/* Lines wait for others of their file, in all so many bytes and so long: a
 * stream of a few ticks a second is written as it comes. */
#define BYTES_MAX ((size_t)32 << 20)
#define WAIT_NS   ((int64_t)200000000)

/* One target's file, and what of it is not written yet. */
struct target_file {
	char *sensor, *target;
	uint64_t layout;
	char *folder;
	struct csv_file *file;
	struct text lines;
	/* Where each column of the header comes from, while metadata has the
	 * members that it had when that was found out. */
	size_t *source, sources;
	struct field_list keys;
	struct target_file *next; /* the file of the row that came behind */
};

struct csv_targets {
	char *folder;
	void *files; /* a tree (search.h) of struct target_file */
	struct target_file *last;
	struct csv_metadata metadata;
	/* Those with lines to write, how many bytes, and since when. */
	struct target_file **waiting;
	size_t waitings, capacity, bytes;
	int64_t written_ns;
	bool dirty;
};

/* One row on its way. */
struct record {
	const struct batch *batch;
	const struct row *row;
	const struct csv_metadata *metadata;
};

/* ---- columns and cells --------------------------------------------------- */

/* Sources: of the record, a value (from VALUE on), a member (from MEMBER on). */
enum { TIME, SENSOR, TARGET, KEY_0, KEY_1, NOWHERE, VALUE };
#define MEMBER ((size_t)1 << 20)

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
	for (size_t i = 0; i < record->metadata->members; i++) {
		char *key = xstrndup(record->metadata->member[i].key,
				     record->metadata->member[i].key_length);

		add_once(&header, key);
		free(key);
	}
	for (size_t i = 0; more && i < more->count; i++)
		add_once(&header, more->item[i]);
	if (header.count > fixed)
		qsort(header.item + fixed, header.count - fixed, sizeof(char *),
		      compare_items);
	return header;
}

static bool is_key(const struct csv_member *member, const char *name)
{
	return strlen(name) == member->key_length &&
	       !memcmp(name, member->key, member->key_length);
}

static size_t source_of(const struct record *record, const char *name)
{
	const struct layout *layout = record->row->layout;

	if (!strcmp(name, "timestamp"))
		return TIME;
	if (!strcmp(name, "sensor"))
		return SENSOR;
	if (!strcmp(name, "target"))
		return TARGET;
	for (size_t i = 0; i < layout->columns; i++)
		if (!strcmp(layout->column[i].name, name))
			return VALUE + i;
	for (size_t i = 0; i < record->metadata->members; i++)
		if (is_key(&record->metadata->member[i], name))
			return MEMBER + i;
	for (size_t i = 0; i < 2; i++)
		if (layout->key_column[i] &&
		    !strcmp(layout->key_column[i], name))
			return KEY_0 + i;
	return NOWHERE;
}

static void put_cell(const struct record *record, size_t source,
		     struct text *out)
{
	const struct layout *layout = record->row->layout;
	const char *key = NULL;

	if (source >= MEMBER) {
		csv_metadata_put(&record->metadata->member[source - MEMBER],
				 out);
	} else if (source >= VALUE) {
		csv_put_value(&layout->column[source - VALUE],
			      &record->row->value[source - VALUE], out);
	} else if (source == TIME) {
		text_put_int(out, record->batch->time_ms);
	} else if (source == SENSOR || source == TARGET) {
		csv_put(out,
			source == SENSOR ? record->batch->sensor
					 : record->row->target,
			',');
	} else if (source == KEY_0 || source == KEY_1) {
		key = layout->column[0].key[source - KEY_0];
		if (key)
			csv_put(out, key, ',');
	}
}

static void put_record(const struct record *record,
		       const struct target_file *file, struct text *out)
{
	for (size_t i = 0; i < file->sources; i++) {
		if (i > 0)
			text_put_char(out, ',');
		put_cell(record, file->source[i], out);
	}
	text_put_bytes(out, "\r\n", 2);
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

/* ---- lines that wait ------------------------------------------------------ */

static int lines_write(struct target_file *file, struct err *err)
{
	int failed;

	if (!file->lines.length)
		return 0;
	failed = csv_file_put(file->file, &file->lines, err);
	text_clear(&file->lines);
	if (csv_file_rest(file->file, failed ? NULL : err) < 0)
		failed = -1;
	return failed ? err_wrap(err, "%s", file->folder) : 0;
}

/* Every file gets its turn; the first failure is told. */
static int waiting_write(struct csv_targets *csv, struct err *err)
{
	int failed = 0;

	for (size_t i = 0; i < csv->waitings; i++)
		if (lines_write(csv->waiting[i], failed ? NULL : err) < 0)
			failed = -1;
	csv->waitings = csv->bytes = 0;
	csv->written_ns = clock_now_ns(clock_real());
	return failed;
}

static void line_put(struct csv_targets *csv, const struct record *record,
		     struct target_file *file)
{
	size_t before = file->lines.length;

	if (!before) {
		csv->waiting =
			mem_grow(csv->waiting, &csv->capacity,
				 csv->waitings + 1, sizeof(*csv->waiting));
		csv->waiting[csv->waitings++] = file;
	}
	put_record(record, file, &file->lines);
	csv->bytes += file->lines.length - before;
	csv->dirty = true;
}

/* ---- which file ----------------------------------------------------------- */

static int compare_files(const void *a, const void *b)
{
	const struct target_file *x = a, *y = b;
	int by = strcmp(x->target, y->target);

	if (!by)
		by = strcmp(x->sensor, y->sensor);
	return by ? by : (x->layout > y->layout) - (x->layout < y->layout);
}

static bool is_of(const struct target_file *file, const struct record *record)
{
	return file && file->layout == record->row->layout->id &&
	       !strcmp(file->target, record->row->target) &&
	       !strcmp(file->sensor, record->batch->sensor);
}

/* Mostly the one that came behind the last one before. */
static struct target_file *file_find(struct csv_targets *csv,
				     const struct record *record)
{
	struct target_file *file = csv->last ? csv->last->next : NULL;
	struct target_file wanted = { 0 };
	void *node;

	if (is_of(file, record)) {
		csv->last = file;
		return file;
	}
	wanted.sensor = xstrdup(record->batch->sensor);
	wanted.target = xstrdup(record->row->target);
	wanted.layout = record->row->layout->id;
	node = tfind(&wanted, &csv->files, compare_files);
	if (node) {
		file = *(struct target_file **)node;
		free(wanted.sensor);
		free(wanted.target);
	} else {
		file = xmalloc(sizeof(*file));
		*file = wanted;
		file->folder = folder_of(csv, record);
		tsearch(file, &csv->files, compare_files);
	}
	if (csv->last)
		csv->last->next = file;
	csv->last = file;
	return file;
}

static bool same_keys(const struct target_file *file,
		      const struct record *record)
{
	const struct csv_metadata *metadata = record->metadata;

	if (!file->file || file->keys.count != metadata->members)
		return false;
	for (size_t i = 0; i < metadata->members; i++)
		if (!is_key(&metadata->member[i], file->keys.item[i]))
			return false;
	return true;
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
static int file_fit(struct target_file *file, const struct record *record,
		    struct err *err)
{
	struct field_list header = header_of(record, NULL);
	int failed = 0;

	if (file->file && !has_all(csv_file_header(file->file), &header)) {
		field_list_done(&header);
		header = header_of(record, csv_file_header(file->file));
		failed = lines_write(file, err);
		csv_file_close(file->file, NULL);
		file->file = NULL;
		file->sources = 0;
	}
	if (!file->file && !failed) {
		char *path = xasprintf("%s/%s.csv", file->folder,
				       record->row->layout->column[0].table);

		if (folder_make(file->folder, err) == 0)
			file->file = csv_file_open(path, &header, false, "\r\n",
						   err);
		if (file->file)
			failed = csv_file_rest(file->file, err);
		free(path);
	}
	field_list_done(&header);
	return file->file && !failed ? 0 : -1;
}

static void sources_find(struct target_file *file, const struct record *record)
{
	const struct csv_metadata *metadata = record->metadata;
	const struct field_list *header = csv_file_header(file->file);

	field_list_done(&file->keys);
	for (size_t i = 0; i < metadata->members; i++) {
		char *key = xstrndup(metadata->member[i].key,
				     metadata->member[i].key_length);

		field_list_add(&file->keys, key);
		free(key);
	}
	file->sources = header->count;
	file->source =
		xrealloc(file->source, header->count, sizeof(*file->source));
	for (size_t i = 0; i < header->count; i++)
		file->source[i] = source_of(record, header->item[i]);
}

/* ---- rows ----------------------------------------------------------------- */

static int put_one(struct csv_targets *csv, const struct record *record,
		   struct err *err)
{
	struct target_file *file = file_find(csv, record);

	if (!same_keys(file, record)) {
		if (file_fit(file, record, err) < 0)
			return err_wrap(err, "%s", file->folder);
		sources_find(file, record);
	}
	line_put(csv, record, file);
	return 0;
}

int csv_targets_put(struct csv_targets *csv, const struct batch *batch,
		    struct err *err)
{
	for (size_t i = 0; i < batch->rows; i++) {
		const struct row *row = &batch->row[i];
		struct record record = { batch, row, &csv->metadata };

		if (row->layout->files != LAYOUT_TARGETS ||
		    row->layout->columns == 0)
			continue;
		if (csv_metadata_read(&csv->metadata, row->metadata, err) < 0)
			return err_wrap(err, "metadata of '%.80s'",
					row->target);
		if (put_one(csv, &record, err) < 0)
			return -1;
	}
	if (csv->bytes > BYTES_MAX ||
	    clock_now_ns(clock_real()) - csv->written_ns > WAIT_NS)
		return waiting_write(csv, err);
	return 0;
}

struct csv_targets *csv_targets_new(const char *folder)
{
	struct csv_targets *csv = xcalloc(1, sizeof(*csv));

	csv->folder = xstrdup(folder);
	csv->written_ns = INT64_MIN / 2;
	return csv;
}

int csv_targets_flush(struct csv_targets *csv, struct err *err)
{
	int fd, failed = waiting_write(csv, err);

	if (failed || !csv->dirty)
		return failed;
	fd = open(csv->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", csv->folder);
	if (syncfs(fd) < 0)
		failed = err_sys(err, "syncfs");
	close(fd);
	csv->dirty = failed != 0;
	return failed;
}

static void file_free(void *self)
{
	struct target_file *file = self;

	csv_file_close(file->file, NULL);
	field_list_done(&file->keys);
	text_done(&file->lines);
	free(file->source);
	free(file->sensor);
	free(file->target);
	free(file->folder);
	free(file);
}

void csv_targets_free(struct csv_targets *csv)
{
	tdestroy(csv->files, file_free);
	csv_metadata_done(&csv->metadata);
	free(csv->waiting);
	free(csv->folder);
	free(csv);
}
