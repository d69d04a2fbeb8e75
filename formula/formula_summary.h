/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * formula_summary -- what `formula` says when it is done: joules by target.
 *
 *	struct power_summary *summary = power_summary_new();
 *
 *	power_summary_add(summary, &tick_watts);      // each tick, each policy
 *	power_summary_print(summary, stderr);
 *	power_summary_free(summary);
 */
#ifndef FORMULA_FORMULA_SUMMARY_H
#define FORMULA_FORMULA_SUMMARY_H

#include <stdio.h>

#include "formula/power_report.h"
#include "lib/doc.h"

struct power_summary;

struct power_summary *power_summary_new(void);
void power_summary_add(struct power_summary *summary,
		       const struct tick_watts *watts);
size_t power_summary_ticks(const struct power_summary *summary);
void power_summary_print(const struct power_summary *summary, FILE *out);
/* {ticks, seconds, energy_j, source, …, targets: [{target, idle_policy,
 * energy_j, power_w, share}]} */
struct doc *power_summary_to_doc(const struct power_summary *summary);
void power_summary_free(struct power_summary *summary); /* accepts NULL */

#endif
