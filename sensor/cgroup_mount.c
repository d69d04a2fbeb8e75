/* SPDX-License-Identifier: BSD-3-Clause */
/* Where cgroups are mounted, and in which one a process is. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "lib/text.h"
#include "sensor/cgroup.h"

/* A machine of thousands of containers has as many mounts. */
#define MOUNTS_MAX (64U << 20)

/* The kernel writes a blank in a path as \040. */
static void unescape(char *path)
{
	char *out = path;

	for (const char *at = path; *at; out++) {
		if (at[0] == '\\' && strspn(at + 1, "01234567") >= 3) {
			*out = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 +
				      (at[3] - '0'));
			at += 4;
		} else {
			*out = *at++;
		}
	}
	*out = '\0';
}

static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	while (*options) {
		size_t this = strcspn(options, ",");

		if (this == length && !strncmp(options, wanted, length))
			return true;
		options += this;
		options += *options == ',';
	}
	return false;
}

/* "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0": 2 for v1's perf_event, 1 for v2. */
static int mount_rank(char *line, const char **where)
{
	char *rest = line;
	char *device = strsep(&rest, " ");
	char *path = strsep(&rest, " ");
	char *type = strsep(&rest, " ");
	char *options = strsep(&rest, " ");

	if (!device || !path || !type || !options)
		return 0;
	unescape(path);
	*where = path;
	if (!strcmp(type, "cgroup2"))
		return 1;
	return !strcmp(type, "cgroup") && has_option(options, "perf_event") ? 2
									    : 0;
}

int cgroup_find_base(const char *proc, char *out, size_t size, struct err *err)
{
	struct text mounts = TEXT_INIT;
	char path[256];
	int best = 0;

	snprintf(path, sizeof(path), "%s/self/mounts", proc);
	if (text_read_file(&mounts, path, MOUNTS_MAX, err) < 0) {
		text_done(&mounts);
		return -1;
	}
	for (char *rest = mounts.data, *line;
	     (line = strsep(&rest, "\n")) && *line;) {
		const char *where = NULL;
		int rank = mount_rank(line, &where);

		if (rank > best && strlen(where) < size) {
			best = rank;
			snprintf(out, size, "%s", where);
		}
	}
	text_done(&mounts);
	if (best > 0)
		return 0;
	err_set(err, ENOENT, "no cgroups are mounted");
	return err_remedy(err, "mount -t cgroup2 none /sys/fs/cgroup, or -p "
			       "PATH");
}

int cgroup_check_base(const char *base, const char *proc, struct err *err)
{
	struct statfs status;
	char there[4096];

	if (statfs(base, &status) < 0)
		return err_sys(err, "cgroups: %s", base);
	if ((unsigned long)status.f_type == CGROUP_SUPER_MAGIC ||
	    (unsigned long)status.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	err_set(err, EINVAL, "cgroups: %s is no cgroup file system", base);
	if (cgroup_find_base(proc, there, sizeof(there), NULL) == 0)
		err_remedy(err, "here it is -p %s, which is found without -p",
			   there);
	return -1;
}

/* "5:cpuset,perf_event:/a/b", "0::/a/b" */
int cgroup_parse_membership(const char *text, bool v1, char *out, size_t size)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		const char *list = memchr(text, ':', length);
		const char *path =
			list ? memchr(list + 1, ':',
				      length - (size_t)(list + 1 - text))
			     : NULL;

		if (path) {
			char names[256];

			snprintf(names, sizeof(names), "%.*s",
				 (int)(path - list - 1), list + 1);
			if (v1 ? has_option(names, "perf_event")
			       : names[0] == '\0') {
				snprintf(out, size, "%.*s",
					 (int)(text + length - path - 1),
					 path + 1);
				return 0;
			}
		}
		text += length;
		text += *text == '\n';
	}
	return -1;
}
