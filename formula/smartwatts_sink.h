/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smartwatts_sink -- SmartWatts' power reports and formula reports.
 *
 *	struct smartwatts_sink out = { .power = power, .formula = formula };
 *	struct smartwatts *smartwatts =
 *		smartwatts_new(&settings, smartwatts_sink_emit, &out);
 *	...
 *	smartwatts_sink_done(&out);
 *
 *	{"timestamp": 1783600000123, "sensor": "node1", "target": "rapl",
 *	 "power": 20.1, "metadata": {"scope": "cpu", "socket": "0",
 *	   "formula": "RAPL_ENERGY_PKG", "ratio": 1.0}}
 *	{"timestamp": 1783600000123, "sensor": "node1", "target": "9f86…",
 *	 "metadata": {"scope": "cpu", "socket": "0", "layer_frequency": 2100,
 *	   "pkg_frequency": 2134, "samples": 60, "id": 2, "error": 0.31,
 *	   "intercept": 11.8, "coef": "[1.2e-09 0.0e+00]"}}
 *
 * What the sensor's report had as metadata goes on into the power report.
 */
#ifndef FORMULA_SMARTWATTS_SINK_H
#define FORMULA_SMARTWATTS_SINK_H

#include "formula/smartwatts.h"
#include "lib/sink.h"

struct smartwatts_sink {
	struct sink *power;   /* or NULL */
	struct sink *formula; /* or NULL */
	uint64_t powers, formulas;
	/* Room, kept from tick to tick. */
	struct layout *power_layout, *formula_layout;
	struct row *row;
	union value *value;
	size_t *offset;
	size_t capacity[3];
	struct text metadata, common;
};

int smartwatts_sink_emit(void *self, const struct smartwatts_result *result,
			 struct err *err);
void smartwatts_sink_done(struct smartwatts_sink *out);

#endif
