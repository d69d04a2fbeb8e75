/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loss_kind -- how wrong logits are, and which way is better.
 *
 * A kind is a file loss_NAME.c that exports one `struct loss_kind`, a line in
 * the table in loss.c and a value of enum loss in net.h, in the same order.
 * tests/unit/test_net.c checks the gradient of every kind against finite
 * differences.
 */
#ifndef BENCH_LOSS_KIND_H
#define BENCH_LOSS_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/net.h"

struct loss_kind {
	const char *name;
	size_t outputs_min, outputs_max; /* 0: no limit */
	bool exponential;                /* one exp() for each output */
	/* The sum of the losses of `batch` samples; logits are batch ×
	 * classes.  `gradient`, of the same shape, gets each sample's own
	 * dL/dz (not divided by the batch); NULL: not wanted. */
	double (*sum)(const float *logit, const int32_t *label, size_t batch,
		      size_t classes, float *gradient);
};

extern const struct loss_kind loss_kind_ce, loss_kind_mse, loss_kind_smooth,
	loss_kind_focal, loss_kind_hinge, loss_kind_logistic, loss_kind_cox;

const struct loss_kind *loss_kind_of(enum loss loss);

/* The index of the largest logit; the first of equals. */
size_t loss_largest(const float *z, size_t classes);
/* p = softmax(z); returns ln Σ exp(z − z_max), and z_max.  With the largest
 * logit taken off, nothing overflows.  `p` may be NULL. */
double loss_softmax(const float *z, size_t classes, float *p, float *max);

#endif
