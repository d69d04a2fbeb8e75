/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/sweep_work.h"

#include <math.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rng.h"

struct sweep_work {
	const struct step_config *config;
	const struct dataset *set;
	struct net *net;
	struct sgd sgd;
	struct rng rng;
	size_t *order, next; /* shuffled samples, and the next of them */
	float *x;            /* the batch at hand */
	int32_t *label;
	double loss;
};

static struct sweep_work *work_alloc(const struct dataset *set,
				     const struct step_config *config,
				     uint64_t seed)
{
	struct sweep_work *work = xcalloc(1, sizeof(*work));
	size_t samples = set->train.samples;

	work->config = config;
	work->set = set;
	work->sgd = step_config_sgd(config);
	work->rng = rng_stream(seed, "sweep work", config->batch,
			       net_spec_parameters(&config->model));
	work->order = xcalloc(samples, sizeof(*work->order));
	for (size_t i = 0; i < samples; i++)
		work->order[i] = i;
	rng_shuffle(&work->rng, work->order, samples);
	work->x = xcalloc_aligned(config->batch * set->features,
				  sizeof(*work->x));
	work->label = xcalloc(config->batch, sizeof(*work->label));
	return work;
}

struct sweep_work *sweep_work_new(struct sweep_data *data,
				  const struct step_config *config,
				  const struct mat *mat, uint64_t seed,
				  struct err *err)
{
	const struct dataset *set = sweep_data_for(data, &config->model, err);
	struct sweep_work *work;

	if (!set)
		return NULL;
	work = work_alloc(set, config, seed);
	work->net = net_new_in(step_config_precision(config), &config->model,
			       config->loss, config->batch, mat, err);
	if (work->net) {
		net_init(work->net, &work->rng);
		return work;
	}
	sweep_work_free(work);
	return NULL;
}

static void gather(struct sweep_work *work)
{
	const struct dataset_part *part = &work->set->train;
	size_t batch = work->config->batch;

	if (work->next + batch > part->samples)
		work->next = 0;
	dataset_batch(part, work->set->features, work->order + work->next,
		      batch, work->x, work->label);
	work->next += batch;
}

void sweep_work_step(struct sweep_work *work)
{
	gather(work);
	work->loss = net_step(work->net, work->x, work->label,
			      work->config->batch, &work->sgd);
}

bool sweep_work_warm_up(struct sweep_work *work, double seconds)
{
	struct clock *clock = clock_real();
	int64_t end_ns = clock_now_ns(clock) + llround(seconds * 1e9);

	if (seconds <= 0)
		return false;
	do {
		sweep_work_step(work);
	} while (clock_now_ns(clock) < end_ns);
	return true;
}

double sweep_work_loss(const struct sweep_work *work)
{
	return work->loss;
}

void sweep_work_free(struct sweep_work *work)
{
	if (!work)
		return;
	net_free(work->net);
	free(work->order);
	free(work->x);
	free(work->label);
	free(work);
}
