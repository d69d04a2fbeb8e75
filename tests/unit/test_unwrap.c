/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>

#include "lib/rng.h"
#include "sensor/unwrap.h"

/* RAPL by powercap: 2^32 units of 2^-14 J, in microjoules. */
#define RANGE UINT64_C(262143328850)
/* One second at 2 kW. */
#define SECOND UINT64_C(2000000000)

#define NOISE 16

static const struct {
	uint64_t last, now, range, most, advance;
	enum unwrap_verdict verdict;
} rows[] = {
	{ 0, 0, RANGE, SECOND, 0, UNWRAP_FORWARD },
	{ 100, 160, RANGE, SECOND, 60, UNWRAP_FORWARD },
	{ 100, 160, 0, UINT64_MAX, 60, UNWRAP_FORWARD },
	/* wraps */
	{ RANGE - 10, 20, RANGE, SECOND, 30, UNWRAP_WRAPPED },
	{ RANGE, 0, RANGE, SECOND, 0, UNWRAP_WRAPPED },
	{ RANGE, SECOND, RANGE, SECOND, SECOND, UNWRAP_WRAPPED },
	{ RANGE - SECOND, 0, RANGE, SECOND, SECOND, UNWRAP_WRAPPED },
	{ 19999999, 1, 20000000, 2000000, 2, UNWRAP_WRAPPED },
	{ 19999999, 1, 20000000, UINT64_MAX, 2, UNWRAP_WRAPPED },
	/* time for two: the least that it was */
	{ 19999999, 1, 20000000, SECOND, 2, UNWRAP_UNSURE },
	{ 100, 160, 20000000, SECOND, 60, UNWRAP_UNSURE },
	/* a tremble is neither a wrap nor a reset, however near to either */
	{ 1000, 990, 0, SECOND, 0, UNWRAP_BACKWARD },
	{ RANGE, RANGE - 3, RANGE, SECOND, 0, UNWRAP_BACKWARD },
	{ 1000, 900, 0, SECOND, 900, UNWRAP_RESET },
	/* a drop that no power explains is a reset: counted from 0 */
	{ RANGE / 2, 500, RANGE, SECOND, 500, UNWRAP_RESET },
	{ RANGE - SECOND - 1, 0, RANGE, SECOND, 0, UNWRAP_RESET },
	{ RANGE / 2, RANGE / 4, RANGE, SECOND, 0, UNWRAP_RESET },
	/* without a range every drop is one */
	{ 1000, 10, 0, UINT64_MAX, 10, UNWRAP_RESET },
	/* beyond its own range: the range is not to be trusted */
	{ RANGE + 5, 3, RANGE, SECOND, 3, UNWRAP_RESET },
	/* set ahead by somebody */
	{ 0, SECOND + 1, RANGE, SECOND, 0, UNWRAP_JUMPED },
	{ 0, UINT64_MAX - 1, 0, UINT64_MAX, UINT64_MAX - 1, UNWRAP_FORWARD },
};

START_TEST(wraps_resets_and_jumps_are_told_apart)
{
	struct unwrap_bounds bounds = { .range = rows[_i].range,
					.most = rows[_i].most,
					.late = true,
					.noise = NOISE };
	enum unwrap_verdict verdict;
	uint64_t advance =
		unwrap_step(rows[_i].last, rows[_i].now, &bounds, &verdict);

	ck_assert_uint_eq(advance, rows[_i].advance);
	ck_assert_int_eq(verdict, rows[_i].verdict);
}
END_TEST

/* A counter that is driven at random up to its plausible power, with wraps:
 * what comes out is what went in. */
START_TEST(a_counter_that_only_wraps_loses_nothing)
{
	struct rng rng = rng_stream(1, "unwrap wraps", 0, 0);
	const struct unwrap_bounds bounds = { .range = 50000, .most = 30000 };
	uint64_t raw = 0, truth = 0, sum = 0;
	enum unwrap_verdict verdict;
	int wraps = 0;

	for (int i = 0; i < 20000; i++) {
		uint64_t add = rng_below(&rng, 20000);
		uint64_t next = (raw + add) % bounds.range;

		sum += unwrap_step(raw, next, &bounds, &verdict);
		truth += add;
		wraps += verdict == UNWRAP_WRAPPED;
		ck_assert_int_ne(verdict, UNWRAP_JUMPED);
		ck_assert_int_ne(verdict, UNWRAP_RESET);
		raw = next;
	}
	ck_assert_uint_eq(sum, truth);
	ck_assert_int_gt(wraps, 1000);
}
END_TEST

START_TEST(whatever_is_read_the_advance_is_possible)
{
	struct rng rng = rng_stream(1, "unwrap anything", 0, 0);
	enum unwrap_verdict verdict;

	for (int i = 0; i < 100000; i++) {
		struct unwrap_bounds bounds = {
			.range = rng_u64(&rng) >> rng_below(&rng, 64),
			.most = rng_u64(&rng) >> rng_below(&rng, 64),
			.late = i % 2,
			.noise = rng_u64(&rng) >> rng_below(&rng, 64),
		};
		uint64_t last = rng_u64(&rng) >> rng_below(&rng, 64);
		uint64_t now = rng_u64(&rng) >> rng_below(&rng, 64);

		ck_assert_uint_le(unwrap_step(last, now, &bounds, &verdict),
				  bounds.most);
	}
}
END_TEST

Suite *unwrap_suite(void);
Suite *unwrap_suite(void)
{
	Suite *suite = suite_create("unwrap");
	TCase *tcase = tcase_create("unwrap");

	tcase_add_loop_test(tcase, wraps_resets_and_jumps_are_told_apart, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_counter_that_only_wraps_loses_nothing);
	tcase_add_test(tcase, whatever_is_read_the_advance_is_possible);
	suite_add_tcase(suite, tcase);
	return suite;
}
