/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/rng.h"

#include <Random123/philox.h>
#include <math.h>
#include <stdlib.h>

#include "lib/mem.h"

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t key_of(uint64_t seed, const char *purpose)
{
	uint64_t hash = FNV_BASIS;
	int i;

	/* The seed's bytes, lowest first on any machine. */
	for (i = 0; i < 8; i++)
		hash = (hash ^ (seed >> (8 * i) & 0xff)) * FNV_PRIME;
	for (; *purpose != '\0'; purpose++)
		hash = (hash ^ (unsigned char)*purpose) * FNV_PRIME;
	return hash;
}

struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t a,
		      uint64_t b)
{
	uint64_t key = key_of(seed, purpose);

	return (struct rng){
		.key = { (uint32_t)key, (uint32_t)(key >> 32) },
		/* The block, then 48 bits of each index. */
		.counter = { 0, (uint32_t)a,
			     (uint32_t)(a >> 32 & 0xffff) |
				     (uint32_t)(b >> 32 & 0xffff) << 16,
			     (uint32_t)b },
	};
}

static void next_block(struct rng *rng)
{
	philox4x32_ctr_t counter = { { rng->counter[0], rng->counter[1],
				       rng->counter[2], rng->counter[3] } };
	philox4x32_key_t key = { { rng->key[0], rng->key[1] } };
	int i;

	counter = philox4x32(counter, key);
	for (i = 0; i < 4; i++)
		rng->word[i] = counter.v[i];
	rng->left = 4;
	rng->counter[0]++;
}

uint32_t rng_u32(struct rng *rng)
{
	if (rng->left == 0)
		next_block(rng);
	return rng->word[4 - rng->left--];
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t low = rng_u32(rng);

	return low | (uint64_t)rng_u32(rng) << 32;
}

double rng_uniform(struct rng *rng)
{
	return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

/* The upper half of a 128-bit product is uniform once the few lower halves
 * that some results would get too often are rejected. */
uint64_t rng_below(struct rng *rng, uint64_t n)
{
	unsigned __int128 product = (unsigned __int128)rng_u64(rng) * n;

	if ((uint64_t)product < n) {
		uint64_t surplus = -n % n;

		while ((uint64_t)product < surplus)
			product = (unsigned __int128)rng_u64(rng) * n;
	}
	return (uint64_t)(product >> 64);
}

double rng_normal(struct rng *rng)
{
	/* 1 − u lies in (0, 1], where the logarithm exists. */
	double radius = sqrt(-2 * log(1 - rng_uniform(rng)));

	return radius * cos(2 * M_PI * rng_uniform(rng));
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables",
 * ACM TOMS 26(3), 2000; shape >= 1. */
static double gamma_above_one(struct rng *rng, double shape)
{
	double d = shape - 1.0 / 3;
	double c = 1 / sqrt(9 * d);
	double x, v, u;

	do {
		do {
			x = rng_normal(rng);
			v = 1 + c * x;
		} while (v <= 0);
		v = v * v * v;
		u = 1 - rng_uniform(rng);
	} while (log(u) >= x * x / 2 + d - d * v + d * log(v));
	return d * v;
}

/* Below one: Gamma(shape + 1) × U^(1/shape).  As a logarithm, as the value
 * itself may be too small for a double. */
static double gamma_log(struct rng *rng, double shape)
{
	double log_gamma;

	if (shape >= 1)
		return log(gamma_above_one(rng, shape));
	log_gamma = log(gamma_above_one(rng, shape + 1));
	return log_gamma + log(1 - rng_uniform(rng)) / shape;
}

double rng_gamma(struct rng *rng, double shape)
{
	return shape >= 1 ? gamma_above_one(rng, shape)
			  : exp(gamma_log(rng, shape));
}

/* Gammas over their sum, relative to the largest, so that a tiny alpha gives
 * one part everything rather than 0/0. */
void rng_dirichlet(struct rng *rng, double alpha, size_t n, double *share)
{
	double most = -HUGE_VAL, sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		share[i] = gamma_log(rng, alpha);
		most = fmax(most, share[i]);
	}
	for (i = 0; i < n; i++) {
		share[i] = exp(share[i] - most);
		sum += share[i];
	}
	for (i = 0; i < n; i++)
		share[i] /= sum;
}

void rng_shuffle(struct rng *rng, size_t *item, size_t n)
{
	size_t i, j, swap;

	for (i = n; i > 1; i--) {
		j = (size_t)rng_below(rng, i);
		swap = item[i - 1];
		item[i - 1] = item[j];
		item[j] = swap;
	}
}
