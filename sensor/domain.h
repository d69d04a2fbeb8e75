/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * domain -- what a meter's domains are called in reports, and which of them
 * together make up the machine.
 *
 *	struct meter_domain domain[2];
 *
 *	domain_rapl(&domain[0], DOMAIN_PACKAGE, 0);
 *	domain_parse(&domain[1], "rapl", 0, "RAPL_ENERGY_CORES");
 *	domain[0].state = domain[1].state = METER_ALIVE;
 *	domain_link(domain, 2);   // cores-0 lies within package-0
 *	domain_cover(domain, 2);  // package-0 counts, cores-0 does not
 *
 * Meters use it to name what they have, readers of reports (replay, formula)
 * to find the same tree again.
 *
 * The cover, as Intel's SDM (vol. 3, 15.10) has the domains: a package contains
 * its cores and its uncore; DRAM stands beside it; psys is the whole platform.
 * So packages and DRAM make up the machine; psys does where no package works,
 * because adding it to packages would count them twice.  Cores alone never
 * do.  A domain of another meter counts unless it lies within one that does.
 */
#ifndef SENSOR_DOMAIN_H
#define SENSOR_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/meter.h"
#include "sensor/topology.h"

enum domain_role {
	DOMAIN_PACKAGE,
	DOMAIN_CORES,
	DOMAIN_UNCORE,
	DOMAIN_DRAM,
	DOMAIN_PSYS,
	DOMAIN_OTHER, /* no RAPL domain: a device of some other meter */
};

/* Name, group, event, unit of a RAPL domain; the rest is zero. */
void domain_rapl(struct meter_domain *domain, enum domain_role role,
		 int package);
/* The same for a domain of "meter_KIND": `name` is lower case. */
void domain_other(struct meter_domain *domain, const char *kind,
		  const char *name);

/* Back from a report: false when that group and event are no meter's (time_…,
 * counters). */
bool domain_parse(struct meter_domain *domain, const char *group, int package,
		  const char *event);

enum domain_role domain_role(const struct meter_domain *domain);

/* What RAPL is on that CPU: an accumulator of measured energy, or (Intel before
 * Haswell: Hackenberg et al., ISPASS 2013; AMD Zen 1 and 2: Schoene et al.,
 * arXiv 2108.00808) a model of the firmware's. */
enum energy_source domain_rapl_source(const struct topology *topology);

/* Sets `within` of RAPL's; a domain of another meter has what its kind says. */
void domain_link(struct meter_domain *domain, size_t n);
/* From a report: those that did not count (`inside`) lie within the first that
 * did.  RAPL's are left to domain_link(). */
void domain_link_inside(struct meter_domain *domain, size_t n,
			const bool *inside);
/* Sets `counts` of all from their states; how many count. */
size_t domain_cover(struct meter_domain *domain, size_t n);

#endif
