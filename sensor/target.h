/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target -- what is measured: processes, their threads, trees of processes,
 * cgroups, and the machine itself.
 *
 *	struct target_set *set = target_set_new("/proc");
 *
 *	target_set_add_pid(set, 4711, &err);
 *	target_set_add_pattern(set, "python*");
 *	target_set_add_cgroups(set, &wish, &err);
 *	target_set_scan(set, &watch, &err);     // and again, now and then
 *	target_set_free(set);
 *
 * A set is a wish; target_set_scan() finds out what there is at the moment and
 * tells the watcher what appeared and what vanished since the last time.  A
 * process is the pair (pid, start time): a pid that is used again is another
 * process.
 *
 * Cgroups are announced by the kernel: when target_set_fd() becomes readable,
 * target_set_follow() tells the watcher at once, so that one that lives for a
 * fraction of an interval is seen; scanning is the safety net.
 *
 * To add a kind of target: a value of enum target_kind, a function
 * target_set_add_…, and a file that sees its members in a scan (as
 * target_cgroup.c does); engine kinds say which ones they can count.
 */
#ifndef SENSOR_TARGET_H
#define SENSOR_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "lib/field.h"
#include "sensor/process.h"

#define TARGETS_MAX 65536

enum target_kind {
	TARGET_PROCESS, /* one process with all its threads */
	TARGET_TREE,    /* a process and what it starts, from now on */
	TARGET_THREAD,  /* one thread */
	TARGET_CGROUP,  /* whatever runs in a cgroup or below */
	TARGET_MACHINE, /* everything */
};

/* The strings belong to the set, and last until `vanished` returned. */
struct target {
	enum target_kind kind;
	pid_t pid;          /* process, tree; of a thread: its process */
	pid_t tid;          /* thread */
	uint64_t start;     /* process and tree */
	const char *path;   /* cgroup: its folder */
	const char *name;   /* "process:4711:python3", "/system.slice/a" */
	bool named;         /* asked for by itself, not found by a pattern */
	const char *within; /* a target in which this one lies, or "" */
	/* ,"container":"web": members for metadata, or "" */
	const char *names;
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

/* Each thread of a process, now or later. */
int target_set_add_threads(struct target_set *set, pid_t pid, struct err *err);

/* Which cgroups, below a base. */
struct target_cgroups {
	const char *base;
	/* Paths or shell patterns of paths, as reports name cgroups; and names
	 * of systemd units or patterns of them (".service" may be left out).
	 * None of either: every cgroup. */
	const struct field_list *paths, *units;
	bool all; /* not leaves alone (a plain path or unit is taken anyway) */
	const char *files; /* the root of runtimes' files, "" */
};
/* `code` ENOENT: a plain path or unit is not there. */
int target_set_add_cgroups(struct target_set *set,
			   const struct target_cgroups *wish, struct err *err);

struct target_watch {
	/* A target that cannot be counted: return -1, and it is asked for no
	 * more; the scan goes on. */
	int (*appeared)(void *arg, const struct target *target);
	void (*vanished)(void *arg, const struct target *target);
	void *arg;
};

int target_set_scan(struct target_set *set, const struct target_watch *watch,
		    struct err *err);

/* Readable when a cgroup came or went; -1: nothing is announced. */
int target_set_fd(const struct target_set *set);
/* Tells what was announced. */
void target_set_follow(struct target_set *set,
		       const struct target_watch *watch);

/* Finds out what there is without telling anybody. */
int target_set_look(struct target_set *set, struct err *err);
/* How many there are at the moment. */
size_t target_set_count(const struct target_set *set);
/* Can anything appear that is not there now? */
bool target_set_is_open(const struct target_set *set);

void target_set_free(struct target_set *set); /* accepts NULL */

#endif
