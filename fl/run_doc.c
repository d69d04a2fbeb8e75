/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_doc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/mem.h"

static void put_energy(struct doc *doc, const char *name, double joules,
		       double sigma_j)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_j", name);
	doc_set_real(doc, key, joules);
	snprintf(key, sizeof(key), "%s_sigma_j", name);
	doc_set_real(doc, key, sigma_j);
}

static void put_truth(struct doc *doc, const struct fleet *fleet)
{
	doc_set_int(doc, "source", fleet->source);
	doc_set_text(doc, "meter", fleet->meter);
	doc_set_bounds(doc, "meter_scale", fleet->meter_scale.lo,
		       fleet->meter_scale.hi);
}

/* ---- the first line ------------------------------------------------------ */

static struct doc *tables_doc(const struct fleet *fleet)
{
	struct doc *array = doc_new_array();

	for (size_t i = 0; i < fleet->tables; i++) {
		const struct energy_table *table = fleet->table[i];
		struct interval meter = energy_table_meter(table);
		struct doc *doc = doc_new_object();
		char digest[DOC_DIGEST_MAX];

		doc_set_text(doc, "digest",
			     doc_digest(energy_table_doc(table), digest));
		doc_set_text(doc, "device", energy_table_device(table));
		doc_set_int(doc, "source", energy_table_source(table));
		doc_set_bounds(doc, "meter_scale", meter.lo, meter.hi);
		doc_add_take(array, doc);
	}
	return array;
}

static struct doc *counts_doc(const struct fleet *fleet,
			      const struct dataset *set, size_t k)
{
	struct doc *array = doc_new_array();
	size_t *count = xcalloc(set->classes, sizeof(*count));

	partition_classes(fleet->partition, k, &set->train, set->classes,
			  count);
	for (size_t c = 0; c < set->classes; c++)
		doc_add_take(array, doc_new_int((int64_t)count[c]));
	free(count);
	return array;
}

static struct doc *devices_doc(const struct fleet *fleet,
			       const struct dataset *set)
{
	struct doc *array = doc_new_array();

	for (size_t k = 0; k < fleet->clients; k++) {
		const struct client *client = &fleet->client[k];
		struct doc *doc = doc_new_object();

		doc_set_int(doc, "id", (int64_t)k);
		doc_set_int(doc, "samples", (int64_t)client->samples);
		doc_set_take(doc, "class_samples", counts_doc(fleet, set, k));
		doc_set_int(doc, "table", (int64_t)fleet->client_table[k] + 1);
		doc_set_real(doc, "scale_joules", client->device.scale_joules);
		doc_set_real(doc, "scale_seconds",
			     client->device.scale_seconds);
		doc_set_real(doc, "budget_j", client->device.budget_j);
		doc_add_take(array, doc);
	}
	return array;
}

static struct doc *data_doc(const struct dataset *set)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "name", set->name);
	doc_set_int(doc, "features", (int64_t)set->features);
	doc_set_int(doc, "classes", (int64_t)set->classes);
	doc_set_int(doc, "train_samples", (int64_t)set->train.samples);
	doc_set_int(doc, "test_samples", (int64_t)set->test.samples);
	return doc;
}

struct doc *run_doc_header(const struct config *config,
			   const struct fleet *fleet, const struct dataset *set,
			   const struct step_config *step)
{
	struct doc *settings = config_to_doc(config);
	struct doc *basis = doc_new_object();
	struct doc *doc = doc_new_object();
	char run[DOC_DIGEST_MAX];

	doc_set_text(settings, "model", step->model.text);
	doc_set_take(basis, "configuration", settings);
	doc_set_take(basis, "tables", tables_doc(fleet));
	doc_set_take(basis, "devices", devices_doc(fleet, set));
	doc_set_text(doc, "schema", "fedwatts.fl-run/1");
	doc_set_text(doc, "run", doc_digest(basis, run));
	doc_set_text(doc, "version", cli_version());
	doc_set_int(doc, "seed", (int64_t)fleet->training.seed);
	doc_set_int(doc, "rounds", (int64_t)fleet->training.rounds);
	put_truth(doc, fleet);
	doc_set_take(doc, "data", data_doc(set));
	doc_set_int(doc, "parameters",
		    (int64_t)net_spec_parameters(&step->model));
	for (size_t i = 0; i < doc_count(basis); i++) {
		const struct doc *value;
		const char *key = doc_key_at(basis, i, &value);

		doc_set_take(doc, key, doc_copy(value));
	}
	doc_free(basis);
	return doc;
}

/* ---- a round ------------------------------------------------------------- */

static struct doc *action_doc(const struct reply *reply)
{
	const struct action *action = &reply->decision.action;
	struct doc *doc = doc_new_object();

	doc_set_int(doc, "steps", (int64_t)reply->work.steps);
	/* Stopped in time, or ran dry. */
	if (reply->work.steps != action->steps)
		doc_set_int(doc, "planned_steps", (int64_t)action->steps);
	doc_set_int(doc, "batch", (int64_t)action->batch);
	doc_set_text(doc, "precision", action->precision);
	return doc;
}

static struct doc *reply_doc(const struct reply *reply)
{
	struct doc *doc = doc_new_object();

	doc_set_int(doc, "id", (int64_t)reply->client);
	if (reply->decision.skip != SKIP_NO) {
		doc_set_text(doc, "skip", skip_name(reply->decision.skip));
	} else {
		doc_set_take(doc, "action", action_doc(reply));
		if (reply->took_part)
			doc_set_real(doc, "loss", reply->loss);
		else
			doc_set_text(doc, "lost", "ran dry");
		doc_set_real(doc, "seconds", reply->work.seconds);
		put_energy(doc, "predicted", reply->predicted.joules,
			   reply->predicted.sigma_j);
		put_energy(doc, "spent", reply->work.joules,
			   reply->work.sigma_j);
	}
	if (isfinite(reply->left_j))
		put_energy(doc, "left", reply->left_j, reply->left_sigma_j);
	return doc;
}

struct doc *run_doc_round(const char *run, const struct fleet *fleet,
			  const struct round_result *round)
{
	struct doc *doc = doc_new_object();
	struct doc *clients = doc_new_array();

	doc_set_text(doc, "schema", "fedwatts.fl-round/1");
	doc_set_text(doc, "run", run);
	doc_set_int(doc, "round", (int64_t)round->round);
	doc_set_real(doc, "time_s", round->time_s);
	doc_set_real(doc, "accuracy", round->accuracy);
	doc_set_real(doc, "loss", round->loss);
	put_energy(doc, "energy", round->energy_j, round->energy_sigma_j);
	put_energy(doc, "energy_total", round->energy_total_j,
		   round->energy_total_sigma_j);
	put_truth(doc, fleet);
	for (size_t i = 0; i < round->replies; i++)
		doc_add_take(clients, reply_doc(&round->reply[i]));
	doc_set_take(doc, "clients", clients);
	return doc;
}

/* ---- the last line ------------------------------------------------------- */

static struct doc *target_doc(const struct target *target)
{
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "accuracy", target->accuracy);
	if (target->round) {
		doc_set_int(doc, "round", (int64_t)target->round);
		doc_set_real(doc, "time_s", target->time_s);
		put_energy(doc, "energy_total", target->energy_total_j,
			   target->energy_total_sigma_j);
	}
	return doc;
}

static struct doc *participation_doc(const struct outcome *outcome)
{
	struct doc *doc = doc_new_object();
	struct doc *skipped = doc_new_object();
	double updates = 0.0;
	int64_t never = 0;

	for (size_t k = 0; k < outcome->clients; k++) {
		updates += outcome->updates[k];
		never += outcome->updates[k] == 0.0;
	}
	doc_set_int(doc, "updates", (int64_t)updates);
	doc_set_int(doc, "devices_without_update", never);
	doc_set_int(doc, "ran_dry", (int64_t)outcome->ran_dry);
	for (int s = SKIP_NO + 1; s < SKIP_KINDS; s++)
		doc_set_int(skipped, skip_name((enum skip)s),
			    (int64_t)outcome->skipped[s]);
	doc_set_take(doc, "skipped", skipped);
	return doc;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What devices would see: test accuracy under each one's mix of classes (of
 * those that were tested). */
static struct doc *device_accuracy_doc(const struct fleet *fleet,
				       const struct dataset *set,
				       const struct test_score *score)
{
	double *seen = xcalloc(fleet->clients, sizeof(*seen));
	size_t *count = xcalloc(set->classes, sizeof(*count));
	struct doc *doc = doc_new_object();
	size_t n = 0;

	for (size_t k = 0; k < fleet->clients; k++) {
		partition_classes(fleet->partition, k, &set->train,
				  set->classes, count);
		seen[n] = test_score_under(score, count);
		n += !isnan(seen[n]);
	}
	qsort(seen, n, sizeof(*seen), ascending);
	if (n) {
		doc_set_real(doc, "mean", stat_mean(seen, n));
		doc_set_real(doc, "worst", seen[0]);
		doc_set_real(doc, "worst_tenth", stat_mean(seen, (n + 9) / 10));
	}
	free(count);
	free(seen);
	return doc;
}

static struct doc *fairness_doc(const struct fleet *fleet,
				const struct dataset *set,
				const struct outcome *outcome,
				const struct test_score *score)
{
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "energy_jain",
		     outcome_jain(outcome->spent_j, outcome->clients));
	doc_set_real(doc, "participation_jain",
		     outcome_jain(outcome->updates, outcome->clients));
	doc_set_take(doc, "device_accuracy",
		     device_accuracy_doc(fleet, set, score));
	doc_set_take(doc, "class_accuracy",
		     doc_new_reals(score->class_accuracy, score->classes));
	return doc;
}

struct doc *run_doc_summary(const char *run, const struct fleet *fleet,
			    const struct dataset *set,
			    const struct outcome *outcome,
			    const struct test_score *score)
{
	struct doc *doc = doc_new_object();
	struct doc *targets = doc_new_array();
	double total_j = outcome->energy_total_j;

	doc_set_text(doc, "schema", "fedwatts.fl-summary/1");
	doc_set_text(doc, "run", run);
	doc_set_int(doc, "rounds", (int64_t)outcome->rounds);
	doc_set_real(doc, "time_s", outcome->time_s);
	doc_set_real(doc, "accuracy", outcome->accuracy);
	doc_set_real(doc, "loss", outcome->loss);
	doc_set_real(doc, "accuracy_last", outcome_accuracy_last(outcome));
	doc_set_take(doc, "best", target_doc(&outcome->best));
	put_energy(doc, "energy_total", total_j, outcome->energy_total_sigma_j);
	doc_set_bounds(doc, "energy_total_meter95_j",
		       total_j * fleet->meter_scale.lo,
		       total_j * fleet->meter_scale.hi);
	put_truth(doc, fleet);
	doc_set_real(doc, "budget_left_share", outcome->left_share);
	for (size_t i = 0; i < outcome->targets; i++)
		doc_add_take(targets, target_doc(&outcome->target[i]));
	doc_set_take(doc, "targets", targets);
	doc_set_take(doc, "participation", participation_doc(outcome));
	doc_set_take(doc, "fairness", fairness_doc(fleet, set, outcome, score));
	return doc;
}
