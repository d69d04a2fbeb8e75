/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/loss_kind.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct loss_kind *const kinds[] = {
	[LOSS_CE] = &loss_kind_ce,
	[LOSS_MSE] = &loss_kind_mse,
	[LOSS_SMOOTH] = &loss_kind_smooth,
	[LOSS_FOCAL] = &loss_kind_focal,
	[LOSS_HINGE] = &loss_kind_hinge,
	[LOSS_LOGISTIC] = &loss_kind_logistic,
	[LOSS_COX] = &loss_kind_cox,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct loss_kind *loss_kind_of(enum loss loss)
{
	return kinds[loss];
}

const char *loss_name(enum loss loss)
{
	return kinds[loss]->name;
}

int loss_parse(const char *text, enum loss *loss, struct err *err)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i]->name, text) == 0) {
			*loss = (enum loss)i;
			return 0;
		}
	err_set(err, EINVAL, "loss '%s': unknown", text);
	return err_remedy(err, "there are %s", LOSS_NAMES);
}

int loss_fits(enum loss loss, size_t outputs, struct err *err)
{
	const struct loss_kind *kind = kinds[loss];

	if (outputs < kind->outputs_min)
		return err_set(err, EINVAL,
			       "loss %s needs two classes at least",
			       kind->name);
	if (kind->outputs_max && outputs > kind->outputs_max)
		return err_set(err, EINVAL, "loss %s takes one output, not %zu",
			       kind->name, outputs);
	return 0;
}

size_t loss_largest(const float *z, size_t classes)
{
	size_t best = 0;

	for (size_t c = 1; c < classes; c++)
		if (z[c] > z[best])
			best = c;
	return best;
}

double loss_softmax(const float *z, size_t classes, float *p, float *max)
{
	float sum = 0.0f, scale;

	*max = z[loss_largest(z, classes)];
	for (size_t c = 0; c < classes; c++) {
		float e = expf(z[c] - *max);

		if (p)
			p[c] = e;
		sum += e;
	}
	scale = 1.0f / sum;
	for (size_t c = 0; p && c < classes; c++)
		p[c] *= scale;
	return log((double)sum);
}
