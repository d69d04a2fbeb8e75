/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rng -- random numbers by name: the same name gives the same numbers.
 *
 *	struct rng rng = rng_stream(seed, "shuffle", client, round);
 *	size_t pick = rng_below(&rng, count);
 *
 * A stream is the counter-based generator Philox 4x32-10 (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC'11; Random123's code) with
 * the seed and the purpose as its key and two indices in its counter.  Streams
 * need no state that is shared, so results do not depend on how many threads
 * draw, or in which order.  2^32 blocks of four words per stream.
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint32_t key[2];
	uint32_t counter[4];
	uint32_t word[4];
	unsigned int left;
};

/* The stream called (`seed`, `purpose`, `a`, `b`). `a` and `b` < 2^48. */
struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t a,
		      uint64_t b);

uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *rng);

/* Uniform in 0 … n − 1 without bias (Lemire 2019); n > 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);

/* Mean 0, variance 1 (Box-Muller). */
double rng_normal(struct rng *rng);

/* Gamma(shape, 1), shape > 0 (Marsaglia and Tsang 2000). */
double rng_gamma(struct rng *rng, double shape);

/* A point on the simplex: Dirichlet(alpha, …, alpha) of `n` parts. */
void rng_dirichlet(struct rng *rng, double alpha, size_t n, double *share);

/* Fisher-Yates, in place. */
void rng_shuffle(struct rng *rng, size_t *item, size_t n);

#endif
