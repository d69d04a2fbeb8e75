/* SPDX-License-Identifier: BSD-3-Clause */
/* A share of the samples is held out: of each user's where users are known, so
 * that all are in both parts, else of all. */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/rng.h"

/* Samples of both parts: those of `train`, then those of `test`. */
struct pool {
	struct dataset *set;
	struct dataset_part from[2];
	size_t samples;
	size_t *start;  /* of each user; users + 1 */
	size_t *sample; /* user by user */
};

static const struct dataset_part *part_of(const struct pool *pool,
					  size_t *sample)
{
	if (*sample < pool->from[0].samples)
		return &pool->from[0];
	*sample -= pool->from[0].samples;
	return &pool->from[1];
}

static size_t user_of(const struct pool *pool, size_t sample)
{
	const struct dataset_part *part = part_of(pool, &sample);

	return part->user ? part->user[sample] : 0;
}

/* A counting sort by user. */
static void group(struct pool *pool, size_t users)
{
	size_t *next = xcalloc(users, sizeof(*next));

	pool->start = xcalloc(users + 1, sizeof(*pool->start));
	pool->sample = xcalloc(pool->samples, sizeof(*pool->sample));
	for (size_t i = 0; i < pool->samples; i++)
		pool->start[user_of(pool, i) + 1]++;
	for (size_t u = 0; u < users; u++) {
		pool->start[u + 1] += pool->start[u];
		next[u] = pool->start[u];
	}
	for (size_t i = 0; i < pool->samples; i++)
		pool->sample[next[user_of(pool, i)]++] = i;
	free(next);
}

/* The parts have the same form: one kind made both. */
static void part_make(const struct pool *pool, struct dataset_part *to,
		      size_t samples)
{
	const struct dataset_part *from = &pool->from[0];
	size_t features = pool->set->features;

	if (from->raw) {
		struct dataset_raw *raw = dataset_part_raw(
			to, samples, from->raw->type, from->raw->step);

		raw->swapped = from->raw->swapped;
	} else {
		to->x = xcalloc_aligned(samples * features, sizeof(*to->x));
		to->label = xcalloc(samples, sizeof(*to->label));
		to->samples = samples;
	}
	if (from->user)
		to->user = xcalloc(samples, sizeof(*to->user));
}

static void move(const struct pool *pool, size_t sample,
		 struct dataset_part *to, size_t place)
{
	const struct dataset_part *from = part_of(pool, &sample);
	size_t features = pool->set->features;

	to->label[place] = from->label[sample];
	if (to->user)
		to->user[place] = from->user[sample];
	if (to->raw)
		to->raw->row[place] = from->raw->row[sample];
	else
		memcpy(to->x + place * features, from->x + sample * features,
		       features * sizeof(*to->x));
}

/* Each user keeps a sample at least, and fractions go to the test part. */
static size_t held_out(const struct pool *pool, size_t user, double share)
{
	size_t n = pool->start[user + 1] - pool->start[user];
	size_t kept = (size_t)((double)n * (1.0 - share) + 1e-9);

	return n && !kept ? n - 1 : n - kept;
}

static void deal(struct pool *pool, size_t users, double share, uint64_t seed)
{
	struct dataset *set = pool->set;
	size_t trained = 0, tested = 0;

	for (size_t u = 0; u < users; u++) {
		struct rng rng = rng_stream(seed, "dataset split", u, 0);
		size_t begin = pool->start[u], end = pool->start[u + 1];
		size_t kept = end - held_out(pool, u, share);

		rng_shuffle(&rng, pool->sample + begin, end - begin);
		for (size_t i = begin; i < kept; i++)
			move(pool, pool->sample[i], &set->train, trained++);
		for (size_t i = kept; i < end; i++)
			move(pool, pool->sample[i], &set->test, tested++);
	}
}

static void pool_done(struct pool *pool)
{
	dataset_part_done(&pool->from[0]);
	dataset_part_done(&pool->from[1]);
	free(pool->start);
	free(pool->sample);
}

int dataset_split(struct dataset *set, double share, uint64_t seed,
		  struct err *err)
{
	struct pool pool = { .set = set, .from = { set->train, set->test } };
	size_t users = set->users ? set->users : 1, tested = 0;

	pool.samples = set->train.samples + set->test.samples;
	set->train = set->test = (struct dataset_part){ .samples = 0 };
	group(&pool, users);
	for (size_t u = 0; u < users; u++)
		tested += held_out(&pool, u, share);
	if (!tested) {
		pool_done(&pool);
		err_set(err, EINVAL,
			"%zu samples: a share of %g of each user's holds out "
			"none to be tested on",
			pool.samples, share);
		return err_remedy(err, "test=SHARE asks for more");
	}
	part_make(&pool, &set->train, pool.samples - tested);
	part_make(&pool, &set->test, tested);
	deal(&pool, users, share, seed);
	pool_done(&pool);
	return 0;
}
