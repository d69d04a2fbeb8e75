/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "fl/kind.h"
#include "fl/partition.h"

/* No data set of bench/dataset.h says yet who produced a sample. */
static int divide(const struct partition_task *task, uint32_t *owner,
		  struct err *err)
{
	(void)owner;
	if (kind_no_argument("partition", "natural", task->argument, err) < 0)
		return -1;
	return err_set(err, ENOTSUP,
		       "partition 'natural': this data set does not say who "
		       "produced its samples (iid, dirichlet:A and shards:K "
		       "work with any)");
}

const struct partition_kind partition_kind_natural = {
	"natural",
	divide,
	"whoever produced a sample owns it",
};
