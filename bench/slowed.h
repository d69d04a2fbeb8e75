/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slowed -- was the machine's memory slower in a window than it can be?
 *
 *	lowest_s = slowed_lowest(lowest_s, record.reference_s);  // each window
 *	...
 *	if (slowed(record.reference_s, lowest_s))
 *		record.flags |= PROBE_SLOWED;
 *
 * A window is slowed when its reference (reference.h) took more than
 * SLOWED_RATIO times as long as in the window of the same configuration where
 * it took least: of the same, because it depends on what the steps leave in
 * the caches.  The time of the steps themselves is never looked at, so that a
 * slow window is not passed over for being slow.  The lowest is known when all
 * windows are: the answer is in no record, whoever has the records finds it.
 *
 * Where 1.08 comes from: 120 windows of 1 s (24 configurations) on a virtual
 * machine with noisy neighbours varied by 4.0 % (median of the configurations'
 * coefficients of variation) to 11.3 %; without those above 1.08 (36 % of them)
 * by 1.9 % to 5.8 %, above 1.15 (7 %) by 3.1 % to 7.6 %.  A step takes some
 * 0.8 % longer for 1 % of the reference.
 */
#ifndef BENCH_SLOWED_H
#define BENCH_SLOWED_H

#include <stdbool.h>

#define SLOWED_RATIO 1.08

/* The lower of two; 0 stands for not known. */
double slowed_lowest(double lowest_s, double reference_s);
/* False where either is not known. */
bool slowed(double reference_s, double lowest_s);

#endif
