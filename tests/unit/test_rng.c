/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/rng.h"

/* Random123's tests/kat_vectors, philox4x32 with 10 rounds. */
static const struct {
	uint32_t counter[4], key[2], word[4];
} known[] = {
	{ { 0, 0, 0, 0 },
	  { 0, 0 },
	  { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
	{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	  { 0xffffffff, 0xffffffff },
	  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
	{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
	  { 0xa4093822, 0x299f31d0 },
	  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

START_TEST(it_is_philox)
{
	struct rng rng = { .left = 0 };
	int i;

	for (i = 0; i < 4; i++)
		rng.counter[i] = known[_i].counter[i];
	for (i = 0; i < 2; i++)
		rng.key[i] = known[_i].key[i];
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(rng_u32(&rng), known[_i].word[i]);
}
END_TEST

/* Recorded: results of old seeds must not change with a new version. */
START_TEST(streams_are_the_same_in_every_version)
{
	static const uint32_t words[] = { 0x1796cbe8, 0x56476810, 0x87eb32d3,
					  0x13c7cf66, 0x6c6b3958, 0x24bcfc46 };
	struct rng rng = rng_stream(1, "shuffle", 2, 3);
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_uint_eq(rng_u32(&rng), words[i]);
	rng = rng_stream(1, "u", 0, 0);
	ck_assert_double_eq(rng_uniform(&rng), 0.72218572467663456);
	ck_assert_double_eq(rng_uniform(&rng), 0.76656632824558124);
	ck_assert_double_eq(rng_uniform(&rng), 0.52264945770580107);
	ck_assert_uint_eq(rng_below(&rng, 1000), 667);
	ck_assert_uint_eq(rng_below(&rng, 1000), 599);
	ck_assert_uint_eq(rng_below(&rng, 1000), 548);
	ck_assert_double_eq_tol(rng_normal(&rng), -0.55951607240791101, 1e-14);
	ck_assert_double_eq_tol(rng_normal(&rng), 0.24115998111023301, 1e-14);
	ck_assert_double_eq_tol(rng_gamma(&rng, 2.5), 1.5247539681045306,
				1e-13);
	ck_assert_double_eq_tol(rng_gamma(&rng, 0.3), 1.1511257550004586,
				1e-13);
}
END_TEST

START_TEST(every_part_of_the_name_matters)
{
	uint64_t base, big = (uint64_t)1 << 47;
	struct rng streams[] = {
		rng_stream(1, "a", 0, 0),
		rng_stream(2, "a", 0, 0),
		rng_stream(1, "b", 0, 0),
		rng_stream(1, "a", 1, 0),
		rng_stream(1, "a", 0, 1),
		rng_stream(1, "a", big, 0),
		rng_stream(1, "a", 0, big),
		rng_stream(1, "", 0, 0),
		rng_stream(1 + ((uint64_t)1 << 63), "a", 0, 0),
	};
	size_t n = sizeof(streams) / sizeof(streams[0]);
	uint64_t first[sizeof(streams) / sizeof(streams[0])];
	size_t i, j;

	for (i = 0; i < n; i++) {
		first[i] = rng_u64(&streams[i]);
		for (j = 0; j < i; j++)
			ck_assert_uint_ne(first[i], first[j]);
	}
	streams[0] = rng_stream(1, "a", 0, 0);
	base = rng_u64(&streams[0]);
	ck_assert_uint_eq(base, first[0]);
}
END_TEST

struct moments {
	double mean, variance;
};

static struct moments moments_of(double (*draw)(struct rng *rng, double),
				 double parameter, size_t n)
{
	struct rng rng = rng_stream(7, "moments", 0, 0);
	double sum = 0, squares = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		double x = draw(&rng, parameter);

		sum += x;
		squares += x * x;
	}
	sum /= (double)n;
	return (struct moments){ sum, squares / (double)n - sum * sum };
}

static double draw_uniform(struct rng *rng, double parameter)
{
	double x = rng_uniform(rng);

	ck_assert_double_ge(x, 0);
	ck_assert_double_lt(x, parameter);
	return x;
}

static double draw_normal(struct rng *rng, double parameter)
{
	(void)parameter;
	return rng_normal(rng);
}

/* Tolerances: five standard errors of 100,000 draws. */
START_TEST(moments_are_right)
{
	static const double shapes[] = { 0.1, 0.5, 1, 3, 50 };
	struct moments m = moments_of(draw_uniform, 1, 100000);
	size_t i;

	ck_assert_double_eq_tol(m.mean, 0.5, 0.005);
	ck_assert_double_eq_tol(m.variance, 1.0 / 12, 0.0012);
	m = moments_of(draw_normal, 0, 100000);
	ck_assert_double_eq_tol(m.mean, 0, 0.016);
	ck_assert_double_eq_tol(m.variance, 1, 0.023);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		double k = shapes[i];

		m = moments_of(rng_gamma, k, 100000);
		ck_assert_double_eq_tol(m.mean, k, 5 * sqrt(k / 1e5));
		ck_assert_double_eq_tol(m.variance, k,
					5 * sqrt((2 * k * k + 6 * k) / 1e5));
	}
}
END_TEST

/* Chi squared, 5 degrees of freedom: above 25.7 once in 10^4 seeds. */
START_TEST(below_is_even)
{
	struct rng rng = rng_stream(3, "dice", 0, 0);
	double count[6] = { 0 }, chi = 0;
	int i;

	for (i = 0; i < 60000; i++)
		count[rng_below(&rng, 6)]++;
	for (i = 0; i < 6; i++)
		chi += (count[i] - 10000) * (count[i] - 10000) / 10000;
	ck_assert_double_lt(chi, 25.7);
	for (i = 0; i < 100; i++)
		ck_assert_uint_eq(rng_below(&rng, 1), 0);
	/* Two thirds of 2^64: naive scaling would prefer the lower half. */
	for (i = 0, chi = 0; i < 10000; i++)
		chi += rng_below(&rng, UINT64_MAX / 3 * 2) < UINT64_MAX / 3;
	ck_assert_double_eq_tol(chi, 5000, 250);
}
END_TEST

START_TEST(shares_add_up_to_one)
{
	static const double alphas[] = { 1e-6, 0.1, 0.5, 1, 100, 1e6 };
	struct rng rng = rng_stream(_i, "shares", 0, 0);
	double share[10], sum = 0, most = 0;
	int i;

	rng_dirichlet(&rng, alphas[_i], 10, share);
	for (i = 0; i < 10; i++) {
		ck_assert_double_ge(share[i], 0);
		sum += share[i];
		most = fmax(most, share[i]);
	}
	ck_assert_double_eq_tol(sum, 1, 1e-12);
	if (alphas[_i] < 1e-3)
		ck_assert_double_gt(most, 0.99);
	if (alphas[_i] > 1e5)
		ck_assert_double_eq_tol(most, 0.1, 0.001);
}
END_TEST

START_TEST(a_shuffle_keeps_every_item)
{
	size_t item[100], moved = 0, sum = 0, i;
	struct rng rng = rng_stream(1, "cards", 0, 0);

	for (i = 0; i < 100; i++)
		item[i] = i;
	rng_shuffle(&rng, item, 100);
	for (i = 0; i < 100; i++) {
		moved += item[i] != i;
		sum += item[i];
	}
	ck_assert_uint_gt(moved, 90);
	ck_assert_uint_eq(sum, 4950);
	rng_shuffle(&rng, item, 0);
	rng_shuffle(&rng, item, 1);
}
END_TEST

/* All six orders of three items, each about as often. */
START_TEST(every_order_is_as_likely)
{
	double seen[27] = { 0 };
	size_t i, orders = 0;

	for (i = 0; i < 6000; i++) {
		struct rng rng = rng_stream(1, "orders", i, 0);
		size_t item[] = { 0, 1, 2 };

		rng_shuffle(&rng, item, 3);
		seen[item[0] * 9 + item[1] * 3 + item[2]]++;
	}
	for (i = 0; i < 27; i++) {
		orders += seen[i] > 0;
		if (seen[i] > 0)
			ck_assert_double_eq_tol(seen[i], 1000, 145);
	}
	ck_assert_uint_eq(orders, 6);
}
END_TEST

Suite *rng_suite(void);
Suite *rng_suite(void)
{
	Suite *suite = suite_create("rng");
	TCase *tests = tcase_create("rng");

	tcase_add_loop_test(tests, it_is_philox, 0, 3);
	tcase_add_test(tests, streams_are_the_same_in_every_version);
	tcase_add_test(tests, every_part_of_the_name_matters);
	tcase_add_test(tests, moments_are_right);
	tcase_add_test(tests, below_is_even);
	tcase_add_loop_test(tests, shares_add_up_to_one, 0, 6);
	tcase_add_test(tests, a_shuffle_keeps_every_item);
	tcase_add_test(tests, every_order_is_as_likely);
	suite_add_tcase(suite, tests);
	return suite;
}
