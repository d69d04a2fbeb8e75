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

/* What a value is added to besides events. */
enum { JOULES = COUNTS_EVENTS, DRAM_JOULES, APERF, MPERF };

static size_t package_get(struct counts_plan *plan, const char *name)
{
	size_t size = sizeof(plan->package[0]);

	for (size_t i = 0; i < plan->packages; i++)
		if (!strncmp(plan->package[i], name, size - 1))
			return i;
	if (plan->packages == COUNTS_PACKAGES_MAX)
		return COUNTS_PACKAGES_MAX;
	plan->package = xrealloc(plan->package, plan->packages + 1, size);
	memset(plan->package[plan->packages], 0, size);
	strncat(plan->package[plan->packages], name, size - 1);
	return plan->packages++;
}

static void step_add(struct counts_plan *plan, const struct hwpc_report *report,
		     size_t value, size_t package, int to)
{
	plan->step = mem_grow(plan->step, &plan->capacity, plan->steps + 1,
			      sizeof(*plan->step));
	plan->step[plan->steps++] = (struct counts_step){
		.from = scaled_find(report, value), .package = package, .to = to
	};
}

/* Of packages that have something else. */
static void msr_find(struct counts_plan *plan, const struct hwpc_report *report)
{
	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *v = &report->value[i];
		bool aperf = !strcmp(v->event, "APERF");

		if (strcmp(v->group, "msr") != 0 ||
		    (!aperf && strcmp(v->event, "MPERF") != 0))
			continue;
		for (size_t p = 0; p < plan->packages; p++)
			if (!strcmp(v->package, plan->package[p]))
				step_add(plan, report, i, p,
					 aperf ? APERF : MPERF);
	}
}

/* What a value of group rapl is; -1: nothing here. */
static int joules_of(const char *event)
{
	if (!strcmp(event, "RAPL_ENERGY_PKG"))
		return JOULES;
	return strcmp(event, "RAPL_ENERGY_DRAM") ? -1 : DRAM_JOULES;
}

void counts_plan_find(struct counts_plan *plan,
		      const struct hwpc_report *report)
{
	plan->packages = plan->steps = 0;
	for (size_t i = 0; i < report->values; i++) {
		const struct hwpc_value *v = &report->value[i];
		bool rapl = !strcmp(v->group, HWPC_GROUP_RAPL);
		bool core = !strcmp(v->group, HWPC_GROUP_CORE);
		int to = core ? event_of(v->event) : -1;
		size_t package = rapl || to >= 0 ? package_get(plan, v->package)
						 : COUNTS_PACKAGES_MAX;

		if (rapl)
			to = joules_of(v->event);
		if (package < COUNTS_PACKAGES_MAX && to >= 0)
			step_add(plan, report, i, package, to);
	}
	msr_find(plan, report);
}

void counts_plan_done(struct counts_plan *plan)
{
	free(plan->package);
	free(plan->step);
	*plan = (struct counts_plan){ 0 };
}

static void add(double *sum, double value)
{
	*sum = isnan(*sum) ? value : *sum + value;
}

/* Joules, APERF and MPERF are never taken turns with. */
static void step_do(const struct counts_step *step,
		    const struct hwpc_report *report,
		    struct counts_package *package, double *aperf,
		    double *mperf)
{
	double raw = report->value[step->from.value].value;

	if (step->to < COUNTS_EVENTS)
		add(&package->event[step->to],
		    scaled_read(&step->from, report));
	else if (step->to == JOULES)
		add(&package->joules, raw * HWPC_RAPL_UNIT_J);
	else if (step->to == DRAM_JOULES)
		add(&package->dram_joules, raw * HWPC_RAPL_UNIT_J);
	else
		*(step->to == APERF ? aperf : mperf) += raw;
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

static void packages_start(const struct counts_plan *plan,
			   struct counts *counts)
{
	static const struct counts_package none = {
		.event = { (double)NAN, (double)NAN, (double)NAN, (double)NAN },
		.joules = (double)NAN,
		.dram_joules = (double)NAN,
		.speed = (double)NAN,
		.volts = (double)NAN,
	};

	_Static_assert(COUNTS_EVENTS == 4, "one NaN for each");
	counts->packages = plan->packages;
	if (plan->packages)
		counts->package =
			xcalloc(plan->packages, sizeof(*counts->package));
	for (size_t p = 0; p < plan->packages; p++) {
		counts->package[p] = none;
		memcpy(counts->package[p].name, plan->package[p],
		       sizeof(counts->package[p].name));
	}
}

void counts_read(const struct counts_plan *plan,
		 const struct hwpc_report *report, struct counts *counts)
{
	double aperf[COUNTS_PACKAGES_MAX], mperf[COUNTS_PACKAGES_MAX];

	packages_start(plan, counts);
	for (size_t p = 0; p < plan->packages; p++)
		aperf[p] = mperf[p] = 0;
	for (size_t i = 0; i < plan->steps; i++) {
		const struct counts_step *step = &plan->step[i];
		size_t p = step->package;

		step_do(step, report, &counts->package[p], &aperf[p],
			&mperf[p]);
	}
	for (size_t p = 0; p < plan->packages; p++)
		if (aperf[p] > 0 && mperf[p] > 0)
			counts->package[p].speed = aperf[p] / mperf[p];
	volts_read(report, counts);
}

void counts_done(struct counts *counts)
{
	free(counts->package);
	*counts = (struct counts){ 0 };
}
