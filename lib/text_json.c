/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and strings as JSON spells them. */
#include "lib/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17

/* A positive number as 0.d1d2d3… × 10^point. */
struct decimal {
	char digit[DIGITS_MAX + 1];
	int digits;
	int point;
};

/* "d.ddddde±dd" (with whatever decimal point the locale has) taken apart. */
static void decimal_from(struct decimal *decimal, const char *text)
{
	decimal->digits = 0;
	for (; *text != 'e'; text++)
		if (*text >= '0' && *text <= '9')
			decimal->digit[decimal->digits++] = *text;
	decimal->point = (int)strtol(text + 1, NULL, 10) + 1;
	while (decimal->digits > 1 &&
	       decimal->digit[decimal->digits - 1] == '0')
		decimal->digits--;
}

/* One more in the last place; false where that carries into more places. */
static bool step_up(char *text)
{
	char *last = strchr(text, 'e') - 1;

	if (*last == '9')
		return false;
	++*last;
	return true;
}

/*
 * The fewest digits that read back as `value`.  15 always survive the way from
 * decimal to double, 17 the way from double to decimal (IEEE 754), so few
 * lengths are to be tried, except below DBL_MIN, where precision fades.  Beside
 * a power of two the doubles below are twice as dense as those above, so that
 * the nearest short decimal may miss while the next one hits.
 */
static void decimal_shortest(struct decimal *decimal, double value)
{
	char text[DIGITS_MAX + 16];
	int digits = value < DBL_MIN ? 1 : 15;

	for (; digits < DIGITS_MAX; digits++) {
		(void)snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			break;
		if (step_up(text) && strtod(text, NULL) == value)
			break;
	}
	if (digits == DIGITS_MAX)
		(void)snprintf(text, sizeof(text), "%.*e", digits - 1, value);
	decimal_from(decimal, text);
}

/* d.ddde±XX */
static void put_scientific(struct text *text, const struct decimal *decimal)
{
	int exponent = decimal->point - 1;

	text_put_char(text, decimal->digit[0]);
	if (decimal->digits > 1) {
		text_put_char(text, '.');
		text_put_bytes(text, decimal->digit + 1,
			       (size_t)decimal->digits - 1);
	}
	text_printf(text, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

/* ddd.ddd, with zeros where digits are missing on either side. */
static void put_plain(struct text *text, const struct decimal *decimal)
{
	int i;

	if (decimal->point <= 0)
		text_put_char(text, '0');
	for (i = 0; i < decimal->point; i++)
		text_put_char(text,
			      i < decimal->digits ? decimal->digit[i] : '0');
	text_put_char(text, '.');
	for (i = decimal->point; i < 0; i++)
		text_put_char(text, '0');
	if (i >= decimal->digits)
		text_put_char(text, '0');
	else
		text_put_bytes(text, decimal->digit + i,
			       (size_t)(decimal->digits - i));
}

void text_put_real(struct text *text, double value)
{
	struct decimal decimal = { .digits = 0 };

	if (!isfinite(value)) {
		text_put(text, "null");
		return;
	}
	if (signbit(value))
		text_put_char(text, '-');
	value = fabs(value);
	/* Whole numbers are common, and need no search. */
	if (value < 1e15 && value == floor(value)) {
		text_put_uint(text, (uint64_t)value);
		text_put(text, ".0");
		return;
	}
	decimal_shortest(&decimal, value);
	if (decimal.point <= -4 || decimal.point > 16)
		put_scientific(text, &decimal);
	else
		put_plain(text, &decimal);
}

size_t text_character(const char *at)
{
	const unsigned char *s = (const unsigned char *)at;
	size_t length, i;

	if (s[0] < 0x80)
		return s[0] != '\0';
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

static void put_escaped(struct text *text, char c)
{
	static const char named[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *at;

	for (at = named; *at != '\0'; at += 2) {
		if (*at == c) {
			text_put_char(text, '\\');
			text_put_char(text, at[1]);
			return;
		}
	}
	text_printf(text, "\\u%04x", (unsigned int)c);
}

/* Eight at a time: in `x - 0x01…` a byte that was 0 borrows and shows 0x80. */
size_t text_plain(const char *piece, size_t length)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = ones << 7;
	size_t at = 0;

	for (; at + 8 <= length; at += 8) {
		uint64_t word, quote, backslash;

		memcpy(&word, piece + at, sizeof(word));
		quote = word ^ ones * '"';
		backslash = word ^ ones * '\\';
		if (((word | (word - ones * 0x20) | (quote - ones) |
		      (backslash - ones)) &
		     highs) != 0)
			break;
	}
	while (at < length && (unsigned char)piece[at] >= 0x20 &&
	       (unsigned char)piece[at] < 0x80 && piece[at] != '"' &&
	       piece[at] != '\\')
		at++;
	return at;
}

/* One character that is not plain; how many bytes it took. */
static size_t put_special(struct text *text, const char *piece)
{
	size_t length = text_character(piece);

	if (length == 0) {
		/* Names of files and processes may be anything. */
		text_put(text, "\xef\xbf\xbd");
		return 1;
	}
	if (length == 1)
		put_escaped(text, *piece);
	else
		text_put_bytes(text, piece, length);
	return length;
}

void text_put_json(struct text *text, const char *piece)
{
	size_t left = strlen(piece);
	size_t length = text_plain(piece, left);
	char *at = text_room(text, left + 2);

	*at = '"';
	at = mempcpy(at + 1, piece, length);
	text_extend(text, at);
	while ((left -= length) > 0) {
		piece += length;
		length = text_plain(piece, left);
		if (length > 0)
			text_put_bytes(text, piece, length);
		else
			length = put_special(text, piece);
	}
	text_put_bytes(text, "\"", 1);
}
