/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target_state -- what is behind a struct target_set.
 *
 * Private to target.c (the members, processes and threads) and target_cgroup.c.
 */
#ifndef SENSOR_TARGET_STATE_H
#define SENSOR_TARGET_STATE_H

#include "lib/field.h"
#include "sensor/cgroup.h"
#include "sensor/target.h"

/* Members are sorted by (pid, tid, start); cgroups have pid 0, and their id in
 * the tree for a start, so that they come first, parents before children. */
struct member {
	struct target target;
	char *name, *within, *names, *path; /* what it points to */
	bool told;                          /* the watcher knows it */
	bool refused;                       /* and did not want it */
	bool seen;                          /* by the scan at hand */
};

struct target_set {
	char *proc;
	struct field_list patterns;
	pid_t *threads_of; /* processes */
	size_t threaded;
	struct member *member;
	size_t members, capacity;
	struct cgroup_tree *tree; /* NULL: no cgroups */
	struct field_list paths, units;
	bool all;
	bool v1;
	bool looked; /* at all cgroups */
	bool news;   /* that were not told */
	char *files;
};

/* The member at (pid, tid, start), or NULL. */
struct member *member_find(const struct target_set *set, pid_t pid, pid_t tid,
			   uint64_t start);
/* A new one, with copies of the strings (NULL: ""), and seen.  NULL where there
 * are too many. */
struct member *member_add(struct target_set *set, const struct target *target);

/* Marks what is seen of the tree as it is known, and adds what is new. */
void target_see_cgroups(struct target_set *set);
/* The innermost member cgroup in which a process is, or NULL. */
const struct target *target_cgroup_of(const struct target_set *set, pid_t pid);

#endif
