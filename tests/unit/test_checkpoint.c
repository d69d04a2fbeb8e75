/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/checkpoint.h"
#include "lib/text.h"
#include "tests/unit/scratch.h"

static const char first[] = "some bytes", second[] = { 0, 10, 13, 0 };

static void write_one(const char *path)
{
	struct checkpoint_block block[] = {
		{ "first", first, sizeof(first) },
		{ "second", second, sizeof(second) },
		{ "none", NULL, 0 },
	};
	struct doc *doc = doc_new_object();
	struct err err = { 0 };

	doc_set_int(doc, "epoch", 3);
	ck_assert_msg(checkpoint_write(path, doc, block, 3, true, &err) == 0,
		      "%s", err.text);
	doc_free(doc);
}

static struct text written(void)
{
	struct text text = TEXT_INIT;

	write_one("a.ckpt");
	ck_assert_int_eq(text_read_file(&text, "a.ckpt", 1 << 20, NULL), 0);
	return text;
}

START_TEST(what_was_written_is_read)
{
	struct checkpoint *checkpoint;
	char a[sizeof(first)], b[sizeof(second)];

	write_one("a.ckpt");
	checkpoint = checkpoint_read("a.ckpt", NULL);
	ck_assert_ptr_nonnull(checkpoint);
	ck_assert_int_eq(
		doc_int(doc_get(checkpoint_doc(checkpoint), "epoch"), 0), 3);
	ck_assert_int_eq(
		checkpoint_get(checkpoint, "second", b, sizeof(b), NULL), 0);
	ck_assert_int_eq(
		checkpoint_get(checkpoint, "first", a, sizeof(a), NULL), 0);
	ck_assert_mem_eq(a, first, sizeof(first));
	ck_assert_mem_eq(b, second, sizeof(second));
	ck_assert_int_eq(checkpoint_get(checkpoint, "third", a, 1, NULL), -1);
	ck_assert_int_eq(checkpoint_get(checkpoint, "first", a, 1, NULL), -1);
	checkpoint_free(checkpoint);
}
END_TEST

START_TEST(every_changed_byte_is_noticed)
{
	struct text text = written();

	for (size_t i = 0; i < text.length; i++) {
		struct err err = { 0 };

		text.data[i] ^= (char)(1 << i % 8);
		ck_assert_msg(!checkpoint_parse(text.data, text.length, &err),
			      "byte %zu", i);
		ck_assert(err.text[0] != '\0');
		text.data[i] ^= (char)(1 << i % 8);
	}
	text_done(&text);
}
END_TEST

START_TEST(every_missing_or_additional_byte_is_noticed)
{
	struct text text = written();

	for (size_t i = 0; i < text.length; i++) {
		struct err err = { 0 };

		ck_assert_ptr_null(checkpoint_parse(text.data, i, &err));
		ck_assert(err.text[0] != '\0');
	}
	text_put(&text, "x");
	ck_assert_ptr_null(checkpoint_parse(text.data, text.length, NULL));
	text_done(&text);
}
END_TEST

static const struct {
	const char *text, *says;
	int code;
} refused[] = {
	{ "", "no checkpoint of a training (", EPROTO },
	{ "{\"schema\":\"fedwatts.train/1\"}\n", "no checkpoint", EPROTO },
	{ "{\"schema\":\"fedwatts.checkpoint/2\",\"blocks\":{}}\n12345678",
	  "of version fedwatts.checkpoint/2, which is not known", EPROTO },
	{ "{\"schema\":\"fedwatts.checkpoint/1\",\"blo",
	  "truncated within its first line", EBADMSG },
	{ "{\"schema\":\"fedwatts.checkpoint/1\",\"blo\n", "is no JSON",
	  EBADMSG },
	{ "{\"schema\":\"fedwatts.checkpoint/1\"}\n1234", "truncated",
	  EBADMSG },
	{ "{\"schema\":\"fedwatts.checkpoint/1\",\"blocks\":{\"a\":-1}}\n"
	  "12345678",
	  "longer than the file", EBADMSG },
	{ "{\"schema\":\"fedwatts.checkpoint/1\",\"blocks\":"
	  "{\"a\":9223372036854775807,\"b\":9223372036854775807}}\n12345678",
	  "longer than the file", EBADMSG },
	{ "{\"schema\":\"fedwatts.checkpoint/1\",\"blocks\":{}}\n12345678",
	  "its sum does not match", EBADMSG },
};

START_TEST(what_is_no_checkpoint_is_refused_with_a_reason)
{
	struct err err = { 0 };

	scratch_write("b", refused[_i].text);
	ck_assert_ptr_null(checkpoint_read("b", &err));
	ck_assert_int_eq(err.code, refused[_i].code);
	ck_assert_ptr_nonnull(strstr(err.text, "checkpoint b: "));
	ck_assert_msg(strstr(err.text, refused[_i].says) != NULL, "%s",
		      err.text);
}
END_TEST

START_TEST(nothing_is_replaced_unasked)
{
	struct doc *doc = doc_new_object();
	struct err err = { 0 };

	scratch_write("mine", "precious");
	ck_assert_int_eq(checkpoint_write("mine", doc, NULL, 0, false, &err),
			 -1);
	ck_assert_int_eq(err.code, EEXIST);
	ck_assert_str_eq(scratch_read("mine"), "precious");
	doc_free(doc);
}
END_TEST

Suite *checkpoint_suite(void);
Suite *checkpoint_suite(void)
{
	Suite *suite = suite_create("checkpoint");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, every_changed_byte_is_noticed);
	tcase_add_test(tc, every_missing_or_additional_byte_is_noticed);
	tcase_add_loop_test(tc, what_is_no_checkpoint_is_refused_with_a_reason,
			    0, (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tc, nothing_is_replaced_unasked);
	suite_add_tcase(suite, tc);
	return suite;
}
