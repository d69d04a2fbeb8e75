/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unwrap -- how far a counter has really advanced.
 *
 *	enum unwrap_verdict verdict;
 *	uint64_t advance = unwrap_step(last, now, range, most, &verdict);
 *
 * A counter that reads less than before has wrapped around or was reset (a
 * resume from suspend, a reloaded driver).  The two differ in what they would
 * mean: the advance of a wrap must be possible in the time that has passed.
 * `most` is the largest advance that is; peers that do not ask have published
 * -250 kJ and +262 kJ.
 */
#ifndef SENSOR_UNWRAP_H
#define SENSOR_UNWRAP_H

#include <stdint.h>

enum unwrap_verdict {
	UNWRAP_FORWARD,
	UNWRAP_WRAPPED,
	UNWRAP_RESET,  /* started again from 0; what came before is lost */
	UNWRAP_JUMPED, /* further ahead than possible: nothing is counted */
};

/* Never more than `most`.  `range` is the largest value before 0 comes again;
 * 0: it never wraps. */
uint64_t unwrap_step(uint64_t last, uint64_t now, uint64_t range, uint64_t most,
		     enum unwrap_verdict *verdict);

#endif
