/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/meter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/mem.h"
#include "sensor/domain.h"
#include "sensor/meter_period.h"
#include "sensor/meter_prove.h"
#include "sensor/meter_state.h"

/* In the order in which "auto" tries them. */
static const struct meter_kind *const kinds[] = {
	&meter_kind_powercap, &meter_kind_perf,   &meter_kind_hwmon,
	&meter_kind_model,    &meter_kind_nvml,   &meter_kind_battery,
	&meter_kind_log,      &meter_kind_replay, &meter_kind_null,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Remarks of a meter that runs for months stay within bounds. */
#define REMARKS_MAX 16384

/* ---- for kinds ---------------------------------------------------------- */

struct meter_counter *meter_parts_add(struct meter_parts *parts)
{
	if (parts->domains == METER_DOMAINS_MAX)
		return NULL;
	return &parts->counter[parts->domains++];
}

void meter_parts_remark(struct meter_parts *parts, const char *format, ...)
{
	va_list arguments;
	char line[512];

	if (parts->remarks.length > REMARKS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_printf(&parts->remarks, "%s\n", line);
}

/* ---- opening ------------------------------------------------------------ */

static void describe(struct meter *meter)
{
	const struct meter_parts *parts = &meter->parts;
	char label[ENERGY_LABEL_MAX];

	if (!parts->domains)
		text_put(&meter->describe, meter->kind->name);
	else if (energy_is_estimate(parts->source))
		text_printf(&meter->describe,
			    "%s, class %d, estimated −%.0f/+%.0f %%",
			    meter->kind->name, (int)parts->source,
			    100 * (1 - parts->scale_lo),
			    100 * (parts->scale_hi - 1));
	else
		text_printf(&meter->describe, "%s, %s", meter->kind->name,
			    energy_label(parts->source, 1, 1, label));
	if (parts->says[0])
		text_printf(&meter->describe, ": %s", parts->says);
}

static void says_domains(struct meter_parts *parts)
{
	struct text says = TEXT_INIT;

	if (parts->says[0])
		return;
	for (size_t i = 0; i < parts->domains; i++)
		if (parts->domain[i].counts)
			text_printf(&says, "%s%s", says.length ? ", " : "",
				    parts->domain[i].name);
	snprintf(parts->says, sizeof(parts->says), "%s",
		 says.data ? says.data : "no domains");
	text_done(&says);
}

/* The kind's counters, not proven yet. */
static struct meter *open_unproven(const struct meter_kind *kind,
				   const char *argument,
				   const struct meter_place *place,
				   char remedy[256], struct err *err)
{
	struct meter *meter = xcalloc(1, sizeof(*meter));

	meter->place = *place;
	meter->parts.source = kind->source;
	energy_source_scale(kind->source, &meter->parts.scale_lo,
			    &meter->parts.scale_hi);
	meter->self = kind->open(argument, place, &meter->parts, err);
	snprintf(remedy, 256, "%s", meter->parts.remedy);
	if (!meter->self) {
		meter_close(meter);
		return NULL;
	}
	meter->kind = kind;
	domain_link(meter->parts.domain, meter->parts.domains);
	return meter;
}

static int prove(struct meter *meter, struct err *err)
{
	struct meter_parts *parts = &meter->parts;
	const char *dead;

	for (size_t i = 0; i < parts->domains; i++)
		if (parts->domain[i].state != METER_DEAD)
			parts->domain[i].state = METER_ALIVE;
	if (meter->kind->proof == METER_PROOF_LOAD &&
	    meter_prove(meter->kind, meter->self, parts, &meter->place, err) <
		    0)
		return -1;
	if (domain_cover(parts->domain, parts->domains) || !parts->domains)
		return 0;
	if (!parts->remarks.length)
		return err_set(err, ENODEV,
			       "no domain that stands for the machine (a "
			       "package, or the platform)");
	/* The first remark, less the kind's name, which comes by itself. */
	dead = parts->remarks.data + strlen(meter->kind->name) + 1;
	return err_set(err, ENODEV, "%.*s", (int)strcspn(dead, "\n"), dead);
}

/* In time that is not the machine's there is nothing to be found out. */
static int find_periods(struct meter *meter, struct err *err)
{
	if (meter->kind->proof != METER_PROOF_LOAD ||
	    meter->place.clock != clock_real())
		return 0;
	return meter_period_find(meter->kind, meter->self, &meter->parts, err);
}

static struct meter *open_kind(const struct meter_kind *kind,
			       const char *argument,
			       const struct meter_place *place,
			       char remedy[256], struct err *err)
{
	struct meter *meter = open_unproven(kind, argument, place, remedy, err);

	if (!meter)
		return NULL;
	if (prove(meter, err) < 0 || find_periods(meter, err) < 0 ||
	    meter_read_first(meter, err) < 0) {
		meter_close(meter);
		return NULL;
	}
	says_domains(&meter->parts);
	describe(meter);
	return meter;
}

/* Unless it was said already, by whom the kind asked. */
static void remedy_say(struct err *err, const char *remedy)
{
	if (remedy[0] && !strstr(err->text, remedy))
		err_remedy(err, "%s", remedy);
}

static struct meter *open_auto(const struct meter_place *place, struct err *err)
{
	struct text remarks = TEXT_INIT;
	struct meter *meter = NULL;
	char remedy[256];

	for (size_t i = 0; i < KINDS && !meter; i++) {
		struct err why = { 0 };

		if (!kinds[i]->automatic)
			continue;
		meter = open_kind(kinds[i], NULL, place, remedy, &why);
		if (meter && !meter->parts.partial)
			break;
		if (meter)
			err_set(&why, ENODEV,
				"%s: parts of the machine only (name it to use "
				"it)",
				meter->parts.says);
		meter_close(meter);
		meter = NULL;
		remedy_say(&why, remedy);
		text_printf(&remarks, "%s: %s\n", kinds[i]->name, why.text);
	}
	if (!meter) {
		for (char *at = remarks.data; (at = strchr(at, '\n'));)
			*at = at[1] ? ';' : '\0';
		err_set(err, ENODEV, "none works here: %s", remarks.data);
	} else if (remarks.length) {
		if (meter->parts.remarks.length)
			text_put(&remarks, meter->parts.remarks.data);
		text_done(&meter->parts.remarks);
		meter->parts.remarks = remarks;
		return meter;
	}
	text_done(&remarks);
	return meter;
}

static const struct meter_kind *kind_find(const char *name, size_t length)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strlen(kinds[i]->name) == length &&
		    !strncmp(kinds[i]->name, name, length))
			return kinds[i];
	return NULL;
}

static int unknown_kind(const char *spec, struct err *err)
{
	const char *names[KINDS + 2] = { "auto" };
	struct text list = TEXT_INIT;
	char *name = xstrndup(spec, strcspn(spec, ":"));
	const char *near;

	for (size_t i = 0; i < KINDS; i++)
		names[i + 1] = kinds[i]->name;
	near = field_nearest(name, names);
	for (size_t i = 0; i <= KINDS; i++)
		text_printf(&list, "%s%s", i ? ", " : "", names[i]);
	err_set(err, EINVAL, "no such meter (%s%s%sthere are: %s)",
		near ? "did you mean " : "", near ? near : "", near ? "? " : "",
		list.data);
	text_done(&list);
	free(name);
	return -1;
}

static int argument_check(const struct meter_kind *kind, const char *argument,
			  struct err *err)
{
	if (argument && !kind->argument)
		return err_set(err, EINVAL, "takes nothing behind the colon");
	if (!(argument && *argument) && kind->argument &&
	    kind->argument[0] != '[')
		return err_set(err, EINVAL, "needs an argument: %s:%s",
			       kind->name, kind->argument);
	return 0;
}

static struct meter *open_named(const char *spec,
				const struct meter_place *place,
				struct err *err)
{
	size_t length = strcspn(spec, ":");
	const char *argument = spec[length] ? spec + length + 1 : NULL;
	const struct meter_kind *kind = kind_find(spec, length);
	char remedy[256] = "";
	struct meter *meter;

	if (!kind) {
		unknown_kind(spec, err);
		return NULL;
	}
	if (argument_check(kind, argument, err) < 0)
		return NULL;
	meter = open_kind(kind, argument, place, remedy, err);
	if (!meter && err)
		remedy_say(err, remedy);
	return meter;
}

static struct meter_place place_complete(const struct meter_place *given)
{
	struct meter_place place = { 0 };

	if (given)
		place = *given;
	if (!place.clock)
		place.clock = clock_real();
	return place;
}

struct meter *meter_open_at(const char *spec, const struct meter_place *given,
			    struct err *err)
{
	struct meter_place place = place_complete(given);
	struct meter *meter;

	if (!strcmp(spec, "auto"))
		meter = open_auto(&place, err);
	else
		meter = open_named(spec, &place, err);
	if (!meter)
		err_wrap(err, "meter %s", spec);
	return meter;
}

struct meter *meter_open_kind(const struct meter_kind *kind,
			      const char *argument,
			      const struct meter_place *given, struct err *err)
{
	struct meter_place place = place_complete(given);
	char remedy[256];

	return open_kind(kind, argument, &place, remedy, err);
}

struct meter *meter_open(const char *spec, struct err *err)
{
	return meter_open_at(spec, NULL, err);
}

void meter_close(struct meter *meter)
{
	if (!meter)
		return;
	if (meter->kind && meter->self)
		meter->kind->close(meter->self);
	text_done(&meter->parts.remarks);
	text_done(&meter->describe);
	free(meter);
}

/* ---- survey ------------------------------------------------------------- */

static void survey_kind(const struct meter_kind *kind,
			struct meter_finding *finding)
{
	struct meter_place place = place_complete(NULL);
	struct err err = { 0 };
	struct meter *meter;

	memset(finding, 0, sizeof(*finding));
	finding->kind = kind->name;
	if (kind->argument && kind->argument[0] != '[') {
		finding->usable = true;
		snprintf(finding->says, sizeof(finding->says),
			 "%s (name one: %s:%s)", kind->summary, kind->name,
			 kind->argument);
		return;
	}
	meter = open_kind(kind, NULL, &place, finding->remedy, &err);
	finding->usable = meter != NULL;
	if (!meter) {
		snprintf(finding->says, sizeof(finding->says), "%s", err.text);
		return;
	}
	snprintf(finding->says, sizeof(finding->says), "%s%s%s",
		 meter_describe(meter), *meter_remarks(meter) ? "; " : "",
		 meter_remarks(meter));
	finding->says[strcspn(finding->says, "\n")] = '\0';
	meter_close(meter);
}

size_t meter_survey(struct meter_finding *finding, size_t max)
{
	size_t count = KINDS < max ? KINDS : max;

	for (size_t i = 0; i < count; i++)
		survey_kind(kinds[i], &finding[i]);
	return count;
}
