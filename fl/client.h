/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client -- a device's part of a round: decide, train, answer.
 *
 *	client_round(client, &offer, trainer, &reply);
 *	if (reply.took_part)
 *		use(reply.delta);
 *
 * A client owns samples, a device that pays (device.h) and a policy that says
 * what to pay for (policy.h).  It learns of a round by an offer and answers
 * with a reply; how the two travel is a link's business (link.h).
 *
 * A client whose budget ended in the middle of its work has spent the joules
 * and has no update to give: `took_part` is false, `work.ran_dry` says why.
 *
 * Law: a reply follows from client, offer and seed alone, whichever thread
 * works it out.
 */
#ifndef FL_CLIENT_H
#define FL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl/device.h"
#include "fl/policy.h"
#include "fl/trainer.h"

/* What all clients of a run have in common. */
struct training {
	struct action full; /* the largest action, and the batch */
	size_t steps_min;
	struct sgd sgd;
	double decay; /* the rate of round r is sgd.rate · decay^r */
	size_t rounds;
	double cohort; /* share of the clients that is asked each round */
	uint64_t seed;
};

struct client {
	struct device device; /* device.id is the client's number */
	struct policy *policy;
	const size_t *sample; /* borrowed */
	size_t samples;
	const struct training *training; /* borrowed */
};

struct offer {
	size_t round; /* from 0 */
	const float *model;
	size_t parameters;
};

struct reply {
	size_t client;
	double samples;
	bool took_part; /* delta is an update */
	struct decision decision;
	struct action_cost predicted; /* of decision.action */
	struct work work;
	double left_j, left_sigma_j;
	double loss;  /* mean over the local steps */
	float *delta; /* room for offer.parameters, the link's */
};

/* A reply that says "not asked", with nothing spent. */
void client_not_asked(const struct client *client, struct reply *reply);

/* `reply->delta` is set by the caller. */
void client_round(struct client *client, const struct offer *offer,
		  struct trainer *trainer, struct reply *reply);

#endif
