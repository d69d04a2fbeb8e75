/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts_csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/hwpc_rows.h"
#include "lib/mem.h"

#define PACKAGES_MAX 64
#define REPORTS_MAX  ((size_t)1 << 20)
#define NONE         UINT32_MAX

/* What a file's columns are to SmartWatts. */
struct group {
	struct hwpc_rows *rows;
	enum { OTHER, RAPL, MSR, CORE } kind;
	int energy[SMARTWATTS_SCOPES]; /* columns; -1: not there */
	int aperf, mperf;
	size_t column[SMARTWATTS_EVENTS_MAX]; /* of each core event */
};

/* One package of one report, as it adds up. */
struct part {
	uint32_t next, groups;
	unsigned package;
	bool rapl, msr, core;
	double energy[SMARTWATTS_SCOPES], aperf, mperf;
	size_t cpus;
};

struct report {
	char *target, *sensor;
	size_t length, capacity;
	uint32_t part; /* the first */
	unsigned most; /* CPUs in the first package of `group` */
	uint32_t group;
	/* Of the group that is being read. */
	unsigned package, cpus;
};

struct smartwatts_csv {
	const struct smartwatts_settings *settings;
	struct smartwatts *smartwatts;
	struct group group[HWPC_ROWS_FILES_MAX];
	size_t groups;
	const struct smartwatts_events *events;
	char *package[PACKAGES_MAX];
	size_t packages;
	struct report *report;
	size_t reports, report_capacity;
	struct part *part;
	size_t parts, part_capacity;
	double *core; /* of each part, as many as there are events */
	size_t core_capacity;
	uint64_t total;
};

/* ---- files ----------------------------------------------------------------- */

static int column_of(const struct hwpc_rows *rows, const char *event)
{
	for (size_t i = 0; i < rows->columns; i++)
		if (rows->event[i] && !strcmp(rows->event[i], event))
			return (int)i;
	return -1;
}

static int core_start(struct smartwatts_csv *csv, struct group *group,
		      struct err *err)
{
	const char *name[SMARTWATTS_EVENTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < group->rows->columns; i++) {
		const char *event = group->rows->event[i];
		size_t at = n;

		if (!event || !strncmp(event, "time_", 5))
			continue;
		if (n == SMARTWATTS_EVENTS_MAX)
			return err_set(err, EFBIG, "%s: more than %d events",
				       group->rows->path,
				       SMARTWATTS_EVENTS_MAX);
		for (; at > 0 && strcmp(name[at - 1], event) > 0; at--) {
			name[at] = name[at - 1];
			group->column[at] = group->column[at - 1];
		}
		name[at] = event;
		group->column[at] = i;
		n++;
	}
	csv->events = smartwatts_events(csv->smartwatts, name, n);
	return 0;
}

static int group_start(struct smartwatts_csv *csv, struct group *group,
		       struct err *err)
{
	const struct hwpc_rows *rows = group->rows;

	if (!strcmp(rows->group, "rapl"))
		group->kind = RAPL;
	else if (!strcmp(rows->group, "msr"))
		group->kind = MSR;
	else if (!strcmp(rows->group, "core"))
		group->kind = CORE;
	for (size_t s = 0; s < SMARTWATTS_SCOPES; s++)
		group->energy[s] =
			column_of(rows, csv->settings->scope[s].event);
	group->aperf = column_of(rows, "APERF");
	group->mperf = column_of(rows, "MPERF");
	return group->kind == CORE ? core_start(csv, group, err) : 0;
}

struct smartwatts_csv *smartwatts_csv_open(
	const struct field_list *files,
	const struct smartwatts_settings *settings,
	struct smartwatts *smartwatts, struct err *err)
{
	struct smartwatts_csv *csv = xcalloc(1, sizeof(*csv));
	int failed = 0;

	csv->settings = settings;
	csv->smartwatts = smartwatts;
	if (files->count > HWPC_ROWS_FILES_MAX)
		failed = err_set(err, EFBIG, "more than %d CSV files",
				 HWPC_ROWS_FILES_MAX);
	for (size_t i = 0; i < files->count && !failed; i++) {
		struct group *group = &csv->group[i];

		group->rows = hwpc_rows_open(files->item[i], false, err);
		if (!group->rows)
			failed = -1;
		csv->groups++;
		if (!failed)
			failed = group_start(csv, group, err);
	}
	if (!failed)
		return csv;
	smartwatts_csv_close(csv);
	return NULL;
}

void smartwatts_csv_close(struct smartwatts_csv *csv)
{
	if (!csv)
		return;
	for (size_t i = 0; i < csv->groups; i++)
		hwpc_rows_close(csv->group[i].rows);
	for (size_t i = 0; i < csv->report_capacity; i++) {
		free(csv->report[i].target);
		free(csv->report[i].sensor);
	}
	for (size_t i = 0; i < csv->packages; i++)
		free(csv->package[i]);
	free(csv->report);
	free(csv->part);
	free(csv->core);
	free(csv);
}

uint64_t smartwatts_csv_reports(const struct smartwatts_csv *csv)
{
	return csv->total;
}

/* ---- rows ------------------------------------------------------------------ */

static bool is_for(const struct report *report, const struct hwpc_rows *rows)
{
	return report->length == rows->target_length &&
	       !memcmp(report->target, rows->target, report->length) &&
	       !strcmp(report->sensor, rows->sensor);
}

static struct report *report_add(struct smartwatts_csv *csv,
				 const struct hwpc_rows *rows)
{
	size_t capacity = csv->report_capacity;
	struct report *report;

	csv->report = mem_grow(csv->report, &csv->report_capacity,
			       csv->reports + 1, sizeof(*csv->report));
	if (csv->report_capacity > capacity)
		memset(csv->report + capacity, 0,
		       (csv->report_capacity - capacity) *
			       sizeof(*csv->report));
	report = &csv->report[csv->reports++];
	if (report->capacity < rows->target_length + 1) {
		report->capacity = rows->target_length + 1;
		report->target = xrealloc(report->target, report->capacity, 1);
	}
	/* Most often it is the one that stood here a tick ago. */
	if (!report->sensor || strcmp(report->sensor, rows->sensor) != 0) {
		free(report->sensor);
		report->sensor = xstrdup(rows->sensor);
	}
	memcpy(report->target, rows->target, rows->target_length + 1);
	report->length = rows->target_length;
	report->part = NONE;
	report->most = 0;
	report->cpus = 0;
	report->package = PACKAGES_MAX;
	return report;
}

/* The one before, one that an earlier file began (the next of those, if files
 * agree on the order), or a new one. */
static struct report *report_find(struct smartwatts_csv *csv,
				  const struct hwpc_rows *rows,
				  struct report *last, size_t earlier)
{
	size_t guess = last ? (size_t)(last - csv->report) + 1 : 0;
	struct report *report = NULL;

	if (last && is_for(last, rows))
		return last;
	if (guess < earlier && is_for(&csv->report[guess], rows))
		report = &csv->report[guess];
	for (size_t i = 0; i < earlier && !report; i++)
		if (is_for(&csv->report[i], rows))
			report = &csv->report[i];
	if (report) {
		report->cpus = 0;
		report->package = PACKAGES_MAX;
		return report;
	}
	return csv->reports < REPORTS_MAX ? report_add(csv, rows) : NULL;
}

static unsigned package_find(struct smartwatts_csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->packages; i++)
		if (!strcmp(csv->package[i], name))
			return (unsigned)i;
	if (csv->packages == PACKAGES_MAX)
		return PACKAGES_MAX;
	csv->package[csv->packages] = xstrdup(name);
	return (unsigned)csv->packages++;
}

static struct part *part_find(struct smartwatts_csv *csv, struct report *report,
			      unsigned package)
{
	size_t events = csv->events ? csv->events->count : 0;
	uint32_t *link = &report->part;
	struct part *part;

	for (; *link != NONE; link = &csv->part[*link].next)
		if (csv->part[*link].package == package)
			return &csv->part[*link];
	*link = (uint32_t)csv->parts;
	csv->part = mem_grow(csv->part, &csv->part_capacity, csv->parts + 1,
			     sizeof(*csv->part));
	csv->core = mem_grow(csv->core, &csv->core_capacity,
			     (csv->parts + 1) * events + 1, sizeof(double));
	memset(csv->core + csv->parts * events, 0, events * sizeof(double));
	part = &csv->part[csv->parts++];
	*part = (struct part){ .next = NONE, .package = package };
	for (size_t s = 0; s < SMARTWATTS_SCOPES; s++)
		part->energy[s] = (double)NAN;
	return part;
}

static void row_add(struct smartwatts_csv *csv, const struct group *group,
		    struct part *part)
{
	const uint64_t *value = group->rows->value;
	double *core;

	switch (group->kind) {
	case RAPL:
		for (size_t s = 0; s < SMARTWATTS_SCOPES && !part->rapl; s++)
			if (group->energy[s] >= 0)
				part->energy[s] =
					(double)value[group->energy[s]];
		part->rapl = true;
		break;
	case MSR:
		if (group->aperf >= 0)
			part->aperf += (double)value[group->aperf];
		if (group->mperf >= 0)
			part->mperf += (double)value[group->mperf];
		part->msr = true;
		part->cpus++;
		break;
	case CORE:
		core = csv->core +
		       (size_t)(part - csv->part) * csv->events->count;
		for (size_t j = 0; j < csv->events->count; j++)
			core[j] += (double)value[group->column[j]];
		part->core = true;
		break;
	case OTHER:
		break;
	}
}

static int group_read(struct smartwatts_csv *csv, uint32_t index,
		      int64_t time_ms, struct err *err)
{
	const struct group *group = &csv->group[index];
	struct hwpc_rows *rows = group->rows;
	size_t earlier = csv->reports;
	struct report *last = NULL;

	while (rows->ahead && rows->time_ms == time_ms) {
		unsigned package = package_find(csv, rows->socket);
		struct part *part;

		last = report_find(csv, rows, last, earlier);
		if (!last || package == PACKAGES_MAX)
			return err_set(err, EFBIG,
				       "%s:%zu: too many targets or packages",
				       rows->path, rows->line);
		if (last->package == PACKAGES_MAX)
			last->package = package;
		if (last->package == package && ++last->cpus > last->most) {
			last->most = last->cpus;
			last->group = index;
		}
		part = part_find(csv, last, package);
		part->groups |= 1U << index;
		row_add(csv, group, part);
		if (hwpc_rows_next(rows, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- ticks ----------------------------------------------------------------- */

static int report_put(struct smartwatts_csv *csv, const struct report *report,
		      int64_t time_ms, struct err *err)
{
	struct smartwatts_part out[PACKAGES_MAX];
	struct smartwatts_report put = { .time_ms = time_ms,
					 .sensor = report->sensor,
					 .target = report->target,
					 .part = out };
	const struct part *part;

	for (uint32_t at = report->part; at != NONE; at = part->next) {
		struct smartwatts_part *to = &out[put.parts];

		part = &csv->part[at];
		if (!(part->groups & 1U << report->group))
			continue;
		put.parts++;
		to->package = csv->package[part->package];
		to->rapl = part->rapl;
		to->msr = part->msr;
		memcpy(to->energy, part->energy, sizeof(to->energy));
		to->aperf = part->aperf / (double)part->cpus;
		to->mperf = part->mperf / (double)part->cpus;
		for (size_t g = 0; g < csv->groups; g++) {
			if (csv->group[g].kind != MSR)
				continue;
			if (csv->group[g].aperf < 0)
				to->aperf = (double)NAN;
			if (csv->group[g].mperf < 0)
				to->mperf = (double)NAN;
		}
		to->events = csv->events;
		to->core =
			part->core ? csv->core + at * csv->events->count : NULL;
	}
	csv->total++;
	return smartwatts_put(csv->smartwatts, &put, err);
}

int smartwatts_csv_next(struct smartwatts_csv *csv, struct err *err)
{
	int64_t time_ms = INT64_MAX;
	bool ahead = false;

	for (size_t i = 0; i < csv->groups; i++) {
		const struct hwpc_rows *rows = csv->group[i].rows;

		if (rows->ahead && rows->time_ms <= time_ms) {
			time_ms = rows->time_ms;
			ahead = true;
		}
	}
	if (!ahead)
		return 0;
	csv->reports = 0;
	csv->parts = 0;
	for (size_t i = 0; i < csv->groups; i++)
		if (group_read(csv, (uint32_t)i, time_ms, err) < 0)
			return -1;
	for (size_t i = 0; i < csv->reports; i++)
		if (report_put(csv, &csv->report[i], time_ms, err) < 0)
			return -1;
	return 1;
}
