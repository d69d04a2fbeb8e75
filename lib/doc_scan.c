/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/doc_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

struct scan {
	char *text;
	size_t length;
	size_t at;
	int depth;
	struct err *err;
};

int doc_scan_fail(const char *text, size_t length, size_t offset,
		  const char *why, struct err *err)
{
	size_t line = 1, column = 1, i;

	for (i = 0; i < offset && i < length; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80 &&
			   text[i] != '\r') {
			column++;
		}
	}
	return err_set(err, EINVAL, "line %zu, column %zu: %s", line, column,
		       why);
}

static int fail(const struct scan *scan, const char *why)
{
	return doc_scan_fail(scan->text, scan->length, scan->at, why,
			     scan->err);
}

/* The character `ahead` of here; the NUL at the end bounds every look. */
static char peek(const struct scan *scan, size_t ahead)
{
	size_t at = scan->at + ahead;

	return at < scan->length ? scan->text[at] : '\0';
}

/* Over one character of a string, or an escaped one. */
static int skip_character(struct scan *scan)
{
	size_t length = text_character(scan->text + scan->at);

	if ((unsigned char)peek(scan, 0) < 0x20)
		return fail(scan, "control character in a string");
	/* C strings end there, so two keys could become one. */
	if (strncmp(scan->text + scan->at, "\\u0000", 6) == 0)
		return fail(scan, "NUL character in a string");
	if (length == 0)
		return fail(scan, "string that is not UTF-8");
	scan->at += length;
	if (length == 1 && scan->text[scan->at - 1] == '\\' &&
	    scan->at < scan->length)
		scan->at++;
	return 0;
}

/* From the first quote to behind the last. */
static int skip_string(struct scan *scan)
{
	scan->at++;
	while (scan->at < scan->length && peek(scan, 0) != '"')
		if (skip_character(scan) < 0)
			return -1;
	if (scan->at >= scan->length)
		return fail(scan, "string without an end");
	scan->at++;
	return 0;
}

static void blank(struct scan *scan)
{
	unsigned char c = (unsigned char)scan->text[scan->at];

	/* A character, whatever its bytes, stays one column wide. */
	if (c != '\n')
		scan->text[scan->at] = (c & 0xc0) == 0x80 ? '\r' : ' ';
	scan->at++;
}

static int blank_comment(struct scan *scan)
{
	size_t start = scan->at;

	if (peek(scan, 1) == '/') {
		while (scan->at < scan->length && peek(scan, 0) != '\n')
			blank(scan);
		return 0;
	}
	if (peek(scan, 1) != '*')
		return fail(scan, "unexpected character");
	blank(scan);
	blank(scan);
	while (scan->at < scan->length &&
	       !(peek(scan, 0) == '*' && peek(scan, 1) == '/'))
		blank(scan);
	if (scan->at >= scan->length) {
		scan->at = start;
		return fail(scan, "comment without an end");
	}
	blank(scan);
	blank(scan);
	return 0;
}

static size_t skip_digits(struct scan *scan)
{
	size_t start = scan->at;

	while (peek(scan, 0) >= '0' && peek(scan, 0) <= '9')
		scan->at++;
	return scan->at - start;
}

static int skip_fraction(struct scan *scan)
{
	if (peek(scan, 0) == '.') {
		scan->at++;
		if (skip_digits(scan) == 0)
			return fail(scan, "expected a digit");
	}
	if ((peek(scan, 0) | 0x20) == 'e') {
		scan->at++;
		scan->at += peek(scan, 0) == '-' || peek(scan, 0) == '+';
		if (skip_digits(scan) == 0)
			return fail(scan, "expected a digit");
	}
	return 0;
}

/* json-c would write INT64_MIN or UINT64_MAX instead. */
static bool fits_64_bits(const char *digits, bool negative)
{
	uint64_t value;

	errno = 0;
	value = strtoull(digits, NULL, 10);
	return errno == 0 && !(negative && value > (uint64_t)1 << 63);
}

/* RFC 8259, section 6: no "01", "1." or ".5". */
static int skip_number(struct scan *scan)
{
	bool negative = peek(scan, 0) == '-';
	size_t start = scan->at + negative;
	size_t digits;

	scan->at = start;
	digits = skip_digits(scan);
	if (digits == 0)
		return fail(scan, "expected a digit");
	if (digits > 1 && scan->text[start] == '0')
		return fail(scan, "number with a leading zero");
	if (peek(scan, 0) == '.' || (peek(scan, 0) | 0x20) == 'e')
		return skip_fraction(scan);
	if (!fits_64_bits(scan->text + start, negative))
		return fail(scan, "whole number of more than 64 bits");
	return 0;
}

static int look(struct scan *scan)
{
	unsigned char c = (unsigned char)peek(scan, 0);

	if (c == '"')
		return skip_string(scan);
	if (c == '/')
		return blank_comment(scan);
	if (c == '-' || (c >= '0' && c <= '9'))
		return skip_number(scan);
	/* No other word of JSON has these letters. */
	if (c == 'N' || c == 'I')
		return fail(scan, "NaN and Infinity are not JSON");
	if (c == '\'' || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') ||
	    c > 0x7e)
		return fail(scan, "unexpected character");
	if ((c == '[' || c == '{') && ++scan->depth > DOC_DEPTH_MAX)
		return fail(scan, "nested too deeply (32 levels at most)");
	if (c == ']' || c == '}')
		scan->depth--;
	scan->at++;
	return 0;
}

int doc_scan(char *text, size_t length, struct err *err)
{
	struct scan scan = { text, length, 0, 0, err };

	while (scan.at < length)
		if (look(&scan) < 0)
			return -1;
	return 0;
}
