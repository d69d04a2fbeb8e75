/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/unpack.h"
#include "tests/unit/dataset_files.h"

/* Everything that is read, by pieces of `piece` bytes; -1 with the error. */
static ssize_t read_all(const char *path, size_t piece, char *out, size_t room,
			struct err *err)
{
	struct unpack *file = unpack_open(path, err);
	size_t length = 0;
	ssize_t got;

	ck_assert_ptr_nonnull(file);
	while ((got = unpack_read(file, out + length, piece, err)) > 0) {
		length += (size_t)got;
		ck_assert_uint_le(length + piece, room);
	}
	unpack_close(file);
	return got < 0 ? -1 : (ssize_t)length;
}

static const char *const pieces[] = { "", "a", "some text that is some text" };

START_TEST(plain_gzip_and_xz_read_the_same)
{
	const char *text = pieces[_i];
	size_t length = strlen(text);
	char out[256];

	put_bytes("plain", text, length);
	put_gzip("gzip", text, length);
	put_xz("xz", text, length);
	for (size_t piece = 1; piece < 64; piece += 7) {
		ck_assert_int_eq(read_all("plain", piece, out, 256, NULL),
				 (ssize_t)length);
		ck_assert_mem_eq(out, text, length);
		ck_assert_int_eq(read_all("gzip", piece, out, 256, NULL),
				 (ssize_t)length);
		ck_assert_mem_eq(out, text, length);
		ck_assert_int_eq(read_all("xz", piece, out, 256, NULL),
				 (ssize_t)length);
		ck_assert_mem_eq(out, text, length);
	}
}
END_TEST

/* Append the bytes of `from` to `to`. */
static void append(const char *to, const char *from)
{
	size_t n, m;
	unsigned char *a = get_bytes(to, &n), *b = get_bytes(from, &m);

	memcpy(a + n, b, m);
	put_bytes(to, a, n + m);
	free(a);
	free(b);
}

START_TEST(one_behind_the_other_reads_as_one)
{
	char out[64];

	put_gzip("a", "one", 3);
	put_gzip("b", "two", 3);
	append("a", "b");
	ck_assert_int_eq(read_all("a", 8, out, 64, NULL), 6);
	ck_assert_mem_eq(out, "onetwo", 6);
	put_xz("a", "one", 3);
	put_xz("b", "two", 3);
	append("a", "b");
	ck_assert_int_eq(read_all("a", 8, out, 64, NULL), 6);
	ck_assert_mem_eq(out, "onetwo", 6);
}
END_TEST

static void says(const char *path, const char *what)
{
	struct err err = { 0 };
	char out[256];

	ck_assert_int_eq(read_all(path, 64, out, 256, &err), -1);
	ck_assert_msg(strstr(err.text, what) != NULL, "says: %s", err.text);
}

START_TEST(what_is_cut_or_damaged_is_an_error)
{
	put_gzip("a", "some text", 9);
	ck_assert_int_eq(truncate("a", 12), 0);
	says("a", "truncated: the compressed data end too early");
	put_xz("a", "some text", 9);
	ck_assert_int_eq(truncate("a", 40), 0);
	says("a", "truncated: the compressed data end too early");
	scratch_write("b", "nothing that is packed");
	put_gzip("a", "some text", 9);
	append("a", "b");
	says("a", "damaged: something else behind the compressed data");
	put_xz("a", "some text", 9);
	append("a", "b");
	says("a", "damaged: ");
	put_bytes("a", "\x1f\x8b\x08\xff\xff\xff\xff\xff\xff\xff", 10);
	says("a", "damaged: ");
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
	struct err err = { 0 };

	ck_assert_ptr_null(unpack_open("nowhere", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "open nowhere: "));
	says(".", "Is a directory");
}
END_TEST

Suite *unpack_suite(void);
Suite *unpack_suite(void)
{
	Suite *suite = suite_create("unpack");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_add_loop_test(tc, plain_gzip_and_xz_read_the_same, 0, 3);
	tcase_add_test(tc, one_behind_the_other_reads_as_one);
	tcase_add_test(tc, what_is_cut_or_damaged_is_an_error);
	tcase_add_test(tc, what_cannot_be_read_is_named);
	suite_add_tcase(suite, tc);
	return suite;
}
