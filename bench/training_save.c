/* SPDX-License-Identifier: BSD-3-Clause */
/* Training in a file, and back. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat.h"
#include "bench/training_state.h"
#include "lib/mem.h"

static const char *const moments[NET_MOMENTS] = { "moment1", "moment2" };

size_t training_position(const struct training *training)
{
	return training->begun ? training->at : 0;
}

/* Which samples: their names say nothing of what stands in a file today. */
static uint64_t part_sum(uint64_t sum, const struct training *training,
			 const struct dataset_part *part)
{
	size_t features = training->set->features;

	for (size_t i = 0; i < part->samples; i++) {
		dataset_batch(part, features, &i, 1, training->x,
			      training->label);
		sum = checkpoint_sum(sum, training->x,
				     features * sizeof(*training->x));
		sum = checkpoint_sum(sum, training->label,
				     sizeof(*training->label));
	}
	return sum;
}

/* Between two batches, whose room it uses; once, as sets may be large. */
static int64_t data_sum(struct training *training)
{
	if (!training->summed)
		training->data_sum = (int64_t)part_sum(
			part_sum(0, training, &training->set->train), training,
			&training->set->test);
	training->summed = true;
	return training->data_sum;
}

/* ---- out --------------------------------------------------------------------- */

static struct doc *energy_doc(const struct energy *energy)
{
	struct doc *doc;

	if (!isfinite(energy->joules))
		return NULL;
	doc = doc_new_object();
	doc_set_real(doc, "joules", energy->joules);
	doc_set_real(doc, "sigma_j", energy->sigma_j);
	doc_set_bounds(doc, "scale", energy->scale_lo, energy->scale_hi);
	doc_set_int(doc, "source", energy->source);
	return doc;
}

static struct doc *epoch_doc(const struct training_epoch *epoch)
{
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "train_loss", epoch->train_loss);
	doc_set_real(doc, "loss", epoch->loss);
	doc_set_real(doc, "accuracy", epoch->accuracy);
	doc_set_real(doc, "seconds", epoch->seconds);
	doc_set_take(doc, "energy", energy_doc(&epoch->energy));
	return doc;
}

static struct doc *training_doc(struct training *training,
				const struct net_state *state,
				const struct doc *run)
{
	struct doc *doc = doc_new_object(), *curve = doc_new_array();

	for (size_t i = 0; i < training->epoch; i++)
		doc_add_take(curve, epoch_doc(&training->curve[i]));
	doc_set_take(doc, "run", doc_copy(run));
	doc_set_text(doc, "kernels", mat_describe());
	doc_set_int(doc, "data_sum", data_sum(training));
	doc_set_take(doc, "curve", curve);
	doc_set_bool(doc, "begun", training->begun);
	doc_set_int(doc, "samples", (int64_t)training_position(training));
	doc_set_real(doc, "loss_sum", training->loss_sum);
	doc_set_real(doc, "seconds", training->seconds);
	doc_set_take(doc, "energy", energy_doc(&training->energy));
	doc_set_int(doc, "draw_seed", (int64_t)state->seed);
	doc_set_int(doc, "draw_step", (int64_t)state->step);
	doc_set_int(doc, "updates", (int64_t)state->updates);
	return doc;
}

int training_save(struct training *training, const struct doc *run,
		  const char *path, bool force, struct err *err)
{
	struct net_state state = net_state_get(training->net);
	size_t bytes = net_parameters(training->net) * sizeof(float);
	struct checkpoint_block block[2 + NET_MOMENTS] = {
		{ "weights", net_weights(training->net), bytes },
		{ "order", training->order,
		  training->set->train.samples * sizeof(*training->order) },
	};
	struct doc *doc = training_doc(training, &state, run);
	size_t blocks = 2;
	int rc;

	for (size_t i = 0; i < NET_MOMENTS; i++)
		if (state.used[i])
			block[blocks++] = (struct checkpoint_block){
				moments[i], state.moment[i], bytes
			};
	rc = checkpoint_write(path, doc, block, blocks, force, err);
	doc_free(doc);
	return rc;
}

/* ---- in ---------------------------------------------------------------------- */

/* A value of `run` as a sentence has it: 64, mlp:8-3. */
static char *value_text(const struct doc *value)
{
	return value && doc_kind(value) == DOC_TEXT
		       ? xstrdup(doc_string(value, ""))
	       : value ? doc_to_text(value)
		       : xstrdup("none");
}

static int run_check(const struct doc *kept, const struct doc *run,
		     struct err *err)
{
	const struct doc *value;
	const char *key;

	for (size_t i = 0; (key = doc_key_at(run, i, &value)); i++) {
		char *want = value_text(value);
		char *have = value_text(doc_get(kept, key));
		bool same = strcmp(want, have) == 0;

		if (!same) {
			err_set(err, EINVAL, "is of a run with %s %s, not %s",
				key, have, want);
			err_remedy(err, "another name keeps both; --force "
					"starts anew and replaces it");
		}
		free(want);
		free(have);
		if (!same)
			return -1;
	}
	return 0;
}

static void energy_of(const struct doc *doc, struct energy *energy)
{
	const struct doc *scale = doc_get(doc, "scale");
	int64_t source = doc_int(doc_get(doc, "source"), ENERGY_UNKNOWN);

	energy->joules = doc_real(doc_get(doc, "joules"), (double)NAN);
	energy->sigma_j = doc_real(doc_get(doc, "sigma_j"), (double)NAN);
	energy->scale_lo = doc_real(doc_at(scale, 0), 1.0);
	energy->scale_hi = doc_real(doc_at(scale, 1), 1.0);
	energy->source = source >= 0 && source < ENERGY_UNKNOWN
				 ? (enum energy_source)source
				 : ENERGY_UNKNOWN;
}

static int curve_of(struct training *training, const struct doc *curve,
		    struct err *err)
{
	size_t epochs = doc_count(curve);

	if (epochs > training->plan.epochs)
		return err_set(err, EBADMSG, "curve: longer than the run");
	for (size_t i = 0; i < epochs; i++) {
		struct training_epoch *epoch = &training->curve[i];
		const struct doc *at = doc_at(curve, i);

		epoch->number = i + 1;
		if (doc_need_real(at, "train_loss", &epoch->train_loss, err) <
			    0 ||
		    doc_need_real(at, "loss", &epoch->loss, err) < 0 ||
		    doc_need_real(at, "accuracy", &epoch->accuracy, err) < 0 ||
		    doc_need_real(at, "seconds", &epoch->seconds, err) < 0)
			return err_wrap(err, "curve: epoch %zu", i + 1);
		energy_of(doc_get(at, "energy"), &epoch->energy);
	}
	training->epoch = epochs;
	return 0;
}

/* Each sample once: anything else would be read beyond the data. */
static int order_check(const size_t *order, size_t samples, struct err *err)
{
	bool *seen = xcalloc(samples, sizeof(*seen)), good = true;

	for (size_t i = 0; good && i < samples; i++) {
		good = order[i] < samples && !seen[order[i]];
		if (good)
			seen[order[i]] = true;
	}
	free(seen);
	return good ? 0 : err_set(err, EBADMSG, "order: not each sample once");
}

static int position_of(struct training *training, const struct doc *doc,
		       struct err *err)
{
	size_t samples = training->set->train.samples;
	int64_t at;

	if (doc_need_int(doc, "samples", &at, err) < 0 ||
	    doc_need_real(doc, "loss_sum", &training->loss_sum, err) < 0 ||
	    doc_need_real(doc, "seconds", &training->seconds, err) < 0)
		return -1;
	if (at < 0 || (uint64_t)at > samples ||
	    ((uint64_t)at < samples && (size_t)at % training->plan.batch != 0))
		return err_set(err, EBADMSG, "samples: %lld is between steps",
			       (long long)at);
	training->begun = doc_bool(doc_get(doc, "begun"), false);
	training->at = (size_t)at;
	energy_of(doc_get(doc, "energy"), &training->energy);
	return 0;
}

static int net_of(struct training *training, const struct checkpoint *from,
		  struct err *err)
{
	struct net_state state = net_state_get(training->net);
	size_t bytes = net_parameters(training->net) * sizeof(float);
	const struct doc *doc = checkpoint_doc(from);
	int64_t seed, step, updates;

	if (doc_need_int(doc, "draw_seed", &seed, err) < 0 ||
	    doc_need_int(doc, "draw_step", &step, err) < 0 ||
	    doc_need_int(doc, "updates", &updates, err) < 0 ||
	    checkpoint_get(from, "weights", net_weights(training->net), bytes,
			   err) < 0)
		return -1;
	for (size_t i = 0; i < NET_MOMENTS; i++) {
		const struct doc *blocks = doc_get(doc, "blocks");

		state.used[i] = doc_get(blocks, moments[i]) != NULL;
		if (state.used[i] &&
		    checkpoint_get(from, moments[i], state.moment[i], bytes,
				   err) < 0)
			return -1;
	}
	state.seed = (uint64_t)seed;
	state.step = (uint64_t)step;
	state.updates = (uint64_t)updates;
	net_state_set(training->net, &state);
	return 0;
}

int training_load(struct training *training, const struct doc *run,
		  const struct checkpoint *from, struct err *err)
{
	const struct doc *doc = checkpoint_doc(from), *curve;
	size_t samples = training->set->train.samples;

	if (run_check(doc_get(doc, "run"), run, err) < 0)
		return -1;
	training->summed = false; /* what they are today */
	if (doc_int(doc_get(doc, "data_sum"), 0) != data_sum(training))
		return err_set(err, EINVAL, "is of other data than %s today",
			       training->set->name);
	if (doc_need_array(doc, "curve", &curve, err) < 0 ||
	    curve_of(training, curve, err) < 0 ||
	    checkpoint_get(from, "order", training->order,
			   samples * sizeof(*training->order), err) < 0 ||
	    order_check(training->order, samples, err) < 0 ||
	    position_of(training, doc, err) < 0)
		return -1;
	return net_of(training, from, err);
}

bool training_same_kernels(const struct checkpoint *from)
{
	const struct doc *kernels = doc_get(checkpoint_doc(from), "kernels");

	return strcmp(doc_string(kernels, ""), mat_describe()) == 0;
}
