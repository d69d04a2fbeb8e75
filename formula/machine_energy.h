/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine_energy -- the joules in a report of the target "all".
 *
 *	struct energy energy;
 *	char meter[32];
 *
 *	if (machine_energy_of(&report, NULL, &energy, meter) < 0)
 *		no_joules_in_it();
 *
 * A report may come from several meters and name parts within parts (cores in
 * a package): what is summed is one meter's disjoint cover (sensor/domain.h).
 * Which one: `want`, else RAPL, else the one with the best class.
 */
#ifndef FORMULA_MACHINE_ENERGY_H
#define FORMULA_MACHINE_ENERGY_H

#include "sensor/energy.h"
#include "sensor/hwpc_report.h"

#define MACHINE_ENERGY_METER_MAX 32

/* -1 when there is no such meter in it.  The sigma is NaN where the report does
 * not say. */
int machine_energy_of(const struct hwpc_report *report, const char *want,
		      struct energy *energy,
		      char meter[static MACHINE_ENERGY_METER_MAX]);

#endif
