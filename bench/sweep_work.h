/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sweep_work -- the training whose steps are measured.
 *
 *	struct sweep_work *work = sweep_work_new(data, &config, mat, seed, &err);
 *
 *	sweep_work_warm_up(work, 0.1);
 *	while (probe_goes_on(probe))
 *		sweep_work_step(work);
 *	sweep_work_free(work);
 *
 * A step is what it is in real training: the rows of a batch are gathered in a
 * shuffled order from a set that no cache holds, then forward, loss, backward
 * and update.
 */
#ifndef BENCH_SWEEP_WORK_H
#define BENCH_SWEEP_WORK_H

#include <stdint.h>

#include "bench/mat.h"
#include "bench/step_config.h"
#include "bench/sweep_data.h"
#include "lib/err.h"

struct sweep_work;

/* `data`, `config` and `mat` are borrowed; the data has a batch at least. */
struct sweep_work *sweep_work_new(struct sweep_data *data,
				  const struct step_config *config,
				  const struct mat *mat, uint64_t seed,
				  struct err *err);
void sweep_work_step(struct sweep_work *work);
/* Steps for that long: caches, clocks and branch predictors settle, pages are
 * touched.  False when there was not even one. */
bool sweep_work_warm_up(struct sweep_work *work, double seconds);
/* The loss of the last step. */
double sweep_work_loss(const struct sweep_work *work);
void sweep_work_free(struct sweep_work *work); /* accepts NULL */

#endif
