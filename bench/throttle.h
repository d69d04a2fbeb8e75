/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * throttle -- how often the CPUs were slowed down because they were too hot.
 *
 *	struct throttle *throttle = throttle_open("/sys");
 *	uint64_t before = throttle_count(throttle);
 *
 *	work();
 *	if (throttle_count(throttle) > before)
 *		flags |= PROBE_THROTTLED;
 *	throttle_close(throttle);
 *
 * The sum of every CPU's devices/system/cpu/cpu*
 * /thermal_throttle/core_throttle_count and package_throttle_count, as x86
 * kernels have them.  Where there are none (virtual machines, other
 * architectures) the count stays 0: nothing is known, nothing is flagged.
 */
#ifndef BENCH_THROTTLE_H
#define BENCH_THROTTLE_H

#include <stdint.h>

struct throttle;

struct throttle *throttle_open(const char *sys);
uint64_t throttle_count(const struct throttle *throttle);
void throttle_close(struct throttle *throttle); /* accepts NULL */

#endif
