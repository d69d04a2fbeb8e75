/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multi-class hinge: by how much the best of the wrong classes comes within 1 of
 * the right one.
 */
#include "bench/loss_kind.h"

#include <assert.h>
#include <string.h>

static size_t best_wrong(const float *z, size_t y, size_t classes)
{
	size_t best = y == 0;

	for (size_t c = best + 1; c < classes; c++)
		if (c != y && z[c] > z[best])
			best = c;
	return best;
}

static double hinge_sum(const float *logit, const int32_t *label, size_t batch,
			size_t classes, float *gradient)
{
	double sum = 0.0;

	if (gradient)
		memset(gradient, 0, batch * classes * sizeof(*gradient));
	for (size_t i = 0; i < batch; i++) {
		const float *z = logit + i * classes;
		size_t y = (size_t)label[i], wrong = best_wrong(z, y, classes);
		float margin = 1.0f + z[wrong] - z[y];

		assert(y < classes);
		if (margin <= 0.0f)
			continue;
		sum += (double)margin;
		if (gradient) {
			gradient[i * classes + wrong] = 1.0f;
			gradient[i * classes + y] = -1.0f;
		}
	}
	return sum;
}

const struct loss_kind loss_kind_hinge = {
	.name = "hinge",
	.outputs_min = 2,
	.sum = hinge_sum,
};
