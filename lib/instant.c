/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/instant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX 1e11

/* Digits behind the milliseconds do not matter. */
static const char *fraction_ms(const char *text, int64_t *ms)
{
	int64_t unit = 100;

	if (*text != '.')
		return text;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*ms += (*text - '0') * unit;
	return text;
}

bool instant_is_date(const char *text, int64_t *ms)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S",
					       "%Y-%m-%d %H:%M:%S",
					       "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	struct tm tm = { 0 }, zone = { 0 };
	const char *rest = NULL;
	int64_t fraction = 0;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats) && !rest;
	     i++) {
		tm = (struct tm){ 0 };
		rest = strptime(text, formats[i], &tm);
		/* A shorter format would stop within a longer text. */
		if (rest && *rest && !strchr(".Z+-", *rest))
			rest = NULL;
	}
	if (!rest)
		return false;
	rest = fraction_ms(rest, &fraction);
	if (*rest) {
		rest = strptime(rest, "%z", &zone);
		if (!rest || *rest)
			return false;
	}
	*ms = ((int64_t)timegm(&tm) - zone.tm_gmtoff) * 1000 + fraction;
	return true;
}

int instant_parse(const char *text, int64_t *ms, struct err *err)
{
	double number;
	char *end;

	if (instant_is_date(text, ms))
		return 0;
	number = strtod(text, &end);
	if (end == text || *end || !(number >= 0 && number < 1e15) ||
	    text[strspn(text, "0123456789.eE+")])
		return err_set(err, EINVAL,
			       "'%.60s': expected a time such as "
			       "2026-07-09T12:26:40 (UTC) or a timestamp in "
			       "seconds or milliseconds",
			       text);
	*ms = llround(number < SECONDS_MAX ? 1000 * number : number);
	return 0;
}

void instant_put(int64_t ms, struct text *out)
{
	int64_t fraction = (ms % 1000 + 1000) % 1000;
	time_t seconds = (time_t)((ms - fraction) / 1000);
	struct tm tm;
	char date[40];

	if (!gmtime_r(&seconds, &tm))
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70 };
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	text_printf(out, "%s.%03d+00:00", date, (int)fraction);
}
