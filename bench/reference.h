/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reference -- a piece of work that is always the same, to see how fast the
 * machine's memory is at the moment.
 *
 *	struct reference *reference = reference_new();
 *	int64_t begin_ns = clock_now_ns(clock);
 *
 *	reference_pass(reference);
 *	took_ns = clock_now_ns(clock) - begin_ns;
 *	reference_free(reference);
 *
 * Who shares the last-level cache, the memory's bandwidth or a core's other
 * hardware thread with us, on a virtual machine most of all, slows steps
 * without stealing a tick: no counter of the kernel shows it.  The same reads,
 * timed again and again, do.
 *
 * A pass reads one word of every third line of a quarter of REFERENCE_BYTES,
 * the next quarter each time, so that what it reads has left the caches near
 * the core and lies in those that are shared.  The pages are small ones (4 KiB
 * where the architecture has them) wherever the kernel lets us choose, so that
 * passes of two processes may be compared.
 */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include <stddef.h>

#define REFERENCE_BYTES  ((size_t)8 << 20)
#define REFERENCE_PASSES 4 /* go round once */

struct reference;

struct reference *reference_new(void);
void reference_pass(struct reference *reference);
void reference_free(struct reference *reference); /* accepts NULL */

#endif
