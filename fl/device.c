/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/device.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/stat.h"

/* Half the width of a normal's central 95 %, in standard deviations. */
#define SIGMAS_95 1.959963984540054

/* A noise factor never goes below this: work is not free. */
#define FACTOR_MIN 0.1

int device_init(struct device *device, size_t id,
		const struct energy_table *table,
		const struct step_config *config, struct err *err)
{
	struct step_cost step;

	if (energy_table_predict(table, config, &step, err) < 0)
		return err_wrap(err, "device %zu: table of %s", id,
				energy_table_device(table));
	if (!(step.joules.mean > 0.0) || !(step.seconds.mean > 0.0))
		return err_set(err, EINVAL,
			       "device %zu: table of %s: a step of %s with "
			       "batch %zu costs nothing (measure it: bench "
			       "sweep)",
			       id, energy_table_device(table),
			       config->model.text, config->batch);
	*device = (struct device){
		.id = id,
		.table = table,
		.scale_joules = 1.0,
		.scale_seconds = 1.0,
		.budget_j = (double)INFINITY,
		.config = *config,
		.step = step,
	};
	return 0;
}

static double log_uniform(uint64_t seed, const char *purpose, size_t id,
			  double spread)
{
	struct rng rng = rng_stream(seed, purpose, id, 0);

	return exp((2.0 * rng_uniform(&rng) - 1.0) * log(spread));
}

void device_scale(struct device *device, double spread, uint64_t seed)
{
	device->scale_joules =
		log_uniform(seed, "device joules", device->id, spread);
	device->scale_seconds =
		log_uniform(seed, "device seconds", device->id, spread);
}

double device_left(const struct device *device)
{
	return device->budget_j - device->spent_j;
}

double device_left_sigma(const struct device *device)
{
	return sqrt(device->spent_variance);
}

/* An interval without bounds (a table of single repeats) adds no noise. */
static double above(const struct step_figure *figure)
{
	double width = figure->pi.hi - figure->mean;

	return width > 0.0 ? width : 0.0;
}

static double below(const struct step_figure *figure)
{
	double width = figure->mean - figure->pi.lo;

	return width > 0.0 ? width : 0.0;
}

static double sigma_step(const struct device *device)
{
	const struct step_figure *joules = &device->step.joules;

	return device->scale_joules * (above(joules) + below(joules)) /
	       (2.0 * SIGMAS_95);
}

void device_predict(const struct device *device, const struct action *action,
		    struct action_cost *cost)
{
	const struct step_cost *step = &device->step;
	double n = (double)action->steps;

	cost->joules = n * device->scale_joules * step->joules.mean;
	cost->joules_hi = n * device->scale_joules *
			  (step->joules.mean + above(&step->joules));
	cost->sigma_j = n * sigma_step(device);
	cost->seconds = n * device->scale_seconds * step->seconds.mean;
}

size_t device_steps_within(const struct device *device,
			   const struct action *action, double joules,
			   size_t most)
{
	struct action one = *action;
	struct action_cost cost;
	double fit;

	one.steps = 1;
	device_predict(device, &one, &cost);
	fit = floor(joules / cost.joules_hi);
	if (!(fit > 0.0))
		return 0;
	return fit < (double)most ? (size_t)fit : most;
}

/* One factor whose central 95 % is [pi.lo, pi.hi] / mean: a normal whose two
 * halves have a width each. */
static double noise(const struct step_figure *figure, struct rng *rng)
{
	double z = rng_normal(rng);
	double width = z > 0.0 ? above(figure) : below(figure);
	double factor = 1.0 + z * width / (SIGMAS_95 * figure->mean);

	return factor > FACTOR_MIN ? factor : FACTOR_MIN;
}

/* Where the budget ends: after so many steps, whole or not. */
static double steps_paid(const struct device *device, double step_j)
{
	return device_left(device) / step_j;
}

void device_work(struct device *device, const struct action *action,
		 size_t round, uint64_t seed, bool watch, struct work *work)
{
	struct rng rng = rng_stream(seed, "cost", device->id, round);
	double step_j = device->scale_joules * device->step.joules.mean *
			noise(&device->step.joules, &rng);
	double step_s = device->scale_seconds * device->step.seconds.mean *
			noise(&device->step.seconds, &rng);
	double paid = steps_paid(device, step_j);
	double steps = (double)action->steps;

	*work = (struct work){ .steps = action->steps };
	if (paid < steps && watch)
		steps = floor(paid);
	else if (paid < steps) {
		steps = paid;
		work->ran_dry = true;
	}
	work->steps = (size_t)steps;
	/* Rounding must not take it over what is left either. */
	work->joules = fmin(steps * step_j, device_left(device));
	work->sigma_j = steps * sigma_step(device);
	work->seconds = steps * step_s;
	device->spent_j = work->ran_dry ? device->budget_j
					: fmin(device->spent_j + work->joules,
					       device->budget_j);
	device->spent_variance += work->sigma_j * work->sigma_j;
}
