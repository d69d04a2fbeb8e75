/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_report -- PowerAPI's power report: watts per target in one tick.
 *
 *	{"timestamp": 1783600000123, "sensor": "laptop", "target": "process:…",
 *	 "power": 6.0, "metadata": {"scope": "cpu", "socket": "0",
 *	   "formula": "proportional", "ratio": 0.3, "idle_policy": "none",
 *	   "idle_w": 8.0, "idle_w_from": "given", "meter": "powercap",
 *	   "meter_w": 20.0, "residual_w": 0.0, "sigma_w": 0.01, "source": 1,
 *	   "elapsed_ns": 1000102345}}
 *
 *	struct power_reports *reports = power_reports_new();
 *
 *	power_reports_put(reports, &tick_watts, sink, &err);
 *	power_reports_free(reports);
 *
 * A tick becomes one batch: every target, and the targets `idle`, `kernel` (work
 * in kernel mode for no target, where that is counted) and `unattributed`, by
 * name; together they are meter_w, and residual_w says how
 * nearly.  A target with `within` is part of another and not to be added
 * again.  sigma_w is 1 sigma of the watts: the target's part of the meter's and
 * what the model does not know.  `estimated` is there when the joules are a model's, and says how far
 * off they may be; `excess` is by how much targets explained more than the machine
 * did, and there whenever the machine's own counts are: which members a report
 * has does not hang on what was measured.
 * `predicted_w` is what the model thought meter_w would be, where it does: meter_w
 * less that is how far it was off.
 * What the sensor knew about a target by name (container, pod) goes on into
 * the metadata.
 */
#ifndef FORMULA_POWER_REPORT_H
#define FORMULA_POWER_REPORT_H

#include "formula/attribution.h"
#include "formula/model.h"
#include "formula/ticks.h"
#include "lib/err.h"
#include "lib/sink.h"

#define POWER_TARGET_IDLE         "idle"
#define POWER_TARGET_KERNEL       "kernel"
#define POWER_TARGET_UNATTRIBUTED "unattributed"

/* One tick under one idle policy. */
struct tick_watts {
	const struct tick *tick;
	const char *model;
	const char *policy;
	double meter_w;
	double idle_w;         /* P_idle */
	const char *idle_from; /* "given", "fitted", "lowest seen" */
	double excess;
	double predicted_w; /* by the model, before it saw meter_w; or NaN */
	/* target_w: of all targets of the tick, those within others too. */
	const struct attribution *watts;
	/* 1 sigma of what the model does not know, of each of them; NULL: it
	 * does not say. */
	const double *sigma_w;
	double idle_sigma_w, unattributed_sigma_w;
	double kernel_w; /* part of the unattributed watts; NaN: not known */
};

/* Of the target POWER_TARGET_KERNEL; NaN: there is none. */
double power_kernel_watts(const struct tick_watts *watts);

struct power_reports;

struct power_reports *power_reports_new(void);
int power_reports_put(struct power_reports *reports,
		      const struct tick_watts *watts, struct sink *sink,
		      struct err *err);
void power_reports_free(struct power_reports *reports); /* accepts NULL */

#endif
