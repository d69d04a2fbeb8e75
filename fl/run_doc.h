/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_doc -- what a run writes: fedwatts.fl-run/1 first, a fedwatts.fl-round/1
 * for each round, fedwatts.fl-summary/1 last.
 *
 *	struct doc *header = run_doc_header(config, fleet, set, &step);
 *
 *	run = doc_string(doc_get(header, "run"), "");
 *	sink_put_doc(sink, header, &err);
 *
 * Laws: nothing in them depends on host, threads or the time of day, so equal
 * runs write equal bytes.  `run` is the digest of configuration, devices and
 * energy tables.  Every energy x_j has its x_sigma_j (1 σ of what the meter
 * would show if the same were done again), and each document says whose joules
 * they are: `source` (class 0 … 8), `meter`, and `meter_scale`, the [lo, hi]
 * by which all of them may have to be multiplied to be true.
 */
#ifndef FL_RUN_DOC_H
#define FL_RUN_DOC_H

#include "bench/dataset.h"
#include "fl/evaluate.h"
#include "fl/fleet.h"
#include "fl/outcome.h"
#include "lib/doc.h"
#include "lib/field.h"

struct doc *run_doc_header(const struct config *config,
			   const struct fleet *fleet, const struct dataset *set,
			   const struct step_config *step);
struct doc *run_doc_round(const char *run, const struct fleet *fleet,
			  const struct round_result *round);
struct doc *run_doc_summary(const char *run, const struct fleet *fleet,
			    const struct dataset *set,
			    const struct outcome *outcome,
			    const struct test_score *score);

#endif
