/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fl/kind.h"
#include "fl/partition.h"
#include "lib/mem.h"
#include "lib/rng.h"

/* A shuffled deck, dealt card by card: sizes differ by at most one. */
static int divide(const struct partition_task *task, uint32_t *owner,
		  struct err *err)
{
	struct rng rng = rng_stream(task->seed, "partition iid", 0, 0);
	size_t *deck;

	if (kind_no_argument("partition", "iid", task->argument, err) < 0)
		return -1;
	deck = xcalloc(task->samples, sizeof(*deck));
	for (size_t i = 0; i < task->samples; i++)
		deck[i] = i;
	rng_shuffle(&rng, deck, task->samples);
	for (size_t i = 0; i < task->samples; i++)
		owner[deck[i]] = (uint32_t)(i % task->devices);
	free(deck);
	return 0;
}

const struct partition_kind partition_kind_iid = {
	"iid",
	divide,
	"a shuffled deck, dealt evenly",
};
