/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fl/partition.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define SAMPLES 5000
#define CLASSES 10

Suite *partition_suite(void);

static struct dataset_part part;

/* Uneven classes, in no order. */
static void part_make(void)
{
	struct rng rng = rng_stream(7, "labels", 0, 0);

	part.samples = SAMPLES;
	part.label = xcalloc(SAMPLES, sizeof(*part.label));
	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t a = rng_below(&rng, CLASSES);
		uint64_t b = rng_below(&rng, CLASSES);

		part.label[i] = (int32_t)(a < b ? a : b);
	}
}

static void part_drop(void)
{
	free(part.label);
	part.label = NULL;
}

static struct partition *divide(const char *spec, size_t devices, uint64_t seed)
{
	struct err err = { 0 };
	struct partition *partition =
		partition_new(spec, &part, CLASSES, devices, seed, &err);

	ck_assert_msg(partition != NULL, "%s", err.text);
	return partition;
}

static void refused(const char *spec, size_t devices, const char *says)
{
	struct err err = { 0 };

	ck_assert_ptr_null(
		partition_new(spec, &part, CLASSES, devices, 1, &err));
	ck_assert_msg(strstr(err.text, says), "'%s' does not say '%s'",
		      err.text, says);
}

/* ---- laws that every kind keeps ---------------------------------------- */

static const struct {
	const char *spec;
	size_t devices;
} kinds[] = {
	{ "iid", 1 },
	{ "iid", 7 },
	{ "iid", 20 },
	{ "dirichlet:0.5", 20 },
	{ "dirichlet:0.1", 10 },
	{ "dirichlet:100", 7 },
	{ "shards:2", 20 },
	{ "shards:3", 7 },
};

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

START_TEST(every_sample_belongs_to_one_device)
{
	struct partition *partition =
		divide(kinds[_i].spec, kinds[_i].devices, 1);
	char seen[SAMPLES] = { 0 };

	for (size_t k = 0; k < kinds[_i].devices; k++) {
		const size_t *own = partition_of(partition, k);

		ck_assert_uint_ge(partition_samples(partition, k), 1);
		for (size_t i = 0; i < partition_samples(partition, k); i++) {
			ck_assert_uint_lt(own[i], SAMPLES);
			ck_assert_int_eq(seen[own[i]]++, 0);
			if (i)
				ck_assert_uint_lt(own[i - 1], own[i]);
		}
	}
	for (size_t i = 0; i < SAMPLES; i++)
		ck_assert_int_eq(seen[i], 1);
	partition_free(partition);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_partition)
{
	size_t n = kinds[_i].devices;
	struct partition *a = divide(kinds[_i].spec, n, 5);
	struct partition *b = divide(kinds[_i].spec, n, 5);
	struct partition *c = divide(kinds[_i].spec, n, 6);

	ck_assert_mem_eq(a->start, b->start, (n + 1) * sizeof(*a->start));
	ck_assert_mem_eq(a->sample, b->sample, SAMPLES * sizeof(*a->sample));
	if (n > 1)
		ck_assert_mem_ne(a->sample, c->sample,
				 SAMPLES * sizeof(*a->sample));
	partition_free(a);
	partition_free(b);
	partition_free(c);
}
END_TEST

/* ---- what each kind is for --------------------------------------------- */

START_TEST(iid_sizes_differ_by_one_at_most)
{
	struct partition *partition = divide("iid", 7, 1);

	for (size_t k = 0; k < 7; k++) {
		size_t n = partition_samples(partition, k);

		ck_assert(n == SAMPLES / 7 || n == SAMPLES / 7 + 1);
	}
	partition_free(partition);
}
END_TEST

/* Mean over devices of the share of each one's biggest class. */
static double concentration(const char *spec)
{
	struct partition *partition = divide(spec, 20, 3);
	double sum = 0.0;

	for (size_t k = 0; k < 20; k++) {
		size_t count[CLASSES], most = 0;

		partition_classes(partition, k, &part, CLASSES, count);
		for (size_t c = 0; c < CLASSES; c++)
			if (count[c] > most)
				most = count[c];
		sum += (double)most / (double)partition_samples(partition, k);
	}
	partition_free(partition);
	return sum / 20.0;
}

START_TEST(a_small_alpha_concentrates_classes)
{
	double iid = concentration("iid");
	double mild = concentration("dirichlet:100");
	double half = concentration("dirichlet:0.5");
	double hard = concentration("dirichlet:0.1");

	ck_assert_double_lt(mild - iid, 0.08);
	ck_assert_double_gt(half, mild + 0.1);
	ck_assert_double_gt(hard, half + 0.1);
}
END_TEST

START_TEST(dirichlet_leaves_nobody_with_crumbs)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct partition *partition = divide("dirichlet:0.1", 20, seed);

		for (size_t k = 0; k < 20; k++)
			ck_assert_uint_ge(partition_samples(partition, k), 10);
		partition_free(partition);
	}
}
END_TEST

START_TEST(two_shards_hold_few_classes)
{
	struct partition *partition = divide("shards:2", 20, 1);

	for (size_t k = 0; k < 20; k++) {
		size_t count[CLASSES], classes = 0;

		partition_classes(partition, k, &part, CLASSES, count);
		for (size_t c = 0; c < CLASSES; c++)
			classes += count[c] > 0;
		/* A shard may lie across one border, or in the thin tail of
		 * small classes across two. */
		ck_assert_uint_le(classes, 6);
		ck_assert_uint_ge(partition_samples(partition, k),
				  SAMPLES / 20 - 2);
		ck_assert_uint_le(partition_samples(partition, k),
				  SAMPLES / 20 + 2);
	}
	partition_free(partition);
}
END_TEST

START_TEST(natural_devices_own_what_their_users_produced)
{
	struct partition *partition;

	part.user = xcalloc(SAMPLES, sizeof(*part.user));
	for (size_t i = 0; i < SAMPLES; i++)
		part.user[i] = 2 * (uint32_t)(i * i % 7); /* 0, 2, 4, 8 */
	refused("natural", 5, "only 4 users produced the samples");
	refused("natural:2", 4, "takes nothing behind it");
	partition = divide("natural", 4, 1);
	for (size_t k = 0; k < 4; k++) {
		const size_t *own = partition_of(partition, k);

		for (size_t i = 0; i < partition_samples(partition, k); i++)
			ck_assert_uint_eq(part.user[own[i]], part.user[own[0]]);
	}
	partition_free(partition);
	/* Two users each. */
	partition = divide("natural", 2, 1);
	ck_assert_uint_eq(partition_samples(partition, 0) +
				  partition_samples(partition, 1),
			  SAMPLES);
	partition_free(partition);
	free(part.user);
	part.user = NULL;
}
END_TEST

/* ---- bad input --------------------------------------------------------- */

START_TEST(what_cannot_be_divided_is_refused)
{
	refused("iidd", 3, "did you mean 'iid'");
	refused("zipf", 3, "there are: iid, dirichlet, shards, natural");
	refused("iid:3", 3, "takes nothing behind it");
	refused("dirichlet", 3, "the number is missing");
	refused("dirichlet:half", 3, "not a number");
	refused("dirichlet:-1", 3, "not within");
	refused("shards:1.5", 3, "whole number");
	refused("shards:1000", 20, "cannot be cut");
	refused("natural", 3, "does not say who produced");
	refused("iid", 0, "cannot share");
	refused("iid", SAMPLES + 1, "cannot share");
}
END_TEST

START_TEST(an_impossible_dirichlet_gives_up)
{
	/* Nearly every class goes to one device: ten cannot feed 400. */
	refused("dirichlet:0.001", 400, "fewer than");
}
END_TEST

Suite *partition_suite(void)
{
	Suite *suite = suite_create("partition");
	TCase *tcase = tcase_create("partition");

	tcase_add_checked_fixture(tcase, part_make, part_drop);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, every_sample_belongs_to_one_device, 0,
			    KINDS);
	tcase_add_loop_test(tcase, the_same_seed_gives_the_same_partition, 0,
			    KINDS);
	tcase_add_test(tcase, iid_sizes_differ_by_one_at_most);
	tcase_add_test(tcase, a_small_alpha_concentrates_classes);
	tcase_add_test(tcase, dirichlet_leaves_nobody_with_crumbs);
	tcase_add_test(tcase, two_shards_hold_few_classes);
	tcase_add_test(tcase, natural_devices_own_what_their_users_produced);
	tcase_add_test(tcase, what_cannot_be_divided_is_refused);
	tcase_add_test(tcase, an_impossible_dirichlet_gives_up);
	suite_add_tcase(suite, tcase);
	return suite;
}
