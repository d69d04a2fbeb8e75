/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree -- a folder of small files that looks like somebody's /sys and /proc.
 *
 *	struct tree tree;
 *
 *	tree_init(&tree);
 *	tree_put(&tree, "sys/devices/system/cpu/online", "0-3\n");
 *	topology = topology_read(...tree.root + "/sys"...);
 *	tree_done(&tree);
 */
#ifndef TESTS_UNIT_TREE_H
#define TESTS_UNIT_TREE_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char root[64];
	char path[512]; /* of tree_path() */
};

static inline void tree_init(struct tree *tree)
{
	snprintf(tree->root, sizeof(tree->root), "/tmp/fedwatts-tree-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tree->root));
}

/* Borrowed until the next call. */
static inline const char *tree_path(struct tree *tree, const char *name)
{
	snprintf(tree->path, sizeof(tree->path), "%s/%s", tree->root, name);
	return tree->path;
}

static inline void tree_put(struct tree *tree, const char *name,
			    const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", tree->root, name);
	for (char *at = path + strlen(tree->root) + 1; *at; at++)
		if (*at == '/') {
			*at = '\0';
			mkdir(path, 0755);
			*at = '/';
		}
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

static inline int tree_remove(const char *path, const struct stat *status,
			      int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void tree_done(struct tree *tree)
{
	nftw(tree->root, tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
