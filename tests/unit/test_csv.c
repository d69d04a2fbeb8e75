/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/csv.h"
#include "lib/mem.h"

static char folder[64];
static char *path;

static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_csv.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/a.csv", folder);
}

static void remove_folder(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
	free(path);
}

static void write_bytes(const void *bytes, size_t length)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	text_put_bytes(&text, bytes, length);
	ck_assert_msg(text_write_file(&text, path, true, &err) == 0, "%s",
		      err.text);
	text_done(&text);
}

static struct csv *open_csv(char delimiter)
{
	struct err err = { 0 };
	struct csv *csv = csv_open(path, delimiter, &err);

	ck_assert_msg(csv != NULL, "%s", err.text);
	return csv;
}

/* Every cell in brackets, rows on lines of their own; then the error. */
static char *read_all(char delimiter)
{
	struct csv *csv = open_csv(delimiter);
	struct text out = TEXT_INIT;
	struct err err = { 0 };
	size_t i;
	int got;

	while ((got = csv_next(csv, &err)) > 0) {
		text_printf(&out, "%zu:", csv_line(csv));
		for (i = 0; i < csv_cells(csv); i++)
			text_printf(&out, "[%s]", csv_cell(csv, i));
		text_put_char(&out, '\n');
		ck_assert_ptr_null(csv_cell(csv, i));
	}
	if (got < 0)
		text_put(&out, err.text + strlen(folder));
	csv_close(csv);
	return text_take(&out);
}

static const struct {
	const char *text, *rows;
} files[] = {
	{ "", "" },
	{ "\n\r\n\n", "" },
	{ "a,b\n1,2\n", "1:[a][b]\n2:[1][2]\n" },
	{ "a,b\r\n1,2\r\n", "1:[a][b]\n2:[1][2]\n" },
	{ "a,b\n1,2", "1:[a][b]\n2:[1][2]\n" },
	{ "a,b\r\n1,2\r", "1:[a][b]\n2:[1][2]\n" },
	{ "a\n\n\nb", "1:[a]\n4:[b]\n" },
	{ ",\n,,", "1:[][]\n2:[][][]\n" },
	{ "\"a, \"\"b\"\"\",c\n", "1:[a, \"b\"][c]\n" },
	{ "\"a\nb\",c\nd\n", "1:[a\nb][c]\n3:[d]\n" },
	{ "\"a\r\nb\"\r\nc", "1:[a\r\nb]\n3:[c]\n" },
	{ "\"\",\"\"\n", "1:[][]\n" },
	{ "a\"b,c\n", "1:[a\"b][c]\n" },
	{ "a\rb,\rc\n", "1:[a\rb][\rc]\n" },
	{ "\xef\xbb\xbf"
	  "a,b\n",
	  "1:[a][b]\n" },
	{ "\xef\xbb"
	  "a\n",
	  "1:[\xef\xbb"
	  "a]\n" },
	{ "\xef", "1:[\xef]\n" },
	{ " a , b \n", "1:[ a ][ b ]\n" },
	{ "a\n\"b\n", "1:[a]\n/a.csv:2: quote without an end" },
	{ "\"a\"b\n", "/a.csv:1: text behind a closing quote" },
	{ "\"a\"\rb\n", "/a.csv:1: text behind a closing quote" },
};

START_TEST(rows_are_cut_into_cells)
{
	char *rows;

	write_bytes(files[_i].text, strlen(files[_i].text));
	rows = read_all(',');
	ck_assert_str_eq(rows, files[_i].rows);
	free(rows);
}
END_TEST

START_TEST(a_delimiter_may_be_anything)
{
	char *rows;

	write_bytes("a,b;\"c;d\"\n", 10);
	rows = read_all(';');
	ck_assert_str_eq(rows, "1:[a,b][c;d]\n");
	free(rows);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	char *rows;

	write_bytes("a\nb\0c\n", 6);
	rows = read_all(',');
	ck_assert_str_eq(rows, "1:[a]\n/a.csv:2: NUL byte in a cell");
	free(rows);
}
END_TEST

START_TEST(a_row_without_end_is_refused)
{
	size_t length = CSV_ROW_MAX + 10;
	char *bytes = xmalloc(length);
	char *rows;

	memset(bytes, 'a', length);
	write_bytes(bytes, length);
	rows = read_all(',');
	ck_assert_str_eq(rows, "/a.csv:1: row too long");
	free(rows);
	bytes[0] = '"';
	write_bytes(bytes, length);
	rows = read_all(',');
	ck_assert_str_eq(rows, "/a.csv:1: row too long");
	free(rows);
	memset(bytes, ',', length);
	write_bytes(bytes, length);
	rows = read_all(',');
	ck_assert_str_eq(rows, "/a.csv:1: row too long");
	free(rows);
	free(bytes);
}
END_TEST

/* printf 'a,b\n1,2\n' | gzip -n */
static const unsigned char gzipped[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00,
					 0x00, 0x00, 0x00, 0x03, 0x4b, 0xd4,
					 0x49, 0xe2, 0x32, 0xd4, 0x31, 0xe2,
					 0x02, 0x00, 0x7b, 0x07, 0x97, 0x0a,
					 0x08, 0x00, 0x00, 0x00 };

START_TEST(gzip_is_read_as_well)
{
	char *rows;

	write_bytes(gzipped, sizeof(gzipped));
	rows = read_all(',');
	ck_assert_str_eq(rows, "1:[a][b]\n2:[1][2]\n");
	free(rows);
}
END_TEST

START_TEST(a_cut_or_damaged_gzip_file_is_reported)
{
	unsigned char damaged[sizeof(gzipped)];
	char *rows;

	write_bytes(gzipped, sizeof(gzipped) - 9);
	rows = read_all(',');
	ck_assert_ptr_nonnull(strstr(rows, "truncated: "));
	free(rows);
	memcpy(damaged, gzipped, sizeof(gzipped));
	damaged[sizeof(gzipped) - 6] ^= 1; /* the checksum */
	write_bytes(damaged, sizeof(damaged));
	rows = read_all(',');
	ck_assert_ptr_nonnull(strstr(rows, "incorrect data check"));
	free(rows);
}
END_TEST

START_TEST(a_pipe_is_read_as_well)
{
	char *rows;
	int status;
	pid_t child;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	child = fork();
	if (child == 0) {
		FILE *out = fopen(path, "w");

		if (out == NULL)
			_exit(1);
		(void)fputs("\xef\xbb!,b\n", out);
		(void)fclose(out);
		_exit(0);
	}
	rows = read_all(',');
	ck_assert_str_eq(rows, "1:[\xef\xbb!][b]\n");
	free(rows);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
}
END_TEST

START_TEST(what_cannot_be_read_is_reported)
{
	struct err err = { 0 };
	struct csv *csv = csv_open("/nonexistent/a.csv", ',', &err);

	ck_assert_ptr_null(csv);
	ck_assert_str_eq(err.text,
			 "open /nonexistent/a.csv: No such file or directory");
	csv = csv_open(folder, ',', &err);
	ck_assert(csv == NULL || csv_next(csv, &err) < 0);
	ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
	csv_close(csv);
	csv_close(NULL);
}
END_TEST

START_TEST(numbers_are_read)
{
	static const char text[] = "1.5,-2e3, 7 ,42,18446744073709551615\n";
	struct err err = { 0 };
	double real = 0;
	uint64_t whole = 0;
	struct csv *csv;

	write_bytes(text, strlen(text));
	csv = open_csv(',');
	ck_assert_int_eq(csv_next(csv, &err), 1);
	ck_assert_int_eq(csv_real(csv, 0, &real, &err), 0);
	ck_assert_double_eq(real, 1.5);
	ck_assert_int_eq(csv_real(csv, 1, &real, &err), 0);
	ck_assert_double_eq(real, -2000);
	ck_assert_int_eq(csv_real(csv, 2, &real, &err), 0);
	ck_assert_double_eq(real, 7);
	ck_assert_int_eq(csv_uint(csv, 3, &whole, &err), 0);
	ck_assert_uint_eq(whole, 42);
	ck_assert_int_eq(csv_uint(csv, 4, &whole, &err), 0);
	ck_assert_uint_eq(whole, UINT64_MAX);
	ck_assert_int_eq(csv_next(csv, &err), 0);
	ck_assert_uint_eq(csv_cells(csv), 0);
	csv_close(csv);
}
END_TEST

static void expect_no_number(const char *cell, bool real, bool whole)
{
	struct err err = { 0 };
	double r = 77;
	uint64_t w = 77;
	struct csv *csv;

	write_bytes(cell, strlen(cell));
	csv = open_csv(',');
	ck_assert_int_eq(csv_next(csv, &err), 1);
	if (real) {
		ck_assert_int_eq(csv_real(csv, 1, &r, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "a.csv:1: column 2: "));
		ck_assert_double_eq(r, 77);
	}
	if (whole) {
		ck_assert_int_eq(csv_uint(csv, 1, &w, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "a.csv:1: column 2: "));
		ck_assert_uint_eq(w, 77);
	}
	csv_close(csv);
}

START_TEST(what_is_no_number_is_reported_with_its_place)
{
	expect_no_number("0,abc", true, true);
	expect_no_number("0,", true, true);
	expect_no_number("0", true, true);
	expect_no_number("0,1x", true, true);
	expect_no_number("0,1 2", true, true);
	expect_no_number("0,nan", true, true);
	expect_no_number("0,inf", true, true);
	expect_no_number("0,0x10", true, true);
	expect_no_number("0,1e999", true, true);
	expect_no_number("0,-1", false, true);
	expect_no_number("0,1.0", false, true);
	expect_no_number("0,18446744073709551616", false, true);
}
END_TEST

START_TEST(cells_are_quoted_only_where_they_must_be)
{
	struct text out = TEXT_INIT;

	csv_put(&out, "plain text", ',');
	text_put_char(&out, ',');
	csv_put(&out, "a,b", ',');
	text_put_char(&out, ',');
	csv_put(&out, "a;b", ',');
	text_put_char(&out, ',');
	csv_put(&out, "say \"x\"\n", ',');
	text_put_char(&out, ',');
	csv_put(&out, "", ',');
	ck_assert_str_eq(out.data,
			 "plain text,\"a,b\",a;b,\"say \"\"x\"\"\n\",");
	text_done(&out);
}
END_TEST

Suite *csv_suite(void);
Suite *csv_suite(void)
{
	Suite *suite = suite_create("csv");
	TCase *tests = tcase_create("csv");

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_loop_test(tests, rows_are_cut_into_cells, 0,
			    sizeof(files) / sizeof(files[0]));
	tcase_add_test(tests, a_delimiter_may_be_anything);
	tcase_add_test(tests, a_nul_byte_is_refused);
	tcase_add_test(tests, a_row_without_end_is_refused);
	tcase_add_test(tests, gzip_is_read_as_well);
	tcase_add_test(tests, a_cut_or_damaged_gzip_file_is_reported);
	tcase_add_test(tests, a_pipe_is_read_as_well);
	tcase_add_test(tests, what_cannot_be_read_is_reported);
	tcase_add_test(tests, numbers_are_read);
	tcase_add_test(tests, what_is_no_number_is_reported_with_its_place);
	tcase_add_test(tests, cells_are_quoted_only_where_they_must_be);
	suite_add_tcase(suite, tests);
	return suite;
}
