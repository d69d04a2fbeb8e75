/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients in this process: each is a task of the pool, and each task writes
 * its own reply. */
#include <errno.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "fl/link.h"
#include "lib/mem.h"

struct local {
	struct link_setup setup;
	float *delta; /* asked_max × parameters */
};

struct exchange {
	struct local *local;
	const struct offer *offer;
	const size_t *asked;
	struct reply *reply;
};

static void *local_open(const char *argument, const struct link_setup *setup,
			struct err *err)
{
	struct local *local;

	if (kind_no_argument("link", "local", argument, err) < 0)
		return NULL;
	if (setup->asked_max > LINK_FLOATS_MAX / setup->parameters) {
		err_set(err, EFBIG,
			"%zu updates of %zu numbers each do not fit into "
			"memory (ask fewer devices a round: --cohort)",
			setup->asked_max, setup->parameters);
		return NULL;
	}
	local = xcalloc(1, sizeof(*local));
	local->setup = *setup;
	local->delta = xcalloc_aligned(setup->asked_max * setup->parameters,
				       sizeof(float));
	return local;
}

static void one_client(void *context, size_t worker, size_t task)
{
	struct exchange *exchange = context;
	struct local *local = exchange->local;
	struct reply *reply = &exchange->reply[task];

	reply->delta = local->delta + task * local->setup.parameters;
	client_round(&local->setup.client[exchange->asked[task]],
		     exchange->offer, local->setup.trainer[worker], reply);
}

static int local_exchange(void *self, const struct offer *offer,
			  const size_t *asked, size_t count,
			  struct reply *reply, struct err *err)
{
	struct local *local = self;
	struct exchange exchange = { local, offer, asked, reply };

	(void)err;
	pool_run(local->setup.pool, count, one_client, &exchange);
	return 0;
}

static void local_close(void *self)
{
	struct local *local = self;

	free(local->delta);
	free(local);
}

const struct link_kind link_kind_local = {
	.name = "local",
	.open = local_open,
	.exchange = local_exchange,
	.close = local_close,
	.summary = "clients in this process, on a pool of threads",
};
