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

START_TEST(digits_are_read_back)
{
	for (uint64_t i = 0; i < 100000000; i += 1 + i / 50) {
		char text[32];
		uint64_t value = 0;
		int length = snprintf(text, sizeof(text), "%llu,x:/7",
				      (unsigned long long)i) -
			     5;

		ck_assert_uint_eq(digits_get(text, &value), (unsigned)length);
		ck_assert_uint_eq(value, i);
	}
}
END_TEST

START_TEST(what_is_no_digit_ends_a_number)
{
	uint64_t value = 7;

	for (int c = 0; c < 256; c++) {
		char text[8] = { '4', '2', (char)c, '9', '9', '9', '9', '9' };

		if (c >= '0' && c <= '9')
			continue;
		ck_assert_uint_eq(digits_get(text, &value), 2);
		ck_assert_uint_eq(value, 42);
		text[0] = (char)c;
		ck_assert_uint_eq(digits_get(text, &value), 0);
	}
}
END_TEST

Suite *digits_suite(void);

Suite *digits_suite(void)
{
	Suite *suite = suite_create("digits");
	TCase *tcase = tcase_create("digits");

	tcase_add_test(tcase, eight_digits_are_what_printf_says);
	tcase_add_test(tcase, every_length_is_what_printf_says);
	tcase_add_test(tcase, digits_are_read_back);
	tcase_add_test(tcase, what_is_no_digit_ends_a_number);
	suite_add_tcase(suite, tcase);
	return suite;
}
