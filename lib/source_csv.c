/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv: hwpc-sensor's folder (GROUP.csv), a document per target and tick, and
 * PowerAPI's power reports, a document per row (behind the others, where a
 * folder has both).
 */
#include "lib/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv_group.h"
#include "lib/csv_reports.h"
#include "lib/mem.h"
#include "lib/place.h"

struct csv_source {
	struct csv_group **group;
	size_t groups;
	int64_t now_ms; /* the tick at hand */
	/* Its rows of all groups, sorted, and how far they are used. */
	const struct csv_group_row **row;
	size_t rows, capacity, at;
	struct csv_reports *reports;
	char *where;
};

static void csv_close_all(void *self)
{
	struct csv_source *csv = self;

	for (size_t i = 0; i < csv->groups; i++)
		csv_group_close(csv->group[i]);
	csv_reports_free(csv->reports);
	free(csv->group);
	free(csv->row);
	free(csv->where);
	free(csv);
}

/* ---- the folder ---------------------------------------------------------- */

static int is_csv(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 4 &&
	       !strcmp(entry->d_name + length - 4, ".csv");
}

/* "core" for core.csv and for core.1.csv, as a sink moves them away. */
static char *stem_of(const char *name, struct dirent *const *entry, int count)
{
	char *stem = xstrndup(name, strlen(name) - 4);
	char *dot = strrchr(stem, '.');

	if (!dot || dot == stem || !dot[1] ||
	    strspn(dot + 1, "0123456789") != strlen(dot + 1))
		return stem;
	for (int i = 0; i < count; i++) {
		const char *other = entry[i]->d_name;

		if (strlen(other) == (size_t)(dot - stem) + 4 &&
		    !strncmp(other, stem, (size_t)(dot - stem))) {
			*dot = '\0';
			break;
		}
	}
	return stem;
}

static struct csv_group *group_get(struct csv_source *csv, const char *name)
{
	for (size_t i = 0; i < csv->groups; i++)
		if (!strcmp(csv_group_name(csv->group[i]), name))
			return csv->group[i];
	csv->group = xrealloc(csv->group, csv->groups + 1,
			      sizeof(struct csv_group *));
	csv->group[csv->groups] = csv_group_new(name);
	return csv->group[csv->groups++];
}

/* scandir with versionsort: core.1.csv, core.2.csv, …, core.csv. */
static int folder_scan(struct csv_source *csv, const char *folder,
		       struct err *err)
{
	struct dirent **entry;
	int count = scandir(folder, &entry, is_csv, versionsort);

	if (count < 0)
		return err_sys(err, "open folder");
	for (int i = 0; i < count; i++) {
		char *stem = stem_of(entry[i]->d_name, entry, count);
		char *path = xasprintf("%s/%s", folder, entry[i]->d_name);

		if (csv_reports_is_file(path))
			csv_reports_add(csv->reports, path);
		else
			csv_group_add(group_get(csv, stem), path);
		free(path);
		free(stem);
	}
	csv_reports_scan(csv->reports, folder);
	for (int i = 0; i < count; i++)
		free(entry[i]);
	free(entry);
	if (csv->groups + csv_reports_files(csv->reports) == 0)
		return err_set(err, ENOENT,
			       "no .csv file in it (expected GROUP.csv as "
			       "hwpc-sensor writes them, or PowerAPI's "
			       "PowerReport.csv)");
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(csv_group_name(*(struct csv_group *const *)a),
		      csv_group_name(*(struct csv_group *const *)b));
}

static void *csv_open_all(const char *rest, struct err *err)
{
	struct csv_source *csv = xcalloc(1, sizeof(*csv));
	char *folder = place_name(rest, NULL, NULL, err);
	int failed;

	csv->reports = csv_reports_new();
	failed = folder ? folder_scan(csv, *folder ? folder : ".", err) : -1;

	csv->where = xstrdup(folder ? folder : "");
	free(folder);
	for (size_t i = 0; i < csv->groups && !failed; i++)
		failed = csv_group_start(csv->group[i], err);
	if (!failed)
		failed = csv_reports_start(csv->reports, err);
	if (failed) {
		csv_close_all(csv);
		return NULL;
	}
	if (csv->groups > 0)
		qsort(csv->group, csv->groups, sizeof(struct csv_group *),
		      compare_groups);
	return csv;
}

/* ---- one tick ------------------------------------------------------------ */

static int compare_targets(const char *a, const char *b)
{
	/* "all" first, as streams have it. */
	if (!strcmp(a, "all") || !strcmp(b, "all"))
		return !!strcmp(a, "all") - !!strcmp(b, "all");
	return strcmp(a, b);
}

static int compare_rows(const void *a, const void *b)
{
	const struct csv_group_row *left = *(struct csv_group_row *const *)a;
	const struct csv_group_row *right = *(struct csv_group_row *const *)b;
	int order = compare_targets(left->target, right->target);

	if (!order)
		order = strcmp(left->sensor, right->sensor);
	if (!order)
		order = strcmp(left->group, right->group);
	if (!order)
		order = strverscmp(left->key[0], right->key[0]);
	if (!order)
		order = strverscmp(left->key[1], right->key[1]);
	if (!order)
		order = left->line < right->line ? -1 : 1;
	return order;
}

/* All rows of the earliest timestamp. 1, 0 at the end, -1. */
static int tick_read(struct csv_source *csv, struct err *err)
{
	bool any = false;

	csv->rows = csv->at = 0;
	for (size_t i = 0; i < csv->groups; i++) {
		int64_t ms;

		if (csv_group_ahead(csv->group[i], &ms) &&
		    (!any || ms < csv->now_ms)) {
			csv->now_ms = ms;
			any = true;
		}
	}
	if (!any)
		return 0;
	for (size_t i = 0; i < csv->groups; i++) {
		struct csv_group *group = csv->group[i];
		size_t rows;

		if (csv_group_read(group, csv->now_ms, err) < 0)
			return -1;
		rows = csv_group_rows(group);
		csv->row =
			mem_grow(csv->row, &csv->capacity, csv->rows + rows + 1,
				 sizeof(struct csv_group_row *));
		for (size_t k = 0; k < rows; k++)
			csv->row[csv->rows++] = csv_group_row(group, k);
	}
	qsort(csv->row, csv->rows, sizeof(struct csv_group_row *),
	      compare_rows);
	return 1;
}

/* ---- one document -------------------------------------------------------- */

static struct doc *event_object(const struct csv_group_row *row)
{
	struct doc *events = doc_new_object();

	for (size_t i = 0; i < row->events; i++)
		if (row->given[i])
			doc_set_int(events, row->event[i],
				    (int64_t)row->value[i]);
	return events;
}

/* Rows [from, to) agree in the first `depth` of group, keys 0 and 1; an object
 * of what comes below. */
static struct doc *object_below(const struct csv_group_row *const *row,
				size_t count, int depth)
{
	struct doc *object;

	if (depth == 3)
		return event_object(row[count - 1]);
	object = doc_new_object();
	for (size_t i = 0; i < count;) {
		const char *name = csv_group_key(row[i], depth);
		size_t end = i + 1;

		while (end < count &&
		       !strcmp(csv_group_key(row[end], depth), name))
			end++;
		doc_set_take(object, name,
			     object_below(row + i, end - i, depth + 1));
		i = end;
	}
	return object;
}

static int next_report(struct csv_source *csv, struct doc **doc,
		       struct err *err)
{
	char *where;
	int got = csv_reports_next(csv->reports, doc, &where, err);

	if (got > 0) {
		free(csv->where);
		csv->where = where;
	}
	return got;
}

static int csv_next_doc(void *self, struct doc **doc, struct err *err)
{
	struct csv_source *csv = self;
	const struct csv_group_row *first;
	size_t end;
	int got;

	if (csv->at == csv->rows) {
		got = tick_read(csv, err);
		if (got == 0)
			return next_report(csv, doc, err);
		if (got < 0)
			return got;
	}
	first = csv->row[csv->at];
	for (end = csv->at + 1; end < csv->rows; end++)
		if (strcmp(csv->row[end]->target, first->target) != 0 ||
		    strcmp(csv->row[end]->sensor, first->sensor) != 0)
			break;
	free(csv->where);
	csv->where = xasprintf("%s:%zu", first->path, first->line);
	*doc = doc_new_object();
	doc_set_int(*doc, "timestamp", csv->now_ms);
	doc_set_text(*doc, "sensor", first->sensor);
	doc_set_text(*doc, "target", first->target);
	doc_set_take(*doc, "groups",
		     object_below(csv->row + csv->at, end - csv->at, 0));
	csv->at = end;
	return 1;
}

static const char *csv_where(const void *self)
{
	const struct csv_source *csv = self;

	return csv->where;
}

static bool csv_torn(const void *self)
{
	const struct csv_source *csv = self;

	for (size_t i = 0; i < csv->groups; i++)
		if (csv_group_torn(csv->group[i]))
			return true;
	return csv_reports_torn(csv->reports);
}

const struct source_kind source_kind_csv = {
	.scheme = "csv",
	.open = csv_open_all,
	.next = csv_next_doc,
	.where = csv_where,
	.torn = csv_torn,
	.close = csv_close_all,
	.summary = "csv:DIR\thwpc-sensor's and PowerAPI's CSV files",
};
