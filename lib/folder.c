/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mem.h"

char *folder_state(void)
{
	const char *systemd = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	/* systemd separates several by colons. */
	if (systemd && *systemd)
		return xstrndup(systemd, strcspn(systemd, ":"));
	if (xdg && *xdg)
		return xasprintf("%s/fedwatts", xdg);
	if (home && *home)
		return xasprintf("%s/.local/state/fedwatts", home);
	return NULL;
}

int folder_make(const char *path, struct err *err)
{
	struct stat status;
	char *part;
	int failed = 0;

	/* Most often all but the last are there. */
	if (mkdir(path, 0755) == 0)
		return 0;
	part = xstrdup(path);
	for (char *c = part + 1; *part && !failed; c++) {
		char kept = *c;

		if (kept != '/' && kept != '\0')
			continue;
		*c = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST &&
		    stat(part, &status) < 0)
			failed = err_sys(err, "make folder %s", part);
		*c = kept;
		if (!kept)
			break;
	}
	free(part);
	if (!failed && (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)))
		failed = err_set(err, ENOTDIR, "%s is not a folder", path);
	return failed;
}
