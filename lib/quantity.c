/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define MICRO "\xc2\xb5" /* U+00B5, and the Greek letter, U+03BC */
#define MU    "\xce\xbc"

struct unit {
	const char *name;
	double scale; /* SI units in one of it */
	double from;  /* shown from this many SI units on; 0: never shown */
};

static const struct unit seconds_units[] = {
	{ "ns", 1e-9, 1e-99 },  { "us", 1e-6, 0 },    { MICRO "s", 1e-6, 1e-6 },
	{ MU "s", 1e-6, 0 },    { "ms", 1e-3, 1e-3 }, { "s", 1, 1 },
	{ "min", 60, 120 },     { "m", 60, 0 },       { "h", 3600, 3600 },
	{ "d", 86400, 172800 }, { NULL, 0, 0 }
};

static const struct unit watts_units[] = {
	{ "uW", 1e-6, 0 },   { MICRO "W", 1e-6, 1e-99 },
	{ MU "W", 1e-6, 0 }, { "mW", 1e-3, 1e-3 },
	{ "W", 1, 1 },       { "kW", 1e3, 1e3 },
	{ "MW", 1e6, 1e6 },  { NULL, 0, 0 }
};

static const struct unit joules_units[] = {
	{ "nJ", 1e-9, 1e-99 }, { "uJ", 1e-6, 0 },    { MICRO "J", 1e-6, 1e-6 },
	{ MU "J", 1e-6, 0 },   { "mJ", 1e-3, 1e-3 }, { "J", 1, 1 },
	{ "kJ", 1e3, 1e3 },    { "MJ", 1e6, 1e6 },   { "mWh", 3.6, 0 },
	{ "Wh", 3600, 0 },     { "kWh", 3.6e6, 0 },  { NULL, 0, 0 }
};

static const struct unit bytes_units[] = {
	{ "B", 1, 1e-99 },        { "kB", 1e3, 1e3 }, { "MB", 1e6, 1e6 },
	{ "GB", 1e9, 1e9 },       { "KiB", 1024, 0 }, { "MiB", 1048576, 0 },
	{ "GiB", 1073741824, 0 }, { NULL, 0, 0 }
};

static const struct unit count_units[] = { { "", 1, 1e-99 },
					   { "k", 1e3, 1e3 },
					   { "M", 1e6, 1e6 },
					   { "G", 1e9, 1e9 },
					   { NULL, 0, 0 } };

static const struct {
	const char *what, *bare;
	const struct unit *units;
	const char *example;
} kinds[] = {
	[QUANTITY_SECONDS] = { "a duration", "s", seconds_units, "200ms" },
	[QUANTITY_WATTS] = { "a power", "W", watts_units, "3.5W" },
	[QUANTITY_JOULES] = { "an energy", "J", joules_units, "2.5kJ" },
	[QUANTITY_BYTES] = { "a size", "B", bytes_units, "64KiB" },
	[QUANTITY_COUNT] = { "a number", "", count_units, "1000" },
};

static int refuse(const char *text, enum quantity quantity, struct err *err)
{
	const struct unit *unit = kinds[quantity].units;
	struct text list = TEXT_INIT;

	for (; unit->name != NULL && quantity != QUANTITY_COUNT; unit++) {
		text_put(&list, list.length ? " " : "; units: ");
		text_put(&list, unit->name);
	}
	err_set(err, EINVAL, "expected %s, found \"%s\"", kinds[quantity].what,
		text);
	err_remedy(err, "such as %s%s", kinds[quantity].example,
		   list.data ? list.data : "");
	text_done(&list);
	return -1;
}

/* strtod() also takes "inf", "nan" and "0x1p3", which nobody means. */
static bool looks_decimal(const char *text)
{
	text += *text == '-' || *text == '+';
	return (*text >= '0' && *text <= '9') || *text == '.'
		       ? !(text[0] == '0' && (text[1] | 0x20) == 'x')
		       : false;
}

int quantity_parse(const char *text, enum quantity quantity, double *value,
		   struct err *err)
{
	const struct unit *unit = kinds[quantity].units;
	const char *bare = kinds[quantity].bare;
	const char *name;
	char *end;
	double number;

	text += strspn(text, " \t");
	if (!looks_decimal(text))
		return refuse(text, quantity, err);
	number = strtod(text, &end);
	name = end + strspn(end, " \t");
	if (end == text || !isfinite(number))
		return refuse(text, quantity, err);
	if (*name == '\0')
		name = bare;
	else if (quantity == QUANTITY_COUNT)
		return refuse(text, quantity, err);
	for (; unit->name != NULL; unit++)
		if (strcmp(unit->name, name) == 0)
			break;
	if (unit->name == NULL || !isfinite(number * unit->scale))
		return refuse(text, quantity, err);
	*value = number * unit->scale;
	return 0;
}

/* The largest unit in which the value, once rounded, is not below where that
 * unit starts: 999.7 mJ is shown as 1 J. */
static const struct unit *fitting(double size, enum quantity quantity)
{
	const struct unit *unit, *best = NULL, *first = NULL;

	for (unit = kinds[quantity].units; unit->name != NULL; unit++) {
		if (unit->from == 0)
			continue;
		if (first == NULL)
			first = unit;
		if (size >= unit->from * (1 - 5e-4))
			best = unit;
	}
	return best ? best : first;
}

/* "12.5", "0.32", "120", "1234": three significant digits, all digits of the
 * whole part, no zeros at the end; an exponent only where it must be. */
static void put_number(char *out, size_t size, double value)
{
	double magnitude = fabs(value);
	char *end;
	int places;

	if (magnitude < 1e-3 || magnitude >= 1e9) {
		(void)snprintf(out, size, "%.3g", value);
		return;
	}
	places = 2 - (int)floor(log10(magnitude));
	(void)snprintf(out, size, "%.*f", places > 0 ? places : 0, value);
	if (strchr(out, '.') == NULL)
		return;
	for (end = out + strlen(out) - 1; *end == '0'; end--)
		*end = '\0';
	if (*end == '.')
		*end = '\0';
}

const char *quantity_text(double value, enum quantity quantity,
			  char out[static QUANTITY_TEXT_MAX])
{
	const char *name = kinds[quantity].bare;
	const struct unit *unit;
	char number[32];

	if (!isfinite(value)) {
		(void)snprintf(out, QUANTITY_TEXT_MAX, "unknown");
		return out;
	}
	if (value != 0) {
		unit = fitting(fabs(value), quantity);
		name = unit->name;
		value /= unit->scale;
	}
	put_number(number, sizeof(number), value);
	/* A count below a thousand has no unit, and so no space. */
	(void)snprintf(out, QUANTITY_TEXT_MAX, "%s%s%s", number,
		       *name ? " " : "", name);
	return out;
}

const char *quantity_duration(double seconds,
			      char out[static QUANTITY_TEXT_MAX])
{
	static const struct {
		const char *big, *small;
		double unit, part;
	} steps[] = { { "d", "h", 86400, 3600 },
		      { "h", "min", 3600, 60 },
		      { "min", "s", 60, 1 } };
	double parts;
	size_t i;

	if (!isfinite(seconds) || seconds < 59.5 || seconds >= 1e12) {
		if (seconds >= 9.5 && seconds < 59.5)
			seconds = round(seconds);
		return quantity_text(seconds, QUANTITY_SECONDS, out);
	}
	for (i = 0; i < 2; i++)
		if (round(seconds / steps[i].part) * steps[i].part >=
		    steps[i].unit)
			break;
	parts = round(seconds / steps[i].part);
	seconds = parts * steps[i].part;
	parts = fmod(parts, steps[i].unit / steps[i].part);
	(void)snprintf(out, QUANTITY_TEXT_MAX, "%.0f %s",
		       floor(seconds / steps[i].unit), steps[i].big);
	if (parts > 0)
		(void)snprintf(out + strlen(out),
			       QUANTITY_TEXT_MAX - strlen(out), " %.0f %s",
			       parts, steps[i].small);
	return out;
}
