/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "lib/instant.h"

static const struct {
	const char *text;
	int64_t ms; /* -1: refused */
} cases[] = {
	{ "1783600000", 1783600000000 },
	{ "1783600000.123", 1783600000123 },
	{ "1783600000123", 1783600000123 },
	{ "0", 0 },
	{ "2020-07-06T01:46:40", 1594000000000 },
	{ "2020-07-06T01:46:40Z", 1594000000000 },
	{ "2020-07-06 01:46:40", 1594000000000 },
	{ "2020-07-06T03:46:40.5+02:00", 1594000000500 },
	{ "2020-07-06T01:46:40.999999", 1594000000999 },
	{ "2020-07-06T01:46", 1593999960000 },
	{ "2020-07-06", 1593993600000 },
	{ "2020-07-06T", -1 },
	{ "2020-07-06T01", -1 },
	{ "2020-07-06T01:46:40.5x", -1 },
	{ "2020-13-06", -1 },
	{ "soon", -1 },
	{ "", -1 },
	{ "-5", -1 },
	{ "nan", -1 },
	{ "0x10", -1 },
	{ "1e20", -1 },
};

START_TEST(times_are_read_or_refused)
{
	struct err err = { 0 };
	int64_t ms = -1;
	int status = instant_parse(cases[_i].text, &ms, &err);

	ck_assert_int_eq(status, cases[_i].ms < 0 ? -1 : 0);
	ck_assert_int_eq(ms, cases[_i].ms);
	if (status < 0)
		ck_assert_ptr_nonnull(strstr(err.text, "expected a time"));
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	static const int64_t times[] = {
		0, 1, 999, 1594000000123, -1, -86400001, 253402300799999
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct text text = TEXT_INIT;
		int64_t ms = 0;

		instant_put(times[i], &text);
		ck_assert(instant_is_date(text.data, &ms));
		ck_assert_int_eq(ms, times[i]);
		text_done(&text);
	}
}
END_TEST

Suite *instant_suite(void);

Suite *instant_suite(void)
{
	Suite *suite = suite_create("instant");
	TCase *tcase = tcase_create("instant");

	tcase_add_loop_test(tcase, times_are_read_or_refused, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, what_is_written_reads_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
