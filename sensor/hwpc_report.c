/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/hwpc_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/source.h"

/* ---- reading --------------------------------------------------------------- */

struct reader {
	struct hwpc_report *report;
	size_t capacity;
	const char *group, *package, *cpu;
};

static int read_value(struct reader *reader, const char *event,
		      const struct doc *value, struct err *err)
{
	struct hwpc_report *report = reader->report;

	if (doc_kind(value) != DOC_INT && doc_kind(value) != DOC_REAL)
		return err_set(err, EINVAL, "expected a number");
	report->value = mem_grow(report->value, &reader->capacity,
				 report->values + 1, sizeof(*report->value));
	report->value[report->values++] = (struct hwpc_value){
		.group = reader->group,
		.package = reader->package,
		.cpu = reader->cpu,
		.event = event,
		.value = doc_real(value, 0.0),
	};
	return 0;
}

/* groups → group → package → CPU → event → value; `level` counts down. */
static int read_level(struct reader *reader, int level, const char *key,
		      const struct doc *doc, struct err *err)
{
	const char **const name[] = { NULL, &reader->cpu, &reader->package,
				      &reader->group };

	if (level == 0)
		return read_value(reader, key, doc, err);
	if (doc_kind(doc) != DOC_OBJECT)
		return err_set(err, EINVAL, "expected an object");
	if (level < 4)
		*name[level] = key;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *child;
		const char *child_key = doc_key_at(doc, i, &child);

		if (read_level(reader, level - 1, child_key, child, err) < 0)
			return err_wrap(err, "%s", child_key);
	}
	return 0;
}

static void read_metadata(struct hwpc_report *report, const struct doc *doc)
{
	report->metadata = doc_get(doc, "metadata");
	report->elapsed_s =
		1e-9 * doc_real(doc_get(report->metadata, "elapsed_ns"), 0.0);
	report->within = doc_string(doc_get(report->metadata, "within"), NULL);
}

/* PowerAPI's own documents have dates as well as integers. */
static int read_time(const struct doc *doc, int64_t *ms, struct err *err)
{
	const struct doc *time = doc_get(doc, "timestamp");

	if (doc_kind(time) == DOC_TEXT && source_time_ms(time, ms))
		return 0;
	return doc_need_int(doc, "timestamp", ms, err);
}

int hwpc_report_read(const struct doc *doc, struct hwpc_report *report,
		     struct err *err)
{
	struct hwpc_report result = { 0 };
	struct reader reader = { .report = &result };
	const struct doc *groups;

	if (read_time(doc, &result.time_ms, err) < 0 ||
	    doc_need_text(doc, "sensor", &result.sensor, err) < 0 ||
	    doc_need_text(doc, "target", &result.target, err) < 0 ||
	    doc_need_object(doc, "groups", &groups, err) < 0)
		return err_wrap(err, "HWPC report");
	if (read_level(&reader, 4, "groups", groups, err) < 0) {
		hwpc_report_done(&result);
		return err_wrap(err, "HWPC report: groups");
	}
	read_metadata(&result, doc);
	*report = result;
	return 0;
}

void hwpc_report_done(struct hwpc_report *report)
{
	free(report->value);
	*report = (struct hwpc_report){ 0 };
}

/* ---- writing --------------------------------------------------------------- */

/* Ours: PowerAPI shows no counters. */
static const struct layout_series series = {
	.metric = "hwpc_events_total",
	.help = "Events that a target's CPUs counted (RAPL_…: in 2^-32 J)",
	.adds_up = true,
	.measurement = "hwpc",
	.table_label = "group",
	.column_label = "event",
};

struct layout *hwpc_layout_new(void)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);

	layout_series(layout, LAYOUT_NAMES_2_10, &series);
	layout_series(layout, LAYOUT_NAMES_MASTER, &series);
	layout_key_columns(layout, "socket", "cpu");
	return layout;
}

void hwpc_layout_add(struct layout *layout, const char *group, int package,
		     int cpu, const char *event)
{
	char package_text[16], cpu_text[16];

	snprintf(package_text, sizeof(package_text), "%d", package);
	snprintf(cpu_text, sizeof(cpu_text), "%d", cpu);
	layout_add(layout, COLUMN_INT, group, package_text, cpu_text, event,
		   "groups", group, package_text, cpu_text, event, NULL);
}

static void put_meter(const struct hwpc_meter *meter, struct text *out)
{
	text_put_json(out, meter->event);
	text_put(out, ":{\"source\":");
	text_put_int(out, meter->source);
	text_put(out, ",\"sigma_j\":");
	text_put_real(out, meter->sigma_j);
	text_put(out, ",\"meter\":");
	text_put_json(out, meter->meter);
	text_put(out, ",\"scale_lo\":");
	text_put_real(out, meter->scale_lo);
	text_put(out, ",\"scale_hi\":");
	text_put_real(out, meter->scale_hi);
	text_put(out, meter->counts ? ",\"counts\":true" : ",\"counts\":false");
	if (meter->period_s > 0) {
		text_put(out, ",\"period_s\":");
		text_put_real(out, meter->period_s);
		text_put(out, ",\"phase_ns\":");
		text_put_int(out, meter->phase_ns);
	}
	text_put_char(out, '}');
}

static void put_text(struct text *out, const char *key, const char *value)
{
	if (!value || value[0] == '\0')
		return;
	/* In pieces: a format costs more than all the rest of a tick. */
	text_put(out, ",\"");
	text_put(out, key);
	text_put(out, "\":");
	text_put_json(out, value);
}

void hwpc_metadata_put(const struct hwpc_metadata *metadata, struct text *out)
{
	text_put(out, "{\"elapsed_ns\":");
	text_put_int(out, metadata->elapsed_ns);
	put_text(out, "engine", metadata->engine);
	put_text(out, "within", metadata->within);
	if (metadata->names)
		text_put(out, metadata->names);
	put_text(out, "cpu_time", metadata->cpu_time);
	if (metadata->bracket_ns > 0) {
		text_put(out, ",\"bracket_ns\":");
		text_put_int(out, metadata->bracket_ns);
	}
	if (metadata->meters > 0)
		text_put(out, ",\"meters\":{");
	for (size_t i = 0; i < metadata->meters; i++) {
		if (i > 0)
			text_put_char(out, ',');
		put_meter(&metadata->meter[i], out);
	}
	text_put(out, metadata->meters > 0 ? "}}" : "}");
}
