/* SPDX-License-Identifier: BSD-3-Clause */
/* Byte by byte, as bsonspec.org has them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/batch_bson.h"
#include "lib/text_bson.h"

static struct err err;
static struct text out;

static void setup(void)
{
	err = (struct err){ 0 };
	out = (struct text)TEXT_INIT;
}

static void teardown(void)
{
	text_done(&out);
}

static void must_be(const char *want, size_t length)
{
	ck_assert_uint_eq(out.length, length);
	for (size_t i = 0; i < length; i++)
		ck_assert_msg(out.data[i] == want[i], "byte %zu", i);
}
#define MUST_BE(text) must_be(text, sizeof(text) - 1)

static struct layout *hwpc(void)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);

	layout_add(layout, COLUMN_INT, "g", "0", "0", "A", "groups", "0", "A",
		   NULL);
	layout_add(layout, COLUMN_INT, "g", "0", "1", "A", "groups", "1", "A",
		   NULL);
	layout_end(layout);
	return layout;
}

static int put(bool int64, const struct layout *layout,
	       const union value *value, const char *metadata)
{
	struct batch_bson *encoder = batch_bson_new(int64);
	struct row row = { "t", layout, value, metadata };
	struct batch batch = { 258, "s", &row, 1 };
	int status = 0;

	/* Twice: the second time everything is known. */
	for (int i = 0; i < 2 && status == 0; i++) {
		text_clear(&out);
		status =
			batch_bson_put(encoder, &batch, &row, NULL, &out, &err);
	}
	batch_bson_free(encoder);
	return status;
}

#define FRAME                             \
	"\x09timestamp\0\2\1\0\0\0\0\0\0" \
	"\x02sensor\0\2\0\0\0s\0"         \
	"\x02target\0\2\0\0\0t\0"

START_TEST(counts_are_doubles_in_nested_documents)
{
	struct layout *layout = hwpc();
	union value value[] = { { .integer = 1 }, { .integer = 3 } };

	ck_assert_int_eq(put(false, layout, value, NULL), 0);
	MUST_BE("\x67\0\0\0" FRAME "\x03groups\0\x2b\0\0\0"
		"\x03"
		"0\0\x10\0\0\0\x01"
		"A\0\0\0\0\0\0\0\xf0\x3f\0"
		"\x03"
		"1\0\x10\0\0\0\x01"
		"A\0\0\0\0\0\0\0\x08\x40\0\0\0");
	layout_free(layout);
}
END_TEST

START_TEST(int64_keeps_every_bit_and_what_is_larger_stays_a_double)
{
	struct layout *layout = hwpc();
	union value value[] = { { .integer = INT64_MAX },
				{ .integer = UINT64_MAX } };

	ck_assert_int_eq(put(true, layout, value, NULL), 0);
	MUST_BE("\x67\0\0\0" FRAME "\x03groups\0\x2b\0\0\0"
		"\x03"
		"0\0\x10\0\0\0\x12"
		"A\0\xff\xff\xff\xff\xff\xff\xff\x7f\0"
		"\x03"
		"1\0\x10\0\0\0\x01"
		"A\0\0\0\0\0\0\0\xf0\x43\0\0\0");
	layout_free(layout);
}
END_TEST

START_TEST(what_is_not_finite_is_null_and_text_is_a_string)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);
	union value value[] = { { .real = (double)NAN },
				{ .real = 1.0 },
				{ .text = "x" },
				{ .text = NULL } };

	layout_add(layout, COLUMN_REAL, "p", NULL, NULL, "a", "a", NULL);
	layout_add(layout, COLUMN_REAL, "p", NULL, NULL, "b", "b", NULL);
	layout_end(layout);
	ck_assert_int_eq(put(false, layout, value, NULL), 0);
	MUST_BE("\x42\0\0\0" FRAME "\x0a"
		"a\0\x01"
		"b\0\0\0\0\0\0\0\xf0\x3f\0");
	layout_free(layout);
	layout = layout_new("text", LAYOUT_TARGETS);
	layout_add(layout, COLUMN_REAL, "p", NULL, NULL, "a", "a", NULL);
	layout_add(layout, COLUMN_REAL, "p", NULL, NULL, "b", "b", NULL);
	layout_add(layout, COLUMN_TEXT, "p", NULL, NULL, "c", "c", NULL);
	layout_add(layout, COLUMN_TEXT, "p", NULL, NULL, "d", "d", NULL);
	layout_end(layout);
	ck_assert_int_eq(put(false, layout, value, NULL), 0);
	MUST_BE("\x4e\0\0\0" FRAME "\x0a"
		"a\0\x01"
		"b\0\0\0\0\0\0\0\xf0\x3f"
		"\x02"
		"c\0\2\0\0\0x\0\x0a"
		"d\0\0");
	layout_free(layout);
}
END_TEST

START_TEST(metadata_is_a_document_and_ids_stand_first)
{
	struct layout *layout = layout_new("none", LAYOUT_TABLES);
	struct batch_bson *encoder = batch_bson_new(false);
	struct row row = { "t\xff", layout, NULL,
			   "{\"a\":[true,7],\"b\":{\"c\":\"d\"}}" };
	struct batch batch = { 258, "s", &row, 1 };
	struct text id = TEXT_INIT;

	layout_end(layout);
	text_bson_int64(&id, "_id", 1);
	ck_assert_int_eq(batch_bson_put(encoder, &batch, &row, &id, &out, &err),
			 0);
	MUST_BE("\x7b\0\0\0\x12_id\0\1\0\0\0\0\0\0\0"
		"\x09timestamp\0\2\1\0\0\0\0\0\0"
		"\x02sensor\0\2\0\0\0s\0"
		"\x02target\0\5\0\0\0t\xef\xbf\xbd\0"
		"\x03metadata\0\x2d\0\0\0"
		"\x04"
		"a\0\x14\0\0\0\x08"
		"0\0\1\x12"
		"1\0\7\0\0\0\0\0\0\0\0"
		"\x03"
		"b\0\x0e\0\0\0\x02"
		"c\0\2\0\0\0d\0\0\0\0");
	batch_bson_free(encoder);
	text_done(&id);
	layout_free(layout);
}
END_TEST

START_TEST(metadata_that_is_no_json_is_refused_and_leaves_nothing)
{
	struct layout *layout = layout_new("none", LAYOUT_TABLES);

	layout_end(layout);
	ck_assert_int_eq(put(false, layout, NULL, "{"), -1);
	ck_assert_uint_eq(out.length, 0);
	ck_assert_ptr_nonnull(strstr(err.text, "metadata of 't'"));
	layout_free(layout);
}
END_TEST

Suite *batch_bson_suite(void);

Suite *batch_bson_suite(void)
{
	Suite *suite = suite_create("batch_bson");
	TCase *tcase = tcase_create("batch_bson");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, counts_are_doubles_in_nested_documents);
	tcase_add_test(tcase,
		       int64_keeps_every_bit_and_what_is_larger_stays_a_double);
	tcase_add_test(tcase, what_is_not_finite_is_null_and_text_is_a_string);
	tcase_add_test(tcase, metadata_is_a_document_and_ids_stand_first);
	tcase_add_test(tcase,
		       metadata_that_is_no_json_is_refused_and_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
