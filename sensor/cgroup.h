/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cgroup -- the tree of cgroups, kept up to date as the kernel announces it.
 *
 *	char base[PATH_MAX];
 *	struct cgroup_tree *tree;
 *
 *	if (cgroup_find_base("/proc", base, sizeof(base), &err) < 0)
 *		return -1;
 *	tree = cgroup_tree_open(base, &err);
 *	poll(cgroup_tree_fd(tree));
 *	cgroup_tree_follow(tree);               // what was announced
 *	cgroup_tree_walk(tree, visit, arg);     // parents before children
 *
 * A folder is watched before it is read, so what is made in between is seen
 * twice, not never; a folder that appears is read at once, because what was
 * made in it before it was watched is not announced.  Where watching fails (the
 * limit of fs.inotify.max_user_watches, a full queue), cgroup_tree_rescan()
 * finds the difference.
 */
#ifndef SENSOR_CGROUP_H
#define SENSOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

#define CGROUPS_MAX 65536

struct cgroup_tree;

struct cgroup {
	uint64_t id;      /* no other one of this tree ever has it */
	const char *path; /* of its folder */
	const char
		*name; /* as hwpc-sensor writes it: the path behind the base */
	bool leaf;     /* has no cgroups in it */
	const struct cgroup *parent; /* NULL: the base, which is not visited */
};

/* Where the kernel takes the cgroups of perf events from: the mount of the
 * perf_event controller (v1) where there is one, else that of cgroup v2.
 * `code` ENOENT: none is mounted. */
int cgroup_find_base(const char *proc, char *out, size_t size, struct err *err);

/* Refuses a folder that is on no cgroup file system, and says where one is. */
int cgroup_check_base(const char *base, const char *proc, struct err *err);

/* Any folder will do: tests use plain ones. */
struct cgroup_tree *cgroup_tree_open(const char *base, struct err *err);
const char *cgroup_tree_base(const struct cgroup_tree *tree);

/* Becomes readable when something changed; -1: watching is not possible. */
int cgroup_tree_fd(const struct cgroup_tree *tree);
/* Is there a folder whose changes are not announced? */
bool cgroup_tree_is_blind(const struct cgroup_tree *tree);
/* Takes in what was announced; true if something was. */
bool cgroup_tree_follow(struct cgroup_tree *tree);
/* Reads the whole tree again. */
int cgroup_tree_rescan(struct cgroup_tree *tree, struct err *err);
/* Notices what was not announced; true if there was something.  Cgroup v2 counts
 * them, and is asked twice; else a part is looked at again, another one each
 * time, and all of it in 64 times at most. */
bool cgroup_tree_recheck(struct cgroup_tree *tree);

size_t cgroup_tree_count(const struct cgroup_tree *tree);
void cgroup_tree_walk(const struct cgroup_tree *tree,
		      void (*visit)(void *arg, const struct cgroup *cgroup),
		      void *arg);

void cgroup_tree_close(struct cgroup_tree *tree); /* accepts NULL */

/* The path of a process in the hierarchy of perf events, out of the text of
 * /proc/PID/cgroup, cut off at `size`. -1: it is in none. */
int cgroup_parse_membership(const char *text, bool v1, char *out, size_t size);

#endif
