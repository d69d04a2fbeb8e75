/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target -- what is measured, besides the machine: processes and trees of
 * processes.
 *
 *	struct target_set *set = target_set_new("/proc");
 *
 *	target_set_add_pid(set, 4711, &err);
 *	target_set_add_pattern(set, "python*");
 *	target_set_scan(set, &watch, &err);     // and again, now and then
 *	target_set_free(set);
 *
 * A set is a wish; target_set_scan() finds out what there is at the moment and
 * tells the watcher what appeared and what vanished since the last time.  A
 * process is the pair (pid, start time): a pid that is used again is another
 * process.
 *
 * To add a kind of target (a cgroup, a unit): a value of enum target_kind, a
 * function target_set_add_…, a branch in target_set_scan(); engine kinds say
 * which ones they can count.
 */
#ifndef SENSOR_TARGET_H
#define SENSOR_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "sensor/process.h"

#define TARGET_NAME_MAX (PROCESS_NAME_MAX + 32)
#define TARGETS_MAX     65536

enum target_kind {
	TARGET_PROCESS, /* one process with all its threads */
	TARGET_TREE,    /* a process and what it starts, from now on */
};

struct target {
	enum target_kind kind;
	pid_t pid;
	uint64_t start;
	char name[TARGET_NAME_MAX]; /* "process:4711:python3" */
	bool named; /* asked for by itself, not found by a pattern */
	/* The name of a target in which this one lies, or "". */
	char within[TARGET_NAME_MAX];
};

struct target_set;

struct target_set *target_set_new(const char *proc);

/* `code` ESRCH where there is no such process. */
int target_set_add_pid(struct target_set *set, pid_t pid, struct err *err);
/* Every process whose command matches a shell pattern, now or later; never the
 * calling process. */
void target_set_add_pattern(struct target_set *set, const char *pattern);
/* A process and its descendants, under a name that may not be its own yet
 * (it has not called exec). */
int target_set_add_tree(struct target_set *set, pid_t pid, const char *name,
			struct err *err);

struct target_watch {
	/* A target that cannot be counted: return -1, and it is asked for no
	 * more; the scan goes on. */
	int (*appeared)(void *arg, const struct target *target);
	void (*vanished)(void *arg, const struct target *target);
	void *arg;
};

int target_set_scan(struct target_set *set, const struct target_watch *watch,
		    struct err *err);

/* How many there are at the moment. */
size_t target_set_count(const struct target_set *set);
/* Can anything appear that is not there now? */
bool target_set_is_open(const struct target_set *set);

void target_set_free(struct target_set *set); /* accepts NULL */

#endif
