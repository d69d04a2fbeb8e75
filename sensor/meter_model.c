/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Class 7: joules = idle watts x time + watts per CPU x busy CPU seconds.
 *
 * For machines without a meter.  The shape is Cloud Carbon Footprint's (and
 * Etsy's Cloud Jewels before it): watts = min + utilisation x (max - min) per
 * virtual CPU, from the SPECpower results of servers with that
 * microarchitecture, so it stands for the server's share of one hardware
 * thread, memory and fans included.  Truth may lie at half or twice, and for
 * some types further away: see the table.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/quantity.h"
#include "sensor/cputime.h"
#include "sensor/domain.h"
#include "sensor/meter_kind.h"
#include "sensor/topology.h"

#define MODEL_WATTS_MAX 1e6
#define MODEL_COUNT_J   1e-9

/* Watts per virtual CPU, idle and full: cloud-carbon-footprint/
 * ccf-coefficients, output/coefficients-aws-use.csv @ b0032d92 (rounded to
 * 0.001).  Left out: its ARM rows (copies of EPYC 2nd Gen) and EPYC 5th Gen
 * (3.68/8.96, four times its predecessor: a fault of its thread counts, it
 * seems).  Families, models and steppings: arch/x86/include/asm/intel-family.h
 * and arch/x86/kernel/cpu/amd.c of Linux.
 *
 * The scale contains every SPECpower_ssj2008 result of that type (603 servers,
 * idle and full; tests/data/specpower_watts.csv), and is never less than
 * -50/+100 %.  Between idle and full the ratio lies between those of both.  It
 * is widest where one average stands for a workstation and for a server of
 * 1,000 threads. */
static const struct {
	const char *name, *vendor;
	int family, model_lo, model_hi, step_lo, step_hi;
	double min_w, max_w;
	double lo, hi; /* scale */
} table[] = {
	/* clang-format off */
	{ "Sandy Bridge", "GenuineIntel", 6, 42, 42, 0, 15, 2.212, 8.631, 0.50, 2.7 },
	{ "Sandy Bridge", "GenuineIntel", 6, 45, 45, 0, 15, 2.212, 8.631, 0.50, 3.9 },
	{ "Ivy Bridge", "GenuineIntel", 6, 58, 58, 0, 15, 1.707, 5.557, 0.50, 2.0 },
	{ "Ivy Bridge", "GenuineIntel", 6, 62, 62, 0, 15, 1.707, 5.557, 0.50, 2.0 },
	{ "Haswell", "GenuineIntel", 6, 60, 60, 0, 15, 1.857, 5.595, 0.50, 11.3 },
	{ "Haswell", "GenuineIntel", 6, 63, 63, 0, 15, 1.857, 5.595, 0.29, 2.0 },
	{ "Broadwell", "GenuineIntel", 6, 79, 79, 0, 15, 0.713, 3.685, 0.50, 3.0 },
	{ "Broadwell", "GenuineIntel", 6, 86, 86, 0, 15, 0.713, 3.685, 0.50, 3.0 },
	{ "Skylake", "GenuineIntel", 6, 85, 85, 0, 4, 0.613, 4.104, 0.45, 4.5 },
	{ "Cascade Lake", "GenuineIntel", 6, 85, 85, 5, 7, 0.690, 4.063, 0.48, 4.7 },
	{ "Coffee Lake", "GenuineIntel", 6, 158, 158, 10, 15, 1.138, 5.422, 0.50, 2.0 },
	{ "Ice Lake", "GenuineIntel", 6, 106, 106, 0, 15, 0.767, 3.758, 0.50, 2.0 },
	{ "Ice Lake", "GenuineIntel", 6, 108, 108, 0, 15, 0.767, 3.758, 0.50, 2.0 },
	{ "Sapphire Rapids", "GenuineIntel", 6, 143, 143, 0, 15, 1.036, 4.160, 0.50, 2.0 },
	{ "Emerald Rapids", "GenuineIntel", 6, 207, 207, 0, 15, 0.814, 4.482, 0.48, 2.4 },
	{ "Granite Rapids", "GenuineIntel", 6, 173, 174, 0, 15, 0.582, 2.527, 0.40, 2.0 },
	{ "EPYC 1st Gen", "AuthenticAMD", 23, 1, 1, 0, 15, 0.847, 2.604, 0.50, 2.0 },
	{ "EPYC 2nd Gen", "AuthenticAMD", 23, 49, 49, 0, 15, 0.474, 1.693, 0.50, 2.0 },
	{ "EPYC 3rd Gen", "AuthenticAMD", 25, 0, 15, 0, 15, 0.456, 1.957, 0.50, 2.0 },
	{ "EPYC 4th Gen", "AuthenticAMD", 25, 16, 31, 0, 15, 0.739, 2.282, 0.40, 2.0 },
	{ "EPYC 4th Gen", "AuthenticAMD", 25, 160, 175, 0, 15, 0.739, 2.282, 0.26, 5.7 },
	/* clang-format on */
};

/* "When we don't know the underlying processor micro-architecture, we use the
 * average": cloud-carbon-footprint/cloud-carbon-footprint, microsite/docs/
 * Methodology.md @ 1559c186, the figures for AWS. */
#define AVERAGE_MIN_W 0.74
#define AVERAGE_MAX_W 3.5
/* 95 % of what SPEC published of 801 servers from 2012 on lies within. */
#define AVERAGE_LO 0.3
#define AVERAGE_HI 3.9

struct model {
	struct cputime *cputime;
	int64_t start_ns;
	double start_busy_s;
	double idle_w, cpu_w;
};

static const char *from_table(struct model *model,
			      const struct topology *topology,
			      struct meter_parts *parts)
{
	double min_w = AVERAGE_MIN_W, max_w = AVERAGE_MAX_W;
	const char *name = NULL;

	parts->scale_lo = AVERAGE_LO;
	parts->scale_hi = AVERAGE_HI;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].vendor, topology->vendor) &&
		    table[i].family == topology->family &&
		    topology->model_number >= table[i].model_lo &&
		    topology->model_number <= table[i].model_hi &&
		    topology->stepping >= table[i].step_lo &&
		    topology->stepping <= table[i].step_hi) {
			name = table[i].name;
			min_w = table[i].min_w;
			max_w = table[i].max_w;
			parts->scale_lo = table[i].lo;
			parts->scale_hi = table[i].hi;
		}
	model->idle_w = min_w * (double)topology->cpus;
	model->cpu_w = max_w - min_w;
	return name;
}

static int option_read(struct model *model, const char *option, struct err *err)
{
	const char *equals = strchr(option, '=');
	double *target, watts;

	if (equals && !strncmp(option, "idle=", 5))
		target = &model->idle_w;
	else if (equals && !strncmp(option, "cpu=", 4))
		target = &model->cpu_w;
	else
		return err_set(err, EINVAL,
			       "unknown option '%s' (as in "
			       "model:idle=3W,cpu=12W)",
			       option);
	if (quantity_parse(equals + 1, QUANTITY_WATTS, &watts, err) < 0)
		return err_wrap(err, "%.*s", (int)(equals - option), option);
	if (!(watts >= 0 && watts <= MODEL_WATTS_MAX))
		return err_set(err, EINVAL,
			       "%s: expected watts between 0 and %g", option,
			       MODEL_WATTS_MAX);
	*target = watts;
	return 0;
}

static int options_read(struct model *model, const char *argument,
			struct err *err)
{
	char *copy = xstrdup(argument), *rest = copy, *option;
	int result = 0;

	while (result == 0 && (option = strsep(&rest, ",")))
		result = option_read(model, option, err);
	free(copy);
	return result;
}

static void describe(const struct model *model, const char *name, bool given,
		     struct meter_parts *parts)
{
	const char *from = given  ? "as given"
			   : name ? name
				  : "CPU not listed: the average";

	snprintf(parts->says, sizeof(parts->says),
		 "%.3g W + %.3g W per busy CPU (%s%s)", model->idle_w,
		 model->cpu_w, from, given ? "" : ", Cloud Carbon Footprint");
}

static void domain_fill(const struct model *model, size_t cpus,
			struct meter_parts *parts)
{
	struct meter_counter *counter = meter_parts_add(parts);
	struct meter_domain *domain = &parts->domain[0];

	domain_other(domain, "model", "machine");
	/* Each CPU's clock may lag by its own share of a tick. */
	domain->resolution_j = model->cpu_w *
			       cputime_resolution_s(model->cputime) *
			       sqrt((double)cpus);
	counter->count_j = MODEL_COUNT_J;
	snprintf(counter->where, sizeof(counter->where), "machine");
}

static int start(struct model *model, const struct meter_place *place,
		 size_t *cpus, struct err *err)
{
	struct cputime_reading reading;

	model->cputime =
		place->proc || place->sys
			? cputime_open_at(place->proc ? place->proc : "/proc",
					  place->sys ? place->sys : "/sys", err)
			: cputime_open(NULL, err);
	if (!model->cputime || cputime_read(model->cputime, &reading, err) < 0)
		return -1;
	model->start_ns = reading.ns;
	model->start_busy_s = reading.busy_s;
	*cpus = reading.cpus;
	return 0;
}

static void model_close(void *self)
{
	struct model *model = self;

	cputime_close(model->cputime);
	free(model);
}

static void *model_open(const char *argument, const struct meter_place *place,
			struct meter_parts *parts, struct err *err)
{
	struct model *model = xcalloc(1, sizeof(*model));
	struct topology *topology =
		topology_read(place->sys ? place->sys : "/sys",
			      place->proc ? place->proc : "/proc", err);
	bool given = argument && *argument;
	const char *name;
	size_t cpus;

	if (!topology)
		goto fail;
	name = from_table(model, topology, parts);
	topology_free(topology);
	if (given) {
		energy_source_scale(ENERGY_GENERIC, &parts->scale_lo,
				    &parts->scale_hi);
		if (options_read(model, argument, err) < 0)
			goto fail;
	}
	if (start(model, place, &cpus, err) < 0)
		goto fail;
	describe(model, name, given, parts);
	domain_fill(model, cpus, parts);
	return model;
fail:
	model_close(model);
	return NULL;
}

static int model_read(void *self, uint64_t *count, struct err *err)
{
	struct model *model = self;
	struct cputime_reading reading;
	double joules;

	if (cputime_read(model->cputime, &reading, err) < 0)
		return -1;
	joules = model->idle_w * 1e-9 * (double)(reading.ns - model->start_ns) +
		 model->cpu_w * (reading.busy_s - model->start_busy_s);
	count[0] = (uint64_t)(joules / MODEL_COUNT_J);
	return 0;
}

const struct meter_kind meter_kind_model = {
	.name = "model",
	.argument = "[idle=W,cpu=W]",
	.summary = "watts from busy CPU time, estimated",
	.proof = METER_PROOF_FORM,
	.automatic = true,
	.source = ENERGY_GENERIC,
	.open = model_open,
	.read = model_read,
	.close = model_close,
};
