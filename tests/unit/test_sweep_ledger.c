/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdint.h>

#include "bench/probe.h"
#include "bench/sweep_ledger.h"

#define CONFIGS 3
#define BLOCKS  4
#define RETRIES 2

static struct sweep_ledger *ledger;

static void setup(void)
{
	ledger = sweep_ledger_new(CONFIGS, BLOCKS, RETRIES);
}

static void teardown(void)
{
	sweep_ledger_free(ledger);
}

static void put(size_t block, size_t config, unsigned int flags,
		double reference_s)
{
	ck_assert(sweep_ledger_put(ledger, block, config, flags, reference_s));
}

/* The plan's blocks, all of them calm. */
static void put_plan(void)
{
	for (size_t block = 0; block < BLOCKS; block++)
		for (size_t i = 0; i < CONFIGS; i++)
			put(block, i, 0, 1e-4);
}

/* Bit i: configuration i. */
static unsigned int wanted(size_t block)
{
	unsigned int set = 0;

	for (size_t i = 0; i < CONFIGS; i++)
		set |= (unsigned int)sweep_ledger_wants(ledger, block, i) << i;
	return set;
}

START_TEST(a_new_ledger_wants_the_whole_plan)
{
	ck_assert_uint_eq(sweep_ledger_left(ledger), BLOCKS * CONFIGS);
	ck_assert_uint_eq(wanted(0), 7);
	put(0, 1, 0, 1e-4);
	ck_assert_uint_eq(wanted(0), 5);
	ck_assert_uint_eq(sweep_ledger_left(ledger), BLOCKS * CONFIGS - 1);
}
END_TEST

START_TEST(a_calm_plan_is_all_there_is)
{
	put_plan();
	ck_assert_uint_eq(sweep_ledger_left(ledger), 0);
	ck_assert_uint_eq(sweep_ledger_lacking(ledger), 0);
	ck_assert_uint_eq(wanted(BLOCKS), 0);
}
END_TEST

START_TEST(an_extra_block_holds_what_was_disturbed_and_no_more)
{
	put(0, 2, PROBE_BUSY, 1e-4);
	ck_assert_uint_eq(sweep_ledger_left(ledger), BLOCKS * CONFIGS);
	put_plan(); /* what is there stays */
	ck_assert_uint_eq(sweep_ledger_count(ledger).disturbed, 1);
	ck_assert_uint_eq(wanted(BLOCKS), 4);
	ck_assert_uint_eq(sweep_ledger_left(ledger), 1);
	put(BLOCKS, 2, 0, 1e-4);
	ck_assert_uint_eq(wanted(BLOCKS + 1), 0);
	ck_assert_uint_eq(sweep_ledger_left(ledger), 0);
	ck_assert_uint_eq(sweep_ledger_lacking(ledger), 0);
	ck_assert_uint_eq(sweep_ledger_count(ledger).again, 1);
}
END_TEST

START_TEST(retries_end_however_disturbed_the_windows_are)
{
	for (size_t block = 0; block < BLOCKS + RETRIES; block++)
		for (size_t i = 0; i < CONFIGS; i++) {
			ck_assert(sweep_ledger_wants(ledger, block, i));
			put(block, i, PROBE_STOLEN, 0);
		}
	ck_assert_uint_eq(sweep_ledger_left(ledger), 0);
	ck_assert_uint_eq(sweep_ledger_lacking(ledger), CONFIGS);
	ck_assert(!sweep_ledger_put(ledger, BLOCKS + RETRIES, 0, 0, 0));
}
END_TEST

/* Its plan asked for no warm-up: another window would be cold, too. */
START_TEST(cold_windows_are_not_measured_again)
{
	put(0, 0, PROBE_COLD, 1e-4);
	put_plan();
	ck_assert_uint_eq(sweep_ledger_left(ledger), 0);
}
END_TEST

START_TEST(a_reference_above_the_lowest_makes_a_window_slowed)
{
	put(0, 1, 0, 1.2e-4);
	put(1, 1, 0, 1.07e-4);
	put_plan();
	ck_assert_uint_eq(sweep_ledger_count(ledger).slowed, 1);
	ck_assert_uint_eq(wanted(BLOCKS), 2);
}
END_TEST

START_TEST(references_are_compared_within_a_configuration)
{
	for (size_t block = 0; block < BLOCKS; block++)
		for (size_t i = 0; i < CONFIGS; i++)
			put(block, i, 0, 1e-4 * (double)(i + 1));
	ck_assert_uint_eq(sweep_ledger_count(ledger).slowed, 0);
}
END_TEST

START_TEST(windows_without_a_reference_are_not_slowed)
{
	put(0, 1, 0, 0);
	put_plan();
	ck_assert_uint_eq(sweep_ledger_count(ledger).slowed, 0);
	ck_assert_uint_eq(sweep_ledger_left(ledger), 0);
}
END_TEST

/* An extra block shows a lower reference than all before it: what that block
 * held does not change for who goes on, what comes next does. */
START_TEST(hindsight_does_not_change_the_blocks_before_it)
{
	put(0, 0, PROBE_BUSY, 1e-4);
	put_plan();
	ck_assert_uint_eq(wanted(BLOCKS), 1);
	put(BLOCKS, 0, 0, 8e-5);
	ck_assert_uint_eq(wanted(BLOCKS), 0);
	ck_assert_uint_eq(wanted(BLOCKS + 1), 1);
	ck_assert_uint_eq(sweep_ledger_count(ledger).slowed, BLOCKS);
	ck_assert_uint_eq(sweep_ledger_left(ledger), 1);
}
END_TEST

/* Go on where a ledger stands until `stop` windows are there; each
 * configuration is disturbed in one block.  A bit for each window. */
static unsigned long go_on(struct sweep_ledger *at, size_t stop)
{
	unsigned long there = 0;

	for (size_t block = 0; block < BLOCKS + RETRIES; block++)
		for (size_t i = 0; i < CONFIGS; i++)
			if (sweep_ledger_count(at).windows < stop &&
			    sweep_ledger_wants(at, block, i)) {
				sweep_ledger_put(at, block, i,
						 block == i ? PROBE_BUSY : 0,
						 1e-4);
				there |= 1ul << (block * CONFIGS + i);
			}
	return there;
}

START_TEST(who_goes_on_measures_what_would_have_been_measured)
{
	unsigned long whole = go_on(ledger, SIZE_MAX);

	ck_assert_uint_eq(sweep_ledger_count(ledger).windows,
			  (BLOCKS + 1) * CONFIGS);
	for (size_t stop = 0; stop <= (BLOCKS + 1) * CONFIGS; stop++) {
		struct sweep_ledger *other =
			sweep_ledger_new(CONFIGS, BLOCKS, RETRIES);
		unsigned long before = go_on(other, stop);
		unsigned long after = go_on(other, SIZE_MAX);

		ck_assert_uint_eq(before & after, 0);
		ck_assert_uint_eq(before | after, whole);
		ck_assert_uint_eq(sweep_ledger_left(other), 0);
		ck_assert_uint_eq(sweep_ledger_count(other).again, CONFIGS);
		sweep_ledger_free(other);
	}
}
END_TEST

Suite *sweep_ledger_suite(void);
Suite *sweep_ledger_suite(void)
{
	Suite *suite = suite_create("sweep_ledger");
	TCase *tcase = tcase_create("windows");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_new_ledger_wants_the_whole_plan);
	tcase_add_test(tcase, a_calm_plan_is_all_there_is);
	tcase_add_test(tcase,
		       an_extra_block_holds_what_was_disturbed_and_no_more);
	tcase_add_test(tcase, retries_end_however_disturbed_the_windows_are);
	tcase_add_test(tcase, cold_windows_are_not_measured_again);
	tcase_add_test(tcase,
		       a_reference_above_the_lowest_makes_a_window_slowed);
	tcase_add_test(tcase, references_are_compared_within_a_configuration);
	tcase_add_test(tcase, windows_without_a_reference_are_not_slowed);
	tcase_add_test(tcase, hindsight_does_not_change_the_blocks_before_it);
	tcase_add_test(tcase,
		       who_goes_on_measures_what_would_have_been_measured);
	suite_add_tcase(suite, tcase);
	return suite;
}
