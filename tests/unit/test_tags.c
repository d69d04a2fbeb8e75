/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "lib/tags.h"

static struct tags tags;
static struct field_list wanted;
static struct err err;

static void setup(void)
{
	tags_begin(&tags, "n", "t");
	err = (struct err){ 0 };
}

static void teardown(void)
{
	tags_done(&tags);
	field_list_done(&wanted);
}

static const char *shown(void)
{
	static struct text text;

	text_clear(&text);
	for (size_t i = 0; i < tags.count; i++)
		text_printf(&text, "%s%s=%s", i ? " " : "", tags.tag[i].name,
			    tags.tag[i].value);
	return text.data;
}

static const char metadata[] =
	"{\"scope\":\"cpu\",\"ratio\":0.25,\"n\":3,\"yes\":true,\"no\":null,"
	"\"k8s\":{\"pod.name\":\"p\",\"uid\":7}}";

START_TEST(texts_become_tags_and_numbers_do_not)
{
	ck_assert_int_eq(tags_add_metadata(&tags, metadata, NULL, true, &err),
			 0);
	ck_assert_str_eq(shown(), "sensor=n target=t scope=cpu k8s_pod_name=p");
}
END_TEST

START_TEST(what_is_wanted_becomes_a_tag)
{
	field_list_add(&wanted, "ratio");
	field_list_add(&wanted, "k8s_uid");
	field_list_add(&wanted, "absent");
	ck_assert_int_eq(
		tags_add_metadata(&tags, metadata, &wanted, false, &err), 0);
	ck_assert_str_eq(shown(), "sensor=n target=t ratio=0.25 k8s_uid=7");
}
END_TEST

START_TEST(all_is_all)
{
	field_list_add(&wanted, "all");
	ck_assert_int_eq(
		tags_add_metadata(&tags, metadata, &wanted, false, &err), 0);
	ck_assert_str_eq(shown(), "sensor=n target=t scope=cpu ratio=0.25 n=3 "
				  "yes=true k8s_pod_name=p k8s_uid=7");
}
END_TEST

/* zlib.crc32(b"tag.name"), … */
START_TEST(names_that_become_one_are_told_apart)
{
	ck_assert_int_eq(
		tags_add_metadata(&tags,
				  "{\"tag.name\":\"a\",\"tag-name\":\"b\"}",
				  NULL, true, &err),
		0);
	ck_assert_str_eq(shown(), "sensor=n target=t tag_name_749e08cf=a "
				  "tag_name_333e721f=b");
}
END_TEST

START_TEST(metadata_may_say_otherwise_than_the_report)
{
	ck_assert_int_eq(tags_add_metadata(&tags, "{\"target\":\"x\"}", NULL,
					   true, &err),
			 0);
	ck_assert_str_eq(shown(), "sensor=n target=x");
	ck_assert_int_eq(tags_add_metadata(&tags, NULL, NULL, true, &err), 0);
	ck_assert_int_eq(tags_add_metadata(&tags, "{", NULL, true, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "metadata: "));
}
END_TEST

Suite *tags_suite(void);

Suite *tags_suite(void)
{
	Suite *suite = suite_create("tags");
	TCase *tcase = tcase_create("tags");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, texts_become_tags_and_numbers_do_not);
	tcase_add_test(tcase, what_is_wanted_becomes_a_tag);
	tcase_add_test(tcase, all_is_all);
	tcase_add_test(tcase, names_that_become_one_are_told_apart);
	tcase_add_test(tcase, metadata_may_say_otherwise_than_the_report);
	suite_add_tcase(suite, tcase);
	return suite;
}
