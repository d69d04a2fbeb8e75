/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Focal loss with γ = 2: F = −(1 − p)² ln p for the probability p of the class,
 * so that what is easy counts less.  dF/dz_c = k (t_c − p_c) with
 * k = p dF/dp = 2 p (1 − p) ln p − (1 − p)².
 */
#include "bench/loss_kind.h"

#include <assert.h>
#include <math.h>

static double focal_sum(const float *logit, const int32_t *label, size_t batch,
			size_t classes, float *gradient)
{
	double sum = 0.0;

	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		float *g = gradient ? gradient + i * classes : NULL, max;
		double logarithm = loss_softmax(z, classes, g, &max);
		size_t y = (size_t)label[i];
		double ln = (double)(z[y] - max) - logarithm, p = exp(ln);
		double k = 2.0 * p * (1.0 - p) * ln - (1.0 - p) * (1.0 - p);

		assert(y < classes);
		sum -= (1.0 - p) * (1.0 - p) * ln;
		if (!g)
			continue;
		for (size_t c = 0; c < classes; c++)
			g[c] *= (float)-k;
		g[y] += (float)k;
	}
	return sum;
}

const struct loss_kind loss_kind_focal = {
	.name = "focal",
	.outputs_min = 2,
	.exponential = true,
	.sum = focal_sum,
};
