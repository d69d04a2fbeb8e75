/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * privilege -- give up what is not needed any more.
 *
 *	if (privilege_drop(&err) < 0)
 *		log_warn("privileges", "%s", err.text);
 *
 * Once meters, places and the first targets are open, new targets are all that
 * is left to be permitted: CAP_PERFMON opens their events, CAP_BPF reads the
 * program that counts them.  Everything else goes, for ever.
 */
#ifndef SENSOR_PRIVILEGE_H
#define SENSOR_PRIVILEGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Of the calling thread, and of threads that it starts from here on.  Kernels
 * before 5.8, which know neither, keep what there is: 0 is returned as well. */
int privilege_drop(struct err *err);

/* What the thread may do now, one bit a capability; and in words, for people:
 * "all", "none", "cap_perfmon, cap_bpf". */
uint64_t privilege_now(void);
const char *privilege_text(uint64_t capabilities, char *out, size_t size);

#endif
