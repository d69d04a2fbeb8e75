/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vectors -- loops compiled once more for the vector registers of newer CPUs.
 *
 *	VECTORS static void add(float *restrict y, const float *restrict x,
 *				size_t n)
 *
 * The program is built for any x86-64; of such a function it carries a copy for
 * AVX2 and one for AVX-512, and the loader takes the one that fits.  The copies
 * may round differently (fused multiplications), so bits belong to a machine.
 * Elsewhere, and under sanitizers, there is one copy.
 */
#ifndef BENCH_VECTORS_H
#define BENCH_VECTORS_H

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORS
#endif

#endif
