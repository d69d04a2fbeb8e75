/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * McMahan et al. (2017, arXiv 1602.05629), section 3: sort by class, cut into
 * devices × K shards of equal size, give each device K of them at random.
 */
#include <errno.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "fl/partition.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define SHARDS_MAX 1000

static void deal(const struct partition_task *task, size_t shards,
		 uint32_t *owner)
{
	struct rng rng = rng_stream(task->seed, "partition shards", 0, 0);
	size_t *sample = xcalloc(task->samples, sizeof(*sample));
	size_t *start = xcalloc(task->classes + 1, sizeof(*start));
	size_t *deck = xcalloc(shards, sizeof(*deck));

	partition_by_class(task, sample, start);
	for (size_t s = 0; s < shards; s++)
		deck[s] = s;
	rng_shuffle(&rng, deck, shards);
	for (size_t s = 0; s < shards; s++) {
		size_t begin = deck[s] * task->samples / shards;
		size_t end = (deck[s] + 1) * task->samples / shards;

		for (size_t i = begin; i < end; i++)
			owner[sample[i]] = (uint32_t)(s % task->devices);
	}
	free(sample);
	free(start);
	free(deck);
}

static int divide(const struct partition_task *task, uint32_t *owner,
		  struct err *err)
{
	double each;
	size_t shards;

	if (kind_number("partition", "shards:K", task->argument, 1, SHARDS_MAX,
			&each, err) < 0)
		return -1;
	if (each != (double)(size_t)each)
		return err_set(err, EINVAL,
			       "partition 'shards:%g': K is a whole number",
			       each);
	shards = (size_t)each * task->devices;
	if (shards > task->samples)
		return err_set(err, EINVAL,
			       "partition 'shards:%g': %zu samples cannot be "
			       "cut into %zu shards (fewer devices)",
			       each, task->samples, shards);
	deal(task, shards, owner);
	return 0;
}

const struct partition_kind partition_kind_shards = {
	"shards",
	divide,
	"K runs of samples sorted by class for each device",
};
