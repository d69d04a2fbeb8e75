/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

#define WATCHED                                                             \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | \
	 IN_DONT_FOLLOW)

struct node {
	struct cgroup cgroup;
	struct node *parent, *child,
		*next; /* children as the folder has them */
	char *path;
	ino_t inode;
	int watch;
	uint64_t seen; /* by which reading of the parent */
};

struct cgroup_tree {
	struct node base;
	size_t count;
	uint64_t ids, readings;
	size_t name_at; /* where names begin in paths */
	int fd;
	bool blind; /* a folder is not watched */
	uint64_t changes;
	struct node *unchecked; /* the next to look at again; NULL: the base */
	/* How many more the kernel counts than are known, as it was when all
	 * folders were read, and lately. */
	int stat_fd; /* -1: it does not count them (v1) */
	int64_t hidden, doubted;
};

/* Folders to look at again at a time, at least. */
#define RECHECK_MIN   8
#define RECHECK_TIMES 64

/* ---- nodes ----------------------------------------------------------------- */

static void watch(struct cgroup_tree *tree, struct node *node)
{
	if (tree->fd < 0 || node->watch >= 0)
		return;
	node->watch = inotify_add_watch(tree->fd, node->path, WATCHED);
	if (node->watch < 0 && errno == ENOSPC && !tree->blind) {
		tree->blind = true;
		log_warn("cgroups",
			 "too many to watch: new ones are seen by looking only "
			 "(sudo sysctl fs.inotify.max_user_watches=524288)");
	}
}

/* The one after it and all below it in the order of a walk. */
static struct node *node_behind(struct node *node)
{
	while (node && !node->next)
		node = node->parent;
	return node ? node->next : NULL;
}

/* The watch goes with the folder; only one that is still there is ended. */
static void free_node(struct cgroup_tree *tree, struct node *node)
{
	if (tree->unchecked == node)
		tree->unchecked = node_behind(node);
	while (node->child) {
		struct node *child = node->child;

		node->child = child->next;
		free_node(tree, child);
		free(child);
		tree->count--;
	}
	if (node->watch >= 0)
		inotify_rm_watch(tree->fd, node->watch);
	free(node->path);
}

static void remove_at(struct cgroup_tree *tree, struct node **at)
{
	struct node *node = *at;

	*at = node->next;
	node->parent->cgroup.leaf = !node->parent->child;
	free_node(tree, node);
	free(node);
	tree->count--;
	tree->changes++;
}

static struct node **find_child(struct node *parent, const char *name)
{
	size_t skip = strlen(parent->path);
	struct node **at = &parent->child;

	skip += parent->path[skip - 1] != '/';
	while (*at && strcmp((*at)->path + skip, name) != 0)
		at = &(*at)->next;
	return at;
}

static char *child_path(const struct node *parent, const char *name)
{
	size_t length = strlen(parent->path);

	return xasprintf("%s%s%s", parent->path,
			 parent->path[length - 1] == '/' ? "" : "/", name);
}

static struct node *insert(struct cgroup_tree *tree, struct node *parent,
			   struct node **at, const char *name, ino_t inode)
{
	struct node *node = xcalloc(1, sizeof(*node));

	node->path = child_path(parent, name);
	node->cgroup = (struct cgroup){
		.id = ++tree->ids,
		.path = node->path,
		.name = node->path + tree->name_at,
		.leaf = true,
		.parent = parent == &tree->base ? NULL : &parent->cgroup,
	};
	node->parent = parent;
	node->inode = inode;
	node->watch = -1;
	node->next = *at;
	*at = node;
	parent->cgroup.leaf = false;
	tree->count++;
	tree->changes++;
	return node;
}

/* ---- reading folders ------------------------------------------------------- */

static bool is_folder(DIR *folder, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_name[0] == '.' &&
	    (!entry->d_name[1] ||
	     (entry->d_name[1] == '.' && !entry->d_name[2])))
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(folder), entry->d_name, &status,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

/* Folders list their entries in the same order again, so the next child is
 * mostly the one that is looked for. */
static struct node *see_child(struct cgroup_tree *tree, struct node *parent,
			      struct node ***cursor, const struct dirent *entry)
{
	size_t skip = strlen(parent->path);
	struct node **at = *cursor;
	struct node *child;

	skip += parent->path[skip - 1] != '/';
	if (!*at || strcmp((*at)->path + skip, entry->d_name) != 0)
		at = find_child(parent, entry->d_name);
	if (*at && (*at)->inode != entry->d_ino)
		remove_at(tree, at); /* another one under the same name */
	else if (*at)
		goto found;
	if (tree->count >= CGROUPS_MAX)
		return NULL;
	at = *cursor;
	insert(tree, parent, at, entry->d_name, entry->d_ino);
found:
	child = *at;
	*cursor = &child->next;
	return child;
}

/* `deep`: also folders that are known. */
static int read_folder(struct cgroup_tree *tree, struct node *node, bool deep)
{
	uint64_t reading = ++tree->readings;
	struct node **cursor = &node->child;
	struct dirent *entry;
	DIR *folder;

	watch(tree, node);
	folder = opendir(node->path);
	if (!folder)
		return -1;
	while ((entry = readdir(folder))) {
		struct node *child;

		if (!is_folder(folder, entry))
			continue;
		child = see_child(tree, node, &cursor, entry);
		if (!child)
			break;
		child->seen = reading;
	}
	closedir(folder);
	for (struct node **at = &node->child; *at;) {
		struct node *child = *at;

		if (child->seen != reading) {
			remove_at(tree, at);
			continue;
		}
		/* One that vanishes meanwhile is found missing next time. */
		if (deep || child->watch < 0)
			(void)read_folder(tree, child, deep);
		at = &child->next;
	}
	return 0;
}

/* How many the kernel counts below the base, but for those that are known. */
static bool read_hidden(const struct cgroup_tree *tree, int64_t *hidden)
{
	static const char key[] = "nr_descendants ";
	char text[64], *end;
	ssize_t got = pread(tree->stat_fd, text, sizeof(text) - 1, 0);
	long count;

	text[got > 0 ? got : 0] = '\0';
	if (strncmp(text, key, sizeof(key) - 1) != 0)
		return false;
	count = strtol(text + sizeof(key) - 1, &end, 10);
	*hidden = count - (int64_t)tree->count;
	return *end == '\n';
}

int cgroup_tree_rescan(struct cgroup_tree *tree, struct err *err)
{
	if (read_folder(tree, &tree->base, true) < 0)
		return err_sys(err, "open %s", tree->base.path);
	if (read_hidden(tree, &tree->hidden))
		tree->doubted = tree->hidden;
	return 0;
}

/* The links of a folder tell how many are in it, which is a tenth of the work of
 * reading it; on a file system where they do not, it is read. */
static bool has_all(const struct node *node)
{
	struct stat status;
	size_t children = 0;

	for (const struct node *child = node->child; child; child = child->next)
		children++;
	return lstat(node->path, &status) == 0 &&
	       status.st_nlink == children + 2;
}

/* One that comes at this moment may be counted and not announced yet; so only
 * a number that stays is believed. */
static void recount(struct cgroup_tree *tree, int64_t hidden)
{
	if (hidden != tree->hidden && hidden == tree->doubted)
		(void)cgroup_tree_rescan(tree, NULL);
	else
		tree->doubted = hidden;
}

/* A part of the folders, another one each time. */
static void recheck_part(struct cgroup_tree *tree)
{
	struct node *node = tree->unchecked ? tree->unchecked : &tree->base;
	size_t left = RECHECK_MIN + tree->count / RECHECK_TIMES;

	for (; node && left > 0; left--) {
		if (!has_all(node))
			(void)read_folder(tree, node, false);
		node = node->child ? node->child : node_behind(node);
	}
	tree->unchecked = node;
}

bool cgroup_tree_recheck(struct cgroup_tree *tree)
{
	uint64_t changes = tree->changes;
	int64_t hidden;

	if (read_hidden(tree, &hidden))
		recount(tree, hidden);
	else
		recheck_part(tree);
	return tree->changes != changes;
}

/* ---- what is announced ----------------------------------------------------- */

static struct node *watched(struct node *node, int descriptor)
{
	struct node *found = node->watch == descriptor ? node : NULL;

	for (struct node *child = node->child; child && !found;
	     child = child->next)
		found = watched(child, descriptor);
	return found;
}

/* What was made in it before it was watched is not announced. */
static bool take_new(struct cgroup_tree *tree, struct node *parent,
		     struct node **at, const char *name)
{
	char *path = child_path(parent, name);
	struct stat status;
	bool there = lstat(path, &status) == 0 && tree->count < CGROUPS_MAX;

	free(path);
	if (!there || (*at && (*at)->inode == status.st_ino))
		return false;
	if (*at)
		remove_at(tree, at);
	(void)read_folder(tree, insert(tree, parent, at, name, status.st_ino),
			  false);
	return true;
}

static bool take_event(struct cgroup_tree *tree,
		       const struct inotify_event *event)
{
	struct node *parent, **at;

	if (event->mask & IN_Q_OVERFLOW) {
		(void)read_folder(tree, &tree->base, true);
		return true;
	}
	if (!(event->mask & IN_ISDIR) || event->len == 0)
		return false;
	parent = watched(&tree->base, event->wd);
	if (!parent)
		return false;
	at = find_child(parent, event->name);
	if (event->mask & (IN_DELETE | IN_MOVED_FROM)) {
		if (!*at)
			return false;
		remove_at(tree, at);
		return true;
	}
	return take_new(tree, parent, at, event->name);
}

bool cgroup_tree_follow(struct cgroup_tree *tree)
{
	char buffer[16384]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	ssize_t got;

	while (tree->fd >= 0 &&
	       (got = read(tree->fd, buffer, sizeof(buffer))) > 0) {
		const char *at = buffer;

		while (at < buffer + got) {
			const struct inotify_event *event =
				(const struct inotify_event *)(const void *)at;

			changed |= take_event(tree, event);
			at += sizeof(*event) + event->len;
		}
	}
	return changed;
}

/* ---- the whole ------------------------------------------------------------- */

static int open_stat(const char *base)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cgroup.stat", base);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct cgroup_tree *cgroup_tree_open(const char *base, struct err *err)
{
	struct cgroup_tree *tree = xcalloc(1, sizeof(*tree));

	tree->base.path = xstrdup(*base ? base : "/");
	tree->base.watch = -1;
	tree->name_at = strlen(tree->base.path);
	tree->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	tree->stat_fd = open_stat(tree->base.path);
	if (cgroup_tree_rescan(tree, err) < 0) {
		cgroup_tree_close(tree);
		return NULL;
	}
	return tree;
}

void cgroup_tree_close(struct cgroup_tree *tree)
{
	if (!tree)
		return;
	free_node(tree, &tree->base);
	if (tree->fd >= 0)
		close(tree->fd);
	if (tree->stat_fd >= 0)
		close(tree->stat_fd);
	free(tree);
}

const char *cgroup_tree_base(const struct cgroup_tree *tree)
{
	return tree->base.path;
}

int cgroup_tree_fd(const struct cgroup_tree *tree)
{
	return tree->fd;
}

bool cgroup_tree_is_blind(const struct cgroup_tree *tree)
{
	return tree->fd < 0 || tree->blind;
}

size_t cgroup_tree_count(const struct cgroup_tree *tree)
{
	return tree->count;
}

static void walk(const struct node *node,
		 void (*visit)(void *arg, const struct cgroup *cgroup),
		 void *arg)
{
	for (const struct node *child = node->child; child;
	     child = child->next) {
		visit(arg, &child->cgroup);
		walk(child, visit, arg);
	}
}

void cgroup_tree_walk(const struct cgroup_tree *tree,
		      void (*visit)(void *arg, const struct cgroup *cgroup),
		      void *arg)
{
	walk(&tree->base, visit, arg);
}
