/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counter -- events counted by the kernel for one task, cgroup or CPU.
 *
 *	struct counter_request request = {
 *		.event = events, .events = 2, .pid = pid, .cpu = -1,
 *		.flags = COUNTER_THREADS,
 *	};
 *	struct counter *counter = counter_open(&request, &err);
 *	struct counter_reading before, after, delta;
 *
 *	counter_read(counter, &before, &err);
 *	work();
 *	counter_read(counter, &after, &err);
 *	counter_between(counter, &before, &after, &delta);
 *	instructions = counter_scaled(&delta, 1);
 *	counter_close(counter);
 *
 * The events of one counter are one kernel group: scheduled together or not at
 * all, read by one system call.  Values are totals since counter_open().  If
 * the kernel had to take turns with other users of the PMU, `running_ns` is
 * below `enabled_ns`; values are then what was seen, and counter_scaled()
 * extrapolates.
 *
 * A task's counter outlives the task: reading it gives the last counts.
 *
 * Everything that opens a perf event goes through this file, and this file
 * goes through `counter_open_fn`, which tests replace.
 */
#ifndef SENSOR_COUNTER_H
#define SENSOR_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "sensor/event.h"

struct counter;

enum counter_flags {
	/* Tasks that the counted one creates from now on: threads only, or
	 * threads and processes. */
	COUNTER_THREADS = 1,
	COUNTER_CHILDREN = 2,
	/* Start to count when the task calls exec. */
	COUNTER_ON_EXEC = 4,
};

struct counter_request {
	const struct event *event;
	size_t events; /* 1 … EVENT_GROUP_MAX */
	pid_t pid;     /* a task, or -1: every task (then cpu >= 0) */
	int cpu;       /* a CPU, or -1: every CPU (then pid >= 0) */
	/* The folder of a cgroup instead of a task (then pid -1, cpu >= 0). */
	const char *cgroup;
	unsigned int flags;
};

struct counter_reading {
	uint64_t enabled_ns, running_ns;
	uint64_t value[EVENT_GROUP_MAX];
};

/* Errors say which event, task and CPU, and what would help.  `code`: EACCES
 * or EPERM not permitted, ENOENT or EOPNOTSUPP not available here, ENODEV no
 * such CPU (any more), ESRCH no such task or cgroup. */
struct counter *counter_open(const struct counter_request *request,
			     struct err *err);
size_t counter_events(const struct counter *counter);
/* The open file behind an event, for whoever reads it by other means. */
int counter_fd(const struct counter *counter, size_t event);

/* `code` ENODEV: the CPU went away, and its counts end here. */
int counter_read(struct counter *counter, struct counter_reading *reading,
		 struct err *err);

/* after − before, for each figure. */
void counter_between(const struct counter *counter,
		     const struct counter_reading *before,
		     const struct counter_reading *after,
		     struct counter_reading *delta);

/* A value corrected for the time in which the group was not scheduled; NaN if
 * it never ran while it was enabled. */
double counter_scaled(const struct counter_reading *delta, size_t event);

void counter_close(struct counter *counter); /* accepts NULL */

/* Can the kernel count this event for this process?  `err` says why not. */
bool counter_supported(const struct event *event, struct err *err);
/* For every task on some CPU?  (Energy and uncore events know no tasks.) */
bool counter_supported_on(const struct event *event, int cpu, struct err *err);

/* perf_event_open(2) itself; the attribute is passed as the kernel takes it. */
struct perf_event_attr;
extern int (*counter_open_fn)(struct perf_event_attr *attr, pid_t pid, int cpu,
			      int group_fd, unsigned long flags);

#endif
