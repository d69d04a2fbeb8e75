/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cox's partial likelihood: each event adds ln S − z, S = Σ exp z over those of
 * the batch whose time is not earlier (Breslow, for ties).  The gradient of z_k
 * is Σ exp(z_k)/S over the events that are not later, less 1 for its own event.
 * Every pair is looked at: no order is to be made, and batches are small.
 */
#include "bench/loss_kind.h"

#include <math.h>

static int32_t time_of(int32_t label)
{
	return label < 0 ? ~label : label;
}

/* Σ exp(z − max) over those at risk at time `t`. */
static double at_risk(const float *z, const int32_t *label, size_t batch,
		      float max, int32_t t)
{
	double sum = 0.0;

	for (size_t j = 0; j < batch; j++)
		if (time_of(label[j]) >= t)
			sum += exp((double)(z[j] - max));
	return sum;
}

static void add_event(const float *z, const int32_t *label, size_t batch,
		      float max, size_t event, double risk, float *gradient)
{
	for (size_t k = 0; k < batch; k++)
		if (time_of(label[k]) >= label[event])
			gradient[k] +=
				(float)(exp((double)(z[k] - max)) / risk);
	gradient[event] -= 1.0f;
}

static double cox_sum(const float *z, const int32_t *label, size_t batch,
		      size_t classes, float *gradient)
{
	float max = z[loss_largest(z, batch)];
	double sum = 0.0, risk;

	(void)classes;
	for (size_t i = 0; gradient && i < batch; i++)
		gradient[i] = 0.0f;
	for (size_t i = 0; i < batch; i++) {
		if (label[i] < 0)
			continue;
		risk = at_risk(z, label, batch, max, label[i]);
		sum += log(risk) - (double)(z[i] - max);
		if (gradient)
			add_event(z, label, batch, max, i, risk, gradient);
	}
	return sum;
}

const struct loss_kind loss_kind_cox = {
	.name = "cox",
	.outputs_max = 1,
	.exponential = true,
	.sum = cox_sum,
};
