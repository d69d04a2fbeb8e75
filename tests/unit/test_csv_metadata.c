/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "lib/csv_metadata.h"

static struct csv_metadata metadata;

static void teardown(void)
{
	csv_metadata_done(&metadata);
}

/* "key=cell key=cell" */
static const struct {
	const char *json, *cells;
} cases[] = {
	{ "{}", "" },
	{ "{\"a\":\"x\",\"b\":0.25,\"c\":-1e-07}", "a=x b=0.25 c=-1e-07" },
	{ "{\"a\":\"x y\",\"b\":\"\"}", "a=x y b=" },
	{ " { \"a\" : 1 }", "a=1" },
	{ "{\"k8s\":{\"pod\":\"p\",\"n\":2},\"z\":3}",
	  "k8s_pod=p k8s_n=2 z=3" },
	{ "{\"a\":true,\"b\":null}", "a=true b=null" },
	{ "{\"a\":\"\\u0041\\n\"}", "a=\"A\n\"" },
	{ "{\"a\":\"one,two\"}", "a=\"one,two\"" },
};
#define CASES (int)(sizeof(cases) / sizeof(cases[0]))

START_TEST(members_become_cells)
{
	struct text out = TEXT_INIT;

	text_put(&out, "");
	ck_assert_int_eq(csv_metadata_read(&metadata, cases[_i].json, NULL), 0);
	for (size_t i = 0; i < metadata.members; i++) {
		if (i > 0)
			text_put_char(&out, ' ');
		text_put_bytes(&out, metadata.member[i].key,
			       metadata.member[i].key_length);
		text_put_char(&out, '=');
		csv_metadata_put(&metadata.member[i], &out);
	}
	ck_assert_str_eq(out.data ? out.data : "", cases[_i].cells);
	text_done(&out);
}
END_TEST

START_TEST(no_metadata_has_no_members)
{
	ck_assert_int_eq(csv_metadata_read(&metadata, NULL, NULL), 0);
	ck_assert_uint_eq(metadata.members, 0);
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	struct err err = { 0 };

	ck_assert_int_lt(csv_metadata_read(&metadata, "{\"a\":1", &err), 0);
	ck_assert_int_lt(csv_metadata_read(&metadata, "{\"a\":1}x", &err), 0);
	ck_assert_int_lt(csv_metadata_read(&metadata, "{\"a\"", &err), 0);
}
END_TEST

Suite *csv_metadata_suite(void);
Suite *csv_metadata_suite(void)
{
	Suite *suite = suite_create("csv_metadata");
	TCase *tcase = tcase_create("csv_metadata");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, members_become_cells, 0, CASES);
	tcase_add_test(tcase, no_metadata_has_no_members);
	tcase_add_test(tcase, what_is_no_json_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
