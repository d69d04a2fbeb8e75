/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "lib/err.h"

START_TEST(context_is_built_on_the_way_up)
{
	struct err err = { 0 };

	ck_assert_int_eq(err_set(&err, EINVAL, "expected a %s", "number"), -1);
	ck_assert_int_eq(err_wrap(&err, "%s", "rounds"), -1);
	ck_assert_int_eq(err_wrap(&err, "config %s", "fl.json"), -1);
	ck_assert_int_eq(err_remedy(&err, "such as %d", 30), -1);
	ck_assert_str_eq(err.text, "config fl.json: rounds: expected a number "
				   "(such as 30)");
	ck_assert_int_eq(err.code, EINVAL);
}
END_TEST

START_TEST(errno_becomes_words)
{
	struct err err = { 0 };

	errno = ENOENT;
	ck_assert_int_eq(err_sys(&err, "open %s", "x"), -1);
	ck_assert_str_eq(err.text, "open x: No such file or directory");
	ck_assert_int_eq(err.code, ENOENT);
}
END_TEST

START_TEST(nobody_has_to_listen)
{
	ck_assert_int_eq(err_set(NULL, EINVAL, "a"), -1);
	ck_assert_int_eq(err_sys(NULL, "b"), -1);
	ck_assert_int_eq(err_wrap(NULL, "c"), -1);
	ck_assert_int_eq(err_remedy(NULL, "d"), -1);
}
END_TEST

START_TEST(an_error_may_quote_itself)
{
	struct err err = { 0 };

	err_set(&err, EINVAL, "inner");
	err_set(&err, EIO, "outer (%s)", err.text);
	ck_assert_str_eq(err.text, "outer (inner)");
	err_wrap(&err, "again %s", err.text);
	ck_assert_str_eq(err.text, "again outer (inner): outer (inner)");
}
END_TEST

/* "é" has two bytes; wherever the cut falls, none is left alone. */
START_TEST(a_long_sentence_is_cut_between_characters)
{
	struct err err = { 0 };
	char words[2 * ERR_TEXT_MAX];
	size_t i, length;

	for (i = 0; i + 2 < sizeof(words); i += 2)
		memcpy(words + i, "\xc3\xa9", 3);
	words[i] = '\0';
	for (i = 0; i < 2; i++) {
		err_set(&err, EINVAL, "%s%s", i ? "x" : "", words);
		err_wrap(&err, "context");
		length = strlen(err.text);
		ck_assert_uint_lt(length, ERR_TEXT_MAX);
		ck_assert_uint_gt(length, ERR_TEXT_MAX - 4);
		ck_assert_int_eq(err.text[length - 1], (char)0xa9);
	}
}
END_TEST

Suite *err_suite(void);
Suite *err_suite(void)
{
	Suite *suite = suite_create("err");
	TCase *tests = tcase_create("err");

	tcase_add_test(tests, context_is_built_on_the_way_up);
	tcase_add_test(tests, errno_becomes_words);
	tcase_add_test(tests, nobody_has_to_listen);
	tcase_add_test(tests, an_error_may_quote_itself);
	tcase_add_test(tests, a_long_sentence_is_cut_between_characters);
	suite_add_tcase(suite, tests);
	return suite;
}
