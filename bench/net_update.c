/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net_update.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "lib/field.h"

#define EPSILON 1e-8f

static const char *const names[] = {
	[SGD_PLAIN] = "sgd",         [SGD_MOMENTUM] = "momentum",
	[SGD_NESTEROV] = "nesterov", [SGD_ADAM] = "adam",
	[SGD_ADAMW] = "adamw",       NULL,
};

int sgd_parse(const char *text, enum sgd_method *method, struct err *err)
{
	const char *near = field_nearest(text, names);

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0) {
			*method = (enum sgd_method)i;
			return 0;
		}
	err_set(err, EINVAL, "optimizer '%s': unknown", text);
	if (near)
		return err_remedy(err, "did you mean %s?", near);
	return err_remedy(err, "there are %s", SGD_NAMES);
}

const char *sgd_name(enum sgd_method method)
{
	return names[method];
}

/* SGD is plain where there is no momentum, whatever it is called. */
static bool has_momentum(const struct sgd *sgd)
{
	return sgd->momentum != 0.0f || sgd->method >= SGD_ADAM;
}

static bool is_adam(const struct sgd *sgd)
{
	return sgd->method == SGD_ADAM || sgd->method == SGD_ADAMW;
}

struct backward update_target(struct update *update, const struct sgd *sgd,
			      float *weights, size_t batch)
{
	float scale = 1.0f / (float)batch;

	if (!has_momentum(sgd) && sgd->clip == 0.0f)
		return (struct backward){ -sgd->rate / (float)batch,
					  1.0f - sgd->rate * sgd->decay,
					  weights };
	update->used[UPDATE_FIRST] = true;
	if (!is_adam(sgd) && sgd->clip == 0.0f && sgd->method != SGD_NESTEROV &&
	    sgd->decay == 0.0f)
		return (struct backward){ scale, sgd->momentum,
					  update->block[UPDATE_FIRST] };
	update->used[UPDATE_SECOND] |= is_adam(sgd);
	return (struct backward){ scale, 0.0f, update->block[UPDATE_GRADIENT] };
}

/* Scale down to a norm of `clip` at most. */
static void clip(float *gradient, size_t n, float most)
{
	double square = 0.0, norm;

	for (size_t i = 0; i < n; i++)
		square += (double)gradient[i] * (double)gradient[i];
	norm = sqrt(square);
	if (norm <= (double)most)
		return;
	for (size_t i = 0; i < n; i++)
		gradient[i] *= (float)((double)most / norm);
}

static void step_momentum(const struct sgd *sgd, float *restrict w,
			  float *restrict v, const float *restrict gradient,
			  size_t n)
{
	float ahead = sgd->method == SGD_NESTEROV ? 1.0f : 0.0f;

	for (size_t i = 0; i < n; i++) {
		float g = gradient[i] + sgd->decay * w[i];

		v[i] = sgd->momentum * v[i] + g;
		w[i] -= sgd->rate *
			(ahead != 0.0f ? g + sgd->momentum * v[i] : v[i]);
	}
}

static void step_adam(const struct sgd *sgd, uint64_t steps, float *restrict w,
		      float *restrict m, float *restrict v,
		      const float *restrict gradient, size_t n)
{
	float b1 = sgd->momentum, b2 = sgd->second;
	double right1 = 1.0 - pow((double)b1, (double)steps);
	double right2 = 1.0 - pow((double)b2, (double)steps);
	float rate = (float)((double)sgd->rate / right1);
	float root = (float)(1.0 / sqrt(right2));
	float coupled = sgd->method == SGD_ADAM ? sgd->decay : 0.0f;
	float keep =
		sgd->method == SGD_ADAMW ? 1.0f - sgd->rate * sgd->decay : 1.0f;

	for (size_t i = 0; i < n; i++) {
		float g = gradient[i] + coupled * w[i];

		m[i] += (1.0f - b1) * (g - m[i]);
		v[i] += (1.0f - b2) * (g * g - v[i]);
		w[i] = keep * w[i] -
		       rate * m[i] / (sqrtf(v[i]) * root + EPSILON);
	}
}

void update_finish(struct update *update, const struct sgd *sgd, float *weights,
		   size_t n)
{
	float *first = update->block[UPDATE_FIRST];
	float *gradient = update->block[UPDATE_GRADIENT];
	struct backward to = update_target(update, sgd, weights, 1);

	update->steps++;
	if (to.target == weights)
		return;
	if (to.target == first) {
		layer_put(weights, first, n, -sgd->rate, 1.0f);
		return;
	}
	if (sgd->clip != 0.0f)
		clip(gradient, n, sgd->clip);
	if (is_adam(sgd))
		step_adam(sgd, update->steps, weights, first,
			  update->block[UPDATE_SECOND], gradient, n);
	else
		step_momentum(sgd, weights, first, gradient, n);
}

void update_reset(struct update *update, size_t n)
{
	for (int i = 0; i < UPDATE_BLOCKS; i++)
		if (update->used[i])
			memset(update->block[i], 0, n * sizeof(float));
	memset(update->used, 0, sizeof(update->used));
	update->steps = 0;
}

/* ---- schedules ------------------------------------------------------------- */

double sgd_schedule(enum sgd_schedule schedule, double warm, double done)
{
	double rest;

	if (done < warm)
		return done / warm;
	rest = warm < 1.0 ? (done - warm) / (1.0 - warm) : 1.0;
	switch (schedule) {
	case SGD_COSINE:
		return 0.5 * (1.0 + cos(M_PI * rest));
	case SGD_STEP:
		return rest < 0.5 ? 1.0 : rest < 0.75 ? 0.1 : 0.01;
	default:
		return 1.0;
	}
}
