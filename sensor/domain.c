/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/domain.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sensor/hwpc_report.h"

#define EVENT_SUFFIX "_uj"

static const struct {
	const char *name, *event;
} rapl[] = {
	[DOMAIN_PACKAGE] = { "package", "RAPL_ENERGY_PKG" },
	[DOMAIN_CORES] = { "cores", "RAPL_ENERGY_CORES" },
	[DOMAIN_UNCORE] = { "uncore", "RAPL_ENERGY_GPU" },
	[DOMAIN_DRAM] = { "dram", "RAPL_ENERGY_DRAM" },
	[DOMAIN_PSYS] = { "psys", "RAPL_ENERGY_PSYS" },
};

void domain_rapl(struct meter_domain *domain, enum domain_role role,
		 int package)
{
	memset(domain, 0, sizeof(*domain));
	if (role == DOMAIN_PSYS)
		snprintf(domain->name, sizeof(domain->name), "psys");
	else
		snprintf(domain->name, sizeof(domain->name), "%s-%d",
			 rapl[role].name, package);
	snprintf(domain->group, sizeof(domain->group), HWPC_GROUP_RAPL);
	snprintf(domain->event, sizeof(domain->event), "%s", rapl[role].event);
	domain->package = package;
	domain->within = -1;
	domain->unit_j = HWPC_RAPL_UNIT_J;
}

static void copy_case(char *out, size_t size, const char *text, size_t length,
		      int (*change)(int))
{
	size_t i = 0;

	for (; i < length && i + 1 < size; i++)
		out[i] = (char)change((unsigned char)text[i]);
	out[i] = '\0';
}

void domain_other(struct meter_domain *domain, const char *kind,
		  const char *name)
{
	char upper[32];

	memset(domain, 0, sizeof(*domain));
	snprintf(domain->name, sizeof(domain->name), "%s", name);
	snprintf(domain->group, sizeof(domain->group), "meter_%s", kind);
	copy_case(upper, sizeof(upper), name, strlen(name), toupper);
	snprintf(domain->event, sizeof(domain->event), "%s" EVENT_SUFFIX,
		 upper);
	domain->within = -1;
	domain->unit_j = 1e-6;
}

static bool parse_other(struct meter_domain *domain, const char *group,
			int package, const char *event)
{
	size_t length = strlen(event), suffix = strlen(EVENT_SUFFIX);
	char name[32];

	if (length <= suffix || length - suffix >= sizeof(name) ||
	    strcmp(event + length - suffix, EVENT_SUFFIX))
		return false;
	copy_case(name, sizeof(name), event, length - suffix, tolower);
	domain_other(domain, group + strlen("meter_"), name);
	snprintf(domain->group, sizeof(domain->group), "%s", group);
	snprintf(domain->event, sizeof(domain->event), "%s", event);
	domain->package = package;
	return true;
}

bool domain_parse(struct meter_domain *domain, const char *group, int package,
		  const char *event)
{
	if (!strncmp(group, "meter_", strlen("meter_")))
		return parse_other(domain, group, package, event);
	if (strcmp(group, HWPC_GROUP_RAPL) != 0)
		return false;
	for (int role = DOMAIN_PACKAGE; role <= DOMAIN_PSYS; role++)
		if (!strcmp(rapl[role].event, event)) {
			domain_rapl(domain, (enum domain_role)role, package);
			return true;
		}
	return false;
}

enum domain_role domain_role(const struct meter_domain *domain)
{
	if (strcmp(domain->group, HWPC_GROUP_RAPL) != 0)
		return DOMAIN_OTHER;
	for (int role = DOMAIN_PACKAGE; role <= DOMAIN_PSYS; role++)
		if (!strcmp(rapl[role].event, domain->event))
			return (enum domain_role)role;
	return DOMAIN_OTHER;
}

enum energy_source domain_rapl_source(const struct topology *topology)
{
	/* Sandy Bridge and Ivy Bridge, by arch/x86's intel-family.h. */
	static const int before_haswell[] = { 42, 45, 58, 62 };
	const size_t n = sizeof(before_haswell) / sizeof(before_haswell[0]);

	if (!strcmp(topology->vendor, "AuthenticAMD") && topology->family == 23)
		return ENERGY_FIRMWARE;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(topology->vendor, "GenuineIntel") &&
		    topology->family == 6 &&
		    topology->model_number == before_haswell[i])
			return ENERGY_FIRMWARE;
	return ENERGY_ACCUMULATOR;
}

static int find(const struct meter_domain *domain, size_t n,
		enum domain_role role, int package)
{
	for (size_t i = 0; i < n; i++)
		if (domain_role(&domain[i]) == role &&
		    (role == DOMAIN_PSYS || domain[i].package == package))
			return (int)i;
	return -1;
}

void domain_link(struct meter_domain *domain, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum domain_role role = domain_role(&domain[i]);

		if (role == DOMAIN_CORES || role == DOMAIN_UNCORE)
			domain[i].within = find(domain, n, DOMAIN_PACKAGE,
						domain[i].package);
		else if (role == DOMAIN_PACKAGE || role == DOMAIN_DRAM)
			domain[i].within = find(domain, n, DOMAIN_PSYS, 0);
		else if (role == DOMAIN_PSYS)
			domain[i].within = -1;
	}
}

void domain_link_inside(struct meter_domain *domain, size_t n,
			const bool *inside)
{
	size_t outside = 0;

	while (outside < n && inside[outside])
		outside++;
	for (size_t i = 0; i < n && outside < n; i++)
		if (inside[i] && domain_role(&domain[i]) == DOMAIN_OTHER)
			domain[i].within = (int)outside;
}

static bool lies_in_one_that_lives(const struct meter_domain *domain, size_t i)
{
	int within = domain[i].within;

	return within >= 0 && domain[within].state == METER_ALIVE;
}

static bool role_counts(enum domain_role role, bool packages)
{
	switch (role) {
	case DOMAIN_PACKAGE:
	case DOMAIN_DRAM:
		return packages;
	case DOMAIN_PSYS:
		return !packages;
	case DOMAIN_CORES:
	case DOMAIN_UNCORE:
		return false;
	case DOMAIN_OTHER:
		break;
	}
	return true;
}

size_t domain_cover(struct meter_domain *domain, size_t n)
{
	bool packages = false;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		packages |= domain[i].state == METER_ALIVE &&
			    domain_role(&domain[i]) == DOMAIN_PACKAGE;
	for (size_t i = 0; i < n; i++) {
		enum domain_role role = domain_role(&domain[i]);

		domain[i].counts = domain[i].state == METER_ALIVE &&
				   role_counts(role, packages) &&
				   (role != DOMAIN_OTHER ||
				    !lies_in_one_that_lives(domain, i));
		count += domain[i].counts;
	}
	return count;
}
