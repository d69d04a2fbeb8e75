/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sysfs -- small files in which the kernel says one thing.
 *
 *	char text[64];
 *
 *	if (sysfs_read(text, sizeof(text), "%s/devices/power/type", sys) == 0)
 *		type = strtoul(text, NULL, 10);
 *
 * Files under /sys and /proc have no size that one could ask for; what does
 * not fit is cut off.  Blanks and newlines at the end are dropped.
 */
#ifndef SENSOR_SYSFS_H
#define SENSOR_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "/sys"; tests show another one to what is not told a folder. */
extern const char *sysfs_root;

/* 0, or -1 with errno set and `out` empty. */
int sysfs_read(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A file that is read again and again stays open: sysfs_open() is -1 with errno
 * set.  sysfs_number() is the whole number in it now; -1 with errno as the
 * device has it (ENODEV: it was unplugged), ENODATA where the file is empty,
 * EINVAL where it is no number. */
int sysfs_open(const char *format, ...) __attribute__((format(printf, 1, 2)));
int sysfs_number(int fd, int64_t *value);

/* pread(2), where tests stand in for a device. */
extern ssize_t (*sysfs_pread_fn)(int fd, void *out, size_t size, off_t at);

/* Calls `each` for every number of a list as the kernel writes sets of CPUs,
 * "0-3,8,10-11"; stops and returns -1 when it does. -1 also when the text is
 * no such list. */
int sysfs_list(const char *list, int (*each)(void *arg, int number), void *arg);

#endif
