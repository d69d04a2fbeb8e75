/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mat_kind -- what a library of matrix products has to offer, and the two
 * judgements about it: which OpenBLAS core a CPU deserves, and which library
 * serves a shape.
 *
 * A kind is a file mat_KIND.c that exports one `struct mat_kind`, and a line
 * in the table in mat.c; tests/unit/test_mat.c runs over the table.  A kind
 * computes on the calling thread only, keeps no state between calls and reads
 * C only when beta is not 0 (as BLAS has it: what stood there may be NaN).
 *
 * Both judgements are functions of names, flags and sizes alone, so that a
 * test can show them any CPU.
 */
#ifndef BENCH_MAT_KIND_H
#define BENCH_MAT_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/mat.h"

#define MAT_DESCRIBE_MAX 128

/* The arguments of mat_gemm(). */
struct mat_product {
	enum mat_op ta, tb;
	size_t m, n, k;
	float alpha;
	const float *a;
	size_t lda;
	const float *b;
	size_t ldb;
	float beta;
	float *c;
	size_t ldc;
};

struct mat_kind {
	const char *name;
	void (*gemm)(const struct mat_product *p);
	/* Called by mat_open(): one thread, please.  Optional. */
	void (*open)(void);
	/* "OpenBLAS 0.3.21 (SkylakeX)".  Optional. */
	void (*describe)(char *out, size_t size);
	/* The core it runs on ("SkylakeX").  Optional. */
	const char *(*core)(void);
};

extern const struct mat_kind mat_kind_openblas, mat_kind_onednn, mat_kind_plain;

/* The kinds by number, from 0 to MAT_LIBRARIES (mat_table.h). */
const struct mat_kind *mat_library(size_t i);

/* Told of each product before a library gets it, with no threads only. */
typedef void mat_listener(void *context, const struct mat_product *product);
void mat_listen(struct mat *mat, mat_listener *heard, void *context);

/* oneDNN works on the calling thread alone from now on, and signals find a
 * stack: before any call of it that computes. */
void mat_onednn_single_thread(void);

/* "AVX-512, VNNI, BF16": the most that oneDNN uses here, as it says. */
const char *mat_onednn_isa(void);

/* How far the instructions of an OpenBLAS core reach: 0 SSE, 1 AVX, 2 AVX2
 * with FMA (or AMD's FMA), 3 AVX-512; -1 for a name that is not known, which
 * is nobody's to judge. */
int mat_core_rank(const char *core);
/* The same of a CPU with these flags (" fpu vme … ", blank on both ends). */
int mat_flags_rank(const char *flags);
/* The core that OpenBLAS should be told to use where it picked `core` alone,
 * or NULL where that is as good as the CPU. */
const char *mat_core_wanted(const char *core, const char *flags);

/* The CPUs among which the measured rules differ (mat_rule.c). */
enum mat_cpu { MAT_CPU_AMD512, MAT_CPU_INTEL512, MAT_CPU_X86, MAT_CPU_OTHER };
enum mat_cpu mat_cpu_of(const char *vendor, const char *flags);
/* This machine's. */
enum mat_cpu mat_cpu_here(void);
const char *mat_cpu_name(void);

const struct mat_kind *mat_rule_pick(enum mat_cpu cpu, enum mat_op ta,
				     enum mat_op tb, size_t m, size_t n,
				     size_t k);

#endif
