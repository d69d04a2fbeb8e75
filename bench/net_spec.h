/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_spec -- what a net consists of, in one line, and what a step of it costs.
 *
 *	struct net_spec spec;
 *
 *	net_spec_parse("cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", &spec, &err);
 *	printf("%zu parameters\n", net_spec_parameters(&spec));
 *
 * A description is a kind and what it is made of:
 *
 *	softmax:784-10           one dense layer
 *	mlp:784-256-256-10       dense layers with ReLU between
 *	cnn:CxHxW,ITEM,…,N       images: channels, height, width
 *	rnn:T,eVxD,ITEM,…,N      T tokens of V kinds, embedded in D values
 *
 * The last item is the number of outputs, a dense layer without activation.
 * The items between:
 *
 *	cNkK[sS][v]   convolution: N filters of K × K, stride S (1); the border
 *	              is padded with K/2 zeros; v: with none (valid)
 *	pK[sS]        maximum of K × K, stride S (K)
 *	aK[sS]        average of K × K, stride S (K)
 *	dN            dense layer of N; takes all values of what is before it
 *	uN            GRU of N units; it hands on its last state, or every state
 *	              where another GRU follows
 *	gnG           group norm: G groups of channels
 *	dropP         dropout of P percent
 *	flatten       the same values in one row (dense layers do it anyway)
 *	relu tanh none   the activation of what stands before it
 *
 * Convolutions and dense layers have ReLU unless an activation follows; a group
 * norm and a maximum take the activation over from what is before them, which
 * changes nothing for the maximum but that there is less to do.
 *
 * Presets are names for such lines: 2nn, lenet5, femnist-cnn, fedavg-mnist-cnn,
 * char-gru.  A description in JSON says the same in other words:
 *
 *	{"kind": "cnn", "input": [1, 28, 28], "layers": [
 *	  {"conv2d": 32, "kernel": 3}, {"max_pool": 2}, {"dense": 128}, 10]}
 *
 * with the keys conv2d (kernel, stride, valid), max_pool and average_pool
 * (stride), dense, gru, embedding ([V, D]), group_norm, dropout (a share), and
 * words: "relu", "tanh", "none", "flatten".
 *
 * Values lie channels last: of an image row by row, of a pixel channel by
 * channel; of a sequence step by step.  Samples come as data sets have them,
 * channel by channel.
 */
#ifndef BENCH_NET_SPEC_H
#define BENCH_NET_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/product.h"
#include "lib/err.h"

#define NET_LAYERS_MAX     32
#define NET_WIDTH_MAX      65536
#define NET_VALUES_MAX     ((size_t)1 << 24) /* of a sample, anywhere */
#define NET_PARAMETERS_MAX ((size_t)1 << 28)
#define NET_SPEC_MAX       192
/* A matrix product whose result is at most so wide does not fill a vector
 * register. */
#define NET_NARROW 16

enum layer_type {
	LAYER_DENSE,
	LAYER_CONV2D,
	LAYER_MAX_POOL,
	LAYER_AVERAGE_POOL,
	LAYER_GROUP_NORM,
	LAYER_DROPOUT,
	LAYER_EMBEDDING,
	LAYER_GRU,
	LAYER_TYPES
};

enum activation { ACT_NONE, ACT_RELU, ACT_TANH };

/* A sequence has `height` steps and a width of 1. */
struct net_shape {
	uint32_t height, width, channels;
};

struct layer_spec {
	enum layer_type type;
	enum activation activation;
	struct net_shape in, out;
	uint32_t kernel, stride, pad; /* convolution, pools */
	uint32_t groups;              /* group norm */
	uint32_t vocabulary;          /* embedding */
	bool sequence;                /* GRU: every state, not the last */
	float drop;                   /* dropout: a share */
};

struct net_spec {
	char text[NET_SPEC_MAX]; /* as described, normalised */
	size_t layers;
	size_t width[NET_LAYERS_MAX + 1]; /* values before each layer; the
					     last: outputs */
	struct layer_spec layer[NET_LAYERS_MAX];
};

/* What one training step costs, from the description alone.
 *
 * A dense layer (in → out) does up to three matrix products per step: forward,
 * weights' gradient, input's gradient (not in the first layer), each 2 · batch
 * · in · out operations; they are the `operations`, and their number is
 * `layers`.  A convolution is a product of its patches, a GRU two products per
 * step of the sequence.  Of `bytes`, each product reads and writes its three
 * matrices once, the weights' product reads what it updates, momentum passes
 * over weights and velocity once more.  What is left, a pass over a few values
 * each, is counted in `elements`: bias and ReLU, its mask, the biases'
 * gradients, pools, norms, the loss.
 *
 * In a narrow precision the operands of products are that wide, their results
 * fp32; narrowing an operand reads it as fp32 and writes it, and the narrow
 * inputs are kept for the way back, beside the outputs. */
struct net_cost {
	double operations;         /* multiplications and additions of a step */
	double operations_forward; /* of a forward pass */
	double bytes;              /* moved by a step at least: weights,
				      activations, gradients, read and written */
	double bytes_forward;
	double layers;       /* how many kernels are started */
	double elements;     /* values passed over outside of matrix products */
	double exponentials; /* of them, with an exp() */
	double narrow;       /* result rows of narrow products (NET_NARROW) */
	double activation_bytes;
};

struct net_layer_cost {
	char name[48]; /* "dense 784x256" */
	struct precision precision;
	size_t parameters;
	double operations_forward, operations_step;
	double bytes_forward, bytes_step;
	double activation_bytes; /* outputs, and narrow inputs that are kept */
	double kernels, elements, exponentials, narrow;
};

int net_spec_parse(const char *text, struct net_spec *spec, struct err *err);
size_t net_spec_parameters(const struct net_spec *spec);
size_t net_shape_values(const struct net_shape *shape);

#endif
