/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * training_state -- the inside of a training, for training.c, which makes it,
 * and training_save.c, which keeps it.
 */
#ifndef BENCH_TRAINING_STATE_H
#define BENCH_TRAINING_STATE_H

#include "bench/training.h"

struct training {
	struct training_plan plan;
	struct net *net;
	const struct dataset *set;
	struct meter *meter;
	struct training_epoch *curve;
	size_t epoch; /* done ones, as many as the curve has */
	size_t *order;
	float *x; /* one batch */
	int32_t *label;
	/* the pass at hand */
	bool begun; /* its order is drawn */
	size_t at;  /* samples done */
	double loss_sum;
	double seconds;       /* before `start_ns` */
	struct energy energy; /* before `reading` */
	int64_t start_ns, saved_ns;
	struct meter_reading reading;
	/* of the samples, when it was first asked for */
	bool summed;
	int64_t data_sum;
};

#endif
