/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/client.h"

#include <math.h>

#include "lib/rng.h"

static void reply_start(const struct client *client, struct reply *reply)
{
	*reply = (struct reply){
		.client = client->device.id,
		.samples = (double)client->samples,
		.left_j = device_left(&client->device),
		.left_sigma_j = device_left_sigma(&client->device),
		.delta = reply->delta,
	};
}

void client_not_asked(const struct client *client, struct reply *reply)
{
	reply_start(client, reply);
	reply->decision.skip = SKIP_NOT_ASKED;
}

static void train(struct client *client, const struct offer *offer,
		  struct trainer *trainer, struct reply *reply)
{
	const struct training *training = client->training;
	struct rng rng = rng_stream(training->seed, "batches",
				    client->device.id, offer->round);
	struct sgd sgd = training->sgd;

	sgd.rate = (float)((double)sgd.rate *
			   pow(training->decay, (double)offer->round));
	trainer_load(trainer, offer->model);
	reply->loss = trainer_train(trainer, client->sample, client->samples,
				    reply->work.steps,
				    reply->decision.action.batch, &sgd, &rng);
	trainer_delta(trainer, offer->model, reply->delta);
	reply->took_part = true;
}

/* Spend, then learn: what was paid for decides how many steps there are. */
static void act(struct client *client, const struct policy_view *view,
		struct reply *reply)
{
	const struct action *action = &reply->decision.action;

	device_predict(&client->device, action, &reply->predicted);
	device_work(&client->device, action, view->round, view->seed,
		    policy_watches(client->policy), &reply->work);
	policy_learn(client->policy, view, &reply->decision, &reply->work);
	/* It watched its meter, and not even one step was affordable. */
	if (!reply->work.ran_dry && !reply->work.steps)
		reply->decision.skip = SKIP_EMPTY;
	reply->left_j = device_left(&client->device);
	reply->left_sigma_j = device_left_sigma(&client->device);
}

void client_round(struct client *client, const struct offer *offer,
		  struct trainer *trainer, struct reply *reply)
{
	const struct training *training = client->training;
	struct policy_view view = {
		.device = &client->device,
		.round = offer->round,
		.rounds = training->rounds,
		.turns = 1.0 + training->cohort * (double)(training->rounds -
							   offer->round - 1),
		.full = training->full,
		.steps_min = training->steps_min,
		.seed = training->seed,
	};

	reply_start(client, reply);
	policy_decide(client->policy, &view, &reply->decision);
	if (reply->decision.skip != SKIP_NO)
		return;
	act(client, &view, reply);
	if (reply->decision.skip == SKIP_NO && !reply->work.ran_dry)
		train(client, offer, trainer, reply);
}
