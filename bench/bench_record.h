/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_record -- one measured window, as it is stored.
 *
 *	struct bench_record record;
 *
 *	if (bench_record_read(doc, &record, &err) < 0)
 *		return -1;
 *	printf("%g J/step\n", record.energy_j / (double)record.steps);
 *
 * The document is fedwatts.bench-record/1:
 *
 *	{"schema": "fedwatts.bench-record/1", "run": "0f…", "device": "laptop",
 *	 "time_ms": 1783600000123, "block": 0, "position": 3,
 *	 "model": "mlp:784-32-10", "parameters": 25450, "batch": 32,
 *	 "precision": "fp32", "loss": "ce", "optimizer": "sgd", "threads": 1,
 *	 "steps": 9120, "samples": 291840, "seconds": 1.00008,
 *	 "energy_j": 12.1, "energy_sigma_j": 0.02, "energy_net_j": 8.1,
 *	 "energy_net_sigma_j": 0.04, "idle_policy": "none", "source": 7,
 *	 "meter": "model", "meter_scale": [0.5, 2.0], "loss_value": 0.61,
 *	 "reference_s": 9.1e-5, "references": 49, "flags": ["stolen"]}
 *
 * `energy_j` is all that the meter saw, `energy_net_j` without the idle power
 * of the rest before its block.  `meter_scale` says how far the meter may be
 * from the truth (sensor/energy.h).  Without a meter the energy fields are
 * absent.  With several meters there is one record per meter and window.
 * `reference_s` is what a pass of reference work took on average, `references`
 * how many passes there were between the steps: `seconds` do not contain them,
 * and `energy_j` not their share (probe.h).  `"again": true` stands in windows
 * of extra blocks (sweep_ledger.h).
 */
#ifndef BENCH_BENCH_RECORD_H
#define BENCH_BENCH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/step_config.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "sensor/energy.h"

#define BENCH_RECORD_SCHEMA "fedwatts.bench-record/1"

struct bench_record {
	char run[DOC_DIGEST_MAX];
	char device[256];
	int64_t time_ms;
	size_t block, position;
	struct step_config config;
	/* precision_instructions(); empty: not known */
	char instructions[PRECISION_INSTRUCTIONS_MAX];
	uint64_t steps;
	double seconds;
	double reference_s;  /* 0: not known */
	uint64_t references; /* passes */
	bool again;          /* of an extra block */
	bool has_energy;
	struct energy energy;
	char meter[128];
	bool has_net;
	double net_j, net_sigma_j;
	double loss_value;        /* NaN: not known */
	unsigned int flags;       /* enum probe_flag */
	unsigned int other_flags; /* how many that we have no name for */
};

struct doc *bench_record_to_doc(const struct bench_record *record);

/* Everything is checked: what comes out can be computed with. */
int bench_record_read(const struct doc *doc, struct bench_record *record,
		      struct err *err);

#endif
