/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute -- what steps are computed with: threads and matrix libraries, as a
 * user asks for them.
 *
 *	struct compute compute;
 *
 *	if (compute_open(&compute, &settings, config->shared.threads, &err) < 0)
 *		…
 *	net = net_new(&spec, LOSS_CE, 32, compute.mat, &err);
 *	…
 *	compute_close(&compute);                // after the nets
 *
 * Measured work uses one thread where nothing is said, and the fixed rule of
 * mat.h where there is no table; a table of another machine is a warning.  The bits of a result do
 * not depend on the threads (net_state.h).
 */
#ifndef BENCH_COMPUTE_H
#define BENCH_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/mat.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

struct compute_settings {
	bool pin;
	char *backends; /* a file of bench tune's */
};

/* clang-format off */
#define COMPUTE_FIELDS(type, m) \
	{ "pin", FIELD_BOOL, offsetof(struct type, m.pin), \
	  .help = "each thread stays on a processor of its own" }, \
	{ "backends", FIELD_TEXT, offsetof(struct type, m.backends), \
	  .value = "FILE", \
	  .help = "which library serves which shape (of bench tune)" }
/* clang-format on */

struct compute {
	struct pool *pool;
	struct mat_table *table;
	struct mat *mat;
	bool pinned;
	char backends[DOC_DIGEST_MAX]; /* of the table, or "rule" */
};

/* `threads` as --threads has it: 0 is one. */
int compute_open(struct compute *compute,
		 const struct compute_settings *settings, int64_t threads,
		 struct err *err);
void compute_close(struct compute *compute); /* also after a failed open */

/* Members `kernels`, `backends`, `threads` and `pinned`, for a manifest. */
void compute_put(const struct compute *compute, struct doc *doc);

#endif
