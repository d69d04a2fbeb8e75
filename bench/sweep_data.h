/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sweep_data -- samples for the steps of a sweep, opened once per shape.
 *
 *	struct sweep_data *data = sweep_data_new(NULL, 1, 256);
 *	const struct dataset *set = sweep_data_for(data, &spec, &err);
 *
 * Without a SET: Gaussian clusters as "synthetic:" makes them, as many as fill
 * more than the caches near a core and give several batches of `batch_max`.
 */
#ifndef BENCH_SWEEP_DATA_H
#define BENCH_SWEEP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/dataset.h"
#include "bench/net.h"
#include "lib/err.h"

struct sweep_data;

/* `set` is borrowed; NULL: synthetic. */
struct sweep_data *sweep_data_new(const char *set, uint64_t seed,
				  size_t batch_max);
/* Was a SET named? */
bool sweep_data_is_real(const struct sweep_data *data);
/* Borrowed.  EINVAL when the set does not fit the model's shape. */
const struct dataset *sweep_data_for(struct sweep_data *data,
				     const struct net_spec *spec,
				     struct err *err);
void sweep_data_free(struct sweep_data *data); /* accepts NULL */

#endif
