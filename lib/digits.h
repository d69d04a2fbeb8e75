/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * digits -- a whole number in decimal, eight digits at a time.
 *
 *	char *end = digits_put(at, value);
 *	unsigned n = digits_get(at, &value);	// of the first eight bytes
 *
 * Writes at most 20 digits but touches up to DIGITS_ROOM bytes from `at` on;
 * no NUL behind them.  For text that is made at every tick (batch.c,
 * csv_tables.c); everybody else has text_put_uint().
 *
 * How: in one 64-bit word, eight digits are halved three times (by 10^4, 10^2
 * and 10), all pieces at once, so that each byte ends as one digit.  A division
 * by a constant is a multiplication and a shift: n * 10486 >> 20 is n / 100 for
 * n < 10^4 (10486 = ceil(2^20 / 100)), n * 103 >> 10 is n / 10 for n < 100.
 */
#ifndef LIB_DIGITS_H
#define LIB_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_ROOM 24

/* Eight digits, the first in the lowest byte, as numbers 0 to 9. */
static inline uint64_t digits_of(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t high = fours * 10486 >> 20 & UINT64_C(0x7f0000007f);
	uint64_t pairs = high | (fours - 100 * high) << 16;
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000f000f000f000f);

	return tens | (pairs - 10 * tens) << 8;
}

static inline char *digits_store(char *at, uint64_t digits)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	digits = __builtin_bswap64(digits);
#endif
	memcpy(at, &digits, sizeof(digits));
	return at + sizeof(digits);
}

#define DIGITS_ASCII UINT64_C(0x3030303030303030)

/* value < 10^8, without leading zeros: they are shifted out. */
static inline char *digits_short(char *at, uint32_t value)
{
	uint64_t digits = digits_of(value);
	/* The last digit counts even if it is 0. */
	unsigned int zeros =
		(unsigned int)__builtin_ctzll(digits | UINT64_C(1) << 56) & ~7U;

	digits_store(at, (digits | DIGITS_ASCII) >> zeros);
	return at + 8 - zeros / 8;
}

static inline char *digits_put(char *at, uint64_t value)
{
	const uint64_t e8 = 100000000;
	uint64_t high;

	if (value < e8)
		return digits_short(at, (uint32_t)value);
	high = value / e8;
	if (high < 10) {
		*at++ = (char)('0' + high);
	} else if (high < e8) {
		at = digits_short(at, (uint32_t)high);
	} else {
		at = digits_short(at, (uint32_t)(high / e8));
		at = digits_store(at, digits_of((uint32_t)(high % e8)) |
					      DIGITS_ASCII);
	}
	return digits_store(at,
			    digits_of((uint32_t)(value % e8)) | DIGITS_ASCII);
}

/* The other way: how many of the eight bytes at `at` are digits in front of
 * anything else, and their value.  Neighbours are joined three times (to pairs,
 * fours and eight), all at once. */
static inline unsigned digits_get(const char *at, uint64_t *value)
{
	uint64_t bytes, other;
	unsigned n;

	memcpy(&bytes, at, sizeof(bytes));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	bytes ^= UINT64_C(0x3030303030303030); /* 0 to 9, or more */
	other = ((bytes + UINT64_C(0x7676767676767676)) | bytes) &
		UINT64_C(0x8080808080808080);
	n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
	if (n == 0)
		return 0;
	bytes <<= 64 - 8 * n; /* zeros in front */
	bytes = 10 * bytes + (bytes >> 8);
	*value = ((bytes & UINT64_C(0xff000000ff)) *
			  (100 + (UINT64_C(1000000) << 32)) +
		  ((bytes >> 16) & UINT64_C(0xff000000ff)) *
			  (1 + (UINT64_C(10000) << 32))) >>
		 32;
	return n;
}

#endif
