/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/append.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"

#define CHUNK ((size_t)64 << 10)

struct append {
	int fd;
	bool regular;
	char *path; /* NULL: standard output */
};

struct append *append_open(const char *path, struct err *err)
{
	bool standard = !strcmp(path, "-");
	int fd = STDOUT_FILENO;
	struct append *file;
	struct stat status;

	if (!standard)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			  0644);
	if (fd < 0) {
		err_sys(err, "open");
		return NULL;
	}
	if (fstat(fd, &status) < 0) {
		err_sys(err, "fstat");
		if (!standard)
			close(fd);
		return NULL;
	}
	file = xcalloc(1, sizeof(*file));
	file->fd = fd;
	file->regular = S_ISREG(status.st_mode);
	file->path = standard ? NULL : xstrdup(path);
	return file;
}

uint64_t append_size(const struct append *file)
{
	struct stat status;

	return fstat(file->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

bool append_is_file(const struct append *file)
{
	return file->regular;
}

/* Somebody made our output non-blocking, and it is full. */
static void wait_writable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	poll(&pollfd, 1, -1);
}

/* Take back what a failed put wrote, unless another writer has gone on. */
static void take_back(const struct append *file, size_t written)
{
	off_t here = lseek(file->fd, 0, SEEK_CUR);
	struct stat status;

	if (!file->regular || written == 0 || here < (off_t)written ||
	    fstat(file->fd, &status) < 0 || status.st_size != here)
		return;
	if (ftruncate(file->fd, here - (off_t)written) < 0)
		return; /* the torn line is for the next reader to skip */
	lseek(file->fd, 0, SEEK_END);
}

int append_put(struct append *file, const struct text *piece, struct err *err)
{
	size_t written = 0;

	if (!file->path)
		fflush(stdout); /* what was printed before comes before */
	while (written < piece->length) {
		ssize_t n = write(file->fd, piece->data + written,
				  piece->length - written);

		if (n >= 0) {
			written += (size_t)n;
		} else if (errno == EAGAIN) {
			wait_writable(file->fd);
		} else if (errno != EINTR) {
			err_sys(err, "write");
			take_back(file, written);
			return -1;
		}
	}
	return 0;
}

int append_flush(struct append *file, struct err *err)
{
	/* EINVAL and EROFS: a file system that cannot. */
	if (file->regular && fsync(file->fd) < 0 && errno != EINVAL &&
	    errno != EROFS)
		return err_sys(err, "fsync");
	return 0;
}

int append_close(struct append *file, struct err *err)
{
	int failed = 0;

	if (!file)
		return 0;
	if (file->path && close(file->fd) < 0)
		failed = err_sys(err, "close");
	free(file->path);
	free(file);
	return failed;
}

/* ---- the tail ------------------------------------------------------------ */

/* Where the text behind the last newline begins, or -1. */
static off_t tail_start(int fd, off_t size, size_t limit, struct err *err)
{
	char *chunk = xmalloc(CHUNK);
	off_t end = size;

	while (end > 0 && size - end <= (off_t)limit) {
		size_t length = end < (off_t)CHUNK ? (size_t)end : CHUNK;
		const char *newline;

		if (pread(fd, chunk, length, end - (off_t)length) !=
		    (ssize_t)length) {
			free(chunk);
			return err_sys(err, "read");
		}
		newline = memrchr(chunk, '\n', length);
		end -= (off_t)length;
		if (newline) {
			end += newline - chunk + 1;
			break;
		}
	}
	free(chunk);
	if (size - end > (off_t)limit)
		return err_set(err, EFBIG,
			       "its last line is longer than %zu "
			       "bytes: not a file of ours",
			       limit);
	return end;
}

static int tail_read(int fd, size_t limit, struct text *out, struct err *err)
{
	struct stat status;
	off_t start;
	char *bytes;

	if (fstat(fd, &status) < 0)
		return err_sys(err, "fstat");
	start = tail_start(fd, status.st_size, limit, err);
	if (start < 0)
		return -1;
	bytes = xmalloc((size_t)(status.st_size - start) + 1);
	if (pread(fd, bytes, (size_t)(status.st_size - start), start) !=
	    status.st_size - start) {
		free(bytes);
		return err_sys(err, "read");
	}
	text_put_bytes(out, bytes, (size_t)(status.st_size - start));
	free(bytes);
	return 0;
}

int append_tail(const struct append *file, size_t limit, struct text *out,
		struct err *err)
{
	char self[32];
	int fd, failed;

	if (!file->regular)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	fd = open(file->path ? file->path : self, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "read");
	failed = tail_read(fd, limit, out, err);
	close(fd);
	return failed;
}

int append_cut(struct append *file, size_t bytes, struct err *err)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return err_sys(err, "fstat");
	if (ftruncate(file->fd, status.st_size - (off_t)bytes) < 0)
		return err_sys(err, "truncate");
	return 0;
}

/* ---- moving away --------------------------------------------------------- */

/* Where ".csv", ".jsonl.zst" begins, or the end. */
static size_t stem_length(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *dot, *before;

	name = name ? name + 1 : path;
	dot = strrchr(name, '.');
	if (!dot || dot == name)
		return strlen(path);
	before = strcmp(dot, ".zst") != 0
			 ? NULL
			 : memrchr(name, '.', (size_t)(dot - name));
	return (size_t)((before && before > name ? before : dot) - path);
}

char *append_numbered(const char *path, unsigned int number)
{
	size_t stem = stem_length(path);

	return xasprintf("%.*s.%u%s", (int)stem, path, number, path + stem);
}

static int rename_new(const char *path, const char *to)
{
	if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system can promise; then look first. */
	if (errno != EINVAL)
		return -1;
	if (access(to, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	return rename(path, to);
}

int append_move_away(const char *path, char **to, struct err *err)
{
	for (unsigned int n = 1; n < 1000000; n++) {
		char *name = append_numbered(path, n);
		int failed = rename_new(path, name);

		if (!failed && to)
			*to = name;
		else
			free(name);
		if (!failed)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_sys(err, "rename");
}
