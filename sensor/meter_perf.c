/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RAPL by way of the kernel's `power` PMU.
 *
 * The kernel unwraps the 32-bit registers itself, by a timer that assumes
 * 200 W per package; above that the counter must be read within about 30 s
 * (METER_GUARD_S).  /sys/bus/event_source/devices/power says what there is:
 * one counter per event and per CPU of `cpumask` (a CPU of each package).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/domain.h"
#include "sensor/event.h"
#include "sensor/meter_kind.h"
#include "sensor/sysfs.h"

#define PMU_FOLDER "bus/event_source/devices/power"
#define PERIOD_S   0.001

static const struct {
	enum domain_role role;
	const char *event;
} events[] = {
	{ DOMAIN_PACKAGE, "energy-pkg" }, { DOMAIN_CORES, "energy-cores" },
	{ DOMAIN_UNCORE, "energy-gpu" },  { DOMAIN_DRAM, "energy-ram" },
	{ DOMAIN_PSYS, "energy-psys" },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

struct perf {
	struct counter *counter[METER_DOMAINS_MAX];
	size_t counters;
};

/* While the counters are opened. */
struct perf_setup {
	struct perf *perf;
	struct meter_parts *parts;
	const struct topology *topology;
	const char *sys;
	struct event event;
	size_t which;
	double count_j;
	struct err *err; /* never NULL */
};

/* "event=0x02" */
static int event_read(struct perf_setup *setup, uint32_t type)
{
	const char *name = events[setup->which].event;
	char text[128], scale[64], title[64], *end;
	uint64_t config;

	if (sysfs_read(text, sizeof(text), "%s/" PMU_FOLDER "/events/%s",
		       setup->sys, name) < 0)
		return 0;
	config = strtoull(text + strcspn(text, "0123456789"), &end, 16);
	if (strncmp(text, "event=0x", strlen("event=0x")) != 0 || *end)
		return err_set(setup->err, EINVAL,
			       "%s/" PMU_FOLDER "/events/%s: '%s' is not an "
			       "event",
			       setup->sys, name, text);
	sysfs_read(scale, sizeof(scale), "%s/" PMU_FOLDER "/events/%s.scale",
		   setup->sys, name);
	setup->count_j = strtod(scale, NULL);
	if (!(setup->count_j > 0 && setup->count_j < 1e6))
		return err_set(setup->err, EINVAL,
			       "%s/" PMU_FOLDER "/events/%s.scale: '%s' is no "
			       "scale in joules",
			       setup->sys, name, scale);
	snprintf(title, sizeof(title), "power/%s/", name);
	event_init(&setup->event, title, type, config);
	return 1;
}

static int package_of(const struct topology *topology, int cpu)
{
	for (size_t i = 0; i < topology->cpus; i++)
		if (topology->cpu[i].id == cpu)
			return topology->cpu[i].package;
	return 0;
}

static void counter_describe(struct perf_setup *setup, size_t i, int cpu)
{
	struct meter_counter *counter = &setup->parts->counter[i];
	struct meter_domain *domain = &setup->parts->domain[i];
	enum domain_role role = events[setup->which].role;

	domain_rapl(domain, role, package_of(setup->topology, cpu));
	domain->resolution_j = setup->count_j;
	domain->period_s = PERIOD_S;
	counter->count_j = setup->count_j;
	counter->slow = role == DOMAIN_DRAM || role == DOMAIN_PSYS;
	counter->plausible_w = METER_PLAUSIBLE_W;
	/* Graphics may be switched off. */
	counter->still_s = role == DOMAIN_UNCORE ? 0 : METER_STILL_S;
	if (role == DOMAIN_PSYS)
		counter->plausible_w *= (double)setup->topology->packages;
	if (setup->topology->packages > 1)
		snprintf(counter->where, sizeof(counter->where),
			 "%.40s package %d", setup->event.name,
			 domain->package);
	else
		snprintf(counter->where, sizeof(counter->where), "%.40s",
			 setup->event.name);
}

static int counter_add(void *arg, int cpu)
{
	struct perf_setup *setup = arg;
	struct perf *perf = setup->perf;
	struct counter_request request = {
		.event = &setup->event, .events = 1, .pid = -1, .cpu = cpu
	};

	/* The platform is one, seen from any package. */
	if (events[setup->which].role == DOMAIN_PSYS && perf->counters &&
	    domain_role(&setup->parts->domain[perf->counters - 1]) ==
		    DOMAIN_PSYS)
		return 0;
	if (perf->counters == METER_DOMAINS_MAX)
		return err_set(setup->err, EFBIG, "more than %d domains",
			       METER_DOMAINS_MAX);
	perf->counter[perf->counters] = counter_open(&request, setup->err);
	if (!perf->counter[perf->counters])
		return -1;
	meter_parts_add(setup->parts);
	counter_describe(setup, perf->counters++, cpu);
	return 0;
}

static int counters_add(struct perf_setup *setup, uint32_t type)
{
	char cpus[1024] = "";

	if (sysfs_read(cpus, sizeof(cpus), "%s/" PMU_FOLDER "/cpumask",
		       setup->sys) < 0)
		return err_sys(setup->err, "open %s/" PMU_FOLDER "/cpumask",
			       setup->sys);
	for (setup->which = 0; setup->which < EVENTS; setup->which++) {
		int there = event_read(setup, type);

		if (there < 0)
			return -1;
		if (!there || sysfs_list(cpus, counter_add, setup) == 0)
			continue;
		if (setup->err->code)
			return -1;
		return err_set(setup->err, EINVAL,
			       "%s/" PMU_FOLDER "/cpumask: not a list of CPUs",
			       setup->sys);
	}
	return 0;
}

static void perf_close(void *self)
{
	struct perf *perf = self;

	for (size_t i = 0; i < perf->counters; i++)
		counter_close(perf->counter[i]);
	free(perf);
}

static int pmu_open(struct perf_setup *setup)
{
	char type[32];

	if (sysfs_read(type, sizeof(type), "%s/" PMU_FOLDER "/type",
		       setup->sys) < 0)
		return err_set(setup->err, ENODEV,
			       "the kernel has no power PMU (%s/" PMU_FOLDER
			       " is missing)",
			       setup->sys);
	if (counters_add(setup, (uint32_t)strtoul(type, NULL, 10)) < 0)
		return -1;
	if (!setup->perf->counters)
		return err_set(setup->err, ENODEV,
			       "the power PMU has no energy events");
	return 0;
}

static void *perf_open(const char *argument, const struct meter_place *place,
		       struct meter_parts *parts, struct err *err)
{
	struct err local = { 0 };
	struct perf_setup setup = {
		.perf = xcalloc(1, sizeof(*setup.perf)),
		.parts = parts,
		.sys = place->sys ? place->sys : "/sys",
		.err = &local,
	};
	struct topology *topology = topology_read(
		setup.sys, place->proc ? place->proc : "/proc", &local);

	(void)argument;
	setup.topology = topology;
	if (!topology || pmu_open(&setup) < 0) {
		if (local.code == EACCES || local.code == EPERM)
			snprintf(parts->remedy, sizeof(parts->remedy),
				 "sudo sysctl kernel.perf_event_paranoid=0");
		err_set(err, local.code, "%s", local.text);
		perf_close(setup.perf);
		setup.perf = NULL;
	} else {
		parts->source = domain_rapl_source(topology);
	}
	topology_free(topology);
	return setup.perf;
}

static int perf_read(void *self, uint64_t *count, struct err *err)
{
	struct perf *perf = self;
	struct counter_reading reading;
	struct err why = { 0 };

	for (size_t i = 0; i < perf->counters; i++) {
		if (counter_read(perf->counter[i], &reading, &why) == 0)
			count[i] = reading.value[0];
		else if (why.code == ENODEV)
			count[i] = METER_COUNT_GONE;
		else
			return err_set(err, why.code, "%s", why.text);
	}
	return 0;
}

const struct meter_kind meter_kind_perf = {
	.name = "perf",
	.summary = "RAPL, read through the kernel's power PMU",
	.proof = METER_PROOF_LOAD,
	.automatic = true,
	.source = ENERGY_ACCUMULATOR,
	.open = perf_open,
	.read = perf_read,
	.close = perf_close,
};
