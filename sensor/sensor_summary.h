/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor_summary -- what a command cost, as `perf stat` would tell it.
 *
 *	struct summary *summary = summary_attach(pid);   // before exec
 *	...
 *	summary_collect(summary, machine, &command.usage);
 *	summary_print(summary, argv, status, json, stderr);
 *	summary_free(summary);
 *
 * Joules are the machine's while the command ran; the command's share is its
 * CPU time over that of all tasks, and is called so.
 */
#ifndef SENSOR_SENSOR_SUMMARY_H
#define SENSOR_SENSOR_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "sensor/machine.h"

struct summary;

/* Opens the counters that the kernel permits, to start when `pid` calls
 * exec. */
struct summary *summary_attach(pid_t pid);

/* Reads them, when the command ended.  The machine stays borrowed. */
void summary_collect(struct summary *summary, const struct machine *machine,
		     const struct rusage *usage);

void summary_print(const struct summary *summary, char **argv, int status,
		   bool json, FILE *out);

void summary_free(struct summary *summary); /* accepts NULL */

#endif
