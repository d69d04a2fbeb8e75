/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"

START_TEST(a_block_grows_and_keeps_what_is_in_it)
{
	size_t capacity = 0;
	int *value = NULL;
	int moves = 0;

	for (size_t i = 0; i < 10000; i++) {
		size_t before = capacity;

		value = mem_grow(value, &capacity, i + 1, sizeof(*value));
		ck_assert_uint_ge(capacity, i + 1);
		moves += capacity != before;
		value[i] = (int)i;
	}
	for (size_t i = 0; i < 10000; i++)
		ck_assert_int_eq(value[i], (int)i);
	ck_assert_int_lt(moves, 40); /* by half each time, not one by one */
	free(value);
}
END_TEST

START_TEST(nothing_to_grow_leaves_it_alone)
{
	size_t capacity = 8;
	int *value = xcalloc(capacity, sizeof(*value));

	ck_assert_ptr_eq(mem_grow(value, &capacity, 8, sizeof(*value)), value);
	ck_assert_uint_eq(capacity, 8);
	free(value);
}
END_TEST

START_TEST(aligned_blocks_are_aligned_and_zeroed)
{
	static const size_t counts[] = { 1, 7, 16, 1000 };

	for (size_t i = 0; i < 4; i++) {
		float *block = xcalloc_aligned(counts[i], sizeof(*block));

		ck_assert_uint_eq((uintptr_t)block % 64, 0);
		for (size_t k = 0; k < counts[i]; k++)
			ck_assert(block[k] == 0.0F);
		free(block);
	}
}
END_TEST

START_TEST(strings_are_copied)
{
	char *a = xstrdup("abc"), *b = xstrndup("abcdef", 3);
	char *c = xasprintf("%s%d", "ab", 3);

	ck_assert_str_eq(a, b);
	ck_assert_str_eq(c, "ab3");
	free(a);
	free(b);
	free(c);
}
END_TEST

/* Each must abort: these sizes do not fit into a size_t. */
static volatile size_t huge = SIZE_MAX / 2;

static void mute(void)
{
	close(2);
}

START_TEST(xcalloc_that_overflows_aborts)
{
	mute();
	free(xcalloc(huge, 4));
}
END_TEST

START_TEST(xrealloc_that_overflows_aborts)
{
	mute();
	free(xrealloc(NULL, huge, 4));
}
END_TEST

START_TEST(xcalloc_aligned_that_overflows_aborts)
{
	mute();
	free(xcalloc_aligned(huge, 4));
}
END_TEST

START_TEST(mem_grow_that_overflows_aborts)
{
	size_t capacity = 0;

	mute();
	free(mem_grow(NULL, &capacity, huge, 4));
}
END_TEST

Suite *mem_suite(void);

Suite *mem_suite(void)
{
	Suite *suite = suite_create("mem");
	TCase *tcase = tcase_create("mem");

	tcase_add_test(tcase, a_block_grows_and_keeps_what_is_in_it);
	tcase_add_test(tcase, nothing_to_grow_leaves_it_alone);
	tcase_add_test(tcase, aligned_blocks_are_aligned_and_zeroed);
	tcase_add_test(tcase, strings_are_copied);
	tcase_add_test_raise_signal(tcase, xcalloc_that_overflows_aborts,
				    SIGABRT);
	tcase_add_test_raise_signal(tcase, xrealloc_that_overflows_aborts,
				    SIGABRT);
	tcase_add_test_raise_signal(
		tcase, xcalloc_aligned_that_overflows_aborts, SIGABRT);
	tcase_add_test_raise_signal(tcase, mem_grow_that_overflows_aborts,
				    SIGABRT);
	suite_add_tcase(suite, tcase);
	return suite;
}
