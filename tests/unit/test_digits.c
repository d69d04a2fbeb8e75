/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/digits.h"

static void same(uint64_t value)
{
	char want[32], got[DIGITS_ROOM + 1];
	char *end;

	snprintf(want, sizeof(want), "%" PRIu64, value);
	end = digits_put(got, value);
	*end = '\0';
	ck_assert_str_eq(got, want);
}

START_TEST(eight_digits_are_what_printf_says)
{
	for (uint64_t i = 0; i < 200000; i++)
		same(i);
	for (uint64_t i = 0; i < 10000; i++)
		same(10000 * i + 9999 - i);
}
END_TEST

START_TEST(every_length_is_what_printf_says)
{
	uint64_t random = 1;

	for (uint64_t ten = 1; ten <= UINT64_MAX / 10; ten *= 10)
		for (uint64_t i = 0; i < 10; i++) {
			same(i * ten);
			same(i * ten + 1);
			same(10 * ten - 1 - i);
		}
	for (int bits = 0; bits < 64; bits++)
		for (int i = 0; i < 200; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			same(random >> bits);
		}
	same(UINT64_MAX);
}
END_TEST

Suite *digits_suite(void);

Suite *digits_suite(void)
{
	Suite *suite = suite_create("digits");
	TCase *tcase = tcase_create("digits");

	tcase_add_test(tcase, eight_digits_are_what_printf_says);
	tcase_add_test(tcase, every_length_is_what_printf_says);
	suite_add_tcase(suite, tcase);
	return suite;
}
