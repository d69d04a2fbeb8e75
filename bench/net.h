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
 * What a net consists of is said in net_spec.h; what a layer does, in the file
 * of its kind (layer_kind.h).  The output of the last layer are logits; the
 * loss turns them into probabilities.
 *
 * All parameters are one block of floats, net_weights(): layer by layer,
 * weights (in × out, row-major: row = input) then biases.  A copy of that block
 * is a model; the difference of two is an update.  A net is one allocation and
 * a step allocates nothing, but that the first step of a batch size makes that
 * size's convolutions.  A net belongs to one thread.
 *
 * Shapes: x is batch × features, row-major; label is batch class indices, all
 * of them below the width of the last layer.
 *
 * With z the logits of a sample, p = softmax(z), y its class and t the one-hot
 * row of y, the losses are means over the batch of
 *
 *	ce	−ln p_y				dL/dz = p − t
 *	mse	1/C · Σ_c (z_c − t_c)²		dL/dz = 2/C · (z − t)
 *	smooth	ce with t = 0.9 t + 0.1/C (Szegedy et al., CVPR 2016)
 *	focal	−(1 − p_y)² ln p_y (Lin et al., ICCV 2017)
 *	hinge	max(0, 1 + max_{c≠y} z_c − z_y) (Crammer and Singer, JMLR 2001)
 *	logistic  Σ_c ln(1 + exp(∓z_c)), − for the class: one against the rest;
 *		with one output its class is 1
 *	cox	of one output, the log risk: for each event, ln Σ_{at risk} exp z
 *		− z (Cox, 1975; ties as Breslow has them).  A label of 0 or more
 *		is the time of an event, ~t the time t until which there was
 *		none; the risk sets are those of the batch.
 *
 * A step ends with a method of `struct sgd`; g is the mean gradient, λ the
 * weight decay, applied to every parameter:
 *
 *	sgd	w ← w − rate (g + λ w), inside the weights' matrix product,
 *		W ← (1 − rate λ) W − rate/batch · Xᵀ G: a gradient is never
 *		stored
 *	momentum  v ← μ v + g + λ w, w ← w − rate · v (Sutskever et al., ICML
 *		2013, in the form that PyTorch uses)
 *	nesterov  the same v, w ← w − rate (g + λ w + μ v)
 *	adam	Kingma and Ba, ICLR 2015; λ w is part of g
 *	adamw	Loshchilov and Hutter, ICLR 2019: w ← (1 − rate λ) w first
 *
 * With `clip`, g is scaled down to that norm where it is longer.
 *
 * To add a loss: a file loss_NAME.c and a line in the table in loss.c; a layer:
 * layer_kind.h; a precision: product.h.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"
#include "bench/net_spec.h"
#include "bench/product.h"
#include "lib/err.h"
#include "lib/rng.h"

/* Activations and gradients of a net, in floats. */
#define NET_ACTIVATIONS_MAX ((size_t)1 << 30)

enum loss {
	LOSS_CE,
	LOSS_MSE,
	LOSS_SMOOTH,
	LOSS_FOCAL,
	LOSS_HINGE,
	LOSS_LOGISTIC,
	LOSS_COX,
	LOSSES
};
#define LOSS_NAMES "ce, mse, smooth, focal, hinge, logistic, cox"

/* In the order of their names in SGD_NAMES. */
enum sgd_method {
	SGD_PLAIN, /* with momentum, where there is some */
	SGD_MOMENTUM,
	SGD_NESTEROV,
	SGD_ADAM,
	SGD_ADAMW
};
#define SGD_NAMES "sgd, momentum, nesterov, adam, adamw"

/* A method of stochastic gradients, and its constants. */
struct sgd {
	float rate;
	float momentum; /* 0: plain; Adam: of the first moment (0.9) */
	enum sgd_method method;
	float decay;  /* of weights */
	float clip;   /* 0: no limit on the gradient's norm */
	float second; /* Adam: of the second moment (0.999) */
};

/* How the rate goes over a run: from a warm-up of the share `warm` on, it
 * stays, falls along half a cosine to 0, or to a tenth at a half and to a
 * hundredth at three quarters of the rest. */
enum sgd_schedule { SGD_CONSTANT, SGD_COSINE, SGD_STEP };

struct net;

void net_spec_cost(const struct net_spec *spec, size_t batch, enum loss loss,
		   bool momentum, struct net_cost *cost);
void net_spec_layer_cost(const struct net_spec *spec, size_t layer,
			 size_t batch, struct net_layer_cost *cost);
/* The same in another precision than fp32. */
void net_spec_cost_in(struct precision precision, const struct net_spec *spec,
		      size_t batch, enum loss loss, bool momentum,
		      struct net_cost *cost);
void net_spec_layer_cost_in(struct precision precision,
			    const struct net_spec *spec, size_t layer,
			    size_t batch, struct net_layer_cost *cost);

int loss_parse(const char *text, enum loss *loss, struct err *err);
const char *loss_name(enum loss loss);
/* EINVAL where a loss cannot do with so many outputs. */
int loss_fits(enum loss loss, size_t outputs, struct err *err);

int sgd_parse(const char *text, enum sgd_method *method, struct err *err);
const char *sgd_name(enum sgd_method method);
/* The factor on the rate when the share `done` of a run is done. */
double sgd_schedule(enum sgd_schedule schedule, double warm, double done);

struct net *net_new(const struct net_spec *spec, enum loss loss,
		    size_t batch_max, const struct mat *mat, struct err *err);
/* The same with products in another precision than fp32 (product.h). */
struct net *net_new_in(struct precision precision, const struct net_spec *spec,
		       enum loss loss, size_t batch_max, const struct mat *mat,
		       struct err *err);
void net_free(struct net *net); /* accepts NULL */

/* As the layers have it (dense and convolution: He-uniform weights, zero
 * biases); zero momentum. */
void net_init(struct net *net, struct rng *rng);

/* What layers and precisions draw at random in the steps to come follows from
 * here.  Takes nothing from `rng` where nothing is drawn. */
void net_reseed(struct net *net, struct rng *rng);

float *net_weights(struct net *net);
size_t net_parameters(const struct net *net);
/* Forget the momentum (a federated client starts each round afresh). */
void net_reset_momentum(struct net *net);

/* What the next steps depend on beside the weights: for checkpoints. */
#define NET_MOMENTS 2
struct net_state {
	uint64_t seed, step; /* of what is drawn at random */
	uint64_t updates;    /* since the momentum was reset */
	bool used[NET_MOMENTS];
	/* First and second moment, net_parameters() floats each: the net's own
	 * (net_state_set() leaves them to be written through). */
	float *moment[NET_MOMENTS];
};
struct net_state net_state_get(struct net *net);
void net_state_set(struct net *net, const struct net_state *state);

/* Forward, loss, backward, update; returns the mean loss of the batch before
 * the update.  batch <= batch_max. */
double net_step(struct net *net, const float *x, const int32_t *label,
		size_t batch, const struct sgd *sgd);

/* Forward and loss only. */
double net_loss(struct net *net, const float *x, const int32_t *label,
		size_t batch);

/* The gradient of the mean loss, laid out like the weights, and the loss; as a
 * step sees them (dropout drops), no update: for tests. */
double net_gradient(struct net *net, const float *x, const int32_t *label,
		    size_t batch, float *gradient);

/* Mean loss and share of right answers over `n` samples, in chunks. */
void net_evaluate(struct net *net, const float *x, const int32_t *label,
		  size_t n, double *loss, double *accuracy);

#endif
