/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cross-entropy of softmax: −ln p_y = ln Σ exp(z_c − max) − (z_y − max).
 */
#include "bench/loss_kind.h"

#include <assert.h>

static double ce_sum(const float *logit, const int32_t *label, size_t batch,
		     size_t classes, float *gradient)
{
	double sum = 0.0;

	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		size_t y = (size_t)label[i];

		float *g = gradient ? gradient + i * classes : NULL, max;
		double logarithm = loss_softmax(z, classes, g, &max);

		assert(y < classes);
		if (g)
			g[y] -= 1.0f;
		sum += logarithm - (double)(z[y] - max);
	}
	return sum;
}

const struct loss_kind loss_kind_ce = {
	.name = "ce",
	.outputs_min = 2,
	.exponential = true,
	.sum = ce_sum,
};
