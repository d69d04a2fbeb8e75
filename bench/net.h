/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net -- a neural network to be trained: small, exact, deterministic.
 *
 *	struct net_spec spec;
 *	struct net *net;
 *
 *	net_spec_parse("mlp:784-256-256-10", &spec, &err);
 *	net = net_new(&spec, LOSS_CE, 32, mat, &err);
 *	net_init(net, &rng);
 *	loss = net_step(net, x, label, 32, &sgd);
 *	net_free(net);
 *
 * A description is a kind and what it is made of: "softmax:784-10" (one dense
 * layer), "mlp:784-256-256-10" (dense layers with ReLU between).  The output
 * of the last layer are logits; the loss turns them into probabilities.
 *
 * All parameters are one block of floats, net_weights(): layer by layer,
 * weights (in × out, row-major: row = input) then biases.  A copy of that block
 * is a model; the difference of two is an update.  Activations and gradients
 * are allocated once, a step allocates nothing.  A net belongs to one thread.
 *
 * Shapes: x is batch × features, row-major; label is batch class indices, all
 * of them below the width of the last layer.
 *
 * With z the logits of a sample, p = softmax(z), y its class and t the one-hot
 * row of y, the losses are means over the batch of
 *
 *	ce	−ln p_y				dL/dz = p − t
 *	mse	1/C · Σ_c (z_c − t_c)²		dL/dz = 2/C · (z − t)
 *
 * SGD with momentum μ is v ← μ v + g, w ← w − rate · v (Sutskever et al.,
 * ICML 2013, in the form that PyTorch uses); without it the update happens
 * inside the weights' matrix product, W ← W − rate/batch · Xᵀ G, so that a
 * gradient is never stored.
 *
 * To add a loss: a file loss_NAME.c and a line in the table in loss.c.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"
#include "lib/err.h"
#include "lib/rng.h"

#define NET_LAYERS_MAX     32
#define NET_WIDTH_MAX      65536
#define NET_PARAMETERS_MAX ((size_t)1 << 28)
#define NET_SPEC_MAX       128
/* Activations and gradients of a net, in floats. */
#define NET_ACTIVATIONS_MAX ((size_t)1 << 30)

struct net_spec {
	char text[NET_SPEC_MAX];          /* as described, normalised */
	size_t layers;                    /* dense layers */
	size_t width[NET_LAYERS_MAX + 1]; /* width[0]: features */
};

/* What one training step costs, from the description alone.
 *
 * A dense layer (in → out) does up to three matrix products per step: forward,
 * weights' gradient, input's gradient (not in the first layer), each 2 · batch
 * · in · out operations; they are the `operations`, and their number is
 * `layers`.  Of `bytes`, each product reads and writes its three matrices
 * once, the weights' product reads what it updates, momentum passes over
 * weights and velocity once more.  What is left, a pass over a few values each,
 * is counted in `elements`: bias and ReLU, its mask, the biases' gradients, the
 * loss. */
struct net_cost {
	double operations;         /* multiplications and additions of a step */
	double operations_forward; /* of a forward pass */
	double bytes;              /* moved by a step at least: weights,
				      activations, gradients, read and written */
	double bytes_forward;
	double layers;       /* how many kernels are started */
	double elements;     /* values passed over outside of matrix products */
	double exponentials; /* of them, with an exp() (loss ce) */
};

struct net_layer_cost {
	char name[32]; /* "dense 784x256" */
	size_t parameters;
	double operations_forward, operations_step;
	double bytes_forward, bytes_step;
	double activation_bytes;
};

enum loss { LOSS_CE, LOSS_MSE }; /* "ce", "mse" (of one-hot targets) */

struct sgd {
	float rate;
	float momentum; /* 0: plain */
};

struct net;

int net_spec_parse(const char *text, struct net_spec *spec, struct err *err);
size_t net_spec_parameters(const struct net_spec *spec);
void net_spec_cost(const struct net_spec *spec, size_t batch, enum loss loss,
		   bool momentum, struct net_cost *cost);
void net_spec_layer_cost(const struct net_spec *spec, size_t layer,
			 size_t batch, struct net_layer_cost *cost);

int loss_parse(const char *text, enum loss *loss, struct err *err);
const char *loss_name(enum loss loss);

struct net *net_new(const struct net_spec *spec, enum loss loss,
		    size_t batch_max, const struct mat *mat, struct err *err);
void net_free(struct net *net); /* accepts NULL */

/* He-uniform weights, zero biases, zero momentum. */
void net_init(struct net *net, struct rng *rng);

float *net_weights(struct net *net);
size_t net_parameters(const struct net *net);
/* Forget the momentum (a federated client starts each round afresh). */
void net_reset_momentum(struct net *net);

/* Forward, loss, backward, update; returns the mean loss of the batch before
 * the update.  batch <= batch_max. */
double net_step(struct net *net, const float *x, const int32_t *label,
		size_t batch, const struct sgd *sgd);

/* Forward and loss only. */
double net_loss(struct net *net, const float *x, const int32_t *label,
		size_t batch);

/* The gradient of the mean loss, laid out like the weights, no update: for
 * tests. */
void net_gradient(struct net *net, const float *x, const int32_t *label,
		  size_t batch, float *gradient);

/* Mean loss and share of right answers over `n` samples, in chunks. */
void net_evaluate(struct net *net, const float *x, const int32_t *label,
		  size_t n, double *loss, double *accuracy);

#endif
