/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "lib/mem.h"

struct chunk {
	size_t class, begin, samples;
	double loss, accuracy; /* of the model tried last */
};

struct test_set {
	float *x; /* sorted by class */
	int32_t *label;
	size_t features, classes;
	struct chunk *chunk;
	size_t chunks, capacity;
};

static void add_class(struct test_set *test, const struct dataset_part *part,
		      size_t class, size_t *filled)
{
	size_t begin = *filled, width = test->features;

	for (size_t i = 0; i < part->samples; i++) {
		if ((size_t)part->label[i] != class)
			continue;
		dataset_batch(part, width, &i, 1, test->x + *filled * width,
			      test->label + *filled);
		++*filled;
	}
	for (; begin < *filled; begin += TRAINER_CHUNK) {
		size_t left = *filled - begin;

		test->chunk = mem_grow(test->chunk, &test->capacity,
				       test->chunks + 1, sizeof(*test->chunk));
		test->chunk[test->chunks++] = (struct chunk){
			.class = class,
			.begin = begin,
			.samples = left < TRAINER_CHUNK ? left : TRAINER_CHUNK,
		};
	}
}

struct test_set *test_set_new(const struct dataset_part *part, size_t features,
			      size_t classes)
{
	struct test_set *test = xcalloc(1, sizeof(*test));
	size_t filled = 0;

	test->features = features;
	test->classes = classes;
	test->x = xcalloc_aligned(part->samples * features, sizeof(float));
	test->label = xcalloc(part->samples, sizeof(*test->label));
	for (size_t c = 0; c < classes; c++)
		add_class(test, part, c, &filled);
	return test;
}

void test_set_free(struct test_set *test)
{
	if (!test)
		return;
	free(test->x);
	free(test->label);
	free(test->chunk);
	free(test);
}

struct evaluation {
	struct test_set *test;
	struct trainer **trainer;
	const float *model;
};

static void one_chunk(void *context, size_t worker, size_t task)
{
	struct evaluation *evaluation = context;
	struct test_set *test = evaluation->test;
	struct trainer *trainer = evaluation->trainer[worker];
	struct chunk *chunk = &test->chunk[task];

	trainer_load(trainer, evaluation->model);
	net_evaluate(trainer_net(trainer),
		     test->x + chunk->begin * test->features,
		     test->label + chunk->begin, chunk->samples, &chunk->loss,
		     &chunk->accuracy);
}

/* Means of means, weighted by samples, in the order of the chunks. */
static void add_up(const struct test_set *test, struct test_score *score)
{
	double *samples = xcalloc(test->classes, sizeof(*samples));
	double all = 0.0;

	for (size_t i = 0; i < test->chunks; i++) {
		const struct chunk *chunk = &test->chunk[i];
		double n = (double)chunk->samples;

		score->loss += n * chunk->loss;
		score->accuracy += n * chunk->accuracy;
		score->class_accuracy[chunk->class] += n * chunk->accuracy;
		samples[chunk->class] += n;
		all += n;
	}
	score->loss /= all;
	score->accuracy /= all;
	for (size_t c = 0; c < test->classes; c++)
		score->class_accuracy[c] /= samples[c]; /* 0/0: NAN */
	free(samples);
}

void test_set_evaluate(struct test_set *test, struct pool *pool,
		       struct trainer **trainer, const float *model,
		       struct test_score *score)
{
	struct evaluation evaluation = { test, trainer, model };

	pool_run(pool, test->chunks, one_chunk, &evaluation);
	*score = (struct test_score){ .classes = test->classes };
	score->class_accuracy = xcalloc(test->classes, sizeof(double));
	add_up(test, score);
}

void test_score_done(struct test_score *score)
{
	free(score->class_accuracy);
	score->class_accuracy = NULL;
}

double test_score_under(const struct test_score *score, const size_t *count)
{
	double sum = 0.0, n = 0.0;

	for (size_t c = 0; c < score->classes; c++) {
		if (isnan(score->class_accuracy[c]))
			continue;
		sum += (double)count[c] * score->class_accuracy[c];
		n += (double)count[c];
	}
	return sum / n;
}
