/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_say.h"

#include <math.h>
#include <stdio.h>

#include "lib/log.h"
#include "lib/quantity.h"
#include "lib/text.h"
#include "sensor/energy.h"

struct range {
	double lo, hi;
};

static void widen(struct range *range, double value)
{
	range->lo = fmin(range->lo, value);
	range->hi = fmax(range->hi, value);
}

/* "40 J", or "20 J to 60 J". */
static const char *range_text(const struct range *range, enum quantity quantity,
			      struct text *out)
{
	char lo[QUANTITY_TEXT_MAX], hi[QUANTITY_TEXT_MAX];

	quantity_text(range->lo, quantity, lo);
	quantity_text(range->hi, quantity, hi);
	text_clear(out);
	if (range->hi > range->lo)
		text_printf(out, "%s to %s", lo, hi);
	else
		text_put(out, lo);
	return out->data;
}

static const char *truth(const struct fleet *fleet,
			 char out[static ENERGY_LABEL_MAX])
{
	return energy_label(fleet->source, fleet->meter_scale.lo,
			    fleet->meter_scale.hi, out);
}

static void say_data(const struct simulation *simulation)
{
	const struct dataset *set = simulation_data(simulation);
	const struct step_config *step = simulation_step(simulation);

	log_note("data     %s: %zu + %zu samples, %zu features, %zu classes",
		 set->name, set->train.samples, set->test.samples,
		 set->features, set->classes);
	log_note("model    %s: %zu parameters, batch %zu, %s, %s",
		 step->model.text, net_spec_parameters(&step->model),
		 step->batch, loss_name(step->loss), step->optimizer);
}

/* What the tables answer without having measured it. */
static void warn_of_guesses(const struct fleet *fleet)
{
	for (size_t k = 0; k < fleet->clients && k < fleet->tables; k++) {
		const struct device *device = &fleet->client[k].device;
		const char *host = energy_table_device(device->table);

		if (!device->step.inside_domain)
			log_warn("energy",
				 "the table of %s was measured far from this "
				 "model and batch: a wide guess",
				 host);
		else if (!device->step.measured)
			log_note("note     the table of %s predicts this "
				 "model and batch, it did not measure them",
				 host);
	}
}

static void say_fleet(const struct simulation *simulation,
		      const struct run_config *values)
{
	const struct fleet *fleet = simulation_fleet(simulation);
	struct range joules = { (double)INFINITY, 0.0 },
		     samples = { (double)INFINITY, 0.0 };
	struct text text = TEXT_INIT;
	char label[ENERGY_LABEL_MAX];

	for (size_t k = 0; k < fleet->clients; k++) {
		const struct device *device = &fleet->client[k].device;

		widen(&samples, (double)fleet->client[k].samples);
		widen(&joules, device->scale_joules * device->step.joules.mean);
	}
	log_note("fleet    %zu devices, %s: %.0f to %.0f samples each",
		 fleet->clients, values->partition, samples.lo, samples.hi);
	warn_of_guesses(fleet);
	log_note("energy   %s per step: %s, by %s",
		 range_text(&joules, QUANTITY_JOULES, &text),
		 truth(fleet, label), fleet->meter);
	text_done(&text);
}

static void say_plan(const struct simulation *simulation,
		     const struct run_config *values, size_t threads)
{
	const struct fleet *fleet = simulation_fleet(simulation);
	struct range budget = { (double)INFINITY, 0.0 };
	struct text text = TEXT_INIT;

	for (size_t k = 0; k < fleet->clients; k++)
		widen(&budget, fleet->client[k].device.budget_j);
	if (isfinite(budget.hi))
		log_note("budget   %s per device, %.0f %% of a full run with "
			 "factor 1; policy %s",
			 range_text(&budget, QUANTITY_JOULES, &text),
			 100.0 * budget.hi / fleet_full_run_j(fleet),
			 values->policy);
	else
		log_note("budget   none (--budget 40J sets one); policy %s",
			 values->policy);
	log_note("plan     %zu rounds of up to %zu local steps, %s, seed "
		 "%lld, %zu %s",
		 fleet->training.rounds, fleet->training.full.steps,
		 values->rule, (long long)values->shared.seed, threads,
		 threads == 1 ? "thread" : "threads");
	text_done(&text);
}

void run_say_start(const struct simulation *simulation,
		   const struct run_config *values, size_t threads)
{
	say_data(simulation);
	say_fleet(simulation, values);
	say_plan(simulation, values, threads);
}

/* "17 in, 3 out (2 empty, 1 saving)" */
static const char *presence(const struct round_result *round, struct text *out)
{
	size_t absent = round->replies - round->in;
	const char *before = " (";

	text_clear(out);
	text_printf(out, "%zu in, %zu out", round->in, absent);
	if (round->ran_dry) {
		text_printf(out, "%s%zu ran dry", before, round->ran_dry);
		before = ", ";
	}
	for (int s = SKIP_NO + 1; s < SKIP_KINDS; s++) {
		if (!round->skipped[s])
			continue;
		text_printf(out, "%s%zu %s", before, round->skipped[s],
			    skip_name((enum skip)s));
		before = ", ";
	}
	if (absent)
		text_put(out, ")");
	return out->data;
}

void run_say_round(struct progress *progress, const struct fleet *fleet,
		   const struct round_result *round)
{
	size_t rounds = fleet->training.rounds;
	char spent[QUANTITY_TEXT_MAX], left[64] = "";
	struct text line = TEXT_INIT, who = TEXT_INIT;

	quantity_text(round->energy_j, QUANTITY_JOULES, spent);
	if (isfinite(round->left_share))
		snprintf(left, sizeof(left), ", %.0f %% of the budget left",
			 100.0 * round->left_share);
	text_printf(&line,
		    "round %zu/%zu  accuracy %.3f  loss %.2f   fleet %s this "
		    "round%s   %s",
		    round->round, rounds, round->accuracy, round->loss, spent,
		    left, presence(round, &who));
	progress_show(progress, (double)round->round / (double)rounds, "%s",
		      line.data);
	progress_part(progress, "%s", line.data);
	text_done(&line);
	text_done(&who);
}

void run_say_result(const struct simulation *simulation)
{
	const struct fleet *fleet = simulation_fleet(simulation);
	const struct outcome *outcome = simulation_outcome(simulation);
	char total[QUANTITY_TEXT_MAX], sigma[QUANTITY_TEXT_MAX];
	char lo[QUANTITY_TEXT_MAX], hi[QUANTITY_TEXT_MAX];
	char took[QUANTITY_TEXT_MAX], label[ENERGY_LABEL_MAX];
	double joules = outcome->energy_total_j;

	quantity_text(joules, QUANTITY_JOULES, total);
	quantity_text(outcome->energy_total_sigma_j, QUANTITY_JOULES, sigma);
	quantity_text(joules * fleet->meter_scale.lo, QUANTITY_JOULES, lo);
	quantity_text(joules * fleet->meter_scale.hi, QUANTITY_JOULES, hi);
	log_note("result   accuracy %.3f (best %.3f in round %zu) after %s of "
		 "virtual time",
		 outcome->accuracy, outcome->best.accuracy, outcome->best.round,
		 quantity_duration(outcome->time_s, took));
	log_note("         fleet %s, 1 σ %s; %s: the truth lies in %s … %s",
		 total, sigma, truth(fleet, label), lo, hi);
	if (outcome->ran_dry)
		log_note("         %zu updates were lost: the budget ended in "
			 "the middle of the work",
			 outcome->ran_dry);
}
