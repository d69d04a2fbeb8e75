/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/rng.h"
#include "lib/text.h"

START_TEST(pieces_add_up)
{
	struct text text = TEXT_INIT;
	char *taken;

	text_put(&text, "hello ");
	text_printf(&text, "%d", 42);
	text_put_char(&text, ' ');
	text_put_int(&text, INT64_MIN);
	text_put_char(&text, ' ');
	text_put_uint(&text, UINT64_MAX);
	text_put_bytes(&text, NULL, 0);
	ck_assert_str_eq(text.data, "hello 42 -9223372036854775808 "
				    "18446744073709551615");
	ck_assert_uint_eq(text.length, strlen(text.data));
	taken = text_take(&text);
	ck_assert_ptr_null(text.data);
	ck_assert_str_eq(taken + 6, "42 -9223372036854775808 "
				    "18446744073709551615");
	free(taken);
	taken = text_take(&text);
	ck_assert_str_eq(taken, "");
	free(taken);
}
END_TEST

START_TEST(clearing_keeps_the_memory)
{
	struct text text = TEXT_INIT;
	const char *before;

	text_clear(&text);
	text_printf(&text, "%1000d", 1);
	before = text.data;
	text_clear(&text);
	ck_assert_uint_eq(text.length, 0);
	ck_assert_str_eq(text.data, "");
	text_printf(&text, "%1000d", 2);
	ck_assert_ptr_eq(text.data, before);
	text_done(&text);
	ck_assert_ptr_null(text.data);
}
END_TEST

/* As Python 3's repr() spells them. */
static const struct {
	double value;
	const char *spelled;
} reals[] = {
	{ 0, "0.0" },
	{ -0.0, "-0.0" },
	{ 1, "1.0" },
	{ -17, "-17.0" },
	{ 0.1, "0.1" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ 123456.789, "123456.789" },
	{ 1e-4, "0.0001" },
	{ 0.00012345, "0.00012345" },
	{ 1e-5, "1e-05" },
	{ 1.5e-7, "1.5e-07" },
	{ 1e15, "1000000000000000.0" },
	{ 9007199254740993.0, "9007199254740992.0" },
	{ 1e16, "1e+16" },
	{ 1.2345e+20, "1.2345e+20" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ DBL_MIN, "2.2250738585072014e-308" },
	{ 5e-324, "5e-324" },
	/* 2^-44: the nearest 16 digits read back as another number. */
	{ 0x1p-44, "5.684341886080802e-14" },
	{ (double)NAN, "null" },
	{ HUGE_VAL, "null" },
	{ -HUGE_VAL, "null" },
};

START_TEST(reals_are_short)
{
	struct text text = TEXT_INIT;

	text_put_real(&text, reals[_i].value);
	ck_assert_str_eq(text.data, reals[_i].spelled);
	text_done(&text);
}
END_TEST

/* From the first digit that is not 0 to the last. */
static int significant(const char *number)
{
	int digits = 0, last = 0;

	for (; *number && *number != 'e'; number++) {
		if (*number == '.' || (*number == '0' && !digits))
			continue;
		digits++;
		if (*number != '0')
			last = digits;
	}
	return last;
}

/* As many digits as a search by printf and strtod needs. */
START_TEST(no_real_is_longer_than_it_need_be)
{
	struct rng rng = rng_stream(1, "short doubles", 0, 0);
	struct text text = TEXT_INIT;

	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(&rng);
		double value = ldexp((double)(bits >> (11 + bits % 50)),
				     (int)(bits % 60) - 60);
		char expected[40];
		int digits = 0;

		if (!(value > 0))
			continue;
		do
			snprintf(expected, sizeof(expected), "%.*e", digits,
				 value);
		while (strtod(expected, NULL) != value && ++digits < 17);
		text_clear(&text);
		text_put_real(&text, value);
		ck_assert_msg(strtod(text.data, NULL) == value, "%a: %s", value,
			      text.data);
		ck_assert_msg(significant(text.data) <= digits + 1, "%a: %s",
			      value, text.data);
	}
	text_done(&text);
}
END_TEST

START_TEST(reals_read_back_as_they_were)
{
	struct rng rng = rng_stream(1, "any double", 0, 0);
	struct text text = TEXT_INIT;
	int i;

	for (i = 0; i < 100000; i++) {
		uint64_t bits = rng_u64(&rng);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		text_clear(&text);
		text_put_real(&text, value);
		ck_assert_msg(strtod(text.data, NULL) == value, "%a: %s", value,
			      text.data);
		ck_assert_uint_le(text.length, 24);
	}
	text_done(&text);
}
END_TEST

START_TEST(json_strings_are_escaped)
{
	struct text text = TEXT_INIT;

	text_put_json(&text, "a\"b\\c\n\t\x01\x7f/\xc3\xa9\xf0\x9f\x98\x80");
	ck_assert_str_eq(text.data, "\"a\\\"b\\\\c\\n\\t\\u0001\x7f/"
				    "\xc3\xa9\xf0\x9f\x98\x80\"");
	text_done(&text);
}
END_TEST

/* A stray byte, an overlong '/', a surrogate, a character that is cut. */
START_TEST(json_strings_are_utf8_whatever_comes)
{
	struct text text = TEXT_INIT;

	text_put_json(&text, "\xff|\xc0\xaf|\xed\xa0\x80|\xe2\x82");
	ck_assert_str_eq(text.data, "\"\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|"
				    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"
				    "\xef\xbf\xbd\xef\xbf\xbd\"");
	text_done(&text);
}
END_TEST

START_TEST(html_is_escaped)
{
	struct text text = TEXT_INIT;

	text_put_html(&text, "<a href=\"x\">&amp;");
	ck_assert_str_eq(text.data, "&lt;a href=&quot;x&quot;&gt;&amp;amp;");
	text_done(&text);
}
END_TEST

START_TEST(characters_are_counted_not_bytes)
{
	ck_assert_uint_eq(text_width(""), 0);
	ck_assert_uint_eq(text_width("\xc2\xb5J \xe2\x88\x92"), 4);
	ck_assert_uint_eq(text_cut("\xc2\xb5J", 1), 2);
	ck_assert_uint_eq(text_cut("\xc2\xb5J", 0), 0);
	ck_assert_uint_eq(text_cut("\xc2\xb5J", 9), 3);
}
END_TEST

static char folder[64];
static char *path;

static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_text.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/file", folder);
}

static void remove_folder(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing is left behind */
	free(path);
}

static void expect_file(const char *wanted)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	ck_assert_msg(text_read_file(&text, path, 1000, &err) == 0, "%s",
		      err.text);
	ck_assert_str_eq(text.data, wanted);
	text_done(&text);
}

START_TEST(an_existing_file_is_refused_unless_forced)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	text_put(&text, "one");
	ck_assert_int_eq(text_write_file(&text, path, false, &err), 0);
	text_put(&text, " two");
	ck_assert_int_eq(text_write_file(&text, path, false, &err), -1);
	ck_assert_int_eq(err.code, EEXIST);
	ck_assert_ptr_nonnull(strstr(err.text, "exists already (--force"));
	expect_file("one");
	ck_assert_int_eq(text_write_file(&text, path, true, &err), 0);
	expect_file("one two");
	text_done(&text);
}
END_TEST

START_TEST(an_empty_file_is_written_and_read)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(text_write_file(&text, path, false, &err), 0);
	expect_file("");
}
END_TEST

START_TEST(a_link_stays_a_link)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };
	struct stat stat;
	char *link = xasprintf("%s/link", folder);

	text_put(&text, "one");
	ck_assert_int_eq(text_write_file(&text, path, false, &err), 0);
	ck_assert_int_eq(symlink("file", link), 0);
	text_put(&text, " two");
	ck_assert_int_eq(text_write_file(&text, link, true, &err), 0);
	ck_assert_int_eq(lstat(link, &stat), 0);
	ck_assert(S_ISLNK(stat.st_mode));
	expect_file("one two");
	(void)unlink(link);
	free(link);
	text_done(&text);
}
END_TEST

START_TEST(a_device_is_not_replaced)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };
	struct stat stat_now;

	text_put(&text, "into the void");
	ck_assert_int_eq(text_write_file(&text, "/dev/null", true, &err), 0);
	ck_assert_int_eq(stat("/dev/null", &stat_now), 0);
	ck_assert(S_ISCHR(stat_now.st_mode));
	text_done(&text);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	text_put(&text, "x");
	ck_assert_int_eq(text_write_file(&text, "/dev/full", true, &err), -1);
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_int_eq(text_write_file(&text, folder, true, &err), -1);
	ck_assert_int_eq(err.code, EISDIR);
	ck_assert_int_eq(text_write_file(&text, "/nonexistent/x", true, &err),
			 -1);
	ck_assert_int_eq(err.code, ENOENT);
	text_done(&text);
}
END_TEST

START_TEST(what_is_too_large_or_missing_leaves_the_text_alone)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	text_put(&text, "12345");
	ck_assert_int_eq(text_write_file(&text, path, false, &err), 0);
	ck_assert_int_eq(text_read_file(&text, path, 5, &err), 0);
	ck_assert_str_eq(text.data, "1234512345");
	ck_assert_int_eq(text_read_file(&text, path, 4, &err), -1);
	ck_assert_int_eq(err.code, EFBIG);
	ck_assert_int_eq(text_read_file(&text, "/dev/zero", 4, &err), -1);
	ck_assert_int_eq(err.code, EFBIG);
	ck_assert_int_eq(text_read_file(&text, folder, 4, &err), -1);
	ck_assert_int_eq(err.code, EISDIR);
	ck_assert_int_eq(text_read_file(&text, "/nonexistent", 4, &err), -1);
	ck_assert_str_eq(err.text,
			 "open /nonexistent: No such file or directory");
	ck_assert_str_eq(text.data, "1234512345");
	text_done(&text);
}
END_TEST

Suite *text_suite(void);
Suite *text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");
	TCase *files = tcase_create("files");

	tcase_add_test(tests, pieces_add_up);
	tcase_add_test(tests, clearing_keeps_the_memory);
	tcase_add_loop_test(tests, reals_are_short, 0,
			    sizeof(reals) / sizeof(reals[0]));
	tcase_add_test(tests, no_real_is_longer_than_it_need_be);
	tcase_add_test(tests, reals_read_back_as_they_were);
	tcase_add_test(tests, json_strings_are_escaped);
	tcase_add_test(tests, json_strings_are_utf8_whatever_comes);
	tcase_add_test(tests, html_is_escaped);
	tcase_add_test(tests, characters_are_counted_not_bytes);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_test(files, an_existing_file_is_refused_unless_forced);
	tcase_add_test(files, an_empty_file_is_written_and_read);
	tcase_add_test(files, a_link_stays_a_link);
	tcase_add_test(files, a_device_is_not_replaced);
	tcase_add_test(files, a_full_disk_is_reported);
	tcase_add_test(files,
		       what_is_too_large_or_missing_leaves_the_text_alone);
	suite_add_tcase(suite, files);
	return suite;
}
