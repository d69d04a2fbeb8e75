/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RAPL by way of the kernel's powercap class and libpowercap.
 *
 * The library keeps a file descriptor per file of each zone and takes 0 for
 * "there is none", so descriptor 0 must be in use before it opens anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powercap/powercap-rapl.h>
#include <powercap/powercap-sysfs.h>

#include "lib/mem.h"
#include "sensor/domain.h"
#include "sensor/meter_kind.h"

#define CONTROL_TYPE "intel-rapl"
/* Top-level zones: a package or die each, and the platform. */
#define ZONES_MAX 64
/* RAPL's update period: 1.00 ms on every CPU of the public traces (Broadwell,
 * Ice Lake, KNL). */
#define PERIOD_S 0.001

static const struct {
	enum domain_role role;
	powercap_rapl_zone zone;
	const char *name;
} planes[] = {
	{ DOMAIN_PACKAGE, POWERCAP_RAPL_ZONE_PACKAGE, "package" },
	{ DOMAIN_CORES, POWERCAP_RAPL_ZONE_CORE, "core" },
	{ DOMAIN_UNCORE, POWERCAP_RAPL_ZONE_UNCORE, "uncore" },
	{ DOMAIN_DRAM, POWERCAP_RAPL_ZONE_DRAM, "dram" },
	{ DOMAIN_PSYS, POWERCAP_RAPL_ZONE_PSYS, "psys" },
};
#define PLANES (sizeof(planes) / sizeof(planes[0]))

struct powercap {
	powercap_rapl_pkg *zone;
	size_t zones;
	struct {
		size_t zone;
		powercap_rapl_zone plane;
	} counter[METER_DOMAINS_MAX];
	size_t counters;
};

static void stdin_keep(void)
{
	int fd;

	if (fcntl(0, F_GETFD) >= 0 || errno != EBADF)
		return;
	fd = open("/dev/null", O_RDONLY);
	if (fd > 0)
		close(fd);
}

static size_t zones_count(void)
{
	uint32_t n = 0;

	while (n < ZONES_MAX &&
	       !powercap_sysfs_zone_exists(CONTROL_TYPE, &n, 1))
		n++;
	return n;
}

/* "package-1" and "package-1-die-0" are package 1; psys is nobody's. */
static int package_of(uint32_t id)
{
	static const char prefix[] = "package-";
	char name[64];

	if (powercap_sysfs_zone_get_name(CONTROL_TYPE, &id, 1, name,
					 sizeof(name)) < 0 ||
	    strncmp(name, prefix, strlen(prefix)) != 0)
		return 0;
	return (int)strtol(name + strlen(prefix), NULL, 10);
}

static int zone_open(struct powercap *powercap, uint32_t id,
		     struct meter_parts *parts, struct err *err)
{
	errno = EIO;
	if (!powercap_rapl_init(id, &powercap->zone[id], 1)) {
		powercap->zones = id + 1;
		return 0;
	}
	if (errno == EACCES || errno == EPERM)
		snprintf(parts->remedy, sizeof(parts->remedy),
			 "sudo chmod a+r /sys/class/powercap/" CONTROL_TYPE
			 "*/energy_uj, for good by the udev rule "
			 "70-fedwatts-energy.rules (deploy/), or sudo setcap "
			 "cap_perfmon,cap_bpf,cap_dac_read_search=ep "
			 "on this program");
	return err_sys(err, "open /sys/class/powercap/%s:%u/energy_uj",
		       CONTROL_TYPE, id);
}

static int counter_add(struct powercap *powercap, struct meter_parts *parts,
		       size_t zone, size_t plane, struct err *err)
{
	const powercap_rapl_pkg *files = &powercap->zone[zone];
	struct meter_domain *domain = &parts->domain[parts->domains];
	struct meter_counter *counter;
	uint64_t range = 0;

	if (powercap_rapl_is_zone_file_supported(
		    files, planes[plane].zone, POWERCAP_ZONE_FILE_ENERGY_UJ) !=
	    1)
		return 0;
	counter = meter_parts_add(parts);
	if (!counter)
		return err_set(err, EFBIG, "more than %d domains",
			       METER_DOMAINS_MAX);
	domain_rapl(domain, planes[plane].role, package_of((uint32_t)zone));
	powercap_rapl_get_max_energy_range_uj(files, planes[plane].zone,
					      &range);
	counter->count_j = 1e-6;
	counter->range = range;
	counter->slow = planes[plane].role == DOMAIN_DRAM ||
			planes[plane].role == DOMAIN_PSYS;
	counter->plausible_w = METER_PLAUSIBLE_W;
	counter->still_s =
		planes[plane].role == DOMAIN_UNCORE ? 0 : METER_STILL_S;
	if (planes[plane].role == DOMAIN_PSYS)
		counter->plausible_w *= (double)powercap->zones;
	snprintf(counter->where, sizeof(counter->where), CONTROL_TYPE ":%zu/%s",
		 zone, planes[plane].name);
	/* The file counts whole microjoules, the hardware steps of 2^-32 of
	 * its range. */
	domain->resolution_j = 1e-6 + 1e-6 * 0x1p-32 * (double)range;
	domain->period_s = PERIOD_S;
	powercap->counter[powercap->counters].zone = zone;
	powercap->counter[powercap->counters++].plane = planes[plane].zone;
	return 0;
}

static int counters_add(struct powercap *powercap, struct meter_parts *parts,
			struct err *err)
{
	for (size_t zone = 0; zone < powercap->zones; zone++)
		for (size_t plane = 0; plane < PLANES; plane++)
			if (counter_add(powercap, parts, zone, plane, err) < 0)
				return -1;
	if (!parts->domains)
		return err_set(err, ENODEV, "no zone has an energy counter");
	return 0;
}

static void powercap_close(void *self)
{
	struct powercap *powercap = self;

	for (size_t i = 0; i < powercap->zones; i++)
		powercap_rapl_destroy(&powercap->zone[i]);
	free(powercap->zone);
	free(powercap);
}

/* No module brings RAPL to a guest: its counters stay with the host. */
static int no_zones(const struct topology *topology, struct meter_parts *parts,
		    struct err *err)
{
	bool guest = topology && topology->hypervisor;

	if (!guest)
		snprintf(parts->remedy, sizeof(parts->remedy),
			 "sudo modprobe intel_rapl_msr");
	return err_set(err, ENODEV, "no zones under /sys/class/powercap/%s%s",
		       CONTROL_TYPE,
		       guest ? ": in a virtual machine they are the host's"
			     : "");
}

static int zones_open(struct powercap *powercap,
		      const struct topology *topology,
		      struct meter_parts *parts, struct err *err)
{
	size_t zones = zones_count();

	if (!zones)
		return no_zones(topology, parts, err);
	powercap->zone = xcalloc(zones, sizeof(*powercap->zone));
	for (uint32_t id = 0; id < zones; id++)
		if (zone_open(powercap, id, parts, err) < 0)
			return -1;
	return 0;
}

static void *powercap_open(const char *argument,
			   const struct meter_place *place,
			   struct meter_parts *parts, struct err *err)
{
	struct powercap *powercap = xcalloc(1, sizeof(*powercap));
	struct topology *topology =
		topology_read(place->sys ? place->sys : "/sys",
			      place->proc ? place->proc : "/proc", NULL);

	(void)argument;
	stdin_keep();
	if (zones_open(powercap, topology, parts, err) < 0 ||
	    counters_add(powercap, parts, err) < 0) {
		powercap_close(powercap);
		powercap = NULL;
	} else if (topology) {
		parts->source = domain_rapl_source(topology);
	}
	topology_free(topology);
	return powercap;
}

static int powercap_read(void *self, uint64_t *count, struct err *err)
{
	struct powercap *powercap = self;

	for (size_t i = 0; i < powercap->counters; i++) {
		size_t zone = powercap->counter[i].zone;

		if (!powercap_rapl_get_energy_uj(&powercap->zone[zone],
						 powercap->counter[i].plane,
						 &count[i]))
			continue;
		if (errno != ENODEV && errno != ENODATA)
			return err_sys(err, "read energy_uj of %s:%zu",
				       CONTROL_TYPE, zone);
		count[i] = METER_COUNT_GONE;
	}
	return 0;
}

const struct meter_kind meter_kind_powercap = {
	.name = "powercap",
	.summary = "RAPL, read through libpowercap",
	.proof = METER_PROOF_LOAD,
	.automatic = true,
	.source = ENERGY_ACCUMULATOR,
	.open = powercap_open,
	.read = powercap_read,
	.close = powercap_close,
};
