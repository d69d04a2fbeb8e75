/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evaluate -- how good a model is, on the test part of a data set.
 *
 *	struct test_set *test = test_set_new(&set->test, features, classes);
 *
 *	test_set_evaluate(test, pool, trainer, model, &score);
 *	printf("%.3f\n", score.accuracy);
 *	test_score_done(&score);
 *	test_set_free(test);
 *
 * Samples are sorted by class once, so accuracy is known for each class: what
 * a device with a mix of classes of its own would see follows from that
 * without touching its data.  Chunks are fixed and their results are added in
 * order, so the figures do not depend on the number of threads.
 */
#ifndef FL_EVALUATE_H
#define FL_EVALUATE_H

#include <stddef.h>

#include "bench/dataset.h"
#include "lib/pool.h"
#include "fl/trainer.h"

struct test_set;

struct test_score {
	double accuracy, loss;
	size_t classes;
	double *class_accuracy; /* NAN for a class without test samples */
};

struct test_set *test_set_new(const struct dataset_part *part, size_t features,
			      size_t classes);
void test_set_free(struct test_set *test); /* accepts NULL */

/* `score` is initialised here; `trainer` has one for each thread. */
void test_set_evaluate(struct test_set *test, struct pool *pool,
		       struct trainer **trainer, const float *model,
		       struct test_score *score);
void test_score_done(struct test_score *score);

/* Accuracy under another mix of classes: Σ count_c · accuracy_c / Σ count_c
 * over the classes that were tested. */
double test_score_under(const struct test_score *score, const size_t *count);

#endif
