/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/quantity.h"

static const struct {
	const char *text;
	enum quantity quantity;
	double value;
} good[] = {
	{ "200ms", QUANTITY_SECONDS, 0.2 },
	{ "2s", QUANTITY_SECONDS, 2 },
	{ "5m", QUANTITY_SECONDS, 300 },
	{ "5 min", QUANTITY_SECONDS, 300 },
	{ "1.5h", QUANTITY_SECONDS, 5400 },
	{ "1d", QUANTITY_SECONDS, 86400 },
	{ "3us", QUANTITY_SECONDS, 3e-6 },
	{ "3\xc2\xb5s", QUANTITY_SECONDS, 3e-6 },
	{ "3\xce\xbcs", QUANTITY_SECONDS, 3e-6 },
	{ "7ns", QUANTITY_SECONDS, 7e-9 },
	{ "0.25", QUANTITY_SECONDS, 0.25 },
	{ " .5 ", QUANTITY_SECONDS, 0.5 },
	{ "250mW", QUANTITY_WATTS, 0.25 },
	{ "3W", QUANTITY_WATTS, 3 },
	{ "1e3 W", QUANTITY_WATTS, 1000 },
	{ "-2", QUANTITY_WATTS, -2 },
	{ "5J", QUANTITY_JOULES, 5 },
	{ "3kJ", QUANTITY_JOULES, 3000 },
	{ "2Wh", QUANTITY_JOULES, 7200 },
	{ "1kWh", QUANTITY_JOULES, 3.6e6 },
	{ "1mWh", QUANTITY_JOULES, 3.6 },
	{ "1MJ", QUANTITY_JOULES, 1e6 },
	{ "64KiB", QUANTITY_BYTES, 65536 },
	{ "64kB", QUANTITY_BYTES, 64000 },
	{ "2GiB", QUANTITY_BYTES, 2147483648 },
	{ "12", QUANTITY_COUNT, 12 },
};

START_TEST(units_are_understood)
{
	struct err err = { 0 };
	double value = (double)NAN;

	ck_assert_msg(quantity_parse(good[_i].text, good[_i].quantity, &value,
				     &err) == 0,
		      "%s", err.text);
	ck_assert_double_eq_tol(value, good[_i].value,
				1e-15 * fabs(good[_i].value));
}
END_TEST

static const struct {
	const char *text;
	enum quantity quantity;
} bad[] = {
	{ "", QUANTITY_SECONDS },      { "s", QUANTITY_SECONDS },
	{ "5x", QUANTITY_SECONDS },    { "5 S", QUANTITY_SECONDS },
	{ "5sec", QUANTITY_SECONDS },  { "5s 3", QUANTITY_SECONDS },
	{ "inf", QUANTITY_SECONDS },   { "nan", QUANTITY_SECONDS },
	{ "0x10", QUANTITY_SECONDS },  { "-0x10", QUANTITY_SECONDS },
	{ "1e999", QUANTITY_SECONDS }, { "1e308 d", QUANTITY_SECONDS },
	{ "-", QUANTITY_SECONDS },     { ".", QUANTITY_SECONDS },
	{ "--5", QUANTITY_SECONDS },   { "5J", QUANTITY_WATTS },
	{ "5W", QUANTITY_JOULES },     { "5k", QUANTITY_COUNT },
	{ "64KB", QUANTITY_BYTES },    { "1,5 s", QUANTITY_SECONDS },
};

START_TEST(anything_else_is_refused_with_a_sentence)
{
	struct err err = { 0 };
	double value = 77;

	ck_assert_int_eq(
		quantity_parse(bad[_i].text, bad[_i].quantity, &value, &err),
		-1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "expected "));
	ck_assert_ptr_nonnull(strstr(err.text, "(such as "));
	ck_assert_double_eq(value, 77);
}
END_TEST

START_TEST(the_error_names_the_units)
{
	struct err err = { 0 };
	double value;

	quantity_parse("5x", QUANTITY_WATTS, &value, &err);
	ck_assert_str_eq(err.text,
			 "expected a power, found \"5x\" (such as 3.5W; units: "
			 "uW \xc2\xb5W \xce\xbcW mW W kW MW)");
}
END_TEST

static const struct {
	double value;
	enum quantity quantity;
	const char *text;
} shown[] = {
	{ 0.0062, QUANTITY_JOULES, "6.2 mJ" },
	{ 0.2, QUANTITY_SECONDS, "200 ms" },
	{ 12.3456, QUANTITY_WATTS, "12.3 W" },
	{ -0.0034, QUANTITY_WATTS, "-3.4 mW" },
	{ 0.99996, QUANTITY_JOULES, "1 J" },
	{ 0.9993, QUANTITY_JOULES, "999 mJ" },
	{ 999.7, QUANTITY_JOULES, "1 kJ" },
	{ 123456789, QUANTITY_JOULES, "123 MJ" },
	{ 12345e6, QUANTITY_JOULES, "12345 MJ" },
	{ 3e-6, QUANTITY_SECONDS, "3 \xc2\xb5s" },
	{ 4e-12, QUANTITY_JOULES, "0.004 nJ" },
	{ 119, QUANTITY_SECONDS, "119 s" },
	{ 150, QUANTITY_SECONDS, "2.5 min" },
	{ 5400, QUANTITY_SECONDS, "1.5 h" },
	{ 65536, QUANTITY_BYTES, "65.5 kB" },
	{ 42, QUANTITY_COUNT, "42" },
	{ 1234, QUANTITY_COUNT, "1.23 k" },
	{ 3.4e6, QUANTITY_COUNT, "3.4 M" },
	{ 0, QUANTITY_JOULES, "0 J" },
	{ 0, QUANTITY_COUNT, "0" },
	{ (double)NAN, QUANTITY_JOULES, "unknown" },
	{ HUGE_VAL, QUANTITY_SECONDS, "unknown" },
};

START_TEST(values_are_shown_with_three_digits)
{
	char out[QUANTITY_TEXT_MAX];

	ck_assert_str_eq(
		quantity_text(shown[_i].value, shown[_i].quantity, out),
		shown[_i].text);
}
END_TEST

START_TEST(no_value_overflows_the_text)
{
	static const double values[] = {
		1e300, -1e300, 5e-324, -1.7e308, 1e18, -1e18, 123456789012345.6
	};
	char out[QUANTITY_TEXT_MAX];
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int q;

		for (q = QUANTITY_SECONDS; q <= QUANTITY_COUNT; q++)
			ck_assert_uint_lt(
				strlen(quantity_text(values[i], q, out)),
				QUANTITY_TEXT_MAX);
		quantity_duration(values[i], out);
	}
}
END_TEST

static const struct {
	double seconds;
	const char *text;
} durations[] = {
	{ 0.25, "250 ms" },      { 1.5, "1.5 s" },
	{ 45.2, "45 s" },        { 59.4, "59 s" },
	{ 59.6, "1 min" },       { 140, "2 min 20 s" },
	{ 3569, "59 min 29 s" }, { 3599.4, "1 h" },
	{ 3900, "1 h 5 min" },   { 86399, "1 d" },
	{ 200000, "2 d 8 h" },   { (double)NAN, "unknown" },
};

START_TEST(durations_are_said_as_people_say_them)
{
	char out[QUANTITY_TEXT_MAX];

	ck_assert_str_eq(quantity_duration(durations[_i].seconds, out),
			 durations[_i].text);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *quantity_suite(void);
Suite *quantity_suite(void)
{
	Suite *suite = suite_create("quantity");
	TCase *tests = tcase_create("quantity");

	tcase_add_loop_test(tests, units_are_understood, 0, COUNT(good));
	tcase_add_loop_test(tests, anything_else_is_refused_with_a_sentence, 0,
			    COUNT(bad));
	tcase_add_test(tests, the_error_names_the_units);
	tcase_add_loop_test(tests, values_are_shown_with_three_digits, 0,
			    COUNT(shown));
	tcase_add_test(tests, no_value_overflows_the_text);
	tcase_add_loop_test(tests, durations_are_said_as_people_say_them, 0,
			    COUNT(durations));
	suite_add_tcase(suite, tests);
	return suite;
}
