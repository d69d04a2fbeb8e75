/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logistic, each class against the rest: Σ_c ln(1 + exp(−s z)), s = 1 for the
 * class and −1 elsewhere.  With one output, its class is 1.
 */
#include "bench/loss_kind.h"

#include <math.h>

static double logistic_sum(const float *logit, const int32_t *label,
			   size_t batch, size_t classes, float *gradient)
{
	int32_t first = classes == 1; /* the class of output 0 */
	double sum = 0.0;

	for (size_t i = 0; i < batch; i++)
		for (size_t c = 0; c < classes; c++) {
			bool is = label[i] == (int32_t)c + first;
			double z = (double)logit[i * classes + c];
			double m = is ? -z : z, e = exp(-fabs(m));

			/* ln(1 + exp(m)), and its slope */
			sum += fmax(m, 0.0) + log1p(e);
			if (gradient) {
				double p = m > 0.0 ? 1.0 / (1.0 + e)
						   : e / (1.0 + e);

				gradient[i * classes + c] =
					(float)(is ? -p : p);
			}
		}
	return sum;
}

const struct loss_kind loss_kind_logistic = {
	.name = "logistic",
	.exponential = true,
	.sum = logistic_sum,
};
