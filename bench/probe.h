/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe -- the measured window: what a loop of steps took in seconds and
 * joules, and what disturbed it.
 *
 *	struct probe *probe = probe_open(&meter, 1, NULL, &err);
 *	struct probe_window window;
 *
 *	probe_begin(probe, 1.0, &err);
 *	while (probe_goes_on(probe))
 *		net_step(net, x, label, 32, &sgd);
 *	probe_end(probe, &window, &err);
 *	printf("%g s/step\n", window.seconds / (double)window.steps);
 *	probe_close(probe);
 *
 * A window holds whole steps only: at least one, then as many as the time
 * asked for.  The clock is looked at every so many steps that looking costs
 * less than a thousandth of the time (PROBE_CHECK_S apart).  Meters are read at
 * both edges, and in between only where a window is longer than what they may
 * be left unread (METER_GUARD_S).
 *
 * Every PROBE_REFERENCE_S, between two steps, a pass of reference work is timed
 * (reference.h): what the same reads take while the steps run.  `seconds` are
 * those of the steps alone.  A meter cannot leave the passes out, so the
 * joules are the meter's times the steps' share of the time; that is off by the
 * passes' share (some 0.5 %) times what their power differs from the steps' by,
 * relatively.  A pass is followed by steps that find the caches near the core
 * emptier: 0 to 20 µs of work more in nine configurations, a thousandth of the
 * time at most.
 *
 * Nothing that disturbs a window makes it disappear: the window is flagged, and
 * who reads it decides.
 *
 *	stolen     a hypervisor gave our CPU to others for more than
 *		   PROBE_STOLEN_SHARE of the window
 *	contended  other tasks of this machine had our CPU for more than
 *		   PROBE_CONTENDED_SHARE of the window
 *	busy       other tasks used CPUs for more than PROBE_BUSY_SHARE of the
 *		   window: their joules are in the meter's
 *	unsteady   the two halves differ by more than PROBE_UNSTEADY_SHARE in
 *		   time per step
 *	throttled  the CPU says that it was too hot
 *	cold       no step ran before the window (the caller's knowledge)
 *	slowed     the reference took longer than in another window of the same
 *		   configuration (slowed.h: known in hindsight only, so never
 *		   to be seen in a window)
 *
 * Threads: the steps run on the calling thread, which alone uses the probe.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "sensor/energy.h"
#include "sensor/meter.h"

#define PROBE_METERS_MAX      4
#define PROBE_CHECK_S         100e-6
#define PROBE_REFERENCE_S     20e-3
#define PROBE_STOLEN_SHARE    0.01
#define PROBE_CONTENDED_SHARE 0.02
#define PROBE_BUSY_SHARE      0.05
#define PROBE_UNSTEADY_SHARE  0.10

enum probe_flag {
	PROBE_COLD = 1,
	PROBE_THROTTLED = 2,
	PROBE_UNSTEADY = 4,
	PROBE_STOLEN = 8,
	PROBE_CONTENDED = 16,
	PROBE_BUSY = 32,
	PROBE_SLOWED = 64,
};

/* The flag's name in records, for bit 1 << index; NULL behind the last. */
const char *probe_flag_name(size_t index);

struct probe_window {
	int64_t time_ms; /* when it began */
	double seconds;
	uint64_t steps;
	double reference_s;  /* mean of the passes */
	uint64_t references; /* passes; 0: none, as in a short window */
	double stolen_s;     /* all CPUs */
	double others_s;     /* CPU seconds of other tasks, all CPUs */
	unsigned int flags;  /* enum probe_flag */
	struct energy energy[PROBE_METERS_MAX];
};

/* For tests: another clock, folders that look like /proc and /sys, and another
 * pass of reference work.  NULL members mean the machine's own. */
struct probe_place {
	struct clock *clock;
	const char *proc, *sys;
	void (*pass)(void);
};

struct probe;

/* The meters are borrowed; `place` may be NULL. */
struct probe *probe_open(struct meter *const *meter, size_t meters,
			 const struct probe_place *place, struct err *err);
void probe_close(struct probe *probe); /* accepts NULL */

int probe_begin(struct probe *probe, double seconds, struct err *err);
/* Before each step: is there to be one more?  Counts them. */
bool probe_goes_on(struct probe *probe);
int probe_end(struct probe *probe, struct probe_window *window,
	      struct err *err);

/* A window of sleep: what the machine uses when nothing runs.  Signals make it
 * end early. */
int probe_idle(struct probe *probe, double seconds, struct probe_window *window,
	       struct err *err);

#endif
