/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power -- watts that somebody shows now, integrated into joules.
 *
 *	struct power *power = power_start(rails, 0.1, poll, self, clock);
 *
 *	power_read(power, joules, variance);
 *	power_stop(power);
 *
 * For meters that have no counter (class 3): a thread polls them, because two
 * looks at the ends of a window say nothing about what was drawn between them;
 * power_read() polls once more, so that a window ends where it ends.  A clock
 * that is not the machine's has no thread: it is polled when read.
 *
 * Between two polls the trapezoid is taken.  If power stepped from one value to
 * the other at a time nobody saw, the truth lies |p1 - p0| dt / sqrt(12) around
 * it (1 sigma), which is what is added, in squares, to `variance`; so is half a
 * step of what the sensor can show, uniform.
 */
#ifndef SENSOR_POWER_H
#define SENSOR_POWER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"

/* More than any device draws: such a value is an error that passes. */
#define POWER_MAX_W 1e7

struct power;

/* Watts of each; NaN: none this time (a busy bus).  INFINITY: it is gone. */
typedef void (*power_poll_fn)(void *self, double *watts);

/* `self` is used by the thread until power_stop(), one call at a time.
 * `step_w` (borrowed, NULL: 0) is the smallest difference shown. */
struct power *power_start(size_t count, double period_s, power_poll_fn poll,
			  void *self, const double *step_w,
			  struct clock *clock);

/* Joules since the start and their variance in J²; a NaN is gone.  Negative
 * watts (a battery that is charged) are no consumption: 0. */
void power_read(struct power *power, double *joules, double *variance);

void power_stop(struct power *power); /* accepts NULL */

/* One step of the integral, for whoever has samples: joules from a to b. */
double power_trapezoid(double a_watts, double b_watts, double seconds,
		       double step_w, double *variance);

#endif
