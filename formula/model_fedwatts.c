/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watts of each package as a sum of non-negative terms: idle, cycles and
 * instructions, each times a gain for the frequency (gain.h) or, where reports
 * say the voltage, times its square; and cache misses.  DRAM's of idle and
 * misses.  One model for all frequencies, learnt tick by tick (tracker.h).  A
 * target's weight is what its counts add, scaled so that a package's targets sum
 * to its meter (split.h).
 *
 * Where nothing counts cycles, a target's weight is what it used.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/model.h"
#include "formula/split.h"
#include "formula/tracker.h"
#include "lib/mem.h"

enum { ONE, CYCLES, INSTRUCTIONS, MISSES, TERMS };
enum { DRAM_ONE, DRAM_MISSES, DRAM_TERMS };

/* Whose the first watts are, until there are more. */
static const double cpu_prior[TERMS] = {
	[ONE] = 0.4, [CYCLES] = 0.3, [INSTRUCTIONS] = 0.3
};
static const double dram_prior[DRAM_TERMS] = { 0.4, 0.6 };
#define CPU_SCALED (1u << CYCLES | 1u << INSTRUCTIONS)

struct package {
	char name[sizeof(((struct counts_package *)0)->name)];
	struct tracker cpu, dram;
	bool volts_known;
	double squares; /* of the targets' shares of the last tick, their sum */
};

struct fedwatts {
	struct package *package;
	size_t packages;
};

/* One package in one tick. */
struct load {
	const struct counts_package *all;
	struct package *package;
	double seconds;
	double sum[COUNTS_EVENTS], rest[COUNTS_EVENTS];
	double targets_cycles;
	bool kernel_known;    /* of all */
	double cpu_w, dram_w; /* of the meter; NaN */
	double predicted_w;
	double speed;  /* 1 where the voltage is known */
	double volts2; /* V^2; 1 where it is not known */
	struct split cpu, dram;
};

static void *fedwatts_open(struct err *err)
{
	(void)err;
	return xcalloc(1, sizeof(struct fedwatts));
}

static void fedwatts_close(void *self)
{
	struct fedwatts *fedwatts = self;

	for (size_t i = 0; i < fedwatts->packages; i++) {
		tracker_done(&fedwatts->package[i].cpu);
		tracker_done(&fedwatts->package[i].dram);
	}
	free(fedwatts->package);
	free(fedwatts);
}

static struct package *package_get(struct fedwatts *fedwatts, const char *name)
{
	struct package *package;

	for (size_t i = 0; i < fedwatts->packages; i++)
		if (!strcmp(fedwatts->package[i].name, name))
			return &fedwatts->package[i];
	fedwatts->package = xrealloc(fedwatts->package, fedwatts->packages + 1,
				     sizeof(*fedwatts->package));
	package = &fedwatts->package[fedwatts->packages++];
	memcpy(package->name, name, sizeof(package->name));
	package->volts_known = false;
	package->squares = 1;
	tracker_init(&package->cpu, TERMS, cpu_prior, CPU_SCALED);
	tracker_init(&package->dram, DRAM_TERMS, dram_prior, 0);
	return package;
}

/* A thousand targets alike. */
#define SQUARES_LEAST 1e-3

/* Watts for V^2 are no watts. */
static void package_volts(struct package *package, bool known)
{
	if (package->volts_known == known)
		return;
	tracker_done(&package->cpu);
	tracker_init(&package->cpu, TERMS, cpu_prior, CPU_SCALED);
	package->volts_known = known;
}

static double counted(double count)
{
	return isnan(count) ? 0 : count;
}

/* Rates, in 1e9 a second; dynamic power goes with them times V^2. */
static void terms_of(const struct load *load, const double *event, double *x,
		     double *y)
{
	double per_s = 1e-9 / load->seconds;

	x[ONE] = y[DRAM_ONE] = 1;
	x[CYCLES] = counted(event[COUNTS_CYCLES]) * per_s * load->volts2;
	x[INSTRUCTIONS] =
		counted(event[COUNTS_INSTRUCTIONS]) * per_s * load->volts2;
	x[MISSES] = counted(event[COUNTS_MISSES]) * per_s;
	y[DRAM_MISSES] = x[MISSES];
}

/* Of the domains that the meter reads. */
static double load_predict(const struct load *load, const double *x,
			   const double *y)
{
	const struct package *package = load->package;
	double watts = tracker_predict(&package->cpu, x, load->speed);

	return isnan(load->dram_w)
		       ? watts
		       : watts + tracker_predict(&package->dram, y, 1);
}

static void load_learn(struct load *load)
{
	struct package *package = load->package;
	double x[TERMS], y[DRAM_TERMS];

	terms_of(load, load->sum, x, y);
	load->predicted_w = load_predict(load, x, y);
	/* A dead meter teaches nothing. */
	if (load->cpu_w > 0)
		tracker_learn(&package->cpu, x, load->speed, load->cpu_w);
	if (load->dram_w > 0)
		tracker_learn(&package->dram, y, 1, load->dram_w);
	split_init(&load->cpu, &package->cpu, load->speed, load->cpu_w, x);
	/* What the model is off by is the meter's noise, of which each has its
	 * share, or targets that are unlike each other, each on its own: then
	 * it is more by the sum of squared shares.  Taken to be halfway. */
	load->cpu.noise /= sqrt(package->squares);
	split_init(&load->dram, &package->dram, 1, load->dram_w, y);
}

/* The machine's counts where it has them, else the sum of its targets'. */
static void load_init(struct load *load, struct fedwatts *fedwatts,
		      const struct tick *tick, size_t index)
{
	const struct counts_package *all = &tick->counts.package[index];

	*load = (struct load){ .all = all, .seconds = tick->elapsed_s };
	load->package = package_get(fedwatts, all->name);
	load->speed = isnan(all->speed) || all->volts > 0 ? 1 : all->speed;
	load->volts2 = all->volts > 0 ? all->volts * all->volts : 1;
	package_volts(load->package, all->volts > 0);
	load->kernel_known = !isnan(all->event[COUNTS_KERNEL]);
	load->cpu_w = all->joules / tick->elapsed_s;
	load->dram_w = all->dram_joules / tick->elapsed_s;
	for (size_t i = 0; i < tick->targets; i++) {
		const struct counts_package *part =
			tick->target[i].parent < 0
				? counts_find(&tick->target[i].counts,
					      all->name)
				: NULL;

		for (size_t e = 0; part && e < COUNTS_EVENTS; e++)
			load->sum[e] += counted(part->event[e]);
		if (part && isnan(part->event[COUNTS_KERNEL]))
			load->kernel_known = false;
	}
	load->targets_cycles = load->sum[COUNTS_CYCLES];
	for (size_t e = 0; e < COUNTS_EVENTS; e++) {
		load->rest[e] = fmax(counted(all->event[e]) - load->sum[e], 0);
		load->sum[e] += load->rest[e];
	}
}

static struct split_part part_of(const struct load *load, const double *event)
{
	struct split_part part = { 0 };
	double x[TERMS], y[DRAM_TERMS];

	terms_of(load, event, x, y);
	split_add(&load->cpu, x, &part);
	split_add(&load->dram, y, &part);
	return part;
}

static void load_weigh(const struct load *load, const struct tick *tick,
		       struct weights *weights, double *kernel_w)
{
	double watts = load->cpu.watts + load->dram.watts, squares = 0, share;
	struct split_part part;

	weights->idle_w += load->cpu.idle + load->dram.idle;
	weights->idle_variance +=
		load->cpu.idle_variance + load->dram.idle_variance;
	for (size_t i = 0; i < tick->targets; i++) {
		const struct counts_package *of =
			counts_find(&tick->target[i].counts, load->all->name);

		if (!of)
			continue;
		part = part_of(load, of->event);
		share = watts > 0 ? part.whole / watts : 0;
		squares += tick->target[i].parent < 0 ? share * share : 0;
		weights->target[i] += part.above;
		weights->whole[i] += part.whole;
		weights->variance[i] += part.above_variance;
		weights->whole_variance[i] += part.whole_variance;
	}
	part = part_of(load, load->rest);
	share = watts > 0 ? part.whole / watts : 0;
	squares += share * share;
	load->package->squares = fmin(fmax(squares, SQUARES_LEAST), 1);
	weights->rest += part.above;
	weights->whole_rest += part.whole;
	if (load->kernel_known && load->rest[COUNTS_CYCLES] > 0)
		*kernel_w +=
			part.above * fmin(load->rest[COUNTS_KERNEL] /
						  load->rest[COUNTS_CYCLES],
					  1);
	weights->rest_variance += part.above_variance;
	weights->whole_rest_variance += part.whole_variance;
}

static bool has_counters(const struct tick *tick)
{
	bool joules = tick->counts.packages > 0, cycles = false;

	for (size_t p = 0; p < tick->counts.packages; p++)
		joules &= !isnan(tick->counts.package[p].joules);
	for (size_t i = 0; i < tick->targets && !cycles; i++)
		for (size_t p = 0; p < tick->target[i].counts.packages; p++)
			cycles |= !isnan(tick->target[i]
						 .counts.package[p]
						 .event[COUNTS_CYCLES]);
	return joules && cycles && !strcmp(tick->meter, "rapl");
}

/* How far targets counted more cycles than the machine did. */
static void excess_add(const struct load *load, struct weights *weights)
{
	double whole = load->all->event[COUNTS_CYCLES];
	double parts = load->targets_cycles, excess;

	if (isnan(whole))
		return;
	excess = parts > whole ? (parts - whole) / parts : 0;
	weights->excess = fmax(weights->excess, excess);
}

static int fedwatts_weigh(void *self, const struct tick *tick,
			  struct weights *weights, struct err *err)
{
	struct fedwatts *fedwatts = self;
	double kernel_w = 0;
	bool kernel_known = true;

	if (!has_counters(tick)) {
		weights->basis = energy_is_estimate(tick->energy.source)
					 ? "fedwatts:cpu-clock,model"
					 : "fedwatts:cpu-clock";
		return model_kind_proportional.weigh(NULL, tick, weights, err);
	}
	weights->basis = "fedwatts:counters";
	weights->idle_w = weights->predicted_w = 0;
	for (size_t i = 0; i < tick->targets; i++)
		weights->target[i] = weights->whole[i] = 0;
	weights->whole_known = weights->variance_known = true;
	for (size_t p = 0; p < tick->counts.packages; p++) {
		struct load load;

		load_init(&load, fedwatts, tick, p);
		load_learn(&load);
		weights->predicted_w += load.predicted_w;
		load_weigh(&load, tick, weights, &kernel_w);
		kernel_known &= load.kernel_known;
		excess_add(&load, weights);
	}
	if (kernel_known && weights->rest > 0)
		weights->kernel = kernel_w / weights->rest;
	return 0;
}

const struct model_kind model_kind_fedwatts = {
	.name = "fedwatts",
	.summary = "a model of power, learnt from counters; CPU time where "
		   "there are none",
	.open = fedwatts_open,
	.weigh = fedwatts_weigh,
	.close = fedwatts_close,
};
