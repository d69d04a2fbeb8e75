/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/target.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sensor/sysfs.h"
#include "sensor/target_state.h"

/* Deeper than any chain of parents. */
#define ANCESTORS_MAX 256
#define LABEL_MAX     (PROCESS_NAME_MAX + 48)

struct target_set *target_set_new(const char *proc)
{
	struct target_set *set = xcalloc(1, sizeof(*set));

	set->proc = xstrdup(proc);
	return set;
}

/* ---- members --------------------------------------------------------------- */

static void member_done(struct member *member)
{
	free(member->name);
	free(member->within);
	free(member->names);
	free(member->path);
}

void target_set_free(struct target_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->members; i++)
		member_done(&set->member[i]);
	field_list_done(&set->patterns);
	field_list_done(&set->paths);
	field_list_done(&set->units);
	cgroup_tree_close(set->tree);
	free(set->threads_of);
	free(set->member);
	free(set->files);
	free(set->proc);
	free(set);
}

static int compare(const struct target *a, pid_t pid, pid_t tid, uint64_t start)
{
	if (a->pid != pid)
		return a->pid < pid ? -1 : 1;
	if (a->tid != tid)
		return a->tid < tid ? -1 : 1;
	return (a->start > start) - (a->start < start);
}

/* Where it stands, or would. */
static size_t position(const struct target_set *set, pid_t pid, pid_t tid,
		       uint64_t start)
{
	size_t lo = 0, hi = set->members;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (compare(&set->member[middle].target, pid, tid, start) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

struct member *member_find(const struct target_set *set, pid_t pid, pid_t tid,
			   uint64_t start)
{
	size_t at = position(set, pid, tid, start);

	return at < set->members && compare(&set->member[at].target, pid, tid,
					    start) == 0
		       ? &set->member[at]
		       : NULL;
}

static const char *keep(char **at, const char *text)
{
	*at = xstrdup(text ? text : "");
	return *at;
}

struct member *member_add(struct target_set *set, const struct target *target)
{
	size_t at = position(set, target->pid, target->tid, target->start);
	struct member *member;

	if (set->members >= TARGETS_MAX)
		return NULL;
	set->member = mem_grow(set->member, &set->capacity, set->members + 1,
			       sizeof(*set->member));
	member = &set->member[at];
	memmove(member + 1, member, (set->members - at) * sizeof(*member));
	set->members++;
	*member = (struct member){ .target = *target, .seen = true };
	member->target.name = keep(&member->name, target->name);
	member->target.within = keep(&member->within, target->within);
	member->target.names = keep(&member->names, target->names);
	member->target.path = keep(&member->path, target->path);
	return member;
}

/* ---- processes ------------------------------------------------------------- */

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

/* The innermost that is known: a tree, or a cgroup. */
static const char *within(const struct target_set *set,
			  const struct process *process)
{
	const struct target *tree = tree_of(set);
	const struct target *cgroup = NULL;

	if (tree && is_descendant(set->proc, *process, tree->pid))
		return tree->name;
	if (set->tree)
		cgroup = target_cgroup_of(set, process->pid);
	return cgroup ? cgroup->name : "";
}

static struct member *add(struct target_set *set, enum target_kind kind,
			  const struct process *process, const char *comm)
{
	char name[LABEL_MAX];

	snprintf(name, sizeof(name), "process:%d:%s", (int)process->pid, comm);
	return member_add(set, &(struct target){
				       .kind = kind,
				       .pid = process->pid,
				       .start = process->start,
				       .name = name,
				       .within = within(set, process),
			       });
}

static struct member *find(const struct target_set *set,
			   const struct process *process)
{
	return member_find(set, process->pid, 0, process->start);
}

static int add_checked(struct target_set *set, enum target_kind kind, pid_t pid,
		       const char *name, struct err *err)
{
	struct process process;
	struct member *member;

	if (process_read(set->proc, pid, &process, err) < 0)
		return -1;
	if (find(set, &process))
		return 0;
	member = add(set, kind, &process, name ? name : process.name);
	if (!member)
		return err_set(err, E2BIG, "more than %d targets", TARGETS_MAX);
	member->target.named = true;
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

	if (!member && process->pid != getpid() && matches(set, process->name))
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

		if (member->target.pid > 0 && member->target.tid == 0)
			member->seen =
				process_read(set->proc, member->target.pid,
					     &process, NULL) == 0 &&
				process.start == member->target.start;
	}
}

/* ---- threads --------------------------------------------------------------- */

static void see_thread(struct target_set *set, const struct process *process,
		       pid_t tid)
{
	struct member *member = member_find(set, process->pid, tid, 0);
	const struct member *whole = find(set, process);
	char path[300], comm[PROCESS_NAME_MAX], name[LABEL_MAX];

	if (member) {
		member->seen = true;
		return;
	}
	snprintf(path, sizeof(path), "%s/%d/task", set->proc, process->pid);
	if (sysfs_read(comm, sizeof(comm), "%s/%d/comm", path, tid) < 0)
		return;
	snprintf(name, sizeof(name), "thread:%d:%d:%s", (int)process->pid,
		 (int)tid, comm);
	member_add(set, &(struct target){
				.kind = TARGET_THREAD,
				.pid = process->pid,
				.tid = tid,
				.name = name,
				.within = whole ? whole->target.name
						: within(set, process),
			});
}

static void see_threads(struct target_set *set, pid_t pid)
{
	struct process process;
	size_t threads = 0;
	pid_t *tid = NULL;

	if (process_read(set->proc, pid, &process, NULL) < 0 ||
	    process_threads(set->proc, pid, &tid, &threads, NULL) < 0)
		return;
	for (size_t i = 0; i < threads; i++)
		see_thread(set, &process, tid[i]);
	free(tid);
}

int target_set_add_threads(struct target_set *set, pid_t pid, struct err *err)
{
	struct process process;

	if (process_read(set->proc, pid, &process, err) < 0)
		return -1;
	set->threads_of = xrealloc(set->threads_of, set->threaded + 1,
				   sizeof(*set->threads_of));
	set->threads_of[set->threaded++] = pid;
	see_threads(set, pid);
	return 0;
}

/* ---- telling --------------------------------------------------------------- */

static void tell(struct target_set *set, const struct target_watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->members; i++) {
		struct member *member = &set->member[i];

		if (!member->seen) {
			if (member->told && !member->refused)
				watch->vanished(watch->arg, &member->target);
			member_done(member);
			continue;
		}
		if (!member->told)
			member->refused = watch->appeared(watch->arg,
							  &member->target) < 0;
		member->told = true;
		if (kept < i)
			set->member[kept] = *member;
		kept++;
	}
	set->members = kept;
}

/* What is announced need not be looked for: to read the folders of a thousand
 * cgroups takes as long as a hundred ticks of them. */
static int look_at_tree(struct target_set *set, bool *changed, struct err *err)
{
	*changed = cgroup_tree_follow(set->tree);
	if (!set->looked || cgroup_tree_is_blind(set->tree)) {
		if (cgroup_tree_rescan(set->tree, err) < 0)
			return -1;
		set->looked = *changed = true;
	} else if (cgroup_tree_recheck(set->tree)) {
		*changed = true;
	}
	return 0;
}

/* May there be others than cgroups? */
static bool has_processes(const struct target_set *set)
{
	return set->patterns.count > 0 || set->threaded > 0 ||
	       (set->members > 0 &&
		set->member[set->members - 1].target.pid > 0);
}

static int see_processes(struct target_set *set, struct err *err)
{
	if (set->patterns.count == 0)
		see_members(set);
	else if (see_everything(set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->threaded; i++)
		see_threads(set, set->threads_of[i]);
	return 0;
}

int target_set_look(struct target_set *set, struct err *err)
{
	bool changed = false;

	if (set->tree && look_at_tree(set, &changed, err) < 0)
		return -1;
	if (!changed && !has_processes(set))
		return 0;
	set->news = true;
	for (size_t i = 0; i < set->members; i++)
		set->member[i].seen =
			!changed && set->member[i].target.pid == 0;
	if (changed)
		target_see_cgroups(set);
	return see_processes(set, err);
}

int target_set_scan(struct target_set *set, const struct target_watch *watch,
		    struct err *err)
{
	if (target_set_look(set, err) < 0)
		return -1;
	if (set->news)
		tell(set, watch);
	set->news = false;
	return 0;
}

int target_set_fd(const struct target_set *set)
{
	return set->tree ? cgroup_tree_fd(set->tree) : -1;
}

void target_set_follow(struct target_set *set, const struct target_watch *watch)
{
	if (!set->tree || !cgroup_tree_follow(set->tree))
		return;
	for (size_t i = 0; i < set->members; i++)
		set->member[i].seen = set->member[i].target.pid > 0;
	target_see_cgroups(set);
	tell(set, watch);
}

size_t target_set_count(const struct target_set *set)
{
	return set->members;
}

bool target_set_is_open(const struct target_set *set)
{
	return set->patterns.count > 0 || set->tree;
}
