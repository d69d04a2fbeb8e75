/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/pool.h"

#define TASKS 1000

struct tally {
	size_t threads;
	int done[TASKS];
	_Atomic size_t strangers; /* workers out of range */
};

static void count(void *context, size_t worker, size_t task)
{
	struct tally *tally = context;

	tally->done[task]++;
	if (worker >= tally->threads)
		atomic_fetch_add(&tally->strangers, 1);
}

START_TEST(every_task_is_done_once_by_the_time_run_returns)
{
	size_t threads = (size_t)_i;
	struct tally tally = { .threads = threads };
	struct pool *pool = pool_new(threads);
	size_t tasks = 0;

	ck_assert_uint_ge(pool_threads(pool), 1);
	/* Now and then so late that workers sleep by then. */
	for (int round = 1; round <= 60; round++) {
		struct timespec late = { .tv_nsec = 200000 };
		size_t wrong = 0;

		tasks = (size_t)(round * 17 % TASKS);
		memset(tally.done, 0, sizeof(tally.done));
		if (round % 20 == 0)
			nanosleep(&late, NULL);
		pool_run(pool, tasks, count, &tally);
		for (size_t i = 0; i < TASKS; i++)
			wrong += tally.done[i] != (i < tasks);
		ck_assert_uint_eq(wrong, 0);
	}
	ck_assert_uint_eq(tally.strangers, 0);
	pool_free(pool);
}
END_TEST

START_TEST(no_pool_is_the_caller_alone)
{
	struct tally tally = { .threads = 1 };
	size_t done = 0;

	pool_run(NULL, TASKS, count, &tally);
	for (size_t i = 0; i < TASKS; i++)
		done += tally.done[i] == 1;
	ck_assert_uint_eq(done, TASKS);
	ck_assert_uint_eq(tally.strangers, 0);
	pool_free(NULL);
}
END_TEST

struct places {
	int seen[2];
};

static void where(void *context, size_t worker, size_t task)
{
	struct places *places = context;
	cpu_set_t set;

	(void)task;
	sched_getaffinity(0, sizeof(set), &set);
	places->seen[worker] = CPU_COUNT(&set);
}

START_TEST(pinned_threads_stay_on_one_processor_each)
{
	struct places places = { { 0, 0 } };
	struct err err = { 0 };
	cpu_set_t before;
	struct pool *pool;

	sched_getaffinity(0, sizeof(before), &before);
	pool = pool_new(2);
	if (CPU_COUNT(&before) < 2) {
		ck_assert_int_lt(pool_pin(pool, &err), 0);
		ck_assert_int_eq(err.code, EINVAL);
	} else {
		ck_assert_int_eq(pool_pin(pool, &err), 0);
		pool_run(pool, 64, where, &places);
		for (int i = 0; i < 2; i++)
			ck_assert_int_le(places.seen[i], 1);
	}
	pool_free(pool);
	sched_setaffinity(0, sizeof(before), &before);
}
END_TEST

START_TEST(more_threads_than_processors_cannot_be_pinned)
{
	struct err err = { 0 };
	cpu_set_t set;
	struct pool *pool;
	size_t processors;

	sched_getaffinity(0, sizeof(set), &set);
	processors = (size_t)CPU_COUNT(&set);
	pool = pool_new(processors + 1);
	if (pool_threads(pool) > processors) {
		ck_assert_int_lt(pool_pin(pool, &err), 0);
		ck_assert(strstr(err.text, "cannot be pinned"));
	}
	pool_free(pool);
}
END_TEST

Suite *pool_suite(void);
Suite *pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = tcase_create("pool");

	tcase_add_loop_test(
		tcase, every_task_is_done_once_by_the_time_run_returns, 1, 6);
	tcase_add_test(tcase, no_pool_is_the_caller_alone);
	tcase_add_test(tcase, pinned_threads_stay_on_one_processor_each);
	tcase_add_test(tcase, more_threads_than_processors_cannot_be_pinned);
	suite_add_tcase(suite, tcase);
	return suite;
}
