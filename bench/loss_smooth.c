/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cross-entropy with smoothed labels: the class has 1 − ε + ε/C of the target,
 * every other one ε/C, with ε = 0.1.
 */
#include "bench/loss_kind.h"

#include <assert.h>
#include <math.h>

#define EPSILON 0.1

static double smooth_sum(const float *logit, const int32_t *label, size_t batch,
			 size_t classes, float *gradient)
{
	double share = EPSILON / (double)classes, sum = 0.0;

	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		float *g = gradient ? gradient + i * classes : NULL, max;
		double logarithm = loss_softmax(z, classes, g, &max);
		size_t y = (size_t)label[i];

		assert(y < classes);
		sum += logarithm - (1.0 - EPSILON) * (double)(z[y] - max);
		for (size_t c = 0; c < classes; c++) {
			sum -= share * (double)(z[c] - max);
			if (g)
				g[c] -= (float)share;
		}
		if (g)
			g[y] -= (float)(1.0 - EPSILON);
	}
	return sum;
}

const struct loss_kind loss_kind_smooth = {
	.name = "smooth",
	.outputs_min = 2,
	.exponential = true,
	.sum = smooth_sum,
};
