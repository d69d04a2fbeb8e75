/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/loss_kind.h"
#include "lib/mem.h"

/* A row of floats on the boundary of a cache line. */
#define LINE      16
#define HUGE_PAGE ((size_t)2 << 20)

struct net {
	struct net_spec spec;
	const struct loss_kind *loss;
	const struct mat *mat;
	size_t batch_max, parameters;
	float *weights, *velocity;
	float *buffer;                 /* what follows lies in it */
	float *output[NET_LAYERS_MAX]; /* of each layer; the last: logits */
	float *delta, *next_delta;     /* dL/d(output), batch × width */
	float *row;                    /* one row of the widest layer */
};

/* Where a backward pass leaves the gradient g of the mean loss:
 * target = beta · target + alpha · batch · g. */
struct backward {
	float alpha, beta;
	float *target;
};

/* ---- making ---------------------------------------------------------------- */

static size_t padded(size_t floats)
{
	return (floats + LINE - 1) / LINE * LINE;
}

static size_t widest(const struct net_spec *spec)
{
	size_t max = 0;

	for (size_t l = 1; l <= spec->layers; l++)
		max = spec->width[l] > max ? spec->width[l] : max;
	return max;
}

static size_t buffer_floats(const struct net_spec *spec, size_t batch)
{
	size_t sum = 2 * padded(batch * widest(spec)) + padded(widest(spec));

	for (size_t l = 1; l <= spec->layers; l++)
		sum += padded(batch * spec->width[l]);
	return sum;
}

/* Zeroed.  Where the kernel has huge pages to give, large blocks get them: with
 * small ones the same step takes up to a third longer in some processes than
 * in others, by the luck of which pages share a set of the second-level cache
 * (weights of 1 MiB, batch 1). */
static float *block_new(size_t floats)
{
	size_t size = floats * sizeof(float);
	float *block;

	if (size < HUGE_PAGE / 2)
		return xcalloc_aligned(floats, sizeof(*block));
	size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	block = aligned_alloc(HUGE_PAGE, size);
	if (!block)
		return xcalloc_aligned(floats, sizeof(*block));
	(void)madvise(block, size, MADV_HUGEPAGE);
	memset(block, 0, floats * sizeof(*block));
	return block;
}

static void buffer_share(struct net *net)
{
	const struct net_spec *spec = &net->spec;
	float *next = net->buffer;

	for (size_t l = 0; l < spec->layers; l++) {
		net->output[l] = next;
		next += padded(net->batch_max * spec->width[l + 1]);
	}
	net->delta = next;
	next += padded(net->batch_max * widest(spec));
	net->next_delta = next;
	next += padded(net->batch_max * widest(spec));
	net->row = next;
}

struct net *net_new(const struct net_spec *spec, enum loss loss,
		    size_t batch_max, const struct mat *mat, struct err *err)
{
	struct net *net;

	/* A width is below 2^16, a net has 32 layers: no overflow. */
	if (batch_max < 1 || batch_max > NET_ACTIVATIONS_MAX ||
	    buffer_floats(spec, batch_max) > NET_ACTIVATIONS_MAX) {
		err_set(err, EFBIG,
			"%s at batch %zu: activations beyond the limit of %zu "
			"values",
			spec->text, batch_max, NET_ACTIVATIONS_MAX);
		err_remedy(err, "use a smaller batch");
		return NULL;
	}
	net = xcalloc(1, sizeof(*net));
	net->spec = *spec;
	net->loss = loss_kind_of(loss);
	net->mat = mat;
	net->batch_max = batch_max;
	net->parameters = net_spec_parameters(spec);
	net->weights = block_new(net->parameters);
	net->velocity = block_new(net->parameters);
	net->buffer = block_new(buffer_floats(spec, batch_max));
	buffer_share(net);
	return net;
}

void net_free(struct net *net)
{
	if (!net)
		return;
	free(net->weights);
	free(net->velocity);
	free(net->buffer);
	free(net);
}

/* Uniform in ± sqrt(6 / in): He et al., "Delving deep into rectifiers", ICCV
 * 2015, variance 2 / in. */
void net_init(struct net *net, struct rng *rng)
{
	float *w = net->weights;

	for (size_t l = 0; l < net->spec.layers; l++) {
		size_t in = net->spec.width[l], out = net->spec.width[l + 1];
		double bound = sqrt(6.0 / (double)in);

		for (size_t i = 0; i < in * out; i++)
			*w++ = (float)(bound * (2.0 * rng_uniform(rng) - 1.0));
		memset(w, 0, out * sizeof(*w));
		w += out;
	}
	net_reset_momentum(net);
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
	memset(net->velocity, 0, net->parameters * sizeof(float));
}

/* ---- loops around the matrix products -------------------------------------- */

static void add_bias(float *restrict y, const float *restrict bias,
		     size_t batch, size_t width)
{
	for (size_t r = 0; r < batch; r++, y += width)
		for (size_t j = 0; j < width; j++)
			y[j] += bias[j];
}

static void add_bias_relu(float *restrict y, const float *restrict bias,
			  size_t batch, size_t width)
{
	for (size_t r = 0; r < batch; r++, y += width)
		for (size_t j = 0; j < width; j++) {
			float z = y[j] + bias[j];

			y[j] = z > 0.0f ? z : 0.0f;
		}
}

/* ReLU's derivative, from its output. */
static void mask(float *restrict delta, const float *restrict output, size_t n)
{
	for (size_t i = 0; i < n; i++)
		delta[i] = output[i] > 0.0f ? delta[i] : 0.0f;
}

static void sum_rows(float *restrict sum, const float *restrict delta,
		     size_t batch, size_t width)
{
	memcpy(sum, delta, width * sizeof(*sum));
	for (size_t r = 1; r < batch; r++)
		for (size_t j = 0; j < width; j++)
			sum[j] += delta[r * width + j];
}

/* target = beta · target + alpha · x; as BLAS has it, a beta of 0 does not
 * read. */
static void put_scaled(float *restrict target, const float *restrict x,
		       size_t n, float alpha, float beta)
{
	if (beta == 0.0f)
		for (size_t i = 0; i < n; i++)
			target[i] = alpha * x[i];
	else
		for (size_t i = 0; i < n; i++)
			target[i] = beta * target[i] + alpha * x[i];
}

/* ---- forward and backward --------------------------------------------------- */

static void forward(struct net *net, const float *x, size_t batch)
{
	const float *w = net->weights;

	for (size_t l = 0; l < net->spec.layers; l++) {
		size_t in = net->spec.width[l], out = net->spec.width[l + 1];
		const float *bias = w + in * out;
		float *y = net->output[l];

		mat_gemm(net->mat, MAT_NO, MAT_NO, batch, out, in, 1.0f, x, in,
			 w, out, 0.0f, y, out);
		if (l + 1 < net->spec.layers)
			add_bias_relu(y, bias, batch, out);
		else
			add_bias(y, bias, batch, out);
		x = y;
		w = bias + out;
	}
}

static const float *logits(const struct net *net)
{
	return net->output[net->spec.layers - 1];
}

static size_t classes(const struct net *net)
{
	return net->spec.width[net->spec.layers];
}

/* dL/d(input) of a layer, before the layer changes. */
static void backward_input(struct net *net, size_t layer, const float *weights,
			   size_t batch)
{
	size_t in = net->spec.width[layer], out = net->spec.width[layer + 1];

	mat_gemm(net->mat, MAT_NO, MAT_YES, batch, in, out, 1.0f, net->delta,
		 out, weights, out, 0.0f, net->next_delta, in);
	mask(net->next_delta, net->output[layer - 1], batch * in);
}

static void backward_layer(struct net *net, size_t layer, const float *x,
			   size_t batch, const struct backward *to,
			   float *target)
{
	size_t in = net->spec.width[layer], out = net->spec.width[layer + 1];

	mat_gemm(net->mat, MAT_YES, MAT_NO, in, out, batch, to->alpha, x, in,
		 net->delta, out, to->beta, target, out);
	sum_rows(net->row, net->delta, batch, out);
	put_scaled(target + in * out, net->row, out, to->alpha, to->beta);
}

/* After forward(): the mean loss, and its gradient into `to`. */
static double backward(struct net *net, const float *x, const int32_t *label,
		       size_t batch, const struct backward *to)
{
	double sum = net->loss->sum(logits(net), label, batch, classes(net),
				    net->delta);
	size_t offset = net->parameters;

	for (size_t l = net->spec.layers; l-- > 0;) {
		const float *input = l ? net->output[l - 1] : x;
		float *delta = net->delta;

		offset -= (net->spec.width[l] + 1) * net->spec.width[l + 1];
		if (l)
			backward_input(net, l, net->weights + offset, batch);
		backward_layer(net, l, input, batch, to, to->target + offset);
		net->delta = net->next_delta;
		net->next_delta = delta;
	}
	return sum / (double)batch;
}

/* ---- what users call -------------------------------------------------------- */

double net_step(struct net *net, const float *x, const int32_t *label,
		size_t batch, const struct sgd *sgd)
{
	struct backward to = { -sgd->rate / (float)batch, 1.0f, net->weights };
	double loss;

	if (sgd->momentum != 0.0f)
		to = (struct backward){ 1.0f / (float)batch, sgd->momentum,
					net->velocity };
	forward(net, x, batch);
	loss = backward(net, x, label, batch, &to);
	if (sgd->momentum != 0.0f)
		put_scaled(net->weights, net->velocity, net->parameters,
			   -sgd->rate, 1.0f);
	return loss;
}

double net_loss(struct net *net, const float *x, const int32_t *label,
		size_t batch)
{
	forward(net, x, batch);
	return net->loss->sum(logits(net), label, batch, classes(net), NULL) /
	       (double)batch;
}

void net_gradient(struct net *net, const float *x, const int32_t *label,
		  size_t batch, float *gradient)
{
	struct backward to = { 1.0f / (float)batch, 0.0f, gradient };

	forward(net, x, batch);
	backward(net, x, label, batch, &to);
}

static size_t count_right(const float *logit, const int32_t *label,
			  size_t batch, size_t width)
{
	size_t right = 0;

	for (size_t i = 0; i < batch; i++, logit += width) {
		size_t best = 0;

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
		right += count_right(logits(net), label + i, batch,
				     classes(net));
	}
	*loss = sum / (double)n;
	*accuracy = (double)right / (double)n;
}
