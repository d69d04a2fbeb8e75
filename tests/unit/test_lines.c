/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "lib/lines.h"

/* What comes out when `text` goes in by pieces of `size`: "a|b|" and "!" for
 * a line that is too long, then what is left. */
static void through(const char *text, size_t size, struct text *out)
{
	struct lines lines;
	size_t length, left = strlen(text);
	const char *line;
	int got;

	lines_init(&lines, 4);
	while (left > 0) {
		size_t n = left < size ? left : size;

		lines_put(&lines, text, n);
		text += n;
		left -= n;
		while ((got = lines_next(&lines, &line, &length))) {
			if (got > 0)
				text_put_bytes(out, line, length);
			text_put_char(out, got > 0 ? '|' : '!');
		}
	}
	line = lines_rest(&lines, &length);
	text_put_bytes(out, line, length);
	lines_done(&lines);
}

static const struct {
	const char *in, *out;
} cases[] = {
	{ "", "" },
	{ "a\nbc\n\nd\n", "a|bc||d|" },
	{ "a\nbc", "a|bc" },
	{ "abcd\nx", "abcd|x" },
	{ "abcde\nx\n", "!x|" },
	{ "abcdefghijklmnop\nx\nabcdef\ny", "!x|!y" },
	{ "abcdefghij", "!" },
};

START_TEST(lines_come_out_however_bytes_come_in)
{
	for (size_t size = 1; size < 20; size++) {
		struct text out = TEXT_INIT;

		text_put(&out, "");
		through(cases[_i].in, size, &out);
		ck_assert_str_eq(out.data, cases[_i].out);
		text_done(&out);
	}
}
END_TEST

Suite *lines_suite(void);

Suite *lines_suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_loop_test(tcase, lines_come_out_however_bytes_come_in, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
