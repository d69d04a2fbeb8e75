/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mat -- matrix products, by whichever library serves a shape best.
 *
 *	mat_gemm(mat, MAT_NO, MAT_YES, m, n, k, 1.0f, a, lda, b, ldb, 0.0f,
 *		 c, ldc);
 *
 * is C = alpha · op(A) op(B) + beta · C with row-major single-precision
 * matrices; op(A) is m × k, op(B) is k × n, C is m × n; ld… is the distance
 * between rows as stored.
 *
 * Kinds: "openblas" (CBLAS), "onednn" (dnnl_sgemm), "plain" (C loops, the
 * reference), and "auto": a fixed rule by CPU and shape (mat_rule() says which
 * one serves) or a table that was measured before, never a timing at run time,
 * so that the same machine gives the same bits.  To add one: a file mat_KIND.c and a line in the table in mat.c.
 *
 * Every kind runs on the calling thread only (mat_prepare() sees to that) and
 * may be called from several threads at once.
 *
 * "auto" cuts large products into tiles of C (mat_cut() says which), always the
 * same ones for a shape, and never a sum: so threads that share the tiles
 * (mat_new() with a pool) change no bit.  Such a mat belongs to one thread.
 */
#ifndef BENCH_MAT_H
#define BENCH_MAT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/pool.h"

enum mat_op { MAT_NO, MAT_YES }; /* transposed? */

struct mat;

/* First thing in main().  Debian's OpenBLAS picks a core by the CPU's model
 * number, and a slow one for models it does not know (specs: 5x); it reads its
 * choice from the environment when it is loaded, which is before main().  So
 * this sets OPENBLAS_CORETYPE by the CPU's own flags and one thread for every
 * library, and starts the program again if that changed anything. */
void mat_prepare(char **argv);

/* What OpenBLAS runs on ("SkylakeX"), what it would have picked alone (""
 * unknown), and whether mat_prepare() chose it. */
const char *mat_core(void);
const char *mat_core_alone(void);
bool mat_core_chosen(void);
/* A core that would serve this CPU better than mat_core(), or NULL: for
 * doctor (a user's own OPENBLAS_CORETYPE is never overruled). */
const char *mat_core_better(void);

const struct mat *mat_open(const char *kind, struct err *err);
const char *mat_name(const struct mat *mat);

struct mat_table;

/* "auto" with threads (NULL: the caller alone) and, in place of the rule, a
 * table (mat_table.h; NULL: none); both are borrowed. */
struct mat *mat_new(struct pool *pool, const struct mat_table *table);
void mat_free(struct mat *mat); /* accepts NULL */
/* NULL: no threads. */
struct pool *mat_pool(const struct mat *mat);
size_t mat_threads(const struct mat *mat);

/* A tile's rows and columns of a product m × n × k; the last one may have
 * less. */
struct mat_cut {
	size_t tiles, rows, columns;
};
struct mat_cut mat_cut(enum mat_op tb, size_t m, size_t n, size_t k);

/* The kind that serves this shape. */
const char *mat_rule(const struct mat *mat, enum mat_op ta, enum mat_op tb,
		     size_t m, size_t n, size_t k);
/* "oneDNN 2.6 (AVX-512), OpenBLAS 0.3.21 (SkylakeX)": for people. */
const char *mat_describe(void);

void mat_gemm(const struct mat *mat, enum mat_op ta, enum mat_op tb, size_t m,
	      size_t n, size_t k, float alpha, const float *a, size_t lda,
	      const float *b, size_t ldb, float beta, float *c, size_t ldc);

#endif
