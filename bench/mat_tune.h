/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mat_tune -- measures which library serves which shape best.
 *
 *	struct mat_table *table = mat_table_new();
 *
 *	mat_tune_shapes(table, &spec, batch, &err);  // what a step asks for
 *	for (size_t i = 0; i < mat_table_count(table); i++)
 *		mat_tune(table, i);
 *
 * A library that does not give the same bits again (for other addresses of the
 * operands, on another thread) does not serve that shape; one that the fixed
 * rule takes keeps it against another that is less than MAT_TUNE_MARGIN faster,
 * so that noise alone does not make tables differ.
 */
#ifndef BENCH_MAT_TUNE_H
#define BENCH_MAT_TUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/mat_table.h"
#include "bench/net_spec.h"
#include "lib/err.h"

#define MAT_TUNE_MARGIN 0.03

/* Add the products of a training step and of an evaluation, served by the rule
 * and not measured yet. */
int mat_tune_shapes(struct mat_table *table, const struct net_spec *spec,
		    size_t batch, struct err *err);
void mat_tune(struct mat_table *table, size_t i);

/* The same bits with other addresses, on another thread? */
bool mat_tune_repeats(size_t library, const struct mat_shape *shape);

#endif
