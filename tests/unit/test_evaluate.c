/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fl/evaluate.h"
#include "lib/mem.h"

Suite *evaluate_suite(void);

#define CLASSES 3
#define SAMPLES 1000

/* Softmax with the identity as weights: the class is the largest feature. */
static const float identity[CLASSES * CLASSES + CLASSES] = { 9, 0, 0, 0, 9, 0,
							     0, 0, 9, 0, 0, 0 };

/* Class 0 is always recognised, every second of class 1, nothing of class 2
 * (or there is nothing of class 2 at all). */
static struct dataset_part part_make(bool third)
{
	struct dataset_part part = { .samples = SAMPLES };

	part.x = xcalloc(SAMPLES * CLASSES, sizeof(float));
	part.label = xcalloc(SAMPLES, sizeof(int32_t));
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t class = i % 10 < 5 ? 0 : i % 10 < 9 || !third ? 1 : 2;
		size_t seen = class == 2 || (class == 1 && i % 2) ? 0 : class;

		part.label[i] = (int32_t) class;
		part.x[i * CLASSES + seen] = 1.0f;
	}
	return part;
}

static void part_done(struct dataset_part *part)
{
	free(part->x);
	free(part->label);
}

static void evaluate(const struct dataset_part *part, size_t threads,
		     struct test_score *score)
{
	struct test_set *test = test_set_new(part, CLASSES, CLASSES);
	struct pool *pool = pool_new(threads);
	struct trainer *trainer[4];
	struct step_config config;
	struct err err = { 0 };

	ck_assert_int_eq(step_config_set(&config, "softmax:3-3", 16, "fp32",
					 "ce", "sgd", 1, &err),
			 0);
	for (size_t i = 0; i < pool_threads(pool); i++) {
		trainer[i] = trainer_new(&config, part, mat_open("auto", NULL),
					 &err);
		ck_assert_ptr_nonnull(trainer[i]);
	}
	test_set_evaluate(test, pool, trainer, identity, score);
	for (size_t i = 0; i < pool_threads(pool); i++)
		trainer_free(trainer[i]);
	pool_free(pool);
	test_set_free(test);
}

START_TEST(accuracy_is_known_for_each_class)
{
	struct dataset_part part = part_make(true);
	struct test_score score;
	double sure = log(1.0 + 2.0 * exp(-9.0));

	evaluate(&part, 1, &score);
	ck_assert_double_eq_tol(score.class_accuracy[0], 1.0, 1e-12);
	ck_assert_double_eq_tol(score.class_accuracy[1], 0.5, 1e-12);
	ck_assert_double_eq_tol(score.class_accuracy[2], 0.0, 1e-12);
	ck_assert_double_eq_tol(score.accuracy, 0.7, 1e-12);
	/* 7 of 10 right and sure, 3 wrong by 9. */
	ck_assert_double_eq_tol(score.loss, sure + 0.3 * 9.0, 1e-5);
	test_score_done(&score);
	part_done(&part);
}
END_TEST

START_TEST(a_device_sees_its_own_mix_of_classes)
{
	static const size_t first[] = { 7, 0, 0 }, mixed[] = { 1, 2, 1 };
	struct dataset_part part = part_make(true);
	struct test_score score;

	evaluate(&part, 1, &score);
	ck_assert_double_eq_tol(test_score_under(&score, first), 1.0, 1e-12);
	ck_assert_double_eq_tol(test_score_under(&score, mixed), 0.5, 1e-12);
	test_score_done(&score);
	part_done(&part);
}
END_TEST

START_TEST(a_class_that_is_not_tested_counts_for_nobody)
{
	static const size_t mixed[] = { 1, 0, 99 };
	struct dataset_part part = part_make(false);
	struct test_score score;

	evaluate(&part, 1, &score);
	ck_assert_double_nan(score.class_accuracy[2]);
	ck_assert_double_eq_tol(test_score_under(&score, mixed), 1.0, 1e-12);
	test_score_done(&score);
	part_done(&part);
}
END_TEST

START_TEST(threads_change_no_bit)
{
	struct dataset_part part = part_make(true);
	struct test_score one, many;

	evaluate(&part, 1, &one);
	evaluate(&part, 4, &many);
	ck_assert_double_eq(one.accuracy, many.accuracy);
	ck_assert_double_eq(one.loss, many.loss);
	ck_assert_mem_eq(one.class_accuracy, many.class_accuracy,
			 CLASSES * sizeof(double));
	test_score_done(&one);
	test_score_done(&many);
	part_done(&part);
}
END_TEST

Suite *evaluate_suite(void)
{
	Suite *suite = suite_create("evaluate");
	TCase *tcase = tcase_create("evaluate");

	tcase_add_test(tcase, accuracy_is_known_for_each_class);
	tcase_add_test(tcase, a_device_sees_its_own_mix_of_classes);
	tcase_add_test(tcase, a_class_that_is_not_tested_counts_for_nobody);
	tcase_add_test(tcase, threads_change_no_bit);
	suite_add_tcase(suite, tcase);
	return suite;
}
