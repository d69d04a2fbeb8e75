/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/exposition.h"

static struct exposition *shown;
static struct tags tags;

static void setup(void)
{
	shown = exposition_new();
}

static void teardown(void)
{
	exposition_free(shown);
	tags_done(&tags);
}

static const char *page(void)
{
	static struct text text;

	text_clear(&text);
	text_put(&text, "");
	exposition_put(shown, &text);
	return text.data;
}

static void set(struct family *family, const char *target, double value,
		int64_t now_ns)
{
	tags_begin(&tags, "n", target);
	exposition_set(shown, family, &tags, value, 0, now_ns);
}

START_TEST(a_page_is_families_with_help_type_and_samples)
{
	struct family *watts =
		exposition_family(shown, "watts", "Power\nof \\", EXPOSE_GAUGE);
	struct family *events =
		exposition_family(shown, "events_total", "E", EXPOSE_COUNTER);

	ck_assert_str_eq(page(), "");
	set(watts, "b", 2, 0);
	set(watts, "a", 1.5, 0);
	set(watts, "b", 0.1, 0);
	exposition_add(shown, events, &tags, 3, 0);
	exposition_add(shown, events, &tags, UINT64_C(1) << 60, 0);
	tags_begin(&tags, "n", "c");
	exposition_set(shown, watts, &tags, (double)NAN, 1234, 0);
	ck_assert_ptr_eq(exposition_family(shown, "watts", NULL, EXPOSE_GAUGE),
			 watts);
	ck_assert_str_eq(page(), "# HELP watts Power\\nof \\\\\n"
				 "# TYPE watts gauge\n"
				 "watts{sensor=\"n\",target=\"a\"} 1.5\n"
				 "watts{sensor=\"n\",target=\"b\"} 0.1\n"
				 "watts{sensor=\"n\",target=\"c\"} NaN 1234\n"
				 "# HELP events_total E\n"
				 "# TYPE events_total counter\n"
				 "events_total{sensor=\"n\",target=\"b\"} "
				 "1152921504606846979\n");
}
END_TEST

START_TEST(names_and_values_are_made_legal)
{
	struct family *family =
		exposition_family(shown, "9 w\xc3\xa4tts", "", EXPOSE_GAUGE);

	tags_begin(&tags, "a\"b\\c\nd", "\xff\xc3\xa4");
	tags_set(&tags, "1:x", "v");
	tags_set(&tags, "_1_x", "the same name: left out");
	tags_set(&tags, "", "empty");
	exposition_set(shown, family, &tags, -(double)INFINITY, 0, 0);
	ck_assert_str_eq(page(), "# HELP _9_w__tts \n# TYPE _9_w__tts gauge\n"
				 "_9_w__tts{sensor=\"a\\\"b\\\\c\\nd\","
				 "target=\"\xef\xbf\xbd\xc3\xa4\",_1_x=\"v\","
				 "_=\"empty\"} -Inf\n");
}
END_TEST

START_TEST(what_is_not_set_any_more_expires)
{
	struct family *watts =
		exposition_family(shown, "watts", "", EXPOSE_GAUGE);
	char target[16];

	for (int i = 0; i < 100; i++) {
		snprintf(target, sizeof(target), "%d", i);
		set(watts, target, i, i);
	}
	ck_assert_uint_eq(exposition_series(shown), 100);
	ck_assert_uint_eq(exposition_expire(shown, 0), 0);
	ck_assert_uint_eq(exposition_expire(shown, 99), 99);
	ck_assert_str_eq(page(), "# HELP watts \n# TYPE watts gauge\n"
				 "watts{sensor=\"n\",target=\"99\"} 99.0\n");
	ck_assert_uint_eq(exposition_expire(shown, 100), 1);
	ck_assert_str_eq(page(), "");
	ck_assert_uint_eq(exposition_series(shown), 0);
}
END_TEST

Suite *exposition_suite(void);

Suite *exposition_suite(void)
{
	Suite *suite = suite_create("exposition");
	TCase *tcase = tcase_create("exposition");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_page_is_families_with_help_type_and_samples);
	tcase_add_test(tcase, names_and_values_are_made_legal);
	tcase_add_test(tcase, what_is_not_set_any_more_expires);
	suite_add_tcase(suite, tcase);
	return suite;
}
