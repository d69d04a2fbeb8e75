/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files in and out. */
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"

#define READ_STEP ((size_t)64 << 10)

static int read_to_end(struct text *text, int fd, size_t limit,
		       const char *path, struct err *err)
{
	size_t start = text->length;
	ssize_t got;

	for (;;) {
		text->data = mem_grow(text->data, &text->capacity,
				      text->length + READ_STEP + 1, 1);
		got = read(fd, text->data + text->length, READ_STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		text->length += (size_t)got;
		if (text->length - start > limit)
			return err_set(err, EFBIG, "%s: larger than %zu bytes",
				       path, limit);
	}
	if (got < 0)
		return err_sys(err, "read %s", path);
	text->data[text->length] = '\0';
	return 0;
}

int text_read_file(struct text *text, const char *path, size_t limit,
		   struct err *err)
{
	size_t start = text->length;
	struct stat stat;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	/* Refuse before reading, where the size is known. */
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
	    (uint64_t)stat.st_size > limit)
		rc = err_set(err, EFBIG, "%s: larger than %zu bytes", path,
			     limit);
	else
		rc = read_to_end(text, fd, limit, path, err);
	(void)close(fd);
	if (rc < 0 && text->data != NULL) {
		text->length = start;
		text->data[start] = '\0';
	}
	return rc;
}

static int write_all(int fd, const struct text *text, const char *path,
		     struct err *err)
{
	size_t done = 0;
	ssize_t put;

	while (done < text->length) {
		put = write(fd, text->data + done, text->length - done);
		if (put < 0 && errno != EINTR)
			return err_sys(err, "write %s", path);
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

/* A terminal, a pipe, /dev/null: nothing that a rename may replace. */
static int write_special(const struct text *text, const char *path,
			 struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(err, "open %s", path);
	rc = write_all(fd, text, path, err);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, "write %s", path);
	return rc;
}

static int refuse_existing(const char *path, struct err *err)
{
	err_set(err, EEXIST, "%s: exists already", path);
	return err_remedy(err, "--force replaces it");
}

/* The finished file takes its name. */
static int publish(const char *temporary, const char *path, bool force,
		   struct err *err)
{
	if (!force) {
		if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path,
			      RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EEXIST)
			return refuse_existing(path, err);
		/* Some file systems cannot: look, then leap. */
		if (errno != EINVAL && errno != ENOSYS)
			return err_sys(err, "rename to %s", path);
		if (access(path, F_OK) == 0)
			return refuse_existing(path, err);
	}
	if (rename(temporary, path) < 0)
		return err_sys(err, "rename to %s", path);
	return 0;
}

static int write_beside(const struct text *text, const char *path, bool force,
			struct err *err)
{
	char *temporary = xasprintf("%s.%ld.tmp", path, (long)getpid());
	int fd, rc;

	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		rc = err_sys(err, "create %s", path);
		free(temporary);
		return rc;
	}
	rc = write_all(fd, text, path, err);
	/* Otherwise a crash could leave the new name and no bytes. */
	if (rc == 0 && fsync(fd) < 0 && errno != EINVAL)
		rc = err_sys(err, "write %s", path);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, "write %s", path);
	if (rc == 0)
		rc = publish(temporary, path, force, err);
	if (rc < 0)
		(void)unlink(temporary);
	free(temporary);
	return rc;
}

int text_write_file(const struct text *text, const char *path, bool force,
		    struct err *err)
{
	struct stat stat_now;
	char *target = NULL;
	int rc;

	if (stat(path, &stat_now) == 0) {
		if (S_ISDIR(stat_now.st_mode))
			return err_set(err, EISDIR, "%s: is a folder", path);
		if (!S_ISREG(stat_now.st_mode))
			return write_special(text, path, err);
		if (!force)
			return refuse_existing(path, err);
		/* Replace what a link points at, not the link. */
		target = realpath(path, NULL);
	}
	rc = write_beside(text, target ? target : path, force, err);
	free(target);
	return rc;
}
