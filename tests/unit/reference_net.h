/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reference_net -- a second opinion on nets: forward pass and loss in double,
 * by plain loops over a net_spec, and gradients by finite differences.
 *
 *	struct reference reference = reference_of(net, &spec, loss, x, label,
 *						  batch);
 *	double value = reference_loss(&reference);
 *	struct reference_slope slope = reference_slope(&reference, i);
 *
 *	reference_done(&reference);
 *
 * Losses with ReLU, a maximum or a hinge are smooth but for kinks, where
 * another value begins to count.  Which ones count is the `pattern` of a
 * forward pass; where it is the same at w − h, w and w + h, the loss is smooth
 * between (each of them switches at one place at most along a line so short),
 * and the difference is a slope up to O(h²).
 */
#ifndef TESTS_UNIT_REFERENCE_NET_H
#define TESTS_UNIT_REFERENCE_NET_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/net.h"
#include "lib/mem.h"

/* Rounding in double adds 1e-16 · loss / h, the third derivative h²/6. */
#define REFERENCE_H 1e-5

struct reference {
	const struct net_spec *spec;
	enum loss loss;
	const float *x;
	const int32_t *label;
	size_t batch;
	double *w;                   /* all parameters */
	float *keep[NET_LAYERS_MAX]; /* dropout: the factors */
	double *row, *next;          /* a batch before and after a layer */
	uint64_t pattern;
};

struct reference_slope {
	double value;
	bool kink; /* between w − h and w + h: the value says nothing */
};

static inline void reference_note(struct reference *r, uint64_t choice)
{
	r->pattern = (r->pattern ^ (choice + 1)) * UINT64_C(0x100000001b3);
}

/* ---- layers: one sample -------------------------------------------------------- */

static inline void reference_dense(const struct layer_spec *spec,
				   const double *w, const double *x, double *y)
{
	size_t in = layer_in(spec), out = layer_out(spec);

	for (size_t j = 0; j < out; j++) {
		y[j] = w[in * out + j];
		for (size_t i = 0; i < in; i++)
			y[j] += x[i] * w[i * out + j];
	}
}

/* Where the window of an output reaches; false: beyond the border. */
static inline bool reference_place(const struct layer_spec *spec, size_t oy,
				   size_t ox, size_t ky, size_t kx, size_t *at)
{
	long y = (long)(oy * spec->stride + ky) - (long)spec->pad;
	long x = (long)(ox * spec->stride + kx) - (long)spec->pad;

	if (y < 0 || x < 0 || y >= (long)spec->in.height ||
	    x >= (long)spec->in.width)
		return false;
	*at = ((size_t)y * spec->in.width + (size_t)x) * spec->in.channels;
	return true;
}

/* One output of a convolution (w: the filter's column) or of a pool. */
static inline double reference_window(struct reference *r,
				      const struct layer_spec *spec,
				      const double *w, const double *x,
				      size_t oy, size_t ox, size_t f)
{
	size_t k = spec->kernel, c = spec->in.channels, n = 0, best = 0, at;
	double sum = 0.0, most = -HUGE_VAL;

	for (size_t p = 0; p < k * k; p++) {
		if (!reference_place(spec, oy, ox, p / k, p % k, &at))
			continue;
		n++;
		if (spec->type == LAYER_CONV2D) {
			for (size_t i = 0; i < c; i++)
				sum += x[at + i] *
				       w[(p * c + i) * spec->out.channels + f];
			continue;
		}
		sum += x[at + f];
		best = x[at + f] > most ? p : best;
		most = fmax(most, x[at + f]);
	}
	if (spec->type == LAYER_CONV2D)
		return sum + w[k * k * c * spec->out.channels + f];
	if (spec->type == LAYER_AVERAGE_POOL)
		return sum / (double)n;
	/* With ReLU, which one of those below 0 is the largest is no matter. */
	if (most > 0.0 || spec->activation != ACT_RELU)
		reference_note(r, best);
	return most;
}

static inline void reference_windows(struct reference *r,
				     const struct layer_spec *spec,
				     const double *w, const double *x,
				     double *y)
{
	for (size_t oy = 0; oy < spec->out.height; oy++)
		for (size_t ox = 0; ox < spec->out.width; ox++)
			for (size_t f = 0; f < spec->out.channels; f++)
				*y++ = reference_window(r, spec, w, x, oy, ox,
							f);
}

static inline void reference_norm(const struct layer_spec *spec,
				  const double *w, const double *x, double *y)
{
	size_t c = spec->in.channels, wide = c / spec->groups;
	size_t n = layer_in(spec);

	for (size_t g = 0; g < spec->groups; g++) {
		double mean = 0.0, square = 0.0;
		double m = (double)(n / c * wide);

		for (size_t i = 0; i < n; i++)
			mean += i % c / wide == g ? x[i] / m : 0.0;
		for (size_t i = 0; i < n; i++)
			square += i % c / wide == g
					  ? (x[i] - mean) * (x[i] - mean) / m
					  : 0.0;
		for (size_t i = 0; i < n; i++)
			if (i % c / wide == g)
				y[i] = (x[i] - mean) / sqrt(square + 1e-5) *
					       w[i % c] +
				       w[c + i % c];
	}
}

static inline double reference_sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

/* Sums of one gate: x W + b and h U + c. */
static inline void reference_gate(const struct layer_spec *spec,
				  const double *w, const double *x,
				  const double *h, size_t column, double *in,
				  double *state)
{
	size_t n = spec->in.channels, units = spec->out.channels;
	const double *bias = w + (n + units) * 3 * units;

	*in = bias[column];
	*state = bias[3 * units + column];
	for (size_t i = 0; i < n; i++)
		*in += x[i] * w[i * 3 * units + column];
	for (size_t i = 0; i < units; i++)
		*state += h[i] * w[(n + i) * 3 * units + column];
}

static inline void reference_gru(const struct layer_spec *spec, const double *w,
				 const double *x, double *y)
{
	size_t units = spec->out.channels;
	double *h = xcalloc(2 * units, sizeof(*h)), *new = h + units;
	double a, b, r, z, n;

	for (size_t t = 0; t < spec->in.height; t++) {
		for (size_t j = 0; j < units; j++) {
			reference_gate(spec, w, x, h, j, &a, &b);
			r = reference_sigmoid(a + b);
			reference_gate(spec, w, x, h, units + j, &a, &b);
			z = reference_sigmoid(a + b);
			reference_gate(spec, w, x, h, 2 * units + j, &a, &b);
			n = tanh(a + r * b);
			new[j] = (1.0 - z) * n + z *h[j];
		}
		memcpy(h, new, units * sizeof(*h));
		if (spec->sequence)
			memcpy(y + t * units, h, units * sizeof(*h));
		x += spec->in.channels;
	}
	if (!spec->sequence)
		memcpy(y, h, units * sizeof(*h));
	free(h);
}

static inline void reference_layer(struct reference *r, size_t l,
				   const double *w, size_t sample,
				   const double *x, double *y)
{
	const struct layer_spec *spec = &r->spec->layer[l];
	size_t in = layer_in(spec), wide = spec->out.channels;

	switch (spec->type) {
	case LAYER_DENSE:
		reference_dense(spec, w, x, y);
		break;
	case LAYER_GROUP_NORM:
		reference_norm(spec, w, x, y);
		break;
	case LAYER_GRU:
		reference_gru(spec, w, x, y);
		break;
	case LAYER_DROPOUT:
		for (size_t i = 0; i < in; i++)
			y[i] = x[i] * (double)r->keep[l][sample * in + i];
		break;
	case LAYER_EMBEDDING:
		for (size_t i = 0; i < in; i++)
			memcpy(y + i * wide, w + (size_t)x[i] * wide,
			       wide * sizeof(*y));
		break;
	default:
		reference_windows(r, spec, w, x, y);
	}
}

static inline void reference_activate(struct reference *r,
				      enum activation activation, double *y,
				      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (activation == ACT_TANH) {
			y[i] = tanh(y[i]);
		} else if (activation == ACT_RELU) {
			reference_note(r, y[i] > 0.0);
			y[i] = fmax(y[i], 0.0);
		}
}

/* ---- losses ---------------------------------------------------------------------- */

static inline double reference_hinge(struct reference *r, const double *z,
				     size_t y, size_t classes)
{
	size_t wrong = y == 0;

	for (size_t c = wrong + 1; c < classes; c++)
		wrong = c != y && z[c] > z[wrong] ? c : wrong;
	if (1.0 + z[wrong] - z[y] <= 0.0) {
		reference_note(r, classes);
		return 0.0;
	}
	reference_note(r, wrong);
	return 1.0 + z[wrong] - z[y];
}

/* ln Σ exp z */
static inline double reference_log_sum(const double *z, size_t n)
{
	double max = z[0], sum;

	for (size_t c = 1; c < n; c++)
		max = fmax(max, z[c]);
	sum = exp(z[0] - max);
	for (size_t c = 1; c < n; c++)
		sum += exp(z[c] - max);
	return max + log(sum);
}

static inline double reference_sample(struct reference *r, const double *z,
				      int32_t label, size_t classes)
{
	size_t y = (size_t)label;
	double ln, sum = 0.0, all = reference_log_sum(z, classes);

	switch (r->loss) {
	case LOSS_MSE:
		for (size_t c = 0; c < classes; c++)
			sum += pow(z[c] - (c == y ? 1.0 : 0.0), 2.0);
		return sum / (double)classes;
	case LOSS_SMOOTH:
		for (size_t c = 0; c < classes; c++)
			sum += (all - z[c]) *
			       ((c == y ? 0.9 : 0.0) + 0.1 / (double)classes);
		return sum;
	case LOSS_FOCAL:
		ln = z[y] - all;
		return -pow(1.0 - exp(ln), 2.0) * ln;
	case LOSS_HINGE:
		return reference_hinge(r, z, y, classes);
	case LOSS_LOGISTIC:
		for (size_t c = 0; c < classes; c++)
			sum += log1p(
				exp(y == c + (classes == 1) ? -z[c] : z[c]));
		return sum;
	default:
		return all - z[y];
	}
}

static inline int32_t reference_time(int32_t label)
{
	return label < 0 ? ~label : label;
}

static inline double reference_cox(const struct reference *r, const double *z)
{
	double sum = 0.0;

	for (size_t i = 0; i < r->batch; i++) {
		double risk = 0.0;

		if (r->label[i] < 0)
			continue;
		for (size_t j = 0; j < r->batch; j++)
			if (reference_time(r->label[j]) >= r->label[i])
				risk += exp(z[j]);
		sum += log(risk) - z[i];
	}
	return sum;
}

/* ---- nets ------------------------------------------------------------------------ */

static inline size_t reference_widest(const struct net_spec *spec)
{
	size_t widest = 0;

	for (size_t l = 0; l <= spec->layers; l++)
		widest = spec->width[l] > widest ? spec->width[l] : widest;
	return widest;
}

/* What dropout draws in the step that `net` is at. */
static inline float *reference_keep(struct net *net,
				    const struct layer_spec *spec, size_t l,
				    size_t batch)
{
	struct net_state state = net_state_get(net);
	size_t n = batch * layer_in(spec);
	float *ones = xcalloc(2 * n, sizeof(*ones));
	float *keep = xcalloc(n, sizeof(*keep));
	struct layer layer = { .spec = spec, .scratch = ones + n };
	struct layer_pass pass = {
		.batch = batch,
		.x = ones,
		.y = keep,
		.training = true,
		.seed = state.seed + (state.step * NET_LAYERS_MAX + l) * 4,
	};

	for (size_t i = 0; i < n; i++)
		ones[i] = 1.0f;
	layer_kind_dropout.forward(&layer, &pass);
	free(ones);
	return keep;
}

static inline struct reference reference_of(struct net *net,
					    const struct net_spec *spec,
					    enum loss loss, const float *x,
					    const int32_t *label, size_t batch)
{
	struct reference r = { .spec = spec,
			       .loss = loss,
			       .x = x,
			       .label = label,
			       .batch = batch };
	size_t n = net_parameters(net), values = batch * reference_widest(spec);

	r.w = xcalloc(n, sizeof(*r.w));
	for (size_t i = 0; i < n; i++)
		r.w[i] = (double)net_weights(net)[i];
	r.row = xcalloc(values, sizeof(*r.row));
	r.next = xcalloc(values, sizeof(*r.next));
	for (size_t l = 0; l < spec->layers; l++)
		if (spec->layer[l].type == LAYER_DROPOUT)
			r.keep[l] =
				reference_keep(net, &spec->layer[l], l, batch);
	return r;
}

static inline void reference_done(struct reference *r)
{
	for (size_t l = 0; l < NET_LAYERS_MAX; l++)
		free(r->keep[l]);
	free(r->w);
	free(r->row);
	free(r->next);
}

/* Samples come channel by channel; values lie channels last. */
static inline void reference_enter(struct reference *r)
{
	const struct net_shape *in = &r->spec->layer[0].in;
	size_t channels = in->channels, n = r->spec->width[0];
	size_t pixels = n / channels;

	for (size_t b = 0; b < r->batch; b++)
		for (size_t i = 0; i < n; i++)
			r->row[b * n + i] =
				(double)r->x[b * n + i % channels * pixels +
					     i / channels];
}

/* The mean loss as a step of training sees it; sets the pattern. */
static inline double reference_loss(struct reference *r)
{
	size_t classes = r->spec->width[r->spec->layers];
	const double *w = r->w;
	double sum = 0.0, *swap;

	r->pattern = 0;
	reference_enter(r);
	for (size_t l = 0; l < r->spec->layers; l++) {
		const struct layer_spec *spec = &r->spec->layer[l];

		for (size_t b = 0; b < r->batch; b++)
			reference_layer(r, l, w, b,
					r->row + b * r->spec->width[l],
					r->next + b * r->spec->width[l + 1]);
		reference_activate(r, spec->activation, r->next,
				   r->batch * r->spec->width[l + 1]);
		w += layer_parameters(spec);
		swap = r->row;
		r->row = r->next;
		r->next = swap;
	}
	if (r->loss == LOSS_COX)
		return reference_cox(r, r->row) / (double)r->batch;
	for (size_t b = 0; b < r->batch; b++)
		sum += reference_sample(r, r->row + b * classes, r->label[b],
					classes);
	return sum / (double)r->batch;
}

static inline struct reference_slope reference_slope(struct reference *r,
						     size_t parameter)
{
	double old = r->w[parameter], high, low;
	uint64_t here, up, down;

	(void)reference_loss(r);
	here = r->pattern;
	r->w[parameter] = old + REFERENCE_H;
	high = reference_loss(r);
	up = r->pattern;
	r->w[parameter] = old - REFERENCE_H;
	low = reference_loss(r);
	down = r->pattern;
	r->w[parameter] = old;
	return (struct reference_slope){
		.value = (high - low) / (2.0 * REFERENCE_H),
		.kink = up != here || down != here,
	};
}

#endif
