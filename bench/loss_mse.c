/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mean squared error against one-hot targets, a mean over the classes too:
 * 1/C · Σ (z − t)².
 */
#include "bench/loss_kind.h"

#include <assert.h>

static double mse_sum(const float *logit, const int32_t *label, size_t batch,
		      size_t classes, float *gradient)
{
	float scale = 2.0f / (float)classes;
	double sum = 0.0;

	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		size_t y = (size_t)label[i];
		float square = 0.0f;

		assert(y < classes);
		for (size_t c = 0; c < classes; c++) {
			float d = z[c] - (c == y ? 1.0f : 0.0f);

			square += d * d;
			if (gradient)
				gradient[i * classes + c] = scale * d;
		}
		sum += (double)square;
	}
	return sum / (double)classes;
}

const struct loss_kind loss_kind_mse = {
	.name = "mse",
	.outputs_min = 2,
	.sum = mse_sum,
};
