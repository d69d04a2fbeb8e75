/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quantity -- numbers with units, read from people and shown to people.
 *
 *	double seconds;
 *	char text[QUANTITY_TEXT_MAX];
 *
 *	quantity_parse("200ms", QUANTITY_SECONDS, &seconds, &err);   // 0.2
 *	quantity_text(0.0062, QUANTITY_JOULES, text);             // "6.2 mJ"
 *
 * Inside the programs every value is in SI units; strings with units exist at
 * the edges only.  A bare number is seconds, watts, joules or bytes.
 */
#ifndef LIB_QUANTITY_H
#define LIB_QUANTITY_H

#include "lib/err.h"

#define QUANTITY_TEXT_MAX 48

enum quantity {
	QUANTITY_SECONDS, /* ns us µs ms s m min h d */
	QUANTITY_WATTS,   /* uW µW mW W kW MW */
	QUANTITY_JOULES,  /* nJ uJ µJ mJ J kJ MJ mWh Wh kWh */
	QUANTITY_BYTES,   /* B kB MB GB KiB MiB GiB */
	QUANTITY_COUNT,   /* a plain number; shown as 1.2 k, 3.4 M */
};

/* EINVAL with a sentence that names the units there are. */
int quantity_parse(const char *text, enum quantity quantity, double *value,
		   struct err *err);

/* Three significant digits and the unit that fits; returns `out`. */
const char *quantity_text(double value, enum quantity quantity,
			  char out[static QUANTITY_TEXT_MAX]);

/* A duration as people say it: "45 s", "2 min 20 s", "1 h 5 min". */
const char *quantity_duration(double seconds,
			      char out[static QUANTITY_TEXT_MAX]);

#endif
