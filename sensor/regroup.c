/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/regroup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/hwpc_report.h"
#include "sensor/power_layout.h"

#define ROWS_MAX    65536 /* of a batch */
#define LAYOUTS_MAX 256   /* that are kept */
#define COLUMNS_MAX 65536 /* of a report */

/* Layouts are known by the text of their paths. */
struct known {
	char *paths;
	struct layout *layout;
};

struct regroup {
	struct sink *sink;
	struct layout *power;
	struct known known[LAYOUTS_MAX];
	size_t layouts;
	/* What waits: rows, and what they borrow. */
	int64_t time_ms;
	struct row *row;
	struct doc **doc;
	char **metadata;
	union value **values;
	size_t rows;
	size_t capacity[4];
	/* Of the report at hand. */
	struct text paths;
	union value *value;
	size_t count, value_capacity;
};

struct regroup *regroup_new(struct sink *sink)
{
	struct regroup *regroup = xcalloc(1, sizeof(*regroup));

	regroup->sink = sink;
	regroup->power = power_layout_new();
	return regroup;
}

static void layouts_drop(struct regroup *regroup)
{
	while (regroup->layouts > 0) {
		struct known *known = &regroup->known[--regroup->layouts];

		free(known->paths);
		layout_free(known->layout);
	}
}

static void rows_drop(struct regroup *regroup)
{
	for (size_t i = 0; i < regroup->rows; i++) {
		doc_free(regroup->doc[i]);
		free(regroup->metadata[i]);
		free(regroup->values[i]);
	}
	regroup->rows = 0;
}

void regroup_free(struct regroup *regroup)
{
	if (!regroup)
		return;
	rows_drop(regroup);
	layouts_drop(regroup);
	layout_free(regroup->power);
	text_done(&regroup->paths);
	free(regroup->row);
	free(regroup->doc);
	free(regroup->metadata);
	free(regroup->values);
	free(regroup->value);
	free(regroup);
}

/* ---- is it a report? ------------------------------------------------------ */

struct members {
	const struct doc *time, *sensor, *target, *groups, *power, *metadata;
};

/* Nothing but the members of a report, each of its kind. */
static bool members_read(const struct doc *doc, struct members *members)
{
	const struct {
		const char *name;
		const struct doc **value;
	} known[] = { { "timestamp", &members->time },
		      { "sensor", &members->sensor },
		      { "target", &members->target },
		      { "groups", &members->groups },
		      { "power", &members->power },
		      { "metadata", &members->metadata } };
	const size_t count = sizeof(known) / sizeof(known[0]);

	*members = (struct members){ 0 };
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);
		size_t k = 0;

		while (k < count && strcmp(known[k].name, key) != 0)
			k++;
		if (k == count)
			return false;
		*known[k].value = value;
	}
	return doc_kind(members->time) == DOC_INT &&
	       doc_kind(members->sensor) == DOC_TEXT &&
	       doc_kind(members->target) == DOC_TEXT &&
	       !members->groups != !members->power &&
	       (!members->metadata ||
		doc_kind(members->metadata) == DOC_OBJECT);
}

static bool value_add(struct regroup *regroup, union value value)
{
	if (regroup->count == COLUMNS_MAX)
		return false;
	regroup->value = mem_grow(regroup->value, &regroup->value_capacity,
				  regroup->count + 1, sizeof(*regroup->value));
	regroup->value[regroup->count++] = value;
	return true;
}

static bool count_add(struct regroup *regroup, const struct doc *value)
{
	double real = doc_real(value, -1);

	if (doc_kind(value) == DOC_INT)
		return doc_int(value, -1) >= 0 &&
		       value_add(regroup,
				 (union value){ .integer = (uint64_t)doc_int(
							value, 0) });
	/* A database may have made doubles of them. */
	return doc_kind(value) == DOC_REAL && real >= 0 && real < 0x1p53 &&
	       real == floor(real) &&
	       value_add(regroup, (union value){ .integer = (uint64_t)real });
}

/* Groups, packages, CPUs and events: `level` counts down from 4.  Empty
 * objects have no column to stand in. */
static bool level_read(struct regroup *regroup, const struct doc *doc,
		       int level)
{
	size_t length = regroup->paths.length;

	if (level == 0)
		return count_add(regroup, doc);
	if (doc_kind(doc) != DOC_OBJECT || doc_count(doc) == 0)
		return false;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *child;
		const char *key = doc_key_at(doc, i, &child);

		text_printf(&regroup->paths, "%d%zu:%s", level, strlen(key),
			    key);
		if (!level_read(regroup, child, level - 1))
			return false;
	}
	return regroup->paths.length > length;
}

/* ---- layouts --------------------------------------------------------------- */

/* Group, package, CPU and event: `level` counts up to 3. */
static void layout_fill(struct layout *layout, const struct doc *doc,
			const char *name[4], int level)
{
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *child;

		name[level] = doc_key_at(doc, i, &child);
		if (level < 3)
			layout_fill(layout, child, name, level + 1);
		else
			layout_add(layout, COLUMN_INT, name[0], name[1],
				   name[2], name[3], "groups", name[0], name[1],
				   name[2], name[3], NULL);
	}
}

static struct layout *layout_make(const struct doc *groups)
{
	struct layout *layout = hwpc_layout_new();
	const char *name[4];

	layout_fill(layout, groups, name, 0);
	layout_end(layout);
	return layout;
}

static const struct layout *layout_get(struct regroup *regroup,
				       const struct doc *groups)
{
	struct known *known;

	for (size_t i = regroup->layouts; i-- > 0;)
		if (!strcmp(regroup->known[i].paths, regroup->paths.data))
			return regroup->known[i].layout;
	known = &regroup->known[regroup->layouts++];
	known->paths = xstrdup(regroup->paths.data);
	known->layout = layout_make(groups);
	return known->layout;
}

/* ---- rows ------------------------------------------------------------------ */

static void *grow(struct regroup *regroup, int which, void *block, size_t size)
{
	return mem_grow(block, &regroup->capacity[which], regroup->rows + 1,
			size);
}

static void row_add(struct regroup *regroup, struct doc *doc,
		    const struct members *members, const struct layout *layout)
{
	size_t bytes = regroup->count * sizeof(union value);
	size_t i = regroup->rows;

	regroup->row = grow(regroup, 0, regroup->row, sizeof(struct row));
	regroup->doc = grow(regroup, 1, regroup->doc, sizeof(struct doc *));
	regroup->metadata = grow(regroup, 2, regroup->metadata, sizeof(char *));
	regroup->values =
		grow(regroup, 3, regroup->values, sizeof(union value *));
	regroup->doc[i] = doc;
	regroup->values[i] = xmalloc(bytes + 1);
	if (bytes > 0)
		memcpy(regroup->values[i], regroup->value, bytes);
	regroup->metadata[i] =
		members->metadata ? doc_to_text(members->metadata) : NULL;
	regroup->row[i] = (struct row){
		.target = doc_string(members->target, ""),
		.layout = layout,
		.value = regroup->values[i],
		.metadata = regroup->metadata[i],
	};
	regroup->time_ms = doc_int(members->time, 0);
	regroup->rows++;
}

int regroup_flush(struct regroup *regroup, struct err *err)
{
	struct batch batch = { .time_ms = regroup->time_ms,
			       .row = regroup->row,
			       .rows = regroup->rows };
	int failed;

	if (regroup->rows == 0)
		return 0;
	batch.sensor = doc_string(doc_get(regroup->doc[0], "sensor"), "");
	failed = sink_put(regroup->sink, &batch, err);
	rows_drop(regroup);
	return failed;
}

bool regroup_fits(const struct regroup *regroup, const struct doc *doc)
{
	const char *sensor = doc_string(doc_get(doc, "sensor"), NULL);

	if (regroup->rows == 0)
		return true;
	return regroup->rows < ROWS_MAX && sensor &&
	       doc_int(doc_get(doc, "timestamp"), regroup->time_ms - 1) ==
		       regroup->time_ms &&
	       !strcmp(doc_string(doc_get(regroup->doc[0], "sensor"), ""),
		       sensor);
}

/* Does it have a place in a batch?  Its values are in `value` then. */
static bool report_read(struct regroup *regroup, const struct doc *doc,
			struct members *members)
{
	regroup->count = 0;
	text_clear(&regroup->paths);
	text_put(&regroup->paths, "");
	if (!members_read(doc, members))
		return false;
	if (members->power)
		return (doc_kind(members->power) == DOC_REAL ||
			doc_kind(members->power) == DOC_INT) &&
		       value_add(regroup,
				 (union value){
					 .real = doc_real(members->power, 0) });
	return level_read(regroup, members->groups, 4);
}

int regroup_put(struct regroup *regroup, struct doc *doc_taken, struct err *err)
{
	struct members members;
	bool report = report_read(regroup, doc_taken, &members);
	int failed = 0;

	if (!report || regroup->layouts == LAYOUTS_MAX ||
	    !regroup_fits(regroup, doc_taken))
		failed = regroup_flush(regroup, err);
	if (regroup->layouts == LAYOUTS_MAX)
		layouts_drop(regroup);
	if (failed || !report) {
		if (!failed)
			failed = sink_put_doc(regroup->sink, doc_taken, err);
		doc_free(doc_taken);
		return failed;
	}
	row_add(regroup, doc_taken, &members,
		members.power ? regroup->power
			      : layout_get(regroup, members.groups));
	return 0;
}
