/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/machine_energy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/domain.h"

#define GROUP_PREFIX "meter_"

/* One meter's domains in one report. */
struct parts {
	bool inside[METER_DOMAINS_MAX]; /* another, as the report says */
	struct meter_domain domain[METER_DOMAINS_MAX];
	double joules[METER_DOMAINS_MAX];
	size_t domains;
};

static bool is_group(const char *group, const char *want)
{
	if (!want)
		return true;
	if (!strncmp(group, GROUP_PREFIX, strlen(GROUP_PREFIX)))
		group += strlen(GROUP_PREFIX);
	return !strcmp(group, want);
}

/* RAPL first; then by class; -1: this group has no joules. */
static int rank(const struct hwpc_report *report,
		const struct hwpc_value *value)
{
	struct meter_domain domain;
	const struct doc *meter;

	if (!domain_parse(&domain, value->group, 0, value->event))
		return -1;
	if (domain_role(&domain) != DOMAIN_OTHER)
		return 0;
	meter = doc_get(doc_get(report->metadata, "meters"), value->event);
	return 1 + (int)doc_int(doc_get(meter, "source"), ENERGY_UNKNOWN);
}

static const char *best_group(const struct hwpc_report *report,
			      const char *want)
{
	const char *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *value = &report->value[i];
		int at =
			is_group(value->group, want) ? rank(report, value) : -1;

		if (at >= 0 && (!best || at < best_rank)) {
			best = value->group;
			best_rank = at;
		}
	}
	return best;
}

static void part_add(struct parts *parts, const struct hwpc_report *report,
		     const struct hwpc_value *value)
{
	const struct doc *meter =
		doc_get(doc_get(report->metadata, "meters"), value->event);
	int package = (int)strtol(value->package, NULL, 10);
	struct meter_domain domain;
	size_t i = 0;

	if (!domain_parse(&domain, value->group, package, value->event))
		return;
	while (i < parts->domains &&
	       (strcmp(parts->domain[i].event, domain.event) != 0 ||
		parts->domain[i].package != package))
		i++;
	if (i == METER_DOMAINS_MAX)
		return;
	if (i == parts->domains) {
		domain.state = METER_ALIVE;
		parts->domain[i] = domain;
		parts->joules[i] = 0;
		parts->inside[i] = !doc_bool(doc_get(meter, "counts"), true);
		parts->domains++;
	}
	parts->joules[i] += value->value * domain.unit_j;
}

/* What the report says of an event's joules; files of others say nothing:
 * RAPL is the hardware's, and of the rest nobody knows. */
static void provenance(const struct hwpc_report *report,
		       const struct meter_domain *domain, struct energy *energy)
{
	const struct doc *meter =
		doc_get(doc_get(report->metadata, "meters"), domain->event);
	int64_t fallback = domain_role(domain) == DOMAIN_OTHER
				   ? ENERGY_UNKNOWN
				   : ENERGY_ACCUMULATOR;
	int64_t source = doc_int(doc_get(meter, "source"), fallback);
	double lo, hi;

	if (source < ENERGY_WALL || source > ENERGY_UNKNOWN)
		source = ENERGY_UNKNOWN;
	energy->source = (enum energy_source)source;
	energy_source_scale(energy->source, &lo, &hi);
	energy->scale_lo = doc_real(doc_get(meter, "scale_lo"), lo);
	energy->scale_hi = doc_real(doc_get(meter, "scale_hi"), hi);
	energy->sigma_j = doc_real(doc_get(meter, "sigma_j"), (double)NAN);
}

/* The sigma of an event is that of its sum over packages: taken once. */
static bool is_first(const struct parts *parts, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (parts->domain[j].counts &&
		    !strcmp(parts->domain[j].event, parts->domain[i].event))
			return false;
	return true;
}

static void meter_name(const struct hwpc_report *report,
		       const struct meter_domain *domain,
		       char meter[static MACHINE_ENERGY_METER_MAX])
{
	const struct doc *of =
		doc_get(doc_get(report->metadata, "meters"), domain->event);
	const char *group = domain->group;

	if (!strncmp(group, GROUP_PREFIX, strlen(GROUP_PREFIX)))
		group += strlen(GROUP_PREFIX);
	snprintf(meter, MACHINE_ENERGY_METER_MAX, "%s",
		 doc_string(doc_get(of, "meter"), group));
}

int machine_energy_of(const struct hwpc_report *report, const char *want,
		      struct energy *energy,
		      char meter[static MACHINE_ENERGY_METER_MAX])
{
	const char *group = best_group(report, want);
	const struct energy none = ENERGY_NONE;
	struct parts parts = { .domains = 0 };
	bool named = false;

	for (size_t i = 0; group && i < report->values; i++)
		if (!strcmp(report->value[i].group, group))
			part_add(&parts, report, &report->value[i]);
	domain_link(parts.domain, parts.domains);
	domain_link_inside(parts.domain, parts.domains, parts.inside);
	if (!domain_cover(parts.domain, parts.domains))
		return -1;
	*energy = none;
	for (size_t i = 0; i < parts.domains; i++) {
		struct energy part;

		if (!parts.domain[i].counts)
			continue;
		if (!named)
			meter_name(report, &parts.domain[i], meter);
		named = true;
		provenance(report, &parts.domain[i], &part);
		part.joules = parts.joules[i];
		if (!is_first(&parts, i))
			part.sigma_j = 0;
		energy_add(energy, &part);
	}
	return 0;
}
