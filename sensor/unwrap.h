/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unwrap -- how far a counter has really advanced.
 *
 *	struct unwrap_bounds bounds = { .range = range, .most = most };
 *	enum unwrap_verdict verdict;
 *	uint64_t advance = unwrap_step(last, now, &bounds, &verdict);
 *
 *	if (verdict != UNWRAP_BACKWARD)
 *		last = now;
 *
 * A counter that reads less than before has wrapped around, was reset (a
 * resume from suspend, a reloaded driver), or trembles.  The three differ in
 * what they would mean: the advance of a wrap must be possible in the time that
 * has passed, a tremble is small.  Peers that do not ask have published -250 kJ
 * and +262 kJ.
 */
#ifndef SENSOR_UNWRAP_H
#define SENSOR_UNWRAP_H

#include <stdbool.h>
#include <stdint.h>

enum unwrap_verdict {
	UNWRAP_FORWARD,
	UNWRAP_WRAPPED,
	UNWRAP_RESET,    /* started again from 0; what came before is lost */
	UNWRAP_JUMPED,   /* further ahead than possible: nothing is counted */
	UNWRAP_BACKWARD, /* by no more than `noise`: nothing is counted, and
			    `last` stays, or the way up again would be */
	UNWRAP_UNSURE,   /* there was time for more than one wrap: at least so
			    much */
};

struct unwrap_bounds {
	uint64_t range; /* largest value before 0 comes again; 0: never wraps */
	uint64_t most;  /* largest advance that is possible; UINT64_MAX: any */
	bool late;      /* it was not read as often as `range` asks for */
	uint64_t noise; /* how far the counter steps back by itself */
};

/* Never more than `most`. */
uint64_t unwrap_step(uint64_t last, uint64_t now,
		     const struct unwrap_bounds *bounds,
		     enum unwrap_verdict *verdict);

#endif
