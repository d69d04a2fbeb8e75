/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * training -- whole passes over a data set, with the joules that they took.
 *
 *	struct training_plan plan = { .batch = 32, .epochs = 10, .seed = 1,
 *				     .sgd = { .rate = 0.1f } };
 *	struct training *training = training_new(&plan, net, set, meter);
 *	struct training_epoch epoch;
 *	int got;
 *
 *	while ((got = training_next(training, &epoch, &err)) > 0)
 *		printf("%zu: %.4f\n", epoch.number, epoch.accuracy);
 *	training_free(training);
 *
 * Each epoch visits every training sample once, in an order that follows from
 * the seed; the last batch may be smaller.  The learning rate follows the
 * plan's schedule over the whole run (sgd_schedule; half a cosine: Loshchilov
 * and Hutter, ICLR 2017, without restarts).
 *
 * A training can be kept in a file (checkpoint.h) between any two steps, and
 * gone on with: every bit is then that of a training that was not interrupted,
 * but for seconds and joules, which are those of both parts.
 *
 * Seconds and joules are those of the passes, gathering of batches included;
 * evaluation on the test part lies between the readings of the meter and is
 * not counted.  The meter is read at least every TRAINING_READ_S.
 */
#ifndef BENCH_TRAINING_H
#define BENCH_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/checkpoint.h"
#include "bench/dataset.h"
#include "bench/net.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "sensor/energy.h"
#include "sensor/meter.h"

#define TRAINING_READ_S 10.0
#define TRAINING_SAVE_S 30.0

struct training_plan {
	size_t batch, epochs;
	struct sgd sgd; /* with the rate at the top of the schedule */
	enum sgd_schedule schedule;
	double warm; /* share of the run in which the rate rises */
	uint64_t seed;
	/* Called now and then with the share of the run that is done; may be
	 * NULL. */
	void (*progress)(void *self, size_t epoch, double done, double loss);
	/* Called between two steps every TRAINING_SAVE_S, for
	 * training_save(); what it takes is not counted.  May be NULL. */
	int (*save)(void *self, struct err *err);
	void *self;
};

struct training_epoch {
	size_t number;         /* from 1 */
	double train_loss;     /* mean over the pass, before each update */
	double loss, accuracy; /* on the test part, after the pass */
	double seconds;
	struct energy energy; /* joules NaN where the meter has no domain */
};

struct training;

/* Everything is borrowed until training_free(); the net's batch_max must be the
 * plan's batch at least, and its shape must fit the set (training_fits()). */
struct training *training_new(const struct training_plan *plan, struct net *net,
			      const struct dataset *set, struct meter *meter);
/* One epoch: 1; 0 when all are done or cli_stop_signal() came (then nothing
 * is reported of the epoch at hand, which another call goes on with); -1 when the loss stopped being finite or
 * the meter failed. */
int training_next(struct training *training, struct training_epoch *epoch,
		  struct err *err);
void training_free(struct training *training); /* accepts NULL */

/* The epochs that are done, those before a training_load() included. */
const struct training_epoch *training_curve(const struct training *training,
					    size_t *epochs);

/* Keep weights, what the optimiser remembers, random draws, order and position,
 * and the curve.  `run` says in words what is trained and how. */
int training_save(struct training *training, const struct doc *run,
		  const char *path, bool force, struct err *err);
/* Go on where the file ends, in a training that has not begun.  EINVAL where it
 * is of another run than `run`, or of other data; after an error the training
 * is of no use. */
int training_load(struct training *training, const struct doc *run,
		  const struct checkpoint *from, struct err *err);
/* Was it written on the kernels that are here?  The bits depend on them. */
bool training_same_kernels(const struct checkpoint *from);
/* Samples done of the epoch at hand. */
size_t training_position(const struct training *training);

/* EINVAL with a description that would fit. */
int training_fits(const struct net_spec *spec, const struct dataset *set,
		  struct err *err);

#endif
