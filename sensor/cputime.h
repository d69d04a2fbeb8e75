/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cputime -- how long the machine's CPUs have been busy.
 *
 *	struct cputime *cputime = cputime_open(NULL, &err);
 *	struct cputime_reading before, after;
 *
 *	cputime_read(cputime, &before, &err);
 *	work();
 *	cputime_read(cputime, &after, &err);
 *	busy = (after.busy_s - before.busy_s) /
 *	       (1e-9 * (double)(after.ns - before.ns));  // CPUs' worth
 *	cputime_close(cputime);
 *
 * Busy is what tasks used, in user and kernel mode, summed over CPUs; idle
 * time is not in it.  (The kernel's system-wide task-clock event is no help: it
 * counts idle time too.)  Steal is what a hypervisor gave to others while we
 * had something to run.  Both count upward from an arbitrary start: only
 * differences mean anything.  They never run backwards.
 *
 * Three sources; the first that there is is taken:
 *
 *  "cpuacct"	the root of the cgroup v1 hierarchy, brought up to date by each
 *		scheduler tick (4 ms at HZ=250) and each context switch;
 *  "schedstat"	/proc/schedstat's rq_cpu_time, which learns of a task's time when
 *		the task is switched out; while one runs on and on, the ticks of
 *		/proc/stat stand in for what is not known yet;
 *  "stat"	/proc/stat alone: samples, in steps of 10 ms.
 *
 * All figures of one CPU are exact in the long run for the first two; at the
 * edges of a window each busy CPU is uncertain by cputime_resolution_s().
 *
 * Threads: a cputime belongs to one thread at a time.
 */
#ifndef SENSOR_CPUTIME_H
#define SENSOR_CPUTIME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct cputime;

struct cputime_reading {
	int64_t ns;     /* CLOCK_MONOTONIC, when it was read */
	double busy_s;  /* CPU seconds, all CPUs */
	double steal_s; /* CPU seconds, all CPUs; 0 on bare metal */
	size_t cpus;
	/* By position (cputime_cpu() says which CPU that is); borrowed until
	 * the next reading. */
	const int64_t *busy_ns;
};

/* `proc` NULL: this machine.  Else a folder that looks like /proc, and no
 * cgroups are looked at. */
struct cputime *cputime_open(const char *proc, struct err *err);
/* The same with a folder that looks like /sys besides. */
struct cputime *cputime_open_at(const char *proc, const char *sys,
				struct err *err);

int cputime_read(struct cputime *cputime, struct cputime_reading *reading,
		 struct err *err);

/* The same without a look at what was stolen, which costs the most: `steal_s`
 * may be as it was. */
int cputime_read_busy(struct cputime *cputime, struct cputime_reading *reading,
		      struct err *err);

/* The number of the CPU at a position of `busy_ns`. */
int cputime_cpu(const struct cputime *cputime, size_t position);
/* "cpuacct", "schedstat" or "stat": what reports name as "cpu_time". */
const char *cputime_source_name(const struct cputime *cputime);
/* How far one busy CPU's reading may lag behind. */
double cputime_resolution_s(const struct cputime *cputime);

void cputime_close(struct cputime *cputime); /* accepts NULL */

/* For tests and fuzzing: one line "cpuN a b c …" of /proc/stat or schedstat.
 * Returns the CPU's number (-1: the line is not one of a CPU) and up to `max`
 * figures. */
#define CPUTIME_FIGURES_MAX 10
int cputime_parse_line(const char *line, uint64_t *figure, size_t max,
		       size_t *figures);

#endif
