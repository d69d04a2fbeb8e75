/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/hwpc_report.h"

#define GROUP_MSR    "msr"
#define PACKAGES_MAX 1024

struct smartwatts_reader {
	const struct smartwatts_settings *settings;
	struct smartwatts *smartwatts;
	struct hwpc_report hwpc;
	struct smartwatts_report report;
	struct smartwatts_part *part;
	size_t capacity;
	double *core; /* of all parts */
	size_t core_capacity;
	struct text metadata;
};

struct smartwatts_reader *smartwatts_reader_new(
	const struct smartwatts_settings *settings,
	struct smartwatts *smartwatts)
{
	struct smartwatts_reader *reader = xcalloc(1, sizeof(*reader));

	reader->settings = settings;
	reader->smartwatts = smartwatts;
	return reader;
}

void smartwatts_reader_free(struct smartwatts_reader *reader)
{
	if (!reader)
		return;
	hwpc_report_done(&reader->hwpc);
	free(reader->part);
	free(reader->core);
	text_done(&reader->metadata);
	free(reader);
}

/* ---- whose it is ------------------------------------------------------------- */

static bool is_new_cpu(const struct hwpc_report *hwpc, size_t i)
{
	const struct hwpc_value *v = &hwpc->value[i];

	return i == 0 || v[-1].cpu != v->cpu || v[-1].package != v->package ||
	       v[-1].group != v->group;
}

/* The group with the most CPUs in its first package; of equals the first. */
static const char *group_of(const struct hwpc_report *hwpc)
{
	const char *best = NULL, *group = NULL, *package = NULL;
	size_t most = 0, cpus = 0;

	for (size_t i = 0; i < hwpc->values; i++) {
		const struct hwpc_value *v = &hwpc->value[i];

		if (v->group != group) {
			group = v->group;
			package = v->package;
			cpus = 0;
		}
		if (v->package != package || !is_new_cpu(hwpc, i))
			continue;
		if (++cpus > most) {
			most = cpus;
			best = group;
		}
	}
	return best;
}

static int parts_find(struct smartwatts_reader *reader, struct err *err)
{
	const struct hwpc_report *hwpc = &reader->hwpc;
	const char *group = group_of(hwpc), *package = NULL;

	reader->report.parts = 0;
	if (!group) {
		err_set(err, EINVAL, "report of '%.200s' has no groups",
			hwpc->target);
		return -1;
	}
	for (size_t i = 0; i < hwpc->values; i++) {
		const struct hwpc_value *v = &hwpc->value[i];

		if (v->group != group || v->package == package)
			continue;
		if (reader->report.parts == PACKAGES_MAX)
			return err_set(err, EFBIG, "more than %d packages",
				       PACKAGES_MAX);
		package = v->package;
		reader->part = mem_grow(reader->part, &reader->capacity,
					reader->report.parts + 1,
					sizeof(*reader->part));
		reader->part[reader->report.parts++] = (struct smartwatts_part){
			.package = package,
			.energy = { (double)NAN, (double)NAN },
			.aperf = (double)NAN,
			.mperf = (double)NAN,
		};
	}
	reader->report.part = reader->part;
	return 0;
}

/* ---- what is in a package ------------------------------------------------------ */

static void energy_read(const struct smartwatts_reader *reader,
			struct smartwatts_part *part)
{
	const struct hwpc_report *hwpc = &reader->hwpc;
	const char *cpu = NULL;

	for (size_t i = 0; i < hwpc->values; i++) {
		const struct hwpc_value *v = &hwpc->value[i];

		if (strcmp(v->group, HWPC_GROUP_RAPL) != 0 ||
		    strcmp(v->package, part->package) != 0)
			continue;
		part->rapl = true;
		if (!cpu)
			cpu = v->cpu;
		if (v->cpu != cpu)
			break;
		for (size_t s = 0; s < SMARTWATTS_SCOPES; s++)
			if (!strcmp(v->event, reader->settings->scope[s].event))
				part->energy[s] = v->value;
	}
}

/* The mean over the CPUs that count it; NaN: none does. */
static double mean_of(const struct hwpc_report *hwpc, const char *package,
		      const char *event)
{
	double sum = 0;
	size_t cpus = 0;

	for (size_t i = 0; i < hwpc->values; i++) {
		const struct hwpc_value *v = &hwpc->value[i];

		if (!strcmp(v->event, event) && !strcmp(v->group, GROUP_MSR) &&
		    !strcmp(v->package, package)) {
			sum += v->value;
			cpus++;
		}
	}
	return cpus ? sum / (double)cpus : (double)NAN;
}

static void frequency_read(const struct hwpc_report *hwpc,
			   struct smartwatts_part *part)
{
	for (size_t i = 0; i < hwpc->values && !part->msr; i++)
		part->msr = !strcmp(hwpc->value[i].group, GROUP_MSR) &&
			    !strcmp(hwpc->value[i].package, part->package);
	part->aperf = mean_of(hwpc, part->package, "APERF");
	part->mperf = mean_of(hwpc, part->package, "MPERF");
}

/* Where the name is among the sorted ones, or is to be put. */
static size_t place_of(const char *const *name, size_t n, const char *event)
{
	size_t at = 0;

	while (at < n && strcmp(name[at], event) < 0)
		at++;
	return at;
}

struct sums {
	const char *name[SMARTWATTS_EVENTS_MAX];
	double value[SMARTWATTS_EVENTS_MAX];
	size_t n;
};

static int sums_add(struct sums *sums, const struct hwpc_value *v,
		    struct err *err)
{
	size_t at = place_of(sums->name, sums->n, v->event);

	if (at < sums->n && !strcmp(sums->name[at], v->event)) {
		sums->value[at] += v->value;
		return 0;
	}
	if (sums->n == SMARTWATTS_EVENTS_MAX)
		return err_set(err, EFBIG, "more than %d events in group core",
			       SMARTWATTS_EVENTS_MAX);
	memmove(&sums->name[at + 1], &sums->name[at],
		(sums->n - at) * sizeof(sums->name[0]));
	memmove(&sums->value[at + 1], &sums->value[at],
		(sums->n - at) * sizeof(sums->value[0]));
	sums->name[at] = v->event;
	sums->value[at] = v->value;
	sums->n++;
	return 0;
}

static int core_read(struct smartwatts_reader *reader,
		     struct smartwatts_part *part, double *room,
		     struct err *err)
{
	const struct hwpc_report *hwpc = &reader->hwpc;
	struct sums sums;

	sums.n = 0;
	for (size_t i = 0; i < hwpc->values; i++) {
		const struct hwpc_value *v = &hwpc->value[i];

		if (strcmp(v->group, HWPC_GROUP_CORE) != 0 ||
		    strcmp(v->package, part->package) != 0 ||
		    !strncmp(v->event, "time_", 5))
			continue;
		if (sums_add(&sums, v, err) < 0)
			return -1;
	}
	if (!sums.n)
		return 0;
	part->events = smartwatts_events(reader->smartwatts, sums.name, sums.n);
	if (!part->events)
		return err_set(err, EFBIG, "too many kinds of reports");
	memcpy(room, sums.value, sums.n * sizeof(double));
	part->core = room;
	return 0;
}

/* The members of the metadata but for those that the formula writes. */
static const char *metadata_of(struct smartwatts_reader *reader)
{
	static const char *const ours[] = { "scope", "socket", "formula",
					    "ratio" };
	const struct doc *metadata = reader->hwpc.metadata;

	text_clear(&reader->metadata);
	for (size_t i = 0; i < doc_count(metadata); i++) {
		const struct doc *value;
		const char *key = doc_key_at(metadata, i, &value);
		bool skip = false;
		char *text;

		for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++)
			skip |= !strcmp(key, ours[k]);
		if (skip)
			continue;
		text = value ? doc_to_text(value) : xstrdup("null");
		text_put_json(&reader->metadata, key);
		text_put_char(&reader->metadata, ':');
		text_put(&reader->metadata, text);
		text_put_char(&reader->metadata, ',');
		free(text);
	}
	return reader->metadata.length ? reader->metadata.data : NULL;
}

const struct smartwatts_report *smartwatts_reader_read(
	struct smartwatts_reader *reader, const struct doc *doc,
	struct err *err)
{
	struct smartwatts_report *report = &reader->report;
	bool machine;

	hwpc_report_done(&reader->hwpc);
	if (hwpc_report_read(doc, &reader->hwpc, err) < 0)
		return NULL;
	if (parts_find(reader, err) < 0)
		return NULL;
	report->time_ms = reader->hwpc.time_ms;
	report->sensor = reader->hwpc.sensor;
	report->target = reader->hwpc.target;
	report->metadata = metadata_of(reader);
	machine = !strcmp(report->target, HWPC_TARGET_ALL);
	reader->core =
		mem_grow(reader->core, &reader->core_capacity,
			 report->parts * SMARTWATTS_EVENTS_MAX, sizeof(double));
	for (size_t i = 0; i < report->parts; i++) {
		struct smartwatts_part *part = &reader->part[i];

		if (machine) {
			energy_read(reader, part);
			frequency_read(&reader->hwpc, part);
		} else if (core_read(reader, part,
				     reader->core + i * SMARTWATTS_EVENTS_MAX,
				     err) < 0) {
			return NULL;
		}
	}
	return report;
}
