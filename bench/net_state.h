/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_state -- what a net is made of: for net.c and net_pass.c alone.
 *
 * A run is one layer, or as many as there are in a row that work by image
 * (layer_kind.h).  Such a run goes through the batch in tiles of a few images,
 * each through all of its layers, and back in blocks of some tiles, layer by
 * layer; both sizes follow from the description of the net and the batch, never
 * from the threads, and a parameter's gradient is added up by one thread in the
 * order of the blocks: so the bits do not depend on the threads.
 */
#ifndef BENCH_NET_STATE_H
#define BENCH_NET_STATE_H

#include "bench/layer_kind.h"
#include "bench/loss_kind.h"
#include "bench/net.h"
#include "bench/net_update.h"

struct net_run {
	size_t first, end; /* layers */
	bool by_image;
	size_t tile;   /* images */
	size_t widest; /* values before or behind a layer */
};

struct net {
	struct net_spec spec;
	const struct loss_kind *loss;
	const struct mat *mat;
	size_t batch_max, parameters, layers, runs;
	struct layer layer[NET_LAYERS_MAX];
	struct net_run run[NET_LAYERS_MAX];
	size_t offset[NET_LAYERS_MAX]; /* of a layer's parameters */
	void *block;                   /* what follows lies in it */
	size_t block_size;
	float *weights;
	struct update update;
	float *entry;                  /* samples, channels last; or NULL */
	float *output[NET_LAYERS_MAX]; /* of each layer; the last: logits */
	float *delta, *next_delta;     /* dL/d(output), batch × width */
	float *inner[2];               /* the same within a run, of a block */
	uint64_t seed, step;           /* of what layers draw at random */
};

/* Cut the layers into runs, by what they say of themselves; how many images a
 * tile has, and how they lie, is told to them.  Did how they lie change? */
bool net_cut(struct net *net);
/* How many images a block of a run has. */
size_t net_block(const struct net_run *run, size_t batch);
/* Floats of `inner`. */
size_t net_inner(const struct net *net);

void net_forward(struct net *net, const float *x, size_t batch, bool training);
/* After net_forward(): the mean loss, and its gradient into `to`. */
double net_backward(struct net *net, const float *x, const int32_t *label,
		    size_t batch, const struct backward *to);

static inline const float *net_logits(const struct net *net)
{
	return net->output[net->layers - 1];
}

static inline size_t net_classes(const struct net *net)
{
	return net->spec.width[net->layers];
}

#endif
