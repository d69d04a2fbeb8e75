/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recorded file as a meter: HWPC reports of the target "all", played against
 * the clock at the pace at which they were recorded.
 *
 * Between two ticks the joules are spread evenly, since nothing else is known
 * about them; sigma says so (one tick's edges).  When the recording ends its
 * domains are gone, unless "?loop=1" starts it again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "lib/source.h"
#include "sensor/domain.h"
#include "sensor/hwpc_report.h"
#include "sensor/meter_kind.h"

/* Seven weeks at one tick a second. */
#define REPLAY_TICKS_MAX ((size_t)1 << 22)
/* With so many of them, nanoseconds still fit 63 bits. */
#define REPLAY_TICK_MAX_S 2000.0

struct replay_options {
	bool loop;
};

static const struct field fields[] = { { "loop", FIELD_BOOL,
					 offsetof(struct replay_options, loop),
					 .help = "start again at the end" },
				       FIELD_END };

struct replay {
	struct clock *clock;
	int64_t start_ns;
	bool loop;
	/* Edge 0 is the beginning of the first tick, edge k the k-th's end. */
	int64_t *edge_ns; /* since edge 0 */
	size_t edges;
	struct meter_domain domain[METER_DOMAINS_MAX];
	uint64_t *total[METER_DOMAINS_MAX]; /* counts up to each edge */
	int64_t source[METER_DOMAINS_MAX];  /* as recorded, or -1 */
	bool inside[METER_DOMAINS_MAX];     /* another that was recorded */
	size_t domains;
};

/* While the file is read. */
struct recording {
	struct replay *replay;
	struct sample {
		size_t tick, domain;
		uint64_t count;
	} * sample;
	size_t samples, sample_capacity, edge_capacity;
	int64_t last_ms; /* the tick before */
	char meter[32];  /* what it was recorded from */
};

/* ---- reading the file --------------------------------------------------- */

/* Its index, a new one's if it is seen for the first time; -1 if the value is
 * no meter's. */
static int domain_index(struct replay *replay, const struct hwpc_value *value)
{
	struct meter_domain domain;
	int package = (int)strtol(value->package, NULL, 10);
	size_t i = 0;

	if (!domain_parse(&domain, value->group, package, value->event))
		return -1;
	while (i < replay->domains &&
	       (strcmp(replay->domain[i].group, domain.group) != 0 ||
		strcmp(replay->domain[i].event, domain.event) != 0 ||
		replay->domain[i].package != domain.package))
		i++;
	if (i == METER_DOMAINS_MAX)
		return -1;
	if (i == replay->domains) {
		replay->domain[replay->domains] = domain;
		replay->source[replay->domains++] = -1;
	}
	return (int)i;
}

static void edge_add(struct recording *recording, int64_t at_ns)
{
	struct replay *replay = recording->replay;

	replay->edge_ns = mem_grow(replay->edge_ns, &recording->edge_capacity,
				   replay->edges + 1, sizeof(*replay->edge_ns));
	replay->edge_ns[replay->edges++] = at_ns;
}

/* How long the tick was, in ns: as it says, else since the one before; 0 for a
 * first one that does not say. */
static int tick_length(const struct recording *recording,
		       const struct hwpc_report *report, int64_t *ns,
		       struct err *err)
{
	double length_s = 0;

	if (report->elapsed_s > 0)
		length_s = report->elapsed_s;
	else if (recording->last_ms)
		length_s = 1e-3 * ((double)report->time_ms -
				   (double)recording->last_ms);
	if (length_s < 0 || (length_s == 0 && recording->last_ms))
		return err_set(err, EINVAL,
			       "timestamp %lld does not come after %lld",
			       (long long)report->time_ms,
			       (long long)recording->last_ms);
	if (length_s > REPLAY_TICK_MAX_S)
		return err_set(err, EINVAL, "a tick of %g s", length_s);
	*ns = (int64_t)(1e9 * length_s);
	return 0;
}

static void source_note(struct recording *recording, int domain,
			const struct hwpc_report *report)
{
	struct replay *replay = recording->replay;
	const struct doc *meter = doc_get(doc_get(report->metadata, "meters"),
					  replay->domain[domain].event);
	int64_t source = doc_int(doc_get(meter, "source"), -1);

	replay->inside[domain] = !doc_bool(doc_get(meter, "counts"), true);
	if (source > replay->source[domain] && source <= ENERGY_UNKNOWN)
		replay->source[domain] = source;
	if (!recording->meter[0])
		snprintf(recording->meter, sizeof(recording->meter), "%s",
			 doc_string(doc_get(meter, "meter"), ""));
}

static void sample_add(struct recording *recording, size_t domain, double count)
{
	struct sample *sample;

	recording->sample =
		mem_grow(recording->sample, &recording->sample_capacity,
			 recording->samples + 1, sizeof(*recording->sample));
	sample = &recording->sample[recording->samples++];
	sample->tick = recording->replay->edges - 1;
	sample->domain = domain;
	sample->count = count > 0 && count < 0x1p63 ? (uint64_t)count : 0;
}

static int tick_add(struct recording *recording,
		    const struct hwpc_report *report, struct err *err)
{
	struct replay *replay = recording->replay;
	int64_t ns = 0;

	if (tick_length(recording, report, &ns, err) < 0)
		return -1;
	recording->last_ms = report->time_ms;
	if (!replay->edges)
		edge_add(recording, 0);
	/* Nobody knows how long its joules took. */
	if (!ns)
		return 0;
	if (replay->edges == REPLAY_TICKS_MAX)
		return err_set(err, EFBIG, "more than %zu ticks",
			       REPLAY_TICKS_MAX);
	edge_add(recording, replay->edge_ns[replay->edges - 1] + ns);
	for (size_t i = 0; i < report->values; i++) {
		int domain = domain_index(replay, &report->value[i]);

		if (domain < 0)
			continue;
		sample_add(recording, (size_t)domain, report->value[i].value);
		source_note(recording, domain, report);
	}
	return 0;
}

static int recording_read(struct recording *recording, const char *uri,
			  struct err *err)
{
	const struct source_filter filter = { .target = HWPC_TARGET_ALL };
	struct source *source = source_open(uri, &filter, err);
	struct hwpc_report report;
	struct doc *doc;
	int got = -1;

	while (source && (got = source_next(source, &doc, err)) > 0) {
		got = hwpc_report_read(doc, &report, err);
		if (got == 0) {
			got = tick_add(recording, &report, err);
			hwpc_report_done(&report);
		}
		doc_free(doc);
		if (got < 0) {
			err_wrap(err, "%s", source_where(source));
			break;
		}
	}
	source_close(source);
	return got;
}

/* ---- making a meter of it ----------------------------------------------- */

/* Joules of the same machine from two meters are not to be added: RAPL, else
 * the first there is. */
static void one_group(struct replay *replay)
{
	const char *group = replay->domain[0].group;
	size_t kept = 0;

	for (size_t i = 0; i < replay->domains; i++)
		if (!strcmp(replay->domain[i].group, HWPC_GROUP_RAPL))
			group = HWPC_GROUP_RAPL;
	for (size_t i = 0; i < replay->domains; i++) {
		if (strcmp(replay->domain[i].group, group) != 0) {
			free(replay->total[i]);
			continue;
		}
		if (kept != i) {
			replay->domain[kept] = replay->domain[i];
			replay->total[kept] = replay->total[i];
			replay->source[kept] = replay->source[i];
			replay->inside[kept] = replay->inside[i];
		}
		kept++;
	}
	replay->domains = kept;
}

static void totals_make(struct recording *recording)
{
	struct replay *replay = recording->replay;

	for (size_t i = 0; i < replay->domains; i++)
		replay->total[i] = xcalloc(replay->edges, sizeof(uint64_t));
	for (size_t i = 0; i < recording->samples; i++) {
		const struct sample *sample = &recording->sample[i];

		replay->total[sample->domain][sample->tick] += sample->count;
	}
	for (size_t i = 0; i < replay->domains; i++)
		for (size_t edge = 1; edge < replay->edges; edge++)
			replay->total[i][edge] += replay->total[i][edge - 1];
}

/* Files of others do not say what their joules are; RAPL is the hardware's. */
static enum energy_source source_worst(const struct replay *replay)
{
	int64_t worst = -1;

	for (size_t i = 0; i < replay->domains; i++)
		if (replay->source[i] > worst)
			worst = replay->source[i];
	if (worst >= 0)
		return (enum energy_source)worst;
	return domain_role(&replay->domain[0]) == DOMAIN_OTHER
		       ? ENERGY_UNKNOWN
		       : ENERGY_ACCUMULATOR;
}

static void parts_fill(const struct replay *replay,
		       const struct recording *recording, const char *name,
		       struct meter_parts *parts)
{
	double length_s = 1e-9 * (double)replay->edge_ns[replay->edges - 1];

	memcpy(parts->domain, replay->domain, sizeof(parts->domain));
	domain_link_inside(parts->domain, replay->domains, replay->inside);
	for (size_t i = 0; i < replay->domains; i++) {
		struct meter_counter *counter = meter_parts_add(parts);
		struct meter_domain *domain = &parts->domain[i];

		domain->resolution_j = domain->unit_j;
		domain->period_s = length_s / (double)(replay->edges - 1);
		counter->count_j = domain->unit_j;
		if (replay->total[i][replay->edges - 1])
			continue;
		domain->state = METER_DEAD;
		meter_parts_remark(parts,
				   "replay %s: recorded, but it never "
				   "advances: dead",
				   domain->event);
	}
	parts->source = source_worst(replay);
	energy_source_scale(parts->source, &parts->scale_lo, &parts->scale_hi);
	snprintf(parts->says, sizeof(parts->says), "%.1f s of %.90s%s%s",
		 length_s, name, recording->meter[0] ? ", recorded from " : "",
		 recording->meter);
}

static void replay_close(void *self)
{
	struct replay *replay = self;

	for (size_t i = 0; i < replay->domains; i++)
		free(replay->total[i]);
	free(replay->edge_ns);
	free(replay);
}

static int replay_load(struct replay *replay, const char *name,
		       struct meter_parts *parts, struct err *err)
{
	struct recording recording = { .replay = replay };
	int result = recording_read(&recording, name, err);

	if (result == 0 && !replay->domains)
		result = err_set(err, EINVAL,
				 "%s: no report of target \"all\" has joules "
				 "(group \"rapl\" or \"meter_…\")",
				 name);
	if (result == 0) {
		totals_make(&recording);
		one_group(replay);
		parts_fill(replay, &recording, name, parts);
	}
	free(recording.sample);
	return result;
}

static void *replay_open(const char *argument, const struct meter_place *place,
			 struct meter_parts *parts, struct err *err)
{
	struct replay *replay = xcalloc(1, sizeof(*replay));
	struct replay_options options = { false };
	char *name = place_name(argument, fields, &options, err);

	if (!name || replay_load(replay, name, parts, err) < 0) {
		/* The totals are there only once the whole file was read. */
		replay_close(replay);
		replay = NULL;
	} else {
		replay->clock = place->clock;
		replay->loop = options.loop;
		replay->start_ns = clock_now_ns(replay->clock);
	}
	free(name);
	return replay;
}

/* ---- playing ------------------------------------------------------------ */

/* The last edge at or before a time within the recording. */
static size_t edge_before(const struct replay *replay, int64_t at_ns)
{
	size_t lo = 0, hi = replay->edges - 1;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;

		if (replay->edge_ns[middle] <= at_ns)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

static int replay_read(void *self, uint64_t *count, struct err *err)
{
	const struct replay *replay = self;
	int64_t at_ns = clock_now_ns(replay->clock) - replay->start_ns;
	int64_t length_ns = replay->edge_ns[replay->edges - 1];
	uint64_t laps = 0;
	size_t edge;
	double part;

	(void)err;
	if (at_ns > length_ns && !replay->loop) {
		for (size_t i = 0; i < replay->domains; i++)
			count[i] = METER_COUNT_GONE;
		return 0;
	}
	if (at_ns > length_ns) {
		laps = (uint64_t)(at_ns / length_ns);
		at_ns %= length_ns;
	}
	edge = edge_before(replay, at_ns);
	part = (double)(at_ns - replay->edge_ns[edge]) /
	       (double)(replay->edge_ns[edge + 1] - replay->edge_ns[edge]);
	for (size_t i = 0; i < replay->domains; i++) {
		const uint64_t *total = replay->total[i];
		double step = (double)(total[edge + 1] - total[edge]);

		count[i] = laps * total[replay->edges - 1] + total[edge] +
			   (uint64_t)(part * step);
	}
	return 0;
}

const struct meter_kind meter_kind_replay = {
	.name = "replay",
	.argument = "FILE[?loop=1]",
	.summary = "HWPC reports from a file, at their own pace",
	.proof = METER_PROOF_FORM,
	.source = ENERGY_ACCUMULATOR,
	.open = replay_open,
	.read = replay_read,
	.close = replay_close,
};
