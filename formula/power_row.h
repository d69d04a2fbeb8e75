/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_row -- what one power report says, whoever wrote it.
 *
 *	struct power_row row;
 *
 *	if (power_row_read(doc, &row, &err) > 0)
 *		use(row.target, row.watts);
 *
 * Reports of formula's models say the meter's watts in each row; SmartWatts'
 * say them in rows of their own, one per package: its target "rapl" is the
 * meter, "global" what its model makes of everything together.  Neither is
 * part of a sum of targets.
 *
 * Strings are the document's.
 */
#ifndef FORMULA_POWER_ROW_H
#define FORMULA_POWER_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/text.h"

enum power_part {
	POWER_PART_TARGET,
	POWER_PART_KERNEL,
	POWER_PART_IDLE,
	POWER_PART_UNATTRIBUTED,
	POWER_PART_METER, /* SmartWatts' rapl */
	POWER_PART_MODEL, /* SmartWatts' global */
};

/* A class that the report does not say. */
#define POWER_ROW_NO_CLASS (-1)

struct power_row {
	int64_t time_ms;
	const char *sensor, *target;
	const char *scope, *socket; /* "cpu", "0" */
	const char *policy;         /* of idle watts; "-" where there is none */
	const char *container, *pod, *unit, *within;         /* or NULL */
	const char *meter, *idle_from, *estimated, *formula; /* or NULL */
	enum power_part part;
	double watts;
	/* NaN where the report does not say. */
	double sigma_w, meter_w, residual_w, idle_w, elapsed_s;
	int source; /* of enum energy_source, or POWER_ROW_NO_CLASS */
};

/* 1; 0 where the document is no power report; -1 where it is a broken one. */
int power_row_read(const struct doc *doc, struct power_row *row,
		   struct err *err);
/* May the row be added to the others of its tick? */
bool power_row_is_part(const struct power_row *row);
/* What people call the target: pod, container or unit, "NAME [PID]" of a
 * process, else its own name.
 * Control characters become '?'. */
void power_row_name(const struct power_row *row, struct text *out);
/* Text that comes from anywhere, for a terminal: control characters, which would
 * be orders to it, and what is no UTF-8 become '?'. */
void power_row_put_plain(struct text *out, const char *text);
/* One sigma of the meter: what the row has of it, scaled up; NaN where it does
 * not say.  Rows that add what their model does not know say too much: of a
 * tick's rows the least counts. */
double power_row_meter_sigma_w(const struct power_row *row);

#endif
