/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Class-wise Dirichlet shares, as NIID-Bench draws them (Li et al., "Federated
 * learning on non-IID data silos", ICDE 2022, arXiv 2102.02079): the samples
 * of each class are spread by shares p ~ Dirichlet(A, …, A); a device that
 * already owns its even part of all samples gets no more; everything is drawn
 * again until every device owns at least SAMPLES_MIN.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fl/kind.h"
#include "fl/partition.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define SAMPLES_MIN  10
#define ATTEMPTS_MAX 1000

struct draw {
	const struct partition_task *task;
	size_t *sample, *start; /* the classes, shuffled */
	double *share;
	size_t *size; /* of each device, so far */
};

/* Shares of class `c`, without the devices that have enough. */
static void draw_shares(struct draw *draw, struct rng *rng, double alpha)
{
	const struct partition_task *task = draw->task;
	double sum = 0.0;

	rng_dirichlet(rng, alpha, task->devices, draw->share);
	for (size_t k = 0; k < task->devices; k++) {
		if (draw->size[k] * task->devices >= task->samples)
			draw->share[k] = 0.0;
		sum += draw->share[k];
	}
	for (size_t k = 0; k < task->devices; k++)
		draw->share[k] = sum > 0.0 ? draw->share[k] / sum
					   : 1.0 / (double)task->devices;
}

static void spread_class(struct draw *draw, size_t c, uint32_t *owner)
{
	const struct partition_task *task = draw->task;
	size_t n = draw->start[c + 1] - draw->start[c];
	const size_t *sample = draw->sample + draw->start[c];
	double until = 0.0;
	size_t given = 0;

	for (size_t k = 0; k < task->devices; k++) {
		size_t end;

		until += draw->share[k];
		end = (size_t)(until * (double)n + 0.5);
		/* The last device takes what rounding left. */
		if (k + 1 == task->devices || end > n)
			end = n;
		for (; given < end; given++) {
			owner[sample[given]] = (uint32_t)k;
			draw->size[k]++;
		}
	}
}

static size_t smallest(const struct draw *draw)
{
	size_t least = draw->size[0];

	for (size_t k = 1; k < draw->task->devices; k++)
		if (draw->size[k] < least)
			least = draw->size[k];
	return least;
}

static int draw_until(struct draw *draw, double alpha, size_t least,
		      uint32_t *owner, struct err *err)
{
	const struct partition_task *task = draw->task;

	for (size_t attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		memset(draw->size, 0, task->devices * sizeof(*draw->size));
		for (size_t c = 0; c < task->classes; c++) {
			struct rng rng = rng_stream(
				task->seed, "partition dirichlet", c, attempt);

			draw_shares(draw, &rng, alpha);
			spread_class(draw, c, owner);
		}
		if (smallest(draw) >= least)
			return 0;
	}
	return err_set(err, EINVAL,
		       "partition 'dirichlet:%g' left one of %zu devices with "
		       "fewer than %zu samples in %d draws (a larger A, or "
		       "fewer devices)",
		       alpha, task->devices, least, ATTEMPTS_MAX);
}

static int divide(const struct partition_task *task, uint32_t *owner,
		  struct err *err)
{
	/* Small sets cannot promise SAMPLES_MIN to everyone. */
	size_t even = task->samples / task->devices;
	size_t least = even / 4 < SAMPLES_MIN ? even / 4 : SAMPLES_MIN;
	struct draw draw = { .task = task };
	double alpha;
	int result;

	if (kind_number("partition", "dirichlet:A", task->argument, 1e-3, 1e6,
			&alpha, err) < 0)
		return -1;
	draw.sample = xcalloc(task->samples, sizeof(*draw.sample));
	draw.start = xcalloc(task->classes + 1, sizeof(*draw.start));
	draw.share = xcalloc(task->devices, sizeof(*draw.share));
	draw.size = xcalloc(task->devices, sizeof(*draw.size));
	partition_by_class(task, draw.sample, draw.start);
	result = draw_until(&draw, alpha, least ? least : 1, owner, err);
	free(draw.sample);
	free(draw.start);
	free(draw.share);
	free(draw.size);
	return result;
}

const struct partition_kind partition_kind_dirichlet = {
	"dirichlet",
	divide,
	"each class spread by shares from Dirichlet(A, …, A)",
};
