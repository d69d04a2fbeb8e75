/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which library serves which shape: measured once, written down here, the same
 * for everybody with such a CPU.  A timing at run time would be nearer to the
 * best, and would give other bits the next time.
 *
 * All figures are one thread, OpenBLAS 0.3.21 and oneDNN 2.6.3 (dnnl_sgemm) of
 * Debian 12, and the three products of a dense layer, 324 shapes each: forward
 * (A B), weights (A' B with beta 1) and input gradient (A B'), with batches
 * 1 … 256 and widths 10 … 784.  "n × worse" is the mean over a kind's shapes
 * against the better of both libraries.
 *
 * AMD, AVX-512 (EPYC, family 25 model 17).  OpenBLAS has kernels for small
 * products that need no packing: up to m n k = 10^6 it is ahead (median 0.86
 * to 0.91 of oneDNN's time), above it behind (1.10 to 1.15).  Narrow results
 * (n <= 16) it serves in 0.7 of the time at any size.  With B transposed the
 * small kernels are on for m n <= 1024 only; between there and 10^6 OpenBLAS
 * takes 1.2 to 5 times as long, but oneDNN is slow when n <= 64.  The rule is
 * 1.00 × worse than the best for forward and weights and 1.02 × for input
 * gradients; OpenBLAS alone 1.07, 1.04, 1.24 and oneDNN alone 1.31, 1.19, 1.18.
 *
 * A single row times B' is OpenBLAS's with small kernels only: 1 × 3136 × 128
 * takes it 115 µs (oneDNN 21), 1 × 1024 × 1024 1056 (64), 1 × 784 × 256 9 (9).
 *
 * Intel, AVX-512 (Emerald Rapids; the layers 784-256-256-10 at batch 1, 8, 32,
 * 128, OpenBLAS told to use SkylakeX).  oneDNN is ahead (150 to 172 GFLOP/s
 * against 100 to 150) but for single rows (1 × 256 × 784: 46 against 60) and
 * small plain products (8 × 256 × 256: 159 against 169; 64 cubed: 147 against
 * 168).
 *
 * Other x86 (both libraries held to AVX2 on the AMD machine above, OpenBLAS as
 * Haswell).  OpenBLAS takes 0.66 to 0.96 of the time for weights and 1.05 to
 * 1.29 of it for the others, 4 to 5 times as long for single rows.  Held to
 * SSE4.1 the picture is the same.
 *
 * Elsewhere oneDNN has no kernels of its own for this, so OpenBLAS does it all
 * (not measured).
 *
 * Narrow outer products (k = 1, n <= 16: the last layer at batch 1) pay
 * 2 µs for a library's preparations and 0.6 µs in plain loops (256 × 10).  Wide
 * ones beyond the second-level cache, too, are best in plain loops (AMD, batch
 * 1: 784 × 1024 70 µs against 119 and 162, 1024 × 1024 91 against 420 and 285,
 * 784 × 512 65 against 49 and 57).
 */
#include "bench/mat_kind.h"

#define SMALL_MNK 1e6
#define NARROW    16
#define WIDE_MN   (1 << 19)

static bool small(size_t m, size_t n, size_t k)
{
	return (double)m * (double)n * (double)k <= SMALL_MNK;
}

static const struct mat_kind *pick_amd512(enum mat_op ta, enum mat_op tb,
					  size_t m, size_t n, size_t k)
{
	bool openblas;

	(void)ta;
	if (m == 1 && tb == MAT_YES)
		openblas = n <= 1024 && small(m, n, k);
	else if (m == 1 || k == 1)
		openblas = true;
	else if (tb == MAT_YES)
		openblas = m * n <= 1024 || (n <= 64 && m < 256) ||
			   (m <= 8 && k <= NARROW);
	else
		openblas = n <= NARROW || small(m, n, k);
	return openblas ? &mat_kind_openblas : &mat_kind_onednn;
}

static const struct mat_kind *pick_intel512(enum mat_op ta, enum mat_op tb,
					    size_t m, size_t n, size_t k)
{
	if (m == 1 || k == 1)
		return &mat_kind_openblas;
	if (ta == MAT_NO && tb == MAT_NO && n > NARROW && small(m, n, k))
		return &mat_kind_openblas;
	return &mat_kind_onednn;
}

const struct mat_kind *mat_rule_pick(enum mat_cpu cpu, enum mat_op ta,
				     enum mat_op tb, size_t m, size_t n,
				     size_t k)
{
	if (k == 1 && tb == MAT_NO && (n <= NARROW || m * n >= WIDE_MN))
		return &mat_kind_plain;
	switch (cpu) {
	case MAT_CPU_AMD512:
		return pick_amd512(ta, tb, m, n, k);
	case MAT_CPU_INTEL512:
		return pick_intel512(ta, tb, m, n, k);
	case MAT_CPU_X86:
		return ta == MAT_YES ? &mat_kind_openblas : &mat_kind_onednn;
	default:
		return &mat_kind_openblas;
	}
}
