/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/table.h"

static void expect_print_take(struct table *table, const char *wanted)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	table_print(table, out);
	(void)fclose(out);
	ck_assert_str_eq(text, wanted);
	free(text);
	table_free(table);
}

START_TEST(columns_are_aligned)
{
	struct table *table = table_new("model", ">batch", ">ms/step", NULL);

	table_row(table, "mlp:784-256-10", "32", "0.41", NULL);
	table_row(table, "softmax", "8", "12.3", NULL);
	ck_assert_uint_eq(table_rows(table), 2);
	expect_print_take(table, "model           batch  ms/step\n"
				 "mlp:784-256-10     32     0.41\n"
				 "softmax             8     12.3\n");
}
END_TEST

START_TEST(the_last_column_is_not_padded)
{
	struct table *table = table_new("a", "b", NULL);

	table_row(table, "x", "long", NULL);
	table_row(table, "long", "", NULL);
	expect_print_take(table, "a     b\n"
				 "x     long\n"
				 "long\n");
}
END_TEST

START_TEST(widths_count_characters)
{
	struct table *table = table_new("unit", "n", NULL);

	table_row(table, "\xc2\xb5J", "1", NULL);
	table_row(table, "-", "2", NULL);
	expect_print_take(table, "unit  n\n"
				 "\xc2\xb5J    1\n"
				 "-     2\n");
}
END_TEST

START_TEST(cells_come_one_by_one_as_well)
{
	struct table *table = table_new("k", ">v", NULL);

	ck_assert_uint_eq(table_rows(table), 0);
	table_cell(table, "%s", "x");
	ck_assert_uint_eq(table_rows(table), 0);
	table_cell(table, "%.1f", 2.5);
	ck_assert_uint_eq(table_rows(table), 1);
	table_cell(table, "%s", "half");
	expect_print_take(table, "k       v\n"
				 "x     2.5\n"
				 "half\n");
}
END_TEST

START_TEST(columns_may_come_one_by_one)
{
	struct table *table = table_new("target", NULL);
	struct text html = TEXT_INIT;

	table_column(table, ">joules");
	table_row(table, "a", "3", NULL);
	ck_assert_uint_eq(table_rows(table), 1);
	table_put_html(table, &html);
	ck_assert_ptr_nonnull(strstr(html.data, "<td class=\"number\">3</td>"));
	text_done(&html);
	table_free(table);
}
END_TEST

START_TEST(html_is_escaped_and_numbers_are_marked)
{
	struct table *table = table_new("a<b", ">n", NULL);
	struct text out = TEXT_INIT;

	table_row(table, "x & y", "1", NULL);
	table_put_html(table, &out);
	ck_assert_str_eq(out.data,
			 "<table>\n<thead>\n"
			 "<tr><th>a&lt;b</th><th class=\"number\">n</th></tr>\n"
			 "</thead>\n<tbody>\n"
			 "<tr><td>x &amp; y</td>"
			 "<td class=\"number\">1</td></tr>\n"
			 "</tbody>\n</table>\n");
	text_done(&out);
	table_free(table);
	table_free(NULL);
}
END_TEST

Suite *table_suite(void);
Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");

	tcase_add_test(tests, columns_are_aligned);
	tcase_add_test(tests, the_last_column_is_not_padded);
	tcase_add_test(tests, widths_count_characters);
	tcase_add_test(tests, cells_come_one_by_one_as_well);
	tcase_add_test(tests, columns_may_come_one_by_one);
	tcase_add_test(tests, html_is_escaped_and_numbers_are_marked);
	suite_add_tcase(suite, tests);
	return suite;
}
