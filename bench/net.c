/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/net_state.h"
#include "lib/mem.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* ---- making ---------------------------------------------------------------- */

static size_t widest(const struct net_spec *spec)
{
	size_t max = 0;

	for (size_t l = 1; l <= spec->layers; l++)
		max = spec->width[l] > max ? spec->width[l] : max;
	return max;
}

/* Do samples lie otherwise than images in the net? */
static bool turns(const struct net_spec *spec)
{
	const struct net_shape *in = &spec->layer[0].in;

	return in->channels > 1 && in->height * in->width > 1;
}

static size_t scratch_floats(const struct layer_spec *spec, size_t batch)
{
	const struct layer_kind *kind = layer_kind_of(spec->type);

	return kind->scratch ? kind->scratch(spec, batch) : 0;
}

/* Hand out the next floats of the block; only count where there is none. */
static float *take(struct net *net, size_t *used, size_t floats)
{
	float *at = net->block ? (float *)net->block + *used : NULL;

	*used += layer_padded(floats);
	return at;
}

/* Lay everything out in the block; returns how many floats that takes. */
static size_t share(struct net *net)
{
	const struct net_spec *spec = &net->spec;
	size_t batch = net->batch_max, used = 0;
	size_t delta = batch * widest(spec);

	net->weights = take(net, &used, net->parameters);
	for (size_t l = 0; l < net->layers; l++) {
		net->output[l] = take(net, &used, batch * spec->width[l + 1]);
		net->layer[l].weights = net->weights + net->offset[l];
		net->layer[l].scratch = take(
			net, &used, scratch_floats(&spec->layer[l], batch));
	}
	net->delta = take(net, &used, delta);
	net->next_delta = take(net, &used, delta);
	for (int i = 0; i < 2; i++)
		net->inner[i] = take(net, &used, net_inner(net));
	if (turns(spec))
		net->entry = take(net, &used, batch * spec->width[0]);
	for (size_t i = 0; i < UPDATE_BLOCKS; i++)
		net->update.block[i] = take(net, &used, net->parameters);
	return used;
}

/* Zeroed, and not there before it is touched.  Where the kernel has huge pages
 * to give, large blocks get them: with small ones the same step takes up to a
 * third longer in some processes than in others, by the luck of which pages
 * share a set of the second-level cache (weights of 1 MiB, batch 1). */
static void *block_new(size_t size)
{
	char *block = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t skip;

	if (block == MAP_FAILED)
		abort(); /* out of memory, as x…() have it */
	skip = (HUGE_PAGE - (uintptr_t)block % HUGE_PAGE) % HUGE_PAGE;
	if (skip)
		munmap(block, skip);
	munmap(block + skip + size, HUGE_PAGE - skip);
	if (size >= HUGE_PAGE / 2)
		(void)madvise(block + skip, size, MADV_HUGEPAGE);
	return block + skip;
}

static size_t page_up(size_t size)
{
	return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

static int size_check(const struct net_spec *spec, size_t batch,
		      struct err *err)
{
	double floats = 2.0 * (double)widest(spec), scratch = 0.0;
	bool sane = batch >= 1 && batch <= NET_ACTIVATIONS_MAX;

	/* Below 2^28 parameters and 2^24 values nothing overflows. */
	for (size_t l = 0; sane && l < spec->layers; l++) {
		floats += (double)spec->width[l + 1];
		scratch += (double)scratch_floats(&spec->layer[l], batch);
	}
	if (sane &&
	    floats * (double)batch + scratch <= (double)NET_ACTIVATIONS_MAX)
		return 0;
	err_set(err, EFBIG,
		"%s at batch %zu: activations beyond the limit of %zu values",
		spec->text, batch, NET_ACTIVATIONS_MAX);
	return err_remedy(err, "use a smaller batch");
}

static void layers_close(struct net *net)
{
	for (size_t l = 0; l < net->layers; l++) {
		if (net->layer[l].kind->close)
			net->layer[l].kind->close(&net->layer[l]);
		product_free(net->layer[l].product);
		net->layer[l].product = NULL;
		net->layer[l].state = NULL;
	}
}

static int layers_open(struct net *net, struct err *err)
{
	for (size_t l = 0; l < net->layers; l++) {
		struct layer *layer = &net->layer[l];

		if (layer->kind->open && layer->kind->open(layer, err) < 0)
			return -1;
	}
	/* Where one would not go by image, its neighbours may have to lie
	 * otherwise. */
	if (!net_cut(net))
		return 0;
	layers_close(net);
	return layers_open(net, err);
}

struct net *net_new_in(struct precision precision, const struct net_spec *spec,
		       enum loss loss, size_t batch_max, const struct mat *mat,
		       struct err *err)
{
	struct net *net;

	if (size_check(spec, batch_max, err) < 0 ||
	    loss_fits(loss, spec->width[spec->layers], err) < 0)
		return NULL;
	net = xcalloc(1, sizeof(*net));
	net->spec = *spec;
	net->loss = loss_kind_of(loss);
	net->mat = mat;
	net->batch_max = batch_max;
	net->layers = spec->layers;
	for (size_t l = 0; l < net->layers; l++) {
		net->layer[l] = (struct layer){
			.kind = layer_kind_of(spec->layer[l].type),
			.spec = &net->spec.layer[l],
			.mat = mat,
			.precision = precision,
			.batch_max = batch_max,
			.threads = mat_threads(mat),
		};
		net->layer[l].by_image = net->layer[l].kind->by_image;
		net->offset[l] = net->parameters;
		net->parameters += layer_parameters(&spec->layer[l]);
	}
	net_cut(net);
	net->block_size = page_up(share(net) * sizeof(float));
	net->block = block_new(net->block_size);
	share(net);
	if (layers_open(net, err) == 0)
		return net;
	net_free(net);
	return NULL;
}

struct net *net_new(const struct net_spec *spec, enum loss loss,
		    size_t batch_max, const struct mat *mat, struct err *err)
{
	const struct precision fp32 = { .kind = PRECISION_FP32 };

	return net_new_in(fp32, spec, loss, batch_max, mat, err);
}

void net_free(struct net *net)
{
	if (!net)
		return;
	layers_close(net);
	munmap(net->block, net->block_size);
	free(net);
}

static bool draws(const struct net *net)
{
	for (size_t l = 0; l < net->layers; l++)
		if (net->spec.layer[l].type == LAYER_DROPOUT)
			return true;
	return net->layer[0].precision.kind == PRECISION_INT8;
}

void net_init(struct net *net, struct rng *rng)
{
	for (size_t l = 0; l < net->layers; l++)
		if (net->layer[l].kind->init)
			net->layer[l].kind->init(net->layer[l].spec,
						 net->weights + net->offset[l],
						 rng);
	net_reseed(net, rng);
	net_reset_momentum(net);
}

void net_reseed(struct net *net, struct rng *rng)
{
	if (draws(net))
		net->seed = rng_u64(rng);
	net->step = 0;
}

float *net_weights(struct net *net)
{
	return net->weights;
}

size_t net_parameters(const struct net *net)
{
	return net->parameters;
}

void net_reset_momentum(struct net *net)
{
	update_reset(&net->update, net->parameters);
}

struct net_state net_state_get(struct net *net)
{
	return (struct net_state){
		.seed = net->seed,
		.step = net->step,
		.updates = net->update.steps,
		.used = { net->update.used[UPDATE_FIRST],
			  net->update.used[UPDATE_SECOND] },
		.moment = { net->update.block[UPDATE_FIRST],
			    net->update.block[UPDATE_SECOND] },
	};
}

void net_state_set(struct net *net, const struct net_state *state)
{
	net->seed = state->seed;
	net->step = state->step;
	net->update.steps = state->updates;
	net->update.used[UPDATE_FIRST] = state->used[0];
	net->update.used[UPDATE_SECOND] = state->used[1];
}

/* ---- what users call -------------------------------------------------------- */

double net_step(struct net *net, const float *x, const int32_t *label,
		size_t batch, const struct sgd *sgd)
{
	struct backward to =
		update_target(&net->update, sgd, net->weights, batch);
	double loss;

	net_forward(net, x, batch, true);
	loss = net_backward(net, x, label, batch, &to);
	update_finish(&net->update, sgd, net->weights, net->parameters);
	net->step++;
	return loss;
}

double net_loss(struct net *net, const float *x, const int32_t *label,
		size_t batch)
{
	net_forward(net, x, batch, false);
	return net->loss->sum(net_logits(net), label, batch, net_classes(net),
			      NULL) /
	       (double)batch;
}

double net_gradient(struct net *net, const float *x, const int32_t *label,
		    size_t batch, float *gradient)
{
	struct backward to = { 1.0f / (float)batch, 0.0f, gradient };

	net_forward(net, x, batch, true);
	return net_backward(net, x, label, batch, &to);
}

static size_t count_right(const float *logit, const int32_t *label,
			  size_t batch, size_t width)
{
	size_t right = 0;

	for (size_t i = 0; i < batch; i++, logit += width) {
		size_t best = width == 1 && logit[0] > 0.0f;

		for (size_t c = 1; c < width; c++)
			if (logit[c] > logit[best])
				best = c;
		right += best == (size_t)label[i];
	}
	return right;
}

void net_evaluate(struct net *net, const float *x, const int32_t *label,
		  size_t n, double *loss, double *accuracy)
{
	size_t right = 0, batch;
	double sum = 0.0;

	for (size_t i = 0; i < n; i += batch) {
		batch = n - i < net->batch_max ? n - i : net->batch_max;
		sum += (double)batch * net_loss(net, x + i * net->spec.width[0],
						label + i, batch);
		right += count_right(net_logits(net), label + i, batch,
				     net_classes(net));
	}
	*loss = sum / (double)n;
	*accuracy = (double)right / (double)n;
}
