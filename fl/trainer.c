/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/trainer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct trainer {
	struct net *net;
	const struct dataset_part *train;
	size_t features;
	float *x; /* one batch, gathered */
	int32_t *label;
	size_t *order; /* the client's samples, shuffled */
	size_t capacity;
};

struct trainer *trainer_new(const struct step_config *config,
			    const struct dataset_part *train,
			    const struct mat *mat, struct err *err)
{
	size_t batch = config->batch;
	struct trainer *trainer;
	struct net *net;

	net = net_new_in(
		step_config_precision(config), &config->model, config->loss,
		batch > TRAINER_CHUNK ? batch : TRAINER_CHUNK, mat, err);
	if (!net)
		return NULL;
	trainer = xcalloc(1, sizeof(*trainer));
	trainer->net = net;
	trainer->train = train;
	trainer->features = config->model.width[0];
	trainer->x = xcalloc_aligned(batch * trainer->features, sizeof(float));
	trainer->label = xcalloc(batch, sizeof(*trainer->label));
	return trainer;
}

void trainer_free(struct trainer *trainer)
{
	if (!trainer)
		return;
	net_free(trainer->net);
	free(trainer->x);
	free(trainer->label);
	free(trainer->order);
	free(trainer);
}

void trainer_load(struct trainer *trainer, const float *model)
{
	memcpy(net_weights(trainer->net), model,
	       net_parameters(trainer->net) * sizeof(*model));
	net_reset_momentum(trainer->net);
}

static void gather(struct trainer *trainer, size_t row, size_t sample)
{
	dataset_batch(trainer->train, trainer->features, &sample, 1,
		      trainer->x + row * trainer->features,
		      trainer->label + row);
}

double trainer_train(struct trainer *trainer, const size_t *sample,
		     size_t samples, size_t steps, size_t batch,
		     const struct sgd *sgd, struct rng *rng)
{
	size_t next = samples;
	double loss = 0.0;

	trainer->order = mem_grow(trainer->order, &trainer->capacity, samples,
				  sizeof(*trainer->order));
	memcpy(trainer->order, sample, samples * sizeof(*sample));
	net_reseed(trainer->net, rng);
	for (size_t step = 0; step < steps; step++) {
		for (size_t row = 0; row < batch; row++, next++) {
			if (next == samples) {
				rng_shuffle(rng, trainer->order, samples);
				next = 0;
			}
			gather(trainer, row, trainer->order[next]);
		}
		loss += net_step(trainer->net, trainer->x, trainer->label,
				 batch, sgd);
	}
	return steps ? loss / (double)steps : 0.0;
}

void trainer_delta(const struct trainer *trainer, const float *model,
		   float *delta)
{
	const float *weights = net_weights(trainer->net);
	size_t n = net_parameters(trainer->net);

	for (size_t i = 0; i < n; i++)
		delta[i] = weights[i] - model[i];
}

struct net *trainer_net(struct trainer *trainer)
{
	return trainer->net;
}
