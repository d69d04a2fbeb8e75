/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/training_state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rng.h"

/* Steps between two looks at the clock. */
#define LOOK_STEPS 16

int training_fits(const struct net_spec *spec, const struct dataset *set,
		  struct err *err)
{
	size_t in = spec->width[0], out = spec->width[spec->layers];

	/* One output tells two classes apart (loss logistic). */
	if (in == set->features &&
	    (out >= set->classes || (out == 1 && set->classes == 2)))
		return 0;
	err_set(err, EINVAL,
		"model %s takes %zu features and knows %zu classes, but %s "
		"has %zu and %zu",
		spec->text, in, out, set->name, set->features, set->classes);
	return err_remedy(err, "for example softmax:%zu-%zu", set->features,
			  set->classes);
}

struct training *training_new(const struct training_plan *plan, struct net *net,
			      const struct dataset *set, struct meter *meter)
{
	struct training *training = xcalloc(1, sizeof(*training));

	training->plan = *plan;
	training->net = net;
	training->set = set;
	training->meter = meter;
	training->curve = xcalloc(plan->epochs, sizeof(*training->curve));
	training->order = xcalloc(set->train.samples, sizeof(size_t));
	for (size_t i = 0; i < set->train.samples; i++)
		training->order[i] = i;
	training->x =
		xcalloc_aligned(plan->batch * set->features, sizeof(float));
	training->label = xcalloc(plan->batch, sizeof(*training->label));
	return training;
}

void training_free(struct training *training)
{
	if (!training)
		return;
	free(training->curve);
	free(training->order);
	free(training->x);
	free(training->label);
	free(training);
}

/* ---- joules ---------------------------------------------------------------- */

/* From here on seconds and joules count. */
static int counting_begin(struct training *training, struct err *err)
{
	training->start_ns = clock_now_ns(clock_real());
	return meter_read(training->meter, &training->reading, err);
}

/* What was used since the last reading goes into the sum. */
static int energy_take(struct training *training, struct err *err)
{
	struct meter_reading now;
	struct energy part;

	if (meter_read(training->meter, &now, err) < 0)
		return -1;
	meter_between(training->meter, &training->reading, &now, &part);
	energy_add(&training->energy, &part);
	training->reading = now;
	return 0;
}

static int counting_end(struct training *training, struct err *err)
{
	int64_t now_ns = clock_now_ns(clock_real());

	training->seconds += (double)(now_ns - training->start_ns) * 1e-9;
	return energy_take(training, err);
}

static void energy_end(const struct training *training, struct energy *energy)
{
	*energy = training->energy;
	if (meter_domains(training->meter))
		return;
	energy->joules = (double)NAN;
	energy->sigma_j = (double)NAN;
	energy->source = ENERGY_UNKNOWN;
}

/* ---- learning ---------------------------------------------------------------- */

static void gather(struct training *training, size_t first, size_t batch)
{
	dataset_batch(&training->set->train, training->set->features,
		      training->order + first, batch, training->x,
		      training->label);
}

/* Means over the test part, a batch at a time. */
static void evaluate(struct training *training, double *loss, double *accuracy)
{
	const struct dataset_part *test = &training->set->test;
	size_t *sample = xcalloc(training->plan.batch, sizeof(*sample)), batch;
	double some_loss, some_accuracy;

	*loss = *accuracy = 0.0;
	for (size_t i = 0; i < test->samples; i += batch) {
		for (batch = 0;
		     batch < training->plan.batch && i + batch < test->samples;
		     batch++)
			sample[batch] = i + batch;
		dataset_batch(test, training->set->features, sample, batch,
			      training->x, training->label);
		net_evaluate(training->net, training->x, training->label, batch,
			     &some_loss, &some_accuracy);
		*loss += some_loss * (double)batch / (double)test->samples;
		*accuracy +=
			some_accuracy * (double)batch / (double)test->samples;
	}
	free(sample);
}

/* The share of the whole run that lies before the pass's sample `first`. */
static double done(const struct training *training, size_t first)
{
	return ((double)training->epoch +
		(double)first / (double)training->set->train.samples) /
	       (double)training->plan.epochs;
}

static struct sgd sgd_at(const struct training *training, size_t first)
{
	const struct training_plan *plan = &training->plan;
	struct sgd sgd = plan->sgd;

	sgd.rate *= (float)sgd_schedule(plan->schedule, plan->warm,
					done(training, first));
	return sgd;
}

static int not_finite(const struct training *training, size_t first,
		      struct err *err)
{
	err_set(err, EDOM,
		"epoch %zu: the loss stopped being finite after %zu samples",
		training->epoch + 1, first);
	return err_remedy(err, "use a smaller --rate than %g",
			  (double)training->plan.sgd.rate);
}

/* Time and joules of keeping it are not the training's. */
static int save(struct training *training, struct err *err)
{
	if (counting_end(training, err) < 0 ||
	    training->plan.save(training->plan.self, err) < 0)
		return -1;
	training->saved_ns = clock_now_ns(clock_real());
	return counting_begin(training, err);
}

static bool is_over(int64_t since_ns, int64_t now_ns, double seconds)
{
	return (double)(now_ns - since_ns) * 1e-9 >= seconds;
}

/* Every few steps: is the loss sane, is the meter to be read, who watches? */
static int look(struct training *training, double loss, struct err *err)
{
	const struct training_plan *plan = &training->plan;
	int64_t now_ns = clock_now_ns(clock_real());

	if (!isfinite(training->loss_sum))
		return not_finite(training, training->at, err);
	if (plan->progress)
		plan->progress(plan->self, training->epoch + 1,
			       done(training, training->at), loss);
	if (plan->save && is_over(training->saved_ns, now_ns, TRAINING_SAVE_S))
		return save(training, err);
	if (is_over(training->reading.end_ns, now_ns, TRAINING_READ_S))
		return energy_take(training, err);
	return 0;
}

/* 1: whole, 0: stopped by a signal. */
static int pass(struct training *training, struct err *err)
{
	size_t n = training->set->train.samples, batch;

	for (size_t step = 0; training->at < n; step++) {
		struct sgd sgd = sgd_at(training, training->at);
		double loss;

		if (cli_stop_signal())
			return 0;
		batch = n - training->at < training->plan.batch
				? n - training->at
				: training->plan.batch;
		gather(training, training->at, batch);
		loss = net_step(training->net, training->x, training->label,
				batch, &sgd);
		training->loss_sum += loss * (double)batch;
		training->at += batch;
		if (step % LOOK_STEPS == 0 && look(training, loss, err) < 0)
			return -1;
	}
	return isfinite(training->loss_sum) ? 1 : not_finite(training, n, err);
}

static void pass_begin(struct training *training)
{
	struct rng rng = rng_stream(training->plan.seed, "train order",
				    training->epoch, 0);

	if (training->begun)
		return;
	rng_shuffle(&rng, training->order, training->set->train.samples);
	training->begun = true;
	training->at = 0;
	training->loss_sum = 0.0;
	training->seconds = 0.0;
	training->energy = (struct energy)ENERGY_NONE;
}

int training_next(struct training *training, struct training_epoch *epoch,
		  struct err *err)
{
	const struct dataset *set = training->set;
	struct training_epoch out = { .number = training->epoch + 1 };
	int rc;

	if (training->epoch == training->plan.epochs)
		return 0;
	pass_begin(training);
	if (counting_begin(training, err) < 0)
		return -1;
	if (!training->saved_ns)
		training->saved_ns = training->start_ns;
	rc = pass(training, err);
	if (rc < 0 || counting_end(training, err) < 0)
		return -1;
	if (rc == 0)
		return 0;
	out.seconds = training->seconds;
	energy_end(training, &out.energy);
	out.train_loss = training->loss_sum / (double)set->train.samples;
	evaluate(training, &out.loss, &out.accuracy);
	training->curve[training->epoch++] = out;
	training->begun = false;
	*epoch = out;
	return 1;
}

const struct training_epoch *training_curve(const struct training *training,
					    size_t *epochs)
{
	*epochs = training->epoch;
	return training->curve;
}
