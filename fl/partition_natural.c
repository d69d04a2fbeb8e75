/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "fl/partition.h"
#include "lib/mem.h"

/* Users with training samples, numbered without gaps, into rank[]. */
static size_t users_rank(const struct partition_task *task, uint32_t *rank,
			 size_t users)
{
	size_t present = 0;

	for (size_t i = 0; i < task->samples; i++)
		rank[task->user[i]] = 1;
	for (size_t u = 0; u < users; u++)
		if (rank[u])
			rank[u] = (uint32_t)present++;
	return present;
}

/* Users are dealt out in turn where there are fewer devices. */
static int divide(const struct partition_task *task, uint32_t *owner,
		  struct err *err)
{
	size_t users = 0, present;
	uint32_t *rank;

	if (kind_no_argument("partition", "natural", task->argument, err) < 0)
		return -1;
	if (!task->user)
		return err_set(err, ENOTSUP,
			       "partition 'natural': this data set does not "
			       "say who produced its samples (iid, dirichlet:A "
			       "and shards:K work with any)");
	for (size_t i = 0; i < task->samples; i++)
		if (task->user[i] >= users)
			users = task->user[i] + (size_t)1;
	rank = xcalloc(users, sizeof(*rank));
	present = users_rank(task, rank, users);
	for (size_t i = 0; i < task->samples; i++)
		owner[i] = rank[task->user[i]] % (uint32_t)task->devices;
	free(rank);
	if (task->devices <= present)
		return 0;
	return err_set(err, EINVAL,
		       "partition 'natural': %zu devices, but only %zu users "
		       "produced the samples (--devices %zu)",
		       task->devices, present, present);
}

const struct partition_kind partition_kind_natural = {
	"natural",
	divide,
	"whoever produced a sample owns it",
};
