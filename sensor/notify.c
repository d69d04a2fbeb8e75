/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (!length || length >= sizeof(to.sun_path) || !strchr("/@", *path))
		return;
	memcpy(to.sun_path, path, length);
	/* '@' stands for the abstract name space's leading NUL. */
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
	       (const struct sockaddr *)&to,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

static int64_t watchdog_ns(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	const char *usec = getenv("WATCHDOG_USEC");

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return 1000 * strtoll(usec, NULL, 10);
}

bool notify_watchdog_due(int64_t now_ns)
{
	static int64_t due_ns;
	int64_t every_ns;

	if (now_ns < due_ns)
		return false;
	every_ns = watchdog_ns() / 2;
	/* To look through the environment at each tick is dear. */
	due_ns = now_ns + (every_ns > 0 ? every_ns : 1000000000);
	return every_ns > 0;
}
