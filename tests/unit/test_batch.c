/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/batch.h"
#include "lib/doc.h"

static const char *json_of(const struct layout *layout, const char *target,
			   const union value *value, const char *metadata)
{
	static struct text text;
	struct row row = { target, layout, value, metadata };
	struct batch batch = { 1783600000123, "node", &row, 1 };

	text_clear(&text);
	batch_put_json(&batch, &row, &text);
	return text.data;
}

static void add(struct layout *layout, enum column_type type, const char *group,
		const char *socket, const char *cpu, const char *event)
{
	layout_add(layout, type, group, socket, cpu, event, "groups", group,
		   socket, cpu, event, NULL);
}

START_TEST(common_beginnings_share_their_objects)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);
	union value value[] = { { .integer = 1 },
				{ .integer = 2 },
				{ .integer = 3 },
				{ .integer = 4 },
				{ .integer = UINT64_MAX } };

	add(layout, COLUMN_INT, "core", "0", "0", "A");
	add(layout, COLUMN_INT, "core", "0", "0", "B");
	add(layout, COLUMN_INT, "core", "0", "1", "A");
	add(layout, COLUMN_INT, "core", "1", "2", "A");
	add(layout, COLUMN_INT, "rapl", "0", "0", "E");
	layout_end(layout);
	ck_assert_str_eq(json_of(layout, "all", value, NULL),
			 "{\"timestamp\":1783600000123,\"sensor\":\"node\","
			 "\"target\":\"all\",\"groups\":{\"core\":{\"0\":{"
			 "\"0\":{\"A\":1,\"B\":2},\"1\":{\"A\":3}},"
			 "\"1\":{\"2\":{\"A\":4}}},"
			 "\"rapl\":{\"0\":{\"0\":{\"E\":"
			 "18446744073709551615}}}}}\n");
	layout_free(layout);
}
END_TEST

START_TEST(types_metadata_and_escapes_are_written)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);
	union value value[] = { { .real = 1.5 },
				{ .real = (double)NAN },
				{ .text = "a\"b" },
				{ .text = NULL } };

	layout_add(layout, COLUMN_REAL, "P", NULL, NULL, "power", "power",
		   NULL);
	layout_add(layout, COLUMN_REAL, "P", NULL, NULL, "x", "x", NULL);
	layout_add(layout, COLUMN_TEXT, "P", NULL, NULL, "t", "o\"", "t", NULL);
	layout_add(layout, COLUMN_TEXT, "P", NULL, NULL, "n", "n", NULL);
	layout_end(layout);
	ck_assert_str_eq(json_of(layout, "/sys\\x2d", value, "{\"socket\":0}"),
			 "{\"timestamp\":1783600000123,\"sensor\":\"node\","
			 "\"target\":\"/sys\\\\x2d\",\"power\":1.5,\"x\":null,"
			 "\"o\\\"\":{\"t\":\"a\\\"b\"},\"n\":null,"
			 "\"metadata\":{\"socket\":0}}\n");
	layout_free(layout);
}
END_TEST

START_TEST(a_layout_without_columns_writes_the_frame)
{
	struct layout *layout = layout_new("none", LAYOUT_TABLES);

	layout_end(layout);
	ck_assert_str_eq(json_of(layout, "all", NULL, NULL),
			 "{\"timestamp\":1783600000123,\"sensor\":\"node\","
			 "\"target\":\"all\"}\n");
	layout_free(layout);
	layout_free(NULL);
}
END_TEST

START_TEST(rows_of_a_batch_are_a_line_each)
{
	struct layout *a = layout_new("a", LAYOUT_TABLES);
	struct layout *b = layout_new("b", LAYOUT_TABLES);
	union value value[] = { { .integer = 7 }, { .integer = 123456789012 } };
	struct row row[] = { { "all", a, value, NULL },
			     { "b\n\"", b, value, "{}" },
			     { "/c", a, value + 1, NULL } };
	struct batch batch = { -5, "n\xc3\xb6", row, 3 };
	struct text one = TEXT_INIT, all = TEXT_INIT;

	add(a, COLUMN_INT, "g", "0", "0", "A");
	add(b, COLUMN_REAL, "a long name of a group that fills blocks", "0",
	    "0", "an event whose name is longer than one block of bytes");
	layout_end(a);
	layout_end(b);
	for (size_t i = 0; i < 3; i++)
		batch_put_json(&batch, &row[i], &one);
	text_put(&all, "x");
	batch_put_jsonl(&batch, &all);
	ck_assert_str_eq(all.data + 1, one.data);
	batch.rows = 0;
	text_clear(&all);
	batch_put_jsonl(&batch, &all);
	ck_assert_str_eq(all.data, "");
	text_done(&one);
	text_done(&all);
	layout_free(a);
	layout_free(b);
}
END_TEST

START_TEST(layouts_have_ids_of_their_own)
{
	struct layout *a = layout_new("a", LAYOUT_TABLES);
	uint64_t id = a->id;
	struct layout *b;

	layout_free(a);
	b = layout_new("b", LAYOUT_TABLES);
	ck_assert_uint_ne(b->id, id);
	layout_free(b);
}
END_TEST

START_TEST(strings_are_copied)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);
	char name[] = "EVENT", key[] = "0";
	union value value = { .integer = 7 };

	layout_key_columns(layout, name, key);
	layout_add(layout, COLUMN_INT, name, key, NULL, name, name, key, NULL);
	name[0] = key[0] = '#';
	layout_end(layout);
	ck_assert_str_eq(layout->key_column[0], "EVENT");
	ck_assert_str_eq(layout->column[0].key[0], "0");
	ck_assert_str_eq(json_of(layout, "t", &value, NULL),
			 "{\"timestamp\":1783600000123,\"sensor\":\"node\","
			 "\"target\":\"t\",\"EVENT\":{\"0\":7}}\n");
	layout_free(layout);
}
END_TEST

Suite *batch_suite(void);

Suite *batch_suite(void)
{
	Suite *suite = suite_create("batch");
	TCase *tcase = tcase_create("batch");

	tcase_add_test(tcase, common_beginnings_share_their_objects);
	tcase_add_test(tcase, types_metadata_and_escapes_are_written);
	tcase_add_test(tcase, a_layout_without_columns_writes_the_frame);
	tcase_add_test(tcase, rows_of_a_batch_are_a_line_each);
	tcase_add_test(tcase, layouts_have_ids_of_their_own);
	tcase_add_test(tcase, strings_are_copied);
	suite_add_tcase(suite, tcase);
	return suite;
}
