/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/fleet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Sums of joules are only as good as the worst of their meters. */
static void add_truth(struct fleet *fleet, const struct energy_table *table)
{
	struct interval scale = energy_table_meter(table);
	const char *meter = doc_string(
		doc_get(energy_table_doc(table), "meter"), "unknown");

	fleet->meter_scale.lo = fmin(fleet->meter_scale.lo, scale.lo);
	fleet->meter_scale.hi = fmax(fleet->meter_scale.hi, scale.hi);
	if (energy_table_source(table) > fleet->source)
		fleet->source = energy_table_source(table);
	if (fleet->meter[0] && strcmp(fleet->meter, meter) != 0)
		meter = "several";
	snprintf(fleet->meter, sizeof(fleet->meter), "%s", meter);
}

static int read_tables(struct fleet *fleet, const struct run_config *values,
		       struct err *err)
{
	if (!values->table.count) {
		err_set(err, EINVAL, "no energy table says what a step costs");
		return err_remedy(err,
				  "--table TABLE.json; make one: bench sweep "
				  "--to sweep.jsonl, then bench fit --from "
				  "sweep.jsonl --out table.json");
	}
	fleet->table =
		xcalloc(values->table.count, sizeof(struct energy_table *));
	fleet->meter_scale = (struct interval){ 1.0, 1.0 };
	for (size_t i = 0; i < values->table.count; i++) {
		struct energy_table *table =
			energy_table_read(values->table.item[i], err);

		if (!table)
			return -1;
		fleet->table[fleet->tables++] = table;
		add_truth(fleet, table);
	}
	return 0;
}

static int training_init(struct training *training,
			 const struct run_config *values,
			 const struct step_config *step, struct err *err)
{
	*training = (struct training){
		.full = { .steps = (size_t)values->local_steps,
			  .batch = step->batch },
		.steps_min = (size_t)values->local_steps_min,
		.sgd = step_config_sgd(step),
		.decay = values->rate_decay,
		.rounds = (size_t)values->rounds,
		.cohort = values->cohort,
		.seed = (uint64_t)values->shared.seed,
	};
	training->sgd.rate = (float)values->rate;
	snprintf(training->full.precision, sizeof(training->full.precision),
		 "%s", step->precision);
	if (!training->steps_min)
		training->steps_min = (training->full.steps + 9) / 10;
	if (training->steps_min <= training->full.steps)
		return 0;
	return err_set(err, EINVAL,
		       "local-steps-min %zu is more than local-steps %zu",
		       training->steps_min, training->full.steps);
}

/* Which table: the list's word, else in turn. */
static int choose_table(struct fleet *fleet, const struct device_option *option,
			size_t k, struct err *err)
{
	if (!option || !option->table) {
		fleet->client_table[k] = k % fleet->tables;
		return 0;
	}
	if ((size_t)option->table > fleet->tables)
		return err_set(err, EINVAL,
			       "device %zu: table %lld of %zu (--table is "
			       "given that often)",
			       k, (long long)option->table, fleet->tables);
	fleet->client_table[k] = (size_t)option->table - 1;
	return 0;
}

static double full_run_j(const struct training *training,
			 const struct device *device)
{
	return (double)training->rounds * training->cohort *
	       (double)training->full.steps * device->step.joules.mean;
}

static void set_budget(struct fleet *fleet, struct device *device,
		       const struct run_config *values,
		       const struct device_option *option)
{
	if (option && option->budget_j > 0.0)
		device->budget_j = option->budget_j;
	else if (values->budget_j > 0.0)
		device->budget_j = values->budget_j;
	else if (values->budget_share > 0.0)
		device->budget_j = values->budget_share *
				   full_run_j(&fleet->training, device);
}

static int client_open(struct fleet *fleet, size_t k,
		       const struct run_config *values,
		       const struct step_config *step, struct err *err)
{
	struct client *client = &fleet->client[k];
	const struct device_option *option =
		values->device ? &values->device[k] : NULL;

	if (choose_table(fleet, option, k, err) < 0 ||
	    device_init(&client->device, k,
			fleet->table[fleet->client_table[k]], step, err) < 0)
		return -1;
	if (option) {
		client->device.scale_joules = option->scale_joules;
		client->device.scale_seconds = option->scale_seconds;
	} else {
		device_scale(&client->device, values->device_spread,
			     fleet->training.seed);
	}
	set_budget(fleet, &client->device, values, option);
	client->policy = policy_open(values->policy, err);
	client->sample = partition_of(fleet->partition, k);
	client->samples = partition_samples(fleet->partition, k);
	client->training = &fleet->training;
	return client->policy ? 0 : -1;
}

static int clients_open(struct fleet *fleet, const struct run_config *values,
			const struct step_config *step, struct err *err)
{
	size_t n = (size_t)values->devices;

	fleet->client = xcalloc(n, sizeof(*fleet->client));
	fleet->client_table = xcalloc(n, sizeof(*fleet->client_table));
	fleet->clients = n;
	for (size_t k = 0; k < n; k++)
		if (client_open(fleet, k, values, step, err) < 0)
			return -1;
	return 0;
}

struct fleet *fleet_open(const struct run_config *values,
			 const struct dataset *set,
			 const struct step_config *step, struct err *err)
{
	struct fleet *fleet = xcalloc(1, sizeof(*fleet));

	if (training_init(&fleet->training, values, step, err) < 0 ||
	    read_tables(fleet, values, err) < 0)
		goto fail;
	fleet->partition = partition_new(values->partition, &set->train,
					 set->classes, (size_t)values->devices,
					 fleet->training.seed, err);
	if (!fleet->partition || clients_open(fleet, values, step, err) < 0)
		goto fail;
	return fleet;
fail:
	fleet_close(fleet);
	return NULL;
}

void fleet_close(struct fleet *fleet)
{
	if (!fleet)
		return;
	for (size_t k = 0; k < fleet->clients; k++)
		policy_close(fleet->client[k].policy);
	for (size_t i = 0; i < fleet->tables; i++)
		energy_table_free(fleet->table[i]);
	free(fleet->table);
	free(fleet->client_table);
	free(fleet->client);
	partition_free(fleet->partition);
	free(fleet);
}

double fleet_full_run_j(const struct fleet *fleet)
{
	return full_run_j(&fleet->training, &fleet->client[0].device);
}
