/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/text.h"

static struct doc *parse(const char *text)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse(text, strlen(text), &err);

	ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
	return doc;
}

static void expect_text_take(struct doc *doc, const char *wanted)
{
	char *text = doc_to_text(doc);

	ck_assert_str_eq(text, wanted);
	free(text);
	doc_free(doc);
}

START_TEST(what_is_set_is_written_in_order)
{
	static const double reals[] = { 1, 0.1, (double)NAN };
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", "fedwatts.test/1");
	doc_set_int(doc, "n", -3);
	doc_set_real(doc, "x", 2);
	doc_set_bool(doc, "good", true);
	doc_set_bounds(doc, "ci95", 1.5, 2.5);
	doc_set_take(doc, "list", doc_new_reals(reals, 3));
	doc_set_int(doc, "n", 4); /* keeps its place */
	ck_assert(doc_is_schema(doc, "fedwatts.test/1"));
	ck_assert(!doc_is_schema(doc, "fedwatts.test/2"));
	expect_text_take(doc, "{\"schema\":\"fedwatts.test/1\",\"n\":4,"
			      "\"x\":2.0,\"good\":true,\"ci95\":[1.5,2.5],"
			      "\"list\":[1.0,0.1,null]}");
}
END_TEST

START_TEST(what_does_not_apply_is_absent)
{
	struct doc *doc = doc_new_object();

	doc_set_real(doc, "a", (double)NAN);
	doc_set_real(doc, "b", HUGE_VAL);
	doc_set_bounds(doc, "c", 1, (double)NAN);
	doc_set_text(doc, "d", NULL);
	doc_set_take(doc, "e", NULL);
	doc_set_real(doc, "f", 1);
	doc_set_real(doc, "f", (double)NAN);
	ck_assert_uint_eq(doc_count(doc), 0);
	expect_text_take(doc, "{}");
}
END_TEST

/* Text that must come back as it is, byte by byte. */
static const char *const kept[] = {
	"{}",
	"[]",
	"1",
	"-1",
	"1.0",
	"[0.1,1e-07,1e+16,-0.0]",
	"[9223372036854775807,-9223372036854775808]",
	"[9223372036854775808,18446744073709551615]",
	"{\"b\":1,\"a\":{\"d\":[true,false,null],\"c\":\"\"}}",
	"\"\xc3\xa9 \\\" \\\\ / \\n \\u001f\"",
	"{\"\":0}",
};

START_TEST(text_survives_a_round_trip)
{
	expect_text_take(parse(kept[_i]), kept[_i]);
}
END_TEST

static const char *const odd[][2] = {
	{ " [ 1 ,\t2 ]\r\n", "[1,2]" },
	{ "/* a \" */ [1, // b\n 2] // c", "[1,2]" },
	{ "[\"/*\",\"//\"]", "[\"/*\",\"//\"]" },
	{ "{\"a\":1,\"a\":2}", "{\"a\":2}" },
	{ "[1e2,1E+2,-0]", "[100.0,100.0,0]" },
	{ "\"\\u00e9\\ud83d\\ude00\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80/\"" },
	{ "[1e-999]", "[0.0]" },
};

START_TEST(all_of_json_and_comments_are_read)
{
	expect_text_take(parse(odd[_i][0]), odd[_i][1]);
}
END_TEST

static const char *const bad[][2] = {
	{ "", "line 1, column 1: " },
	{ "null", "null alone" },
	{ "[1,2] x", "line 1, column 7: unexpected character" },
	{ "1 2", "line 1, column 3: " },
	{ "{\"a\":1}\n\n{}", "line 3, column 1: " },
	{ "{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7: " },
	{ "[\"\xc3\xa9\", x]", "line 1, column 7: " },
	{ "/* \xc3\xa9 */ x", "line 1, column 9: " },
	{ "[1,]", "line 1, column 4: " },
	{ "{\"a\":1,}", "line 1, column 8: " },
	{ "[NaN]", "line 1, column 2: NaN and Infinity are not JSON" },
	{ "[Infinity]", "line 1, column 2: NaN and Infinity" },
	{ "[-Infinity]", "line 1, column 3: " },
	{ "[nan]", "line 1, column 3: " },
	{ "[True]", "line 1, column 2: " },
	{ "['a']", "line 1, column 2: " },
	{ "{a:1}", "line 1, column 2: " },
	{ "[01]", "leading zero" },
	{ "[-01]", "leading zero" },
	{ "[1.]", "expected a digit" },
	{ "[.5]", "unexpected character" },
	{ "[1e]", "expected a digit" },
	{ "[0x10]", "line 1, column 3: " },
	{ "[1e999]", "too large" },
	{ "[18446744073709551616]", "more than 64 bits" },
	{ "[-9223372036854775809]", "more than 64 bits" },
	{ "\"a\nb\"", "control character" },
	{ "\"\\u0000\"", "NUL character" },
	{ "\"\xff\"", "not UTF-8" },
	{ "\"\xc0\xaf\"", "not UTF-8" },
	{ "\"abc", "string without an end" },
	{ "\"abc\\", "string without an end" },
	{ "[1] /* x", "comment without an end" },
	{ "[1] / 2", "unexpected character" },
	{ "[1", "line 1, column 3: " },
	{ "[1]]", "line 1, column 4: " },
};

START_TEST(anything_else_is_refused_where_it_stands)
{
	const char *text = bad[_i][0];
	struct err err = { 0 };

	ck_assert_ptr_null(doc_parse(text, strlen(text), &err));
	ck_assert_msg(strstr(err.text, bad[_i][1]) != NULL, "%s: %s", text,
		      err.text);
	ck_assert_int_ne(err.code, 0);
}
END_TEST

START_TEST(a_nul_byte_is_no_end)
{
	struct err err = { 0 };

	ck_assert_ptr_null(doc_parse("[1]\0[2]", 7, &err));
	ck_assert_str_eq(err.text, "line 1, column 4: unexpected character");
}
END_TEST

START_TEST(nesting_ends_at_32)
{
	char text[70];
	struct err err = { 0 };

	memset(text, '[', 32);
	memset(text + 32, ']', 33);
	doc_free(doc_parse(text, 64, &err));
	ck_assert_str_eq(err.text, "");
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	ck_assert_ptr_null(doc_parse(text, 66, &err));
	ck_assert_str_eq(err.text, "line 1, column 33: nested too deeply "
				   "(32 levels at most)");
}
END_TEST

START_TEST(values_are_looked_up)
{
	struct doc *doc = parse("{\"i\":3,\"r\":0.5,\"t\":\"x\",\"b\":true,"
				"\"n\":null,\"w\":4.0,\"a\":[1,[2]],"
				"\"h\":9223372036854775808,\"f\":1e300}");
	const struct doc *value = NULL;

	ck_assert_int_eq(doc_kind(doc_get(doc, "i")), DOC_INT);
	ck_assert_int_eq(doc_kind(doc_get(doc, "r")), DOC_REAL);
	ck_assert_int_eq(doc_kind(doc_get(doc, "n")), DOC_NULL);
	ck_assert_int_eq(doc_kind(doc_get(doc, "absent")), DOC_NULL);
	ck_assert_int_eq(doc_int(doc_get(doc, "i"), -1), 3);
	ck_assert_double_eq(doc_real(doc_get(doc, "i"), -1), 3);
	ck_assert_double_eq(doc_real(doc_get(doc, "r"), -1), 0.5);
	ck_assert_int_eq(doc_int(doc_get(doc, "r"), -1), -1);
	ck_assert_int_eq(doc_int(doc_get(doc, "w"), -1), 4);
	ck_assert_int_eq(doc_int(doc_get(doc, "f"), -1), -1);
	ck_assert_str_eq(doc_string(doc_get(doc, "t"), ""), "x");
	ck_assert_str_eq(doc_string(doc_get(doc, "i"), "none"), "none");
	ck_assert(doc_bool(doc_get(doc, "b"), false));
	ck_assert(!doc_bool(doc_get(doc, "i"), false));
	ck_assert_double_eq(doc_real(doc_get(doc, "t"), 7), 7);
	/* Not clamped to INT64_MAX. */
	ck_assert_int_eq(doc_kind(doc_get(doc, "h")), DOC_REAL);
	ck_assert_double_eq(doc_real(doc_get(doc, "h"), 0), 0x1p63);
	ck_assert_int_eq(doc_int(doc_get(doc, "h"), -1), -1);
	ck_assert_int_eq(doc_int(doc_at(doc_at(doc_get(doc, "a"), 1), 0), -1),
			 2);
	ck_assert_ptr_null(doc_at(doc_get(doc, "a"), 2));
	ck_assert_ptr_null(doc_at(doc, 0));
	ck_assert_ptr_null(doc_get(doc_get(doc, "a"), "x"));
	ck_assert_ptr_null(doc_get(NULL, "x"));
	ck_assert_uint_eq(doc_count(doc), 9);
	ck_assert_uint_eq(doc_count(NULL), 0);
	ck_assert_str_eq(doc_key_at(doc, 1, &value), "r");
	ck_assert_double_eq(doc_real(value, -1), 0.5);
	ck_assert_ptr_null(doc_key_at(doc, 9, &value));
	doc_free(doc);
}
END_TEST

START_TEST(what_is_needed_must_be_there)
{
	struct doc *doc = parse("{\"i\":3,\"r\":0.5,\"t\":\"x\",\"n\":null,"
				"\"a\":[],\"o\":{}}");
	const struct doc *member = NULL;
	const char *text = NULL;
	struct err err = { 0 };
	int64_t i = 0;
	double r = 0;

	ck_assert_int_eq(doc_need_int(doc, "i", &i, &err), 0);
	ck_assert_int_eq(i, 3);
	ck_assert_int_eq(doc_need_real(doc, "i", &r, &err), 0);
	ck_assert_int_eq(doc_need_real(doc, "r", &r, &err), 0);
	ck_assert_double_eq(r, 0.5);
	ck_assert_int_eq(doc_need_text(doc, "t", &text, &err), 0);
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(doc_need_array(doc, "a", &member, &err), 0);
	ck_assert_int_eq(doc_need_object(doc, "o", &member, &err), 0);
	ck_assert_str_eq(err.text, "");

	ck_assert_int_eq(doc_need_int(doc, "batch", &i, &err), -1);
	ck_assert_str_eq(err.text, "batch: missing");
	ck_assert_int_eq(doc_need_int(doc, "t", &i, &err), -1);
	ck_assert_str_eq(err.text, "t: expected a whole number, found text");
	ck_assert_int_eq(doc_need_int(doc, "r", &i, &err), -1);
	ck_assert_str_eq(err.text,
			 "r: expected a whole number, found a number");
	ck_assert_int_eq(doc_need_real(doc, "n", &r, &err), -1);
	ck_assert_str_eq(err.text, "n: missing");
	ck_assert_int_eq(doc_need_text(doc, "a", &text, &err), -1);
	ck_assert_str_eq(err.text, "a: expected text, found a list");
	ck_assert_int_eq(doc_need_array(doc, "o", &member, &err), -1);
	ck_assert_str_eq(err.text, "o: expected a list, found an object");
	ck_assert_int_eq(doc_need_object(doc, "a", &member, &err), -1);
	ck_assert_int_eq(doc_need_int(doc_get(doc, "a"), "k", &i, &err), -1);
	ck_assert_str_eq(err.text, "k: expected an object, found a list");
	ck_assert_int_eq(i, 3);
	doc_free(doc);
}
END_TEST

START_TEST(a_copy_stands_alone)
{
	struct doc *doc = parse("{\"a\":{\"b\":[1.0,2]}}");
	struct doc *copy = doc_copy(doc);

	doc_set_int(doc, "a", 1);
	doc_free(doc);
	expect_text_take(copy, "{\"a\":{\"b\":[1.0,2]}}");
	ck_assert_ptr_null(doc_copy(NULL));
	doc_free(NULL);
}
END_TEST

START_TEST(equal_documents_have_equal_digests)
{
	struct doc *a = parse("{\"x\":1,\"y\":{\"p\":[1,2],\"q\":0.5}}");
	struct doc *b = parse("{ \"y\":{\"q\":0.50,\"p\":[1,2]}, \"x\":1 }");
	struct doc *c = parse("{\"x\":1,\"y\":{\"p\":[2,1],\"q\":0.5}}");
	struct doc *empty = doc_new_object();
	char da[DOC_DIGEST_MAX], db[DOC_DIGEST_MAX], dc[DOC_DIGEST_MAX];

	ck_assert_str_eq(doc_digest(a, da), doc_digest(b, db));
	ck_assert_str_ne(da, doc_digest(c, dc));
	/* printf '{}' | sha256sum */
	ck_assert_str_eq(doc_digest(empty, da), "44136fa355b3678a");
	doc_free(a);
	doc_free(b);
	doc_free(c);
	doc_free(empty);
}
END_TEST

START_TEST(a_file_is_written_whole_and_read_back)
{
	char folder[] = "/tmp/test_doc.XXXXXX";
	struct doc *doc = parse("{\"a\":[1,2],\"b\":{\"c\":[{\"d\":[]}]}}");
	struct doc *again;
	struct text text = TEXT_INIT;
	struct err err = { 0 };
	char *path;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/a.json", folder);
	ck_assert_int_eq(doc_write(doc, path, false, &err), 0);
	ck_assert_int_eq(doc_write(doc, path, false, &err), -1);
	ck_assert_int_eq(err.code, EEXIST);
	ck_assert_int_eq(doc_write(doc, path, true, &err), 0);
	ck_assert_int_eq(text_read_file(&text, path, 1000, &err), 0);
	ck_assert_str_eq(text.data, "{\n"
				    "  \"a\": [1, 2],\n"
				    "  \"b\": {\n"
				    "    \"c\": [\n"
				    "      {\n"
				    "        \"d\": []\n"
				    "      }\n"
				    "    ]\n"
				    "  }\n"
				    "}\n");
	again = doc_read(path, &err);
	expect_text_take(again, "{\"a\":[1,2],\"b\":{\"c\":[{\"d\":[]}]}}");
	text.length -= 3;
	ck_assert_int_eq(text_write_file(&text, path, true, &err), 0);
	ck_assert_ptr_null(doc_read(path, &err));
	ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s",
		      err.text);
	ck_assert_ptr_nonnull(strstr(err.text, ": line 9, column 4: "));
	(void)unlink(path);
	ck_assert_ptr_null(doc_read(path, &err));
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(rmdir(folder), 0);
	text_done(&text);
	free(path);
	doc_free(doc);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *doc_suite(void);
Suite *doc_suite(void)
{
	Suite *suite = suite_create("doc");
	TCase *tests = tcase_create("doc");

	tcase_add_test(tests, what_is_set_is_written_in_order);
	tcase_add_test(tests, what_does_not_apply_is_absent);
	tcase_add_loop_test(tests, text_survives_a_round_trip, 0, COUNT(kept));
	tcase_add_loop_test(tests, all_of_json_and_comments_are_read, 0,
			    COUNT(odd));
	tcase_add_loop_test(tests, anything_else_is_refused_where_it_stands, 0,
			    COUNT(bad));
	tcase_add_test(tests, a_nul_byte_is_no_end);
	tcase_add_test(tests, nesting_ends_at_32);
	tcase_add_test(tests, values_are_looked_up);
	tcase_add_test(tests, what_is_needed_must_be_there);
	tcase_add_test(tests, a_copy_stands_alone);
	tcase_add_test(tests, equal_documents_have_equal_digests);
	tcase_add_test(tests, a_file_is_written_whole_and_read_back);
	suite_add_tcase(suite, tests);
	return suite;
}
