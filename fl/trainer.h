/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trainer -- a net and its scratch, one for each worker thread.
 *
 *	struct trainer *trainer = trainer_new(&config, train, mat, &err);
 *
 *	trainer_load(trainer, model);
 *	loss = trainer_train(trainer, sample, samples, steps, batch, &sgd,
 *			     &rng);
 *	trainer_delta(trainer, model, delta);
 *	trainer_free(trainer);
 *
 * Local training goes through the client's samples in a freshly shuffled
 * order, and through another one when it comes to the end (in the middle of a
 * batch if need be), so every step has a full batch and every sample is used
 * once before any is used twice.
 */
#ifndef FL_TRAINER_H
#define FL_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#include "bench/dataset.h"
#include "bench/energy_table.h"
#include "bench/mat.h"
#include "bench/net.h"
#include "lib/err.h"
#include "lib/rng.h"

/* Test samples go through the net so many at a time. */
#define TRAINER_CHUNK 256

struct trainer;

/* `train` is borrowed: samples are indices into it. */
struct trainer *trainer_new(const struct step_config *config,
			    const struct dataset_part *train,
			    const struct mat *mat, struct err *err);
void trainer_free(struct trainer *trainer); /* accepts NULL */

/* Start from this model (net_spec_parameters() floats), without momentum. */
void trainer_load(struct trainer *trainer, const float *model);

/* Returns the mean loss over the steps, each before its update. */
double trainer_train(struct trainer *trainer, const size_t *sample,
		     size_t samples, size_t steps, size_t batch,
		     const struct sgd *sgd, struct rng *rng);

/* What was learned: delta = the net's weights − model. */
void trainer_delta(const struct trainer *trainer, const float *model,
		   float *delta);

struct net *trainer_net(struct trainer *trainer);

#endif
