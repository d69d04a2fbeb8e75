/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const struct {
	const char *name;
	enum counts_event event;
} events[] = {
	{ "CPU_CLK_THREAD_UNHALTED:THREAD_P", COUNTS_CYCLES },
	{ "CPU_CLK_UNHALTED:THREAD_P", COUNTS_CYCLES },
	{ "CYCLES_NOT_IN_HALT", COUNTS_CYCLES },
	{ "PERF_COUNT_HW_CPU_CYCLES", COUNTS_CYCLES },
	{ "CPU_CYCLES", COUNTS_CYCLES },
	{ "CYCLES", COUNTS_CYCLES },
	{ "INSTRUCTIONS_RETIRED", COUNTS_INSTRUCTIONS },
	{ "INSTRUCTION_RETIRED", COUNTS_INSTRUCTIONS },
	{ "RETIRED_INSTRUCTIONS", COUNTS_INSTRUCTIONS },
	{ "PERF_COUNT_HW_INSTRUCTIONS", COUNTS_INSTRUCTIONS },
	{ "INSTRUCTIONS", COUNTS_INSTRUCTIONS },
	{ "LLC_MISSES", COUNTS_MISSES },
	{ "PERF_COUNT_HW_CACHE_MISSES", COUNTS_MISSES },
	{ "CACHE_MISSES", COUNTS_MISSES },
};

/* No CPU lives on more. */
#define VOLTS_MAX 10

static int event_of(const char *name)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		size_t length = strlen(events[i].name);

		if (strncmp(events[i].name, name, length) != 0)
			continue;
		if (!name[length])
			return (int)events[i].event;
		if (!strcmp(name + length, ":k") &&
		    events[i].event == COUNTS_CYCLES)
			return COUNTS_KERNEL;
	}
	return -1;
}

const struct counts_package *counts_find(const struct counts *counts,
					 const char *package)
{
	for (size_t i = 0; i < counts->packages; i++)
		if (!strcmp(counts->package[i].name, package))
			return &counts->package[i];
	return NULL;
}

static struct counts_package *package_get(struct counts *counts,
					  const char *name)
{
	struct counts_package *package;

	for (size_t i = 0; i < counts->packages; i++)
		if (!strncmp(counts->package[i].name, name,
			     sizeof(package->name) - 1))
			return &counts->package[i];
	if (counts->packages == COUNTS_PACKAGES_MAX)
		return NULL;
	counts->package = xrealloc(counts->package, counts->packages + 1,
				   sizeof(*counts->package));
	package = &counts->package[counts->packages++];
	memset(package->name, 0, sizeof(package->name));
	strncat(package->name, name, sizeof(package->name) - 1);
	for (size_t e = 0; e < COUNTS_EVENTS; e++)
		package->event[e] = (double)NAN;
	package->joules = package->dram_joules = package->speed = (double)NAN;
	package->volts = (double)NAN;
	return package;
}

static void add(double *sum, double value)
{
	*sum = isnan(*sum) ? value : *sum + value;
}

/* time_enabled by time_running, of the CPU whose values stand around `i`. */
static double scale_of(const struct hwpc_report *report, size_t i)
{
	const struct hwpc_value *at = &report->value[i], *v;
	const struct hwpc_value *end = report->value + report->values;
	double enabled = 0, running = 0;

	while (at > report->value && at[-1].cpu == at->cpu &&
	       at[-1].package == at->package)
		at--;
	for (v = at; v < end && v->cpu == at->cpu && v->package == at->package;
	     v++) {
		if (!strcmp(v->event, "time_enabled"))
			enabled = v->value;
		else if (!strcmp(v->event, "time_running"))
			running = v->value;
	}
	return running > 0 && enabled > running ? enabled / running : 1;
}

static void msr_read(const struct hwpc_report *report, struct counts *counts)
{
	for (size_t p = 0; p < counts->packages; p++) {
		struct counts_package *package = &counts->package[p];
		double aperf = 0, mperf = 0;

		for (size_t i = 0; i < report->values; i++) {
			const struct hwpc_value *v = &report->value[i];

			if (strcmp(v->group, "msr") != 0 ||
			    strcmp(v->package, package->name) != 0)
				continue;
			aperf += strcmp(v->event, "APERF") ? 0 : v->value;
			mperf += strcmp(v->event, "MPERF") ? 0 : v->value;
		}
		if (mperf > 0 && aperf > 0)
			package->speed = aperf / mperf;
	}
}

static void volts_read(const struct hwpc_report *report, struct counts *counts)
{
	const struct doc *volts = doc_get(report->metadata, "cpu_voltage");

	for (size_t p = 0; volts && p < counts->packages; p++) {
		struct counts_package *package = &counts->package[p];
		const struct doc *own = doc_kind(volts) == DOC_OBJECT
						? doc_get(volts, package->name)
						: volts;
		double value = own ? doc_real(own, (double)NAN) : (double)NAN;

		if (value > 0 && value < VOLTS_MAX)
			package->volts = value;
	}
}

void counts_read(const struct hwpc_report *report, struct counts *counts)
{
	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *v = &report->value[i];
		bool rapl = !strcmp(v->group, HWPC_GROUP_RAPL);
		int event = strcmp(v->group, HWPC_GROUP_CORE)
				    ? -1
				    : event_of(v->event);
		struct counts_package *package =
			rapl || event >= 0 ? package_get(counts, v->package)
					   : NULL;

		if (!package)
			continue;
		if (event >= 0)
			add(&package->event[event],
			    v->value * scale_of(report, i));
		else if (!strcmp(v->event, "RAPL_ENERGY_PKG"))
			add(&package->joules, v->value * HWPC_RAPL_UNIT_J);
		else if (!strcmp(v->event, "RAPL_ENERGY_DRAM"))
			add(&package->dram_joules, v->value * HWPC_RAPL_UNIT_J);
	}
	msr_read(report, counts);
	volts_read(report, counts);
}

void counts_done(struct counts *counts)
{
	free(counts->package);
	*counts = (struct counts){ 0 };
}
