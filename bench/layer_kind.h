/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_kind -- what a kind of layer has to know and to do.
 *
 * A kind is a file layer_NAME.c that exports one `struct layer_kind`, a value
 * of enum layer_type (net_spec.h) and a line in the table in layer.c; the word
 * that describes it is in net_words.c.  tests/unit/test_layer.c runs over every
 * kind: finite differences, repeated bits, costs that add up.
 *
 * The engine (net.c) has the loops around: it applies activations and their
 * derivatives, so a kind computes what is before the activation, but where it
 * says `activates`: then forward() does it in the same pass as the bias.
 *
 * Laws: forward() and backward() allocate nothing.  backward() comes after the
 * forward() of the same batch; it computes dx before it touches the target,
 * since that may be the weights themselves.  Nothing depends on what a layer
 * did in an earlier step.
 *
 * Where an image's results depend on that image alone (`by_image`), net_pass.c
 * gives a layer a few images at a time, several threads different ones, so that
 * what one layer wrote the next one finds in the cache.  Then `first` is the
 * first image's place in the batch and `worker` a number below layer->threads;
 * prepare() comes before and finish() after all of them, on one thread, input()
 * stands for backward(), and add() has a block of images to itself.  Between two
 * such layers images may lie in blocks of LAYER_BLOCK channels, one block after
 * the other and channels last within, where both kinds say that they can.
 */
#ifndef BENCH_LAYER_KIND_H
#define BENCH_LAYER_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"
#include "bench/net_spec.h"
#include "bench/product.h"
#include "lib/err.h"
#include "lib/rng.h"

/* As many as an AVX-512 register has floats. */
#define LAYER_BLOCK 16

/* A layer at work in a net. */
struct layer {
	const struct layer_kind *kind;
	const struct layer_spec *spec;
	const struct mat *mat;
	struct precision precision;
	struct product *product; /* of kinds with one matrix: made by open() */
	const float *weights;    /* this layer's part of the net's block */
	float *scratch; /* kind->scratch() floats, kept from forward() to
				 backward() */
	size_t batch_max;
	size_t threads;               /* that may call at once */
	size_t images, summed;        /* how many at a time, mostly */
	bool blocked_in, blocked_out; /* images lie in blocks of channels */
	bool by_image; /* as the kind has it; open() may say no */
	void *state;   /* the kind's own, made by open() */
};

struct layer_pass {
	size_t batch;
	size_t first, worker; /* by image */
	const float *x;       /* batch × in */
	float *y; /* batch × out: before the activation, or after it */
	bool training;
	uint64_t seed; /* of this net, this step and this layer */
	/* backward() only */
	const float *delta;        /* dL/d(before the activation) */
	float *dx;                 /* NULL: not wanted */
	const struct backward *to; /* target: this layer's part */
};

struct layer_kind {
	const char *name; /* "dense" */
	/* From `in` and the settings to `out`; checked. */
	int (*shape)(struct layer_spec *spec, struct err *err);
	/* NULL where there are none. */
	size_t (*parameters)(const struct layer_spec *spec);
	void (*init)(const struct layer_spec *spec, float *weights,
		     struct rng *rng);
	void (*cost)(const struct layer_spec *spec, double batch, bool first,
		     struct net_layer_cost *cost);
	/* Floats; NULL: none. */
	size_t (*scratch)(const struct layer_spec *spec, size_t batch_max);
	/* NULL: nothing to open. */
	int (*open)(struct layer *layer, struct err *err);
	void (*close)(struct layer *layer);
	void (*forward)(struct layer *layer, const struct layer_pass *pass);
	void (*backward)(struct layer *layer, const struct layer_pass *pass);
	/* By image, all but input() optional.  input() leaves dx, add() adds up
	 * the parameters' gradient (from nothing where first is 0), finish()
	 * puts it where `to` says. */
	void (*prepare)(struct layer *layer);
	void (*input)(struct layer *layer, const struct layer_pass *pass);
	void (*add)(struct layer *layer, const struct layer_pass *pass);
	void (*finish)(struct layer *layer, const struct backward *to);
	bool by_image;
	/* NULL: never. */
	bool (*blocks)(const struct layer_spec *spec);
	bool activates;
	/* backward() needs no mask of ReLU: it knows what passes. */
	bool masks_relu;
};

extern const struct layer_kind layer_kind_dense, layer_kind_conv2d,
	layer_kind_max_pool, layer_kind_average_pool, layer_kind_group_norm,
	layer_kind_dropout, layer_kind_embedding, layer_kind_gru;

const struct layer_kind *layer_kind_of(enum layer_type type);
size_t layer_parameters(const struct layer_spec *spec);

static inline size_t layer_in(const struct layer_spec *spec)
{
	return net_shape_values(&spec->in);
}

static inline size_t layer_out(const struct layer_spec *spec)
{
	return net_shape_values(&spec->out);
}

/* ---- what several kinds share (layer.c) ------------------------------------ */

/* y += bias in each row, then the activation. */
void layer_bias(float *y, const float *bias, size_t rows, size_t width,
		enum activation activation);
void layer_activate(float *y, size_t n, enum activation activation);
/* delta *= the activation's derivative, by its output. */
void layer_mask(float *delta, const float *y, size_t n,
		enum activation activation);
void layer_sum_rows(float *sum, const float *delta, size_t rows, size_t width);
/* target = beta · target + alpha · x; as BLAS has it, a beta of 0 does not
 * read. */
void layer_put(float *target, const float *x, size_t n, float alpha,
	       float beta);
/* Uniform in ± sqrt(6 / in): He et al., "Delving deep into rectifiers", ICCV
 * 2015, variance 2 / in. */
void layer_init_he(float *w, size_t n, size_t in, struct rng *rng);

/* The cost of one or more products: rows × in times in × out, and of a pass
 * over the result for bias, mask and bias gradient. */
void layer_cost_product(struct net_layer_cost *cost, double rows, double in,
			double out, bool bias, bool first);
/* The cost of passes over so many values, read and written. */
void layer_cost_passes(struct net_layer_cost *cost, double values,
		       double forward, double step);

/* Bytes of an operand of a product with so many outputs. */
double layer_cost_operand(const struct net_layer_cost *cost, double out);

static inline size_t layer_padded(size_t floats)
{
	return (floats + 15) / 16 * 16;
}

#endif
