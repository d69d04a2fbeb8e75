/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sweep -- a plan at work: every configuration measured, block by block.
 *
 *	struct sweep *sweep = sweep_new(plan, NULL, run, device);
 *
 *	sweep_resume(sweep, "sweep.jsonl", &err);    // what is done already
 *	sweep_meters(sweep, meter, meters, &err);
 *	if (sweep_run(sweep, sink, &err) < 0)
 *		...
 *	sweep_free(sweep);
 *
 * A window is: a new net, some steps that are not measured, then the measured
 * ones (probe.h); its record is in the sink before the next window begins.
 * Each block begins with a rest, which tells the idle power that energy_net_j
 * leaves out.  Behind the plan's blocks come extra ones, where configurations
 * that lack undisturbed windows are measured again (sweep_ledger.h).  When a signal asks to stop (cli_stop_signal), the window at hand
 * is finished and written, and sweep_run() returns 0 with work left.
 */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/mat.h"
#include "bench/plan.h"
#include "bench/sweep_ledger.h"
#include "lib/err.h"
#include "lib/sink.h"
#include "sensor/meter.h"

struct sweep;

/* Everything is borrowed.  `data` is a SET (dataset.h), or NULL for synthetic
 * samples of the right shape. */
struct sweep *sweep_new(const struct plan *plan, const char *data,
			const char *run, const char *device);
void sweep_free(struct sweep *sweep); /* accepts NULL */

/* Does the data fit every configuration?  Synthetic samples do. */
int sweep_check_data(struct sweep *sweep, struct err *err);

/* Take what `file` holds for done.  EEXIST when it holds something else than
 * records of this run on this device. */
int sweep_resume(struct sweep *sweep, const char *file, struct err *err);

/* Before sweep_run(): borrowed. EINVAL when the records found so far came from
 * another meter. */
int sweep_meters(struct sweep *sweep, struct meter *const *meter, size_t meters,
		 struct err *err);

int sweep_run(struct sweep *sweep, const struct mat *mat, struct sink *sink,
	      struct err *err);

/* Windows of the plan and of the extra blocks, as far as these are known: all,
 * those still to be measured, and those found by sweep_resume(). */
size_t sweep_windows(const struct sweep *sweep);
size_t sweep_left(const struct sweep *sweep);
size_t sweep_found(const struct sweep *sweep);
/* Records written by sweep_run(), and windows with flag `index`
 * (probe_flag_name); (size_t)-1: with any flag. */
size_t sweep_records(const struct sweep *sweep);
size_t sweep_flagged(const struct sweep *sweep, size_t index);
/* Borrowed: what all windows say together. */
const struct sweep_ledger *sweep_ledger(const struct sweep *sweep);

#endif
