/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "lib/cli.h"
#ifndef WITHOUT_MONGO
#include "lib/mongo_client.h"
#endif

void cli_start_again(char **argv)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	/* libmongoc starts with the program and shares counters under its PID,
	 * in a file that the next program of that PID would stumble over. */
#ifndef WITHOUT_MONGO
	mongoc_cleanup();
#endif
	/* By its own path and not as /proc/self/exe, after which the process
	 * would be called "exe" in every list. */
	if (length > 0) {
		path[length] = '\0';
		execv(path, argv);
	}
	execv("/proc/self/exe", argv);
}
