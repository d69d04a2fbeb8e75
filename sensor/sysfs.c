/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *sysfs_root = "/sys";

static ssize_t read_all(int fd, char *out, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t more = read(fd, out + got, size - got);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -1;
		if (!more)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

int sysfs_read(char *out, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	ssize_t got;
	int fd, saved;

	out[0] = '\0';
	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	got = read_all(fd, out, size - 1);
	saved = errno;
	close(fd);
	errno = saved;
	if (got < 0) {
		out[0] = '\0';
		return -1;
	}
	while (got && isspace((unsigned char)out[got - 1]))
		got--;
	out[got] = '\0';
	return 0;
}

int sysfs_open(const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return open(path, O_RDONLY | O_CLOEXEC);
}

ssize_t (*sysfs_pread_fn)(int fd, void *out, size_t size, off_t at) = pread;

int sysfs_number(int fd, int64_t *value)
{
	char text[32], *end;
	size_t got = 0;
	long long number;

	while (got + 1 < sizeof(text)) {
		ssize_t more = sysfs_pread_fn(
			fd, text + got, sizeof(text) - 1 - got, (off_t)got);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -1;
		if (!more)
			break;
		got += (size_t)more;
	}
	text[got] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text)
		errno = got ? EINVAL : ENODATA;
	else if (!errno && *end && !isspace((unsigned char)*end))
		errno = EINVAL;
	if (errno)
		return -1;
	*value = number;
	return 0;
}

int sysfs_list(const char *list, int (*each)(void *arg, int number), void *arg)
{
	const char *at = list;

	if (!*at)
		return -1;
	while (*at) {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end == at || first < 0)
			return -1;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (last < first || last > INT_MAX || (*end && *end != ','))
			return -1;
		for (long number = first; number <= last; number++)
			if (each(arg, (int)number) < 0)
				return -1;
		at = end + (*end == ',');
	}
	return 0;
}
