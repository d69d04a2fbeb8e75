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

/* Digits of a number that reaches from 1e17 to 1e19. */
static void decimal_digits(struct decimal *decimal, uint64_t number, int power)
{
	char text[24];
	int n = 0;

	do
		text[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	decimal->digits = n;
	decimal->point = n + power;
	for (int i = 0; i < n; i++)
		decimal->digit[i] = text[n - 1 - i];
}

/*
 * The same as decimal_shortest() for what is neither very large nor very small,
 * without trying: value * 10^k, with k such that there are 17 digits or more
 * before the point, and the bounds half a step to either side are exact in 128
 * bits (54 bits times 10^22 at most); the shortest decimal is the multiple of
 * the largest power of ten between them.  False where it does not apply: out of
 * range, beside a power of two (the bounds are not alike), halfway.
 */
static bool decimal_quick(struct decimal *decimal, double value)
{
	int exponent, k, shift, power = 0;
	uint64_t mantissa, low, high, middle, ten = 1, off;
	unsigned __int128 scale = 1, bound;

	if (!(value >= 1e-4 && value < 1e15))
		return false;
	mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
	if (mantissa == UINT64_C(1) << 52)
		return false;
	/* 0.30103 is log10(2); value < 2^exponent. */
	k = 17 - (int)floor((exponent - 1) * 0.30103);
	shift = 54 - exponent; /* of twice the mantissa */
	for (int i = 0; i < k; i++)
		scale *= 10;
	bound = scale * (2 * mantissa - 1);
	low = (uint64_t)(bound >> shift);
	/* A bound itself reads back as the even neighbour. */
	low += (bound & (((unsigned __int128)1 << shift) - 1)) != 0 ||
	       mantissa % 2 != 0;
	bound = scale * (2 * mantissa + 1);
	high = (uint64_t)(bound >> shift);
	high -= (bound & (((unsigned __int128)1 << shift) - 1)) == 0 &&
		mantissa % 2 != 0;
	bound = scale * (2 * mantissa);
	middle = (uint64_t)(bound >> shift);
	while (ten < high / 10 && high / (10 * ten) * (10 * ten) >= low) {
		ten *= 10;
		power++;
	}
	off = middle % ten;
	if (power == 0 || 2 * off == ten || 2 * off + 1 == ten)
		return false;
	middle = middle / ten + (2 * off > ten);
	decimal_digits(decimal, middle, power - k);
	return middle * ten >= low && middle * ten <= high;
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

	if (decimal_quick(decimal, value))
		return;
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
