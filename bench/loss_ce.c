/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cross-entropy of softmax: −ln p_y = ln Σ exp(z_c − max) − (z_y − max); with
 * the largest logit taken off, nothing overflows.
 */
#include "bench/loss_kind.h"

#include <assert.h>
#include <math.h>

static float largest(const float *z, size_t classes)
{
	float max = z[0];

	for (size_t c = 1; c < classes; c++)
		max = z[c] > max ? z[c] : max;
	return max;
}

static double value(const float *z, size_t y, size_t classes)
{
	float max = largest(z, classes), sum = expf(z[0] - max);

	for (size_t c = 1; c < classes; c++)
		sum += expf(z[c] - max);
	return log((double)sum) - (double)(z[y] - max);
}

static double value_gradient(const float *z, size_t y, size_t classes,
			     float *gradient)
{
	float max = largest(z, classes), sum, scale;

	sum = gradient[0] = expf(z[0] - max);
	for (size_t c = 1; c < classes; c++)
		sum += gradient[c] = expf(z[c] - max);
	scale = 1.0f / sum;
	for (size_t c = 0; c < classes; c++)
		gradient[c] *= scale;
	gradient[y] -= 1.0f;
	return log((double)sum) - (double)(z[y] - max);
}

static double ce_sum(const float *logit, const int32_t *label, size_t batch,
		     size_t classes, float *gradient)
{
	double sum = 0.0;

	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		size_t y = (size_t)label[i];

		assert(y < classes);
		sum += gradient ? value_gradient(z, y, classes,
						 gradient + i * classes)
				: value(z, y, classes);
	}
	return sum;
}

const struct loss_kind loss_kind_ce = {
	.name = "ce",
	.sum = ce_sum,
};
