/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mat_table -- which library serves which shape, as measured on a machine.
 *
 *	struct mat_table *table = mat_table_open("backends.json", &err);
 *	struct mat *mat = mat_new(pool, table);
 *	…
 *	mat_free(mat);
 *	mat_table_free(table);
 *
 * `bench tune` measures (mat_tune.h) and writes it; mat.h takes it in place of
 * its fixed rule, which still serves shapes that are not listed.  The same table
 * gives the same bits, whenever it is used.  The document is
 * fedwatts.backends/1:
 *
 *	{"schema": "fedwatts.backends/1", "cpu": "AMD EPYC 9354 …",
 *	 "kernels": "oneDNN 2.6.3 (…), OpenBLAS 0.3.21 (…)",
 *	 "shapes": [{"a": "plain", "b": "transposed", "m": 128, "n": 64,
 *	  "k": 256, "library": "onednn", "microseconds":
 *	  {"openblas": 31.2, "onednn": 25.1}}]}
 *
 * A shape is that of a tile (mat_cut), as a library gets it.
 */
#ifndef BENCH_MAT_TABLE_H
#define BENCH_MAT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/mat.h"
#include "lib/doc.h"
#include "lib/err.h"

#define MAT_TABLE_SCHEMA   "fedwatts.backends/1"
#define MAT_TABLE_MAX      100000            /* shapes */
#define MAT_LIBRARIES      3                 /* mat_library() names them */
#define MAT_TABLE_SIZE_MAX ((size_t)1 << 24) /* of m, n and k */

struct mat_shape {
	enum mat_op ta, tb;
	size_t m, n, k;
};

struct mat_choice {
	struct mat_shape shape;
	size_t library;
	double us[MAT_LIBRARIES]; /* NaN: not measured, or not to be used */
};

struct mat_table;

/* Of this machine, empty. */
struct mat_table *mat_table_new(void);
struct mat_table *mat_table_from_doc(const struct doc *doc, struct err *err);
struct mat_table *mat_table_open(const char *path, struct err *err);
void mat_table_free(struct mat_table *table); /* accepts NULL */

/* Replaces what there was for that shape. */
void mat_table_put(struct mat_table *table, const struct mat_choice *choice);
size_t mat_table_count(const struct mat_table *table);
const struct mat_choice *mat_table_at(const struct mat_table *table, size_t i);
/* NULL: not listed. */
const struct mat_choice *mat_table_find(const struct mat_table *table,
					const struct mat_shape *shape);

/* Was it measured on such a CPU, with these libraries?  Else `why` says what
 * differs. */
#define MAT_TABLE_WHY_MAX 512
bool mat_table_is_here(const struct mat_table *table,
		       char why[static MAT_TABLE_WHY_MAX]);

struct doc *mat_table_to_doc(const struct mat_table *table);
/* What a run is recorded with. */
const char *mat_table_digest(const struct mat_table *table,
			     char out[static DOC_DIGEST_MAX]);

#endif
