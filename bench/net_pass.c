/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forward through the layers and back.
 */
#include <math.h>

#include "bench/mat_kind.h"
#include "bench/net_state.h"
#include "lib/pool.h"

/* ---- runs ------------------------------------------------------------------- */

/* Multiplications of a tile at least, a value that is read or written counted
 * as VALUE_WORK of them: about 100 µs, many times what a primitive's start and
 * a thread's waking take. */
#define TILE_WORK  ((double)(1 << 22))
#define VALUE_WORK 8.0
/* Floats of the widest values of a block, if one tile is not more: what a
 * layer back wrote is still in the second-level cache for the next one. */
#define BLOCK_VALUES ((size_t)1 << 18)

static void run_fill(struct net_run *run, const struct net_spec *spec)
{
	struct net_layer_cost cost;
	double work = 0.0;

	run->widest = 1;
	for (size_t l = run->first; l < run->end; l++) {
		size_t in = spec->width[l], out = spec->width[l + 1];

		net_spec_layer_cost(spec, l, 1, &cost);
		work += cost.operations_forward / 2.0 +
			VALUE_WORK * (double)(in + out);
		run->widest = in > run->widest ? in : run->widest;
		run->widest = out > run->widest ? out : run->widest;
	}
	run->tile = (size_t)ceil(TILE_WORK / work);
}

size_t net_block(const struct net_run *run, size_t batch)
{
	size_t most = BLOCK_VALUES / run->widest, blocks, even;

	most = most > run->tile ? most : run->tile;
	blocks = (batch + most - 1) / most;
	even = (batch + blocks - 1) / blocks;
	return (even + run->tile - 1) / run->tile * run->tile;
}

size_t net_inner(const struct net *net)
{
	size_t max = 0;

	for (size_t r = 0; r < net->runs; r++) {
		const struct net_run *run = &net->run[r];
		size_t most = BLOCK_VALUES / run->widest + run->tile;
		size_t values = most < net->batch_max ? most : net->batch_max;

		values *= run->widest;
		if (run->end - run->first > 1 && values > max)
			max = values;
	}
	return max;
}

static size_t at_most(size_t images, size_t batch)
{
	return images < batch ? images : batch;
}

static bool may_block(const struct layer *layer)
{
	return layer->by_image && layer->kind->blocks &&
	       layer->kind->blocks(layer->spec);
}

/* oneDNN's convolutions take blocks on both sides or on none, but that a single
 * channel lies in both ways. */
static bool one_sided(const struct layer *layer, bool in, bool out)
{
	return layer->spec->type == LAYER_CONV2D &&
	       layer->spec->in.channels > 1 && in != out;
}

/* Blocks of channels where oneDNN prefers them: 28 × 28 × 1 → 32 takes it half
 * the time of channels last, 14 × 14 × 32 → 64 nine tenths. */
static bool lay_out(struct net *net)
{
	enum mat_cpu cpu = mat_cpu_here();
	bool wide = cpu == MAT_CPU_AMD512 || cpu == MAT_CPU_INTEL512;
	bool blocked[NET_LAYERS_MAX + 1] = { false }, again = wide;
	bool changed = false;

	for (size_t l = 1; wide && l < net->layers; l++)
		blocked[l] = may_block(&net->layer[l - 1]) &&
			     may_block(&net->layer[l]) &&
			     net->spec.layer[l].in.channels % LAYER_BLOCK == 0;
	while (again) {
		again = false;
		for (size_t l = 0; l < net->layers; l++) {
			if (!one_sided(&net->layer[l], blocked[l],
				       blocked[l + 1]))
				continue;
			blocked[l] = blocked[l + 1] = false;
			again = true;
		}
	}
	for (size_t l = 0; l < net->layers; l++) {
		struct layer *layer = &net->layer[l];

		changed |= layer->blocked_in != blocked[l] ||
			   layer->blocked_out != blocked[l + 1];
		layer->blocked_in = blocked[l];
		layer->blocked_out = blocked[l + 1];
	}
	return changed;
}

bool net_cut(struct net *net)
{
	struct net_run *run = NULL;

	net->runs = 0;
	for (size_t l = 0; l < net->layers; l++) {
		bool by_image = net->layer[l].by_image;

		if (!run || !run->by_image || !by_image) {
			run = &net->run[net->runs++];
			*run = (struct net_run){ .first = l,
						 .by_image = by_image };
		}
		run->end = l + 1;
		run_fill(run, &net->spec);
		for (size_t i = run->first; i <= l; i++) {
			struct layer *layer = &net->layer[i];

			layer->images = at_most(run->tile, net->batch_max);
			layer->summed = at_most(net_block(run, net->batch_max),
						net->batch_max);
		}
	}
	return lay_out(net);
}

/* ---- a layer's part of a pass ------------------------------------------------ */

static struct layer_pass pass_of(const struct net *net, size_t l,
				 const float *x, size_t first, size_t images)
{
	const float *in = l ? net->output[l - 1] : x;

	return (struct layer_pass){
		.batch = images,
		.first = first,
		.training = true,
		.seed = net->seed + (net->step * NET_LAYERS_MAX + l) * 4,
		.x = in + first * net->spec.width[l],
		.y = net->output[l] + first * net->spec.width[l + 1],
	};
}

static void forward_layer(struct layer *layer, const struct layer_pass *pass)
{
	layer->kind->forward(layer, pass);
	if (!layer->kind->activates)
		layer_activate(pass->y, pass->batch * layer_out(layer->spec),
			       layer->spec->activation);
}

static void mask(const struct layer *layer, float *delta, const float *y,
		 size_t batch)
{
	if (!layer->kind->masks_relu || layer->spec->activation != ACT_RELU)
		layer_mask(delta, y, batch * layer_out(layer->spec),
			   layer->spec->activation);
}

static struct backward part_of(const struct net *net, size_t l,
			       const struct backward *to)
{
	return (struct backward){ to->alpha, to->beta,
				  to->target + net->offset[l] };
}

/* ---- forward ------------------------------------------------------------------ */

struct forward {
	struct net *net;
	const struct net_run *run;
	const float *x;
	size_t batch;
	bool training;
};

static void forward_tile(void *context, size_t worker, size_t tile)
{
	const struct forward *forward = context;
	const struct net_run *run = forward->run;
	size_t first = tile * run->tile;
	size_t images = at_most(run->tile, forward->batch - first);

	for (size_t l = run->first; l < run->end; l++) {
		struct layer_pass pass =
			pass_of(forward->net, l, forward->x, first, images);

		pass.worker = worker;
		pass.training = forward->training;
		forward_layer(&forward->net->layer[l], &pass);
	}
}

static void forward_run(struct forward *forward)
{
	const struct net_run *run = forward->run;
	struct net *net = forward->net;

	for (size_t l = run->first; l < run->end; l++)
		if (net->layer[l].kind->prepare)
			net->layer[l].kind->prepare(&net->layer[l]);
	pool_run(mat_pool(net->mat),
		 (forward->batch + run->tile - 1) / run->tile, forward_tile,
		 forward);
}

/* Samples come channel by channel. */
static const float *turned(struct net *net, const float *x, size_t batch)
{
	const struct net_shape *in = &net->spec.layer[0].in;
	size_t pixels = (size_t)in->height * in->width;
	float *to = net->entry;

	if (!to)
		return x;
	for (size_t b = 0; b < batch; b++, x += pixels * in->channels)
		for (size_t p = 0; p < pixels; p++)
			for (size_t c = 0; c < in->channels; c++)
				*to++ = x[c * pixels + p];
	return net->entry;
}

void net_forward(struct net *net, const float *x, size_t batch, bool training)
{
	struct forward forward = { .net = net,
				   .x = turned(net, x, batch),
				   .batch = batch,
				   .training = training };

	for (size_t r = 0; r < net->runs; r++) {
		size_t l = net->run[r].first;

		forward.run = &net->run[r];
		if (forward.run->by_image) {
			forward_run(&forward);
			continue;
		}
		struct layer_pass pass = pass_of(net, l, forward.x, 0, batch);

		pass.training = training;
		forward_layer(&net->layer[l], &pass);
	}
}

/* ---- back --------------------------------------------------------------------- */

/* A layer's way back through a block of images. */
struct back {
	struct net *net;
	size_t l, first, images, tile;
	const float *x;
	const float *delta; /* of the block */
	float *dx;          /* the same; NULL: not wanted */
	bool adds;          /* the first task is the gradient */
};

static void back_task(void *context, size_t worker, size_t task)
{
	const struct back *back = context;
	const struct net *net = back->net;
	struct layer *layer = &back->net->layer[back->l];
	bool adds = back->adds && task == 0;
	size_t skip = adds ? 0 : (task - back->adds) * back->tile;
	size_t images =
		adds ? back->images : at_most(back->tile, back->images - skip);
	struct layer_pass pass =
		pass_of(net, back->l, back->x, back->first + skip, images);

	pass.worker = worker;
	pass.delta = back->delta + skip * net->spec.width[back->l + 1];
	if (adds) {
		layer->kind->add(layer, &pass);
		return;
	}
	pass.dx = back->dx + skip * net->spec.width[back->l];
	layer->kind->input(layer, &pass);
}

/* `delta` is overwritten. */
static void back_layer(struct back *back, float *delta)
{
	const struct layer *layer = &back->net->layer[back->l];
	size_t tiles = (back->images + back->tile - 1) / back->tile;

	mask(layer, delta,
	     back->net->output[back->l] + back->first * layer_out(layer->spec),
	     back->images);
	back->delta = delta;
	back->adds = layer->kind->add != NULL;
	pool_run(mat_pool(back->net->mat),
		 (back->dx ? tiles : 0) + (back->adds ? 1 : 0), back_task,
		 back);
}

static void back_block(struct back *back, const struct net_run *run)
{
	struct net *net = back->net;
	float *delta = net->delta + back->first * net->spec.width[run->end];

	for (size_t l = run->end; l-- > run->first;) {
		back->l = l;
		back->dx = net->inner[l % 2];
		if (l == run->first)
			back->dx =
				l ? net->next_delta +
						back->first * net->spec.width[l]
				  : NULL;
		back_layer(back, delta);
		delta = back->dx;
	}
}

static void back_run(struct net *net, const struct net_run *run, const float *x,
		     size_t batch, const struct backward *to)
{
	struct back back = { .net = net, .x = x, .tile = run->tile };
	size_t block = net_block(run, batch);

	for (back.first = 0; back.first < batch; back.first += block) {
		back.images = at_most(block, batch - back.first);
		back_block(&back, run);
	}
	for (size_t l = run->first; l < run->end; l++) {
		struct backward part = part_of(net, l, to);

		if (net->layer[l].kind->finish)
			net->layer[l].kind->finish(&net->layer[l], &part);
	}
}

static void back_whole(struct net *net, size_t l, const float *x, size_t batch,
		       const struct backward *to)
{
	struct layer *layer = &net->layer[l];
	struct backward part = part_of(net, l, to);
	struct layer_pass pass = pass_of(net, l, x, 0, batch);

	pass.delta = net->delta;
	pass.dx = l ? net->next_delta : NULL;
	pass.to = &part;
	mask(layer, net->delta, pass.y, batch);
	layer->kind->backward(layer, &pass);
}

double net_backward(struct net *net, const float *x, const int32_t *label,
		    size_t batch, const struct backward *to)
{
	double sum = net->loss->sum(net_logits(net), label, batch,
				    net_classes(net), net->delta);
	float *delta;

	if (net->entry)
		x = net->entry;
	for (size_t r = net->runs; r-- > 0;) {
		if (net->run[r].by_image)
			back_run(net, &net->run[r], x, batch, to);
		else
			back_whole(net, net->run[r].first, x, batch, to);
		delta = net->delta;
		net->delta = net->next_delta;
		net->next_delta = delta;
	}
	return sum / (double)batch;
}
