/* SPDX-License-Identifier: BSD-3-Clause */
/* Targets that are cgroups or systemd units. */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "sensor/container.h"
#include "sensor/target_state.h"

/* ---- what is wanted -------------------------------------------------------- */

static bool is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* Names begin with '/' unless the base ends with one. */
static bool is_path(const char *wanted, const char *name)
{
	return !strcmp(wanted + (*wanted == '/'), name + (*name == '/'));
}

static bool wants_path(const struct target_set *set,
		       const struct cgroup *cgroup)
{
	for (size_t i = 0; i < set->paths.count; i++) {
		const char *path = set->paths.item[i];

		if (is_path(path, cgroup->name) ||
		    ((cgroup->leaf || set->all) &&
		     fnmatch(path, cgroup->name, 0) == 0))
			return true;
	}
	return false;
}

static bool is_unit(const char *wanted, const char *name)
{
	const char *dot = strrchr(name, '.');
	char bare[NAME_MAX + 1];

	if (fnmatch(wanted, name, 0) == 0)
		return dot &&
		       (!strcmp(dot, ".service") || !strcmp(dot, ".scope") ||
			!strcmp(dot, ".slice"));
	if (!dot || strcmp(dot, ".service") != 0)
		return false;
	snprintf(bare, sizeof(bare), "%.*s", (int)(dot - name), name);
	return fnmatch(wanted, bare, 0) == 0;
}

/* The unit's name, or NULL. */
static const char *wants_unit(const struct target_set *set,
			      const struct cgroup *cgroup)
{
	const char *slash = strrchr(cgroup->name, '/');
	const char *last = slash ? slash + 1 : cgroup->name;

	for (size_t i = 0; i < set->units.count; i++)
		if (is_unit(set->units.item[i], last))
			return last;
	return NULL;
}

static bool wants_any(const struct target_set *set, const struct cgroup *cgroup)
{
	return set->paths.count + set->units.count == 0 &&
	       (cgroup->leaf || set->all);
}

/* ---- members --------------------------------------------------------------- */

static const struct member *member_of(const struct target_set *set,
				      const struct cgroup *cgroup)
{
	return member_find(set, 0, 0, cgroup->id);
}

static const char *within(const struct target_set *set,
			  const struct cgroup *cgroup)
{
	while ((cgroup = cgroup->parent)) {
		const struct member *member = member_of(set, cgroup);

		if (member && member->seen)
			return member->target.name;
	}
	return "";
}

static void add(struct target_set *set, const struct cgroup *cgroup,
		const char *unit)
{
	char *name = unit ? xasprintf("unit:%s", unit) : xstrdup(cgroup->name);
	struct text names = TEXT_INIT;
	struct container container;

	container_read(set->files, cgroup->name, &container);
	container_put(&container, &names);
	member_add(set, &(struct target){
				.kind = TARGET_CGROUP,
				.start = cgroup->id,
				.path = cgroup->path,
				.name = name,
				.within = within(set, cgroup),
				.names = names.data,
			});
	text_done(&names);
	free(name);
}

static void see(void *arg, const struct cgroup *cgroup)
{
	struct target_set *set = (struct target_set *)arg;
	const char *unit = wants_unit(set, cgroup);
	struct member *member;

	if (!unit && !wants_path(set, cgroup) && !wants_any(set, cgroup))
		return;
	member = member_find(set, 0, 0, cgroup->id);
	if (member)
		member->seen = true;
	else
		add(set, cgroup, unit);
}

void target_see_cgroups(struct target_set *set)
{
	cgroup_tree_walk(set->tree, see, set);
}

const struct target *target_cgroup_of(const struct target_set *set, pid_t pid)
{
	size_t base = strlen(cgroup_tree_base(set->tree));
	char file[64], path[PATH_MAX];
	struct text text = TEXT_INIT;
	const struct target *best = NULL;
	size_t longest = 0;

	snprintf(file, sizeof(file), "%.32s/%d/cgroup", set->proc, (int)pid);
	if (text_read_file(&text, file, 65536, NULL) < 0 || !text.data ||
	    cgroup_parse_membership(text.data, set->v1, path, sizeof(path)) < 0)
		path[0] = '\0';
	text_done(&text);
	for (size_t i = 0; i < set->members && set->member[i].target.pid == 0;
	     i++) {
		const struct target *target = &set->member[i].target;
		const char *below = target->path + base;
		size_t length = strlen(below);

		if (length >= longest && !strncmp(path, below, length) &&
		    (path[length] == '\0' || path[length] == '/')) {
			best = target;
			longest = length;
		}
	}
	return best;
}

/* ---- wishes ---------------------------------------------------------------- */

static int check_path(const struct target_set *set, const char *path,
		      struct err *err)
{
	char *folder;
	int status = 0;

	if (is_pattern(path))
		return 0;
	folder = xasprintf("%s/%s", cgroup_tree_base(set->tree),
			   path + (*path == '/'));
	if (access(folder, F_OK) < 0)
		status = err_sys(err, "cgroup %s", folder);
	free(folder);
	return status;
}

struct search {
	const char *unit;
	bool found;
};

static void search_unit(void *arg, const struct cgroup *cgroup)
{
	struct search *search = (struct search *)arg;
	const char *slash = strrchr(cgroup->name, '/');

	search->found |=
		is_unit(search->unit, slash ? slash + 1 : cgroup->name);
}

static int check_unit(const struct target_set *set, const char *unit,
		      struct err *err)
{
	struct search search = { unit, is_pattern(unit) };

	cgroup_tree_walk(set->tree, search_unit, &search);
	if (search.found)
		return 0;
	err_set(err, ENOENT, "unit '%s': not running", unit);
	return err_remedy(err,
			  "systemctl status %s; a pattern, as in '%s*', "
			  "waits for it",
			  unit, unit);
}

int target_set_add_cgroups(struct target_set *set,
			   const struct target_cgroups *wish, struct err *err)
{
	char mount[PATH_MAX];

	set->tree = cgroup_tree_open(wish->base, err);
	if (!set->tree)
		return err_wrap(err, "cgroups");
	set->all = wish->all;
	set->files = xstrdup(wish->files);
	/* v1's perf_event mount, or a place in it */
	set->v1 =
		strstr(wish->base, "perf_event") != NULL ||
		(cgroup_find_base(set->proc, mount, sizeof(mount), NULL) == 0 &&
		 strstr(mount, "perf_event") != NULL);
	for (size_t i = 0; wish->paths && i < wish->paths->count; i++) {
		if (check_path(set, wish->paths->item[i], err) < 0)
			return -1;
		field_list_add(&set->paths, wish->paths->item[i]);
	}
	for (size_t i = 0; wish->units && i < wish->units->count; i++) {
		if (check_unit(set, wish->units->item[i], err) < 0)
			return -1;
		field_list_add(&set->units, wish->units->item[i]);
	}
	target_see_cgroups(set);
	return 0;
}
