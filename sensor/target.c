/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/target.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/field.h"
#include "lib/mem.h"

/* Deeper than any chain of parents. */
#define ANCESTORS_MAX 256

struct member {
	struct target target;
	bool told;    /* the watcher knows it */
	bool refused; /* and did not want it */
	bool seen;    /* by the scan at hand */
};

struct target_set {
	char *proc;
	struct field_list patterns;
	struct member *member; /* sorted by pid */
	size_t members, capacity;
};

struct target_set *target_set_new(const char *proc)
{
	struct target_set *set = xcalloc(1, sizeof(*set));

	set->proc = xstrdup(proc);
	return set;
}

void target_set_free(struct target_set *set)
{
	if (!set)
		return;
	field_list_done(&set->patterns);
	free(set->member);
	free(set->proc);
	free(set);
}

/* Where a pid stands, or would. */
static size_t position(const struct target_set *set, pid_t pid)
{
	size_t lo = 0, hi = set->members;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (set->member[middle].target.pid < pid)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static struct member *find(struct target_set *set,
			   const struct process *process)
{
	for (size_t i = position(set, process->pid);
	     i < set->members && set->member[i].target.pid == process->pid; i++)
		if (set->member[i].target.start == process->start)
			return &set->member[i];
	return NULL;
}

static const struct target *tree_of(const struct target_set *set)
{
	for (size_t i = 0; i < set->members; i++)
		if (set->member[i].target.kind == TARGET_TREE)
			return &set->member[i].target;
	return NULL;
}

static bool is_descendant(const char *proc, struct process process,
			  pid_t ancestor)
{
	for (int i = 0; i < ANCESTORS_MAX && process.parent > 0; i++) {
		if (process.parent == ancestor)
			return true;
		if (process_read(proc, process.parent, &process, NULL) < 0)
			break;
	}
	return false;
}

static struct member *add(struct target_set *set, enum target_kind kind,
			  const struct process *process, const char *name)
{
	size_t at = position(set, process->pid);
	const struct target *tree = tree_of(set);
	struct member member = {
		.target = { .kind = kind,
			    .pid = process->pid,
			    .start = process->start },
	};

	snprintf(member.target.name, sizeof(member.target.name),
		 "process:%d:%s", (int)process->pid, name);
	if (tree && is_descendant(set->proc, *process, tree->pid))
		memcpy(member.target.within, tree->name, sizeof(tree->name));
	set->member = mem_grow(set->member, &set->capacity, set->members + 1,
			       sizeof(*set->member));
	memmove(&set->member[at + 1], &set->member[at],
		(set->members - at) * sizeof(*set->member));
	set->member[at] = member;
	set->members++;
	return &set->member[at];
}

static int add_checked(struct target_set *set, enum target_kind kind, pid_t pid,
		       const char *name, struct err *err)
{
	struct process process;

	if (set->members >= TARGETS_MAX)
		return err_set(err, E2BIG, "more than %d targets", TARGETS_MAX);
	if (process_read(set->proc, pid, &process, err) < 0)
		return -1;
	if (!find(set, &process))
		add(set, kind, &process, name ? name : process.name)
			->target.named = true;
	return 0;
}

int target_set_add_pid(struct target_set *set, pid_t pid, struct err *err)
{
	return add_checked(set, TARGET_PROCESS, pid, NULL, err);
}

int target_set_add_tree(struct target_set *set, pid_t pid, const char *name,
			struct err *err)
{
	char shortened[PROCESS_NAME_MAX];

	snprintf(shortened, sizeof(shortened), "%s", name);
	return add_checked(set, TARGET_TREE, pid, shortened, err);
}

void target_set_add_pattern(struct target_set *set, const char *pattern)
{
	field_list_add(&set->patterns, pattern);
}

/* ---- scanning -------------------------------------------------------------- */

static bool matches(const struct target_set *set, const char *name)
{
	for (size_t i = 0; i < set->patterns.count; i++)
		if (fnmatch(set->patterns.item[i], name, 0) == 0)
			return true;
	return false;
}

static int see(void *arg, const struct process *process)
{
	struct target_set *set = (struct target_set *)arg;
	struct member *member = find(set, process);

	if (!member && set->members < TARGETS_MAX && process->pid != getpid() &&
	    matches(set, process->name))
		member = add(set, TARGET_PROCESS, process, process->name);
	if (member)
		member->seen = true;
	return 0;
}

static int see_everything(struct target_set *set, struct err *err)
{
	return process_walk(set->proc, see, set, err);
}

static void see_members(struct target_set *set)
{
	for (size_t i = 0; i < set->members; i++) {
		struct member *member = &set->member[i];
		struct process process;

		member->seen = process_read(set->proc, member->target.pid,
					    &process, NULL) == 0 &&
			       process.start == member->target.start;
	}
}

static void tell(struct target_set *set, const struct target_watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->members; i++) {
		struct member *member = &set->member[i];

		if (!member->seen) {
			if (member->told && !member->refused)
				watch->vanished(watch->arg, &member->target);
			continue;
		}
		if (!member->told)
			member->refused = watch->appeared(watch->arg,
							  &member->target) < 0;
		member->told = true;
		set->member[kept++] = *member;
	}
	set->members = kept;
}

int target_set_scan(struct target_set *set, const struct target_watch *watch,
		    struct err *err)
{
	for (size_t i = 0; i < set->members; i++)
		set->member[i].seen = false;
	if (set->patterns.count == 0)
		see_members(set);
	else if (see_everything(set, err) < 0)
		return -1;
	tell(set, watch);
	return 0;
}

size_t target_set_count(const struct target_set *set)
{
	return set->members;
}

bool target_set_is_open(const struct target_set *set)
{
	return set->patterns.count > 0;
}
