/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/simulation.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/mat.h"
#include "bench/net.h"
#include "fl/evaluate.h"
#include "fl/link.h"
#include "lib/pool.h"
#include "fl/rule.h"
#include "fl/run_doc.h"
#include "lib/clock.h"
#include "lib/mem.h"

struct simulation {
	struct dataset *set;
	struct step_config step;
	struct fleet *fleet;
	struct pool *pool;
	struct trainer **trainer; /* one for each thread */
	struct link *link;
	struct rule *rule;
	struct test_set *test;
	struct test_score score; /* of the model as it is */
	struct outcome *outcome;
	struct doc *header;
	struct clock_virtual clock;
	size_t parameters, cohort, round;
	double *model; /* the server's */
	float *sent;   /* what clients get */
	size_t *asked;
	struct reply *answer; /* from those asked */
	struct reply *reply;  /* one for each client */
	struct update *update;
	double energy_j, energy_variance, budget_j;
};

/* ---- set-up -------------------------------------------------------------- */

static int describe_step(struct simulation *simulation,
			 const struct run_config *values, struct err *err)
{
	const struct dataset *set = simulation->set;
	struct step_config *step = &simulation->step;
	char *usual = xasprintf("mlp:%zu-256-%zu", set->features, set->classes);
	const char *model = values->model ? values->model : usual;
	int result =
		step_config_set(step, model, values->batch, values->precision,
				values->loss, values->optimizer, 1, err);

	if (!result && (step->model.width[0] != set->features ||
			step->model.width[step->model.layers] != set->classes))
		result = err_set(err, EINVAL,
				 "model %s does not fit data %s with %zu "
				 "features and %zu classes (--model %s)",
				 model, set->name, set->features, set->classes,
				 usual);
	free(usual);
	return result;
}

static int open_workers(struct simulation *simulation, size_t threads,
			struct err *err)
{
	const struct mat *mat = mat_open("auto", err);

	if (!mat)
		return -1;
	simulation->pool = pool_new(threads);
	simulation->trainer = xcalloc(threads, sizeof(struct trainer *));
	for (size_t i = 0; i < pool_threads(simulation->pool); i++) {
		simulation->trainer[i] = trainer_new(
			&simulation->step, &simulation->set->train, mat, err);
		if (!simulation->trainer[i])
			return -1;
	}
	return 0;
}

/* Ready to be trained: the server's model, and room for a round. */
static int open_server(struct simulation *simulation,
		       const struct run_config *values, struct err *err)
{
	struct fleet *fleet = simulation->fleet;
	size_t n = fleet->clients;
	size_t d = net_spec_parameters(&simulation->step.model);
	struct rng rng = rng_stream(fleet->training.seed, "model", 0, 0);
	double share = ceil(values->cohort * (double)n - 1e-9);
	struct net *net = trainer_net(simulation->trainer[0]);

	simulation->parameters = d;
	simulation->cohort = share < 1.0 ? 1 : (size_t)share;
	simulation->model = xcalloc_aligned(d, sizeof(double));
	simulation->sent = xcalloc_aligned(d, sizeof(float));
	simulation->asked = xcalloc(n, sizeof(size_t));
	simulation->answer = xcalloc(n, sizeof(struct reply));
	simulation->reply = xcalloc(n, sizeof(struct reply));
	simulation->update = xcalloc(n, sizeof(struct update));
	net_init(net, &rng);
	for (size_t i = 0; i < d; i++)
		simulation->model[i] = (double)net_weights(net)[i];
	for (size_t k = 0; k < n; k++)
		simulation->budget_j += fleet->client[k].device.budget_j;
	clock_virtual_init(&simulation->clock, 0);
	simulation->rule = rule_open(values->rule, n, d, err);
	return simulation->rule ? 0 : -1;
}

static int open_link(struct simulation *simulation, struct err *err)
{
	struct link_setup setup = {
		.client = simulation->fleet->client,
		.clients = simulation->fleet->clients,
		.parameters = simulation->parameters,
		.asked_max = simulation->cohort,
		.pool = simulation->pool,
		.trainer = simulation->trainer,
	};

	simulation->link = link_open("local", &setup, err);
	return simulation->link ? 0 : -1;
}

static int open_all(struct simulation *simulation, const struct config *config,
		    size_t threads, struct err *err)
{
	const struct run_config *values = config->values;

	simulation->outcome =
		outcome_new((size_t)values->devices, &values->targets, err);
	if (!simulation->outcome)
		return -1;
	simulation->set =
		dataset_open(values->data, (uint64_t)values->shared.seed, err);
	if (!simulation->set || describe_step(simulation, values, err) < 0)
		return -1;
	simulation->fleet =
		fleet_open(values, simulation->set, &simulation->step, err);
	if (!simulation->fleet || open_workers(simulation, threads, err) < 0 ||
	    open_server(simulation, values, err) < 0 ||
	    open_link(simulation, err) < 0)
		return -1;
	simulation->test =
		test_set_new(&simulation->set->test, simulation->set->features,
			     simulation->set->classes);
	simulation->header = run_doc_header(config, simulation->fleet,
					    simulation->set, &simulation->step);
	return 0;
}

struct simulation *simulation_new(const struct config *config, size_t threads,
				  struct err *err)
{
	struct simulation *simulation = xcalloc(1, sizeof(*simulation));

	if (open_all(simulation, config, threads, err) < 0) {
		simulation_free(simulation);
		return NULL;
	}
	return simulation;
}

void simulation_free(struct simulation *simulation)
{
	if (!simulation)
		return;
	link_close(simulation->link);
	rule_close(simulation->rule);
	for (size_t i = 0;
	     simulation->pool && i < pool_threads(simulation->pool); i++)
		trainer_free(simulation->trainer[i]);
	free(simulation->trainer);
	pool_free(simulation->pool);
	test_set_free(simulation->test);
	test_score_done(&simulation->score);
	outcome_free(simulation->outcome);
	fleet_close(simulation->fleet);
	dataset_free(simulation->set);
	doc_free(simulation->header);
	free(simulation->model);
	free(simulation->sent);
	free(simulation->asked);
	free(simulation->answer);
	free(simulation->reply);
	free(simulation->update);
	free(simulation);
}

/* ---- a round ------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void choose_cohort(struct simulation *simulation)
{
	size_t n = simulation->fleet->clients;
	struct rng rng = rng_stream(simulation->fleet->training.seed, "cohort",
				    0, simulation->round);

	for (size_t k = 0; k < n; k++)
		simulation->asked[k] = k;
	if (simulation->cohort == n)
		return;
	rng_shuffle(&rng, simulation->asked, n);
	qsort(simulation->asked, simulation->cohort, sizeof(size_t), by_number);
}

/* Offer the model and sort the answers by client. */
static int ask(struct simulation *simulation, struct err *err)
{
	struct offer offer = { simulation->round, simulation->sent,
			       simulation->parameters };
	struct fleet *fleet = simulation->fleet;

	for (size_t i = 0; i < simulation->parameters; i++)
		simulation->sent[i] = (float)simulation->model[i];
	if (link_exchange(simulation->link, &offer, simulation->asked,
			  simulation->cohort, simulation->answer, err) < 0)
		return -1;
	for (size_t k = 0; k < fleet->clients; k++)
		client_not_asked(&fleet->client[k], &simulation->reply[k]);
	for (size_t i = 0; i < simulation->cohort; i++)
		simulation->reply[simulation->answer[i].client] =
			simulation->answer[i];
	return 0;
}

static size_t learn(struct simulation *simulation)
{
	size_t updates = 0;

	for (size_t k = 0; k < simulation->fleet->clients; k++) {
		const struct reply *reply = &simulation->reply[k];

		if (!reply->took_part)
			continue;
		simulation->update[updates++] = (struct update){
			.client = reply->client,
			.samples = reply->samples,
			.steps = reply->work.steps,
			.delta = vector_float(reply->delta,
					      simulation->parameters),
		};
	}
	rule_combine(simulation->rule, simulation->model, simulation->update,
		     updates);
	return updates;
}

static int try_out(struct simulation *simulation, struct err *err)
{
	for (size_t i = 0; i < simulation->parameters; i++)
		simulation->sent[i] = (float)simulation->model[i];
	test_score_done(&simulation->score);
	test_set_evaluate(simulation->test, simulation->pool,
			  simulation->trainer, simulation->sent,
			  &simulation->score);
	if (isfinite(simulation->score.loss))
		return 0;
	return err_set(err, ERANGE,
		       "round %zu: the model's loss is not finite any more "
		       "(learn in smaller steps: --rate)",
		       simulation->round + 1);
}

static void count(struct simulation *simulation, struct round_result *round)
{
	double variance = 0.0, seconds = 0.0, left_j = 0.0;

	for (size_t k = 0; k < round->replies; k++) {
		const struct reply *reply = &round->reply[k];

		round->energy_j += reply->work.joules;
		variance += reply->work.sigma_j * reply->work.sigma_j;
		seconds = fmax(seconds, reply->work.seconds);
		left_j += reply->left_j;
		round->in += reply->took_part;
		round->ran_dry += reply->work.ran_dry;
		if (reply->decision.skip != SKIP_NO)
			round->skipped[reply->decision.skip]++;
	}
	simulation->energy_j += round->energy_j;
	simulation->energy_variance += variance;
	round->energy_sigma_j = sqrt(variance);
	round->energy_total_j = simulation->energy_j;
	round->energy_total_sigma_j = sqrt(simulation->energy_variance);
	round->left_share = isfinite(simulation->budget_j)
				    ? left_j / simulation->budget_j
				    : (double)NAN;
	clock_sleep_until_ns(&simulation->clock.clock,
			     clock_now_ns(&simulation->clock.clock) +
				     (int64_t)llround(seconds * 1e9));
	round->time_s = (double)clock_now_ns(&simulation->clock.clock) / 1e9;
}

int simulation_round(struct simulation *simulation, struct round_result *round,
		     struct err *err)
{
	if (simulation->round == simulation->fleet->training.rounds)
		return 0;
	choose_cohort(simulation);
	if (ask(simulation, err) < 0)
		return -1;
	/* A model that nobody changed was tried before. */
	if ((learn(simulation) || !simulation->round) &&
	    try_out(simulation, err) < 0)
		return -1;
	*round = (struct round_result){
		.round = simulation->round + 1,
		.accuracy = simulation->score.accuracy,
		.loss = simulation->score.loss,
		.reply = simulation->reply,
		.replies = simulation->fleet->clients,
	};
	count(simulation, round);
	outcome_add(simulation->outcome, round);
	simulation->round++;
	return 1;
}

/* ---- what it says -------------------------------------------------------- */

const struct doc *simulation_header(const struct simulation *simulation)
{
	return simulation->header;
}

static const char *run_of(const struct simulation *simulation)
{
	return doc_string(doc_get(simulation->header, "run"), "");
}

struct doc *simulation_round_doc(const struct simulation *simulation,
				 const struct round_result *round)
{
	return run_doc_round(run_of(simulation), simulation->fleet, round);
}

struct doc *simulation_summary(const struct simulation *simulation)
{
	return run_doc_summary(run_of(simulation), simulation->fleet,
			       simulation->set, simulation->outcome,
			       &simulation->score);
}

const struct fleet *simulation_fleet(const struct simulation *simulation)
{
	return simulation->fleet;
}

const struct dataset *simulation_data(const struct simulation *simulation)
{
	return simulation->set;
}

const struct step_config *simulation_step(const struct simulation *simulation)
{
	return &simulation->step;
}

const struct outcome *simulation_outcome(const struct simulation *simulation)
{
	return simulation->outcome;
}

const double *simulation_model(const struct simulation *simulation)
{
	return simulation->model;
}
