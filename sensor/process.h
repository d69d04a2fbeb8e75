/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process -- what /proc says about the processes of this machine.
 *
 *	struct process process;
 *
 *	if (process_read("/proc", pid, &process, &err) < 0)
 *		return -1;
 *	printf("%s started at %" PRIu64 "\n", process.name, process.start);
 *
 * A process is one as long as (pid, start) stays the same: the kernel uses
 * pids again.  `start` is in clock ticks since boot.  The folder is an argument
 * so that tests can show any machine.
 */
#ifndef SENSOR_PROCESS_H
#define SENSOR_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

#define PROCESS_NAME_MAX 64

struct process {
	pid_t pid, parent;
	char state;                  /* R, S, D, Z … */
	char name[PROCESS_NAME_MAX]; /* the command's, at most 15 bytes */
	uint64_t start;
	uint64_t cpu_ticks; /* user and kernel, of all its threads */
};

/* `code` ESRCH: there is no such process. */
int process_read(const char *proc, pid_t pid, struct process *process,
		 struct err *err);

/* Every process, in no order; those that end meanwhile are left out.  `visit`
 * returns 0 to go on. */
int process_walk(const char *proc,
		 int (*visit)(void *arg, const struct process *process),
		 void *arg, struct err *err);

/* The threads of a process; *tid is yours to free(). */
int process_threads(const char *proc, pid_t pid, pid_t **tid, size_t *count,
		    struct err *err);

/* CPU time that all threads of a process used since it was born, those that
 * ended included: the kernel's process CPU clock, which anybody may read.
 * `code` ESRCH: there is no such process. */
int process_cpu_ns(pid_t pid, uint64_t *ns, struct err *err);

/* The text of /proc/PID/stat. */
int process_parse_stat(const char *text, struct process *process);

#endif
