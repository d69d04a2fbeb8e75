/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * instant -- a point in time, as documents and people write it.
 *
 *	instant_parse("2026-07-09T12:26:40.123Z", &ms, &err);
 *	instant_parse("1783600000", &ms, &err);      // Unix seconds
 *	instant_parse("1783600000123", &ms, &err);   // Unix milliseconds
 *
 * ISO 8601: a date, or date and time with 'T' or a blank between them, a
 * fraction of any length, "Z" or "+02:00" behind it; without a zone it is UTC.
 * Numbers from 10^11 on are milliseconds (as seconds: the year 5138).
 */
#ifndef LIB_INSTANT_H
#define LIB_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

int instant_parse(const char *text, int64_t *ms, struct err *err);
/* ISO 8601 alone. */
bool instant_is_date(const char *text, int64_t *ms);
/* "2026-07-09T12:26:40.123+00:00" */
void instant_put(int64_t ms, struct text *out);

#endif
