/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file: a head of 16 bytes ("FWSPOOL1", then where the first record that is
 * not done begins, as 8 bytes in little-endian order), then records: length and
 * CRC-32 (of the length and the bytes; 4 bytes each, little-endian), bytes.
 *
 * The head is 8 aligned bytes in one sector, so that a write of it is never
 * torn; where it makes no sense all records come again.
 */
#include "lib/spool.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/mem.h"

#define HEAD   ((uint64_t)16)
#define PREFIX ((uint64_t)8)

static const char magic[8] = { 'F', 'W', 'S', 'P', 'O', 'O', 'L', '1' };

struct spool {
	int fd;
	char *path;
	uint64_t limit;
	uint64_t first; /* of the first record that is not done */
	uint64_t next;  /* of the one to be read next */
	uint64_t end;
	uint64_t records; /* between first and end */
	uint64_t passed;  /* of them, before next */
	uint64_t refused, cut;
	bool unsynced;
	unsigned char *buffer; /* the record that was read last */
	size_t capacity;
};

struct prefix {
	uint32_t length, crc;
};

/* ---- bytes ---------------------------------------------------------------- */

static uint32_t checksum(uint32_t length_le, const void *record, size_t length)
{
	uLong crc = crc32(0, (const Bytef *)&length_le, sizeof(length_le));

	return (uint32_t)crc32_z(crc, record, length);
}

/* 1, 0 where the file ends before, -1. */
static int read_at(int fd, void *out, size_t length, uint64_t at)
{
	unsigned char *to = out;

	while (length > 0) {
		ssize_t n = pread(fd, to, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		to += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return 1;
}

static int write_at(int fd, const void *from, size_t length, uint64_t at)
{
	const unsigned char *bytes = from;

	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

static int head_write(int fd, uint64_t first)
{
	uint64_t le = htole64(first);

	return write_at(fd, &le, sizeof(le), sizeof(magic));
}

/* The record at `at`: 1 and its bytes in the buffer, 0 where none is whole. */
static int record_read(struct spool *spool, uint64_t at, uint64_t end,
		       size_t *length)
{
	struct prefix prefix;
	size_t n;
	int got;

	if (end - at < PREFIX)
		return 0;
	got = read_at(spool->fd, &prefix, sizeof(prefix), at);
	if (got <= 0)
		return got;
	n = le32toh(prefix.length);
	if (n > SPOOL_RECORD_MAX || n > end - at - PREFIX)
		return 0;
	spool->buffer = mem_grow(spool->buffer, &spool->capacity, n + 1, 1);
	got = read_at(spool->fd, spool->buffer, n, at + PREFIX);
	if (got < 0 ||
	    (n > 0 && got == 0)) /* somebody else cut the file: none is whole */
		return got;
	if (le32toh(prefix.crc) != checksum(prefix.length, spool->buffer, n))
		return 0;
	*length = n;
	return 1;
}

/* ---- opening -------------------------------------------------------------- */

/* Is what we have open still what the path names?  Between open and lock the
 * process that had it may have removed or replaced it. */
static bool is_current(const struct spool *spool)
{
	struct stat ours, theirs;

	return fstat(spool->fd, &ours) == 0 &&
	       stat(spool->path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static int file_open(struct spool *spool, struct err *err)
{
	for (int tries = 0; tries < 8; tries++) {
		spool->fd =
			open(spool->path,
			     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (spool->fd < 0)
			return err_sys(err, "spool %s: open", spool->path);
		if (flock(spool->fd, LOCK_EX | LOCK_NB) < 0)
			break;
		if (is_current(spool))
			return 0;
		close(spool->fd);
		spool->fd = -1;
	}
	return err_set(err, EBUSY, "spool %s: another process has it",
		       spool->path);
}

/* A new file, or one whose making was interrupted. */
static int file_begin(struct spool *spool, struct err *err)
{
	if (write_at(spool->fd, magic, sizeof(magic), 0) < 0 ||
	    head_write(spool->fd, HEAD) < 0 || fsync(spool->fd) < 0) {
		err_sys(err, "spool %s: write", spool->path);
		unlink(spool->path);
		return -1;
	}
	spool->first = spool->end = HEAD;
	return 0;
}

/* Counts whole records from the first that is not done on. */
static int file_scan(struct spool *spool, uint64_t size, struct err *err)
{
	uint64_t at = spool->first;
	size_t length = 0;
	int got;

	while ((got = record_read(spool, at, size, &length)) > 0) {
		at += PREFIX + length;
		spool->records++;
	}
	if (got < 0)
		return err_sys(err, "spool %s: read", spool->path);
	spool->end = at;
	spool->cut = size - at;
	if (spool->cut > 0 && ftruncate(spool->fd, (off_t)at) < 0)
		return err_sys(err, "spool %s: cut", spool->path);
	return 0;
}

static int file_read(struct spool *spool, struct err *err)
{
	unsigned char head[HEAD] = { 0 };
	uint64_t first_le, size;
	struct stat status;
	size_t known;

	if (fstat(spool->fd, &status) < 0)
		return err_sys(err, "spool %s: fstat", spool->path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, EINVAL, "spool %s: is no regular file",
			       spool->path);
	size = (uint64_t)status.st_size;
	known = size < HEAD ? (size_t)size : (size_t)HEAD;
	if (known > 0 && read_at(spool->fd, head, known, 0) <= 0)
		return err_sys(err, "spool %s: read", spool->path);
	if (memcmp(head, magic, known < sizeof(magic) ? known : sizeof(magic)))
		return err_set(err, EINVAL,
			       "spool %s: is something else (move it away)",
			       spool->path);
	if (size < HEAD)
		return file_begin(spool, err);
	memcpy(&first_le, head + sizeof(magic), sizeof(first_le));
	spool->first = le64toh(first_le);
	/* Beyond the end: emptied, but for the head. */
	if (spool->first > size && size == HEAD)
		return file_begin(spool, err);
	if (spool->first < HEAD || spool->first > size)
		spool->first = HEAD;
	return file_scan(spool, size, err);
}

struct spool *spool_open(const char *path, uint64_t limit, struct err *err)
{
	struct spool *spool = xcalloc(1, sizeof(*spool));

	spool->path = xstrdup(path);
	spool->limit = limit;
	if (file_open(spool, err) < 0 || file_read(spool, err) < 0) {
		if (spool->fd >= 0)
			close(spool->fd);
		free(spool->buffer);
		free(spool->path);
		free(spool);
		return NULL;
	}
	spool->next = spool->first;
	return spool;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	/* While the lock is held, so that nobody loses what is put next. */
	if (spool->records == 0)
		unlink(spool->path);
	close(spool->fd);
	free(spool->buffer);
	free(spool->path);
	free(spool);
}

/* ---- room ----------------------------------------------------------------- */

static int copy_bytes(int from, int to, uint64_t at, uint64_t end)
{
	size_t chunk = (size_t)1 << 20;
	char *buffer = xmalloc(chunk);
	uint64_t out = HEAD;
	int failed = 0;

	while (at < end && !failed) {
		size_t n = end - at < chunk ? (size_t)(end - at) : chunk;

		failed = read_at(from, buffer, n, at) <= 0 ||
			 write_at(to, buffer, n, out) < 0;
		at += n;
		out += n;
	}
	free(buffer);
	return failed ? -1 : 0;
}

/* The same without what is done, by way of a file beside it and a rename; on a
 * failure everything is as it was. */
static int compact(struct spool *spool)
{
	uint64_t done = spool->first - HEAD;
	char *path = xasprintf("%s.new", spool->path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	bool made = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    write_at(fd, magic, sizeof(magic), 0) == 0 &&
		    head_write(fd, HEAD) == 0 &&
		    copy_bytes(spool->fd, fd, spool->first, spool->end) == 0 &&
		    fsync(fd) == 0 && rename(path, spool->path) == 0;

	if (made) {
		close(spool->fd);
		spool->fd = fd;
		spool->first -= done;
		spool->next -= done;
		spool->end -= done;
	} else if (fd >= 0) {
		unlink(path);
		close(fd);
	}
	free(path);
	return made ? 0 : -1;
}

/* Nothing waits: the file begins anew.  A crash between the two leaves a first
 * record beyond the end, which opening understands. */
static int empty(struct spool *spool, struct err *err)
{
	if (ftruncate(spool->fd, (off_t)HEAD) < 0 ||
	    head_write(spool->fd, HEAD) < 0)
		return err_sys(err, "spool %s: empty", spool->path);
	spool->first = spool->next = spool->end = HEAD;
	return 0;
}

static bool make_room(struct spool *spool, uint64_t bytes)
{
	uint64_t done = spool->first - HEAD;

	if (spool->end + bytes <= spool->limit)
		return true;
	return done >= spool->end / 4 &&
	       spool->end - done + bytes <= spool->limit && compact(spool) == 0;
}

/* ---- putting -------------------------------------------------------------- */

static int refuse(struct spool *spool, int code, struct err *err)
{
	spool->refused++;
	if (code == ENOSPC)
		return err_set(err, ENOSPC, "spool %s: full, %ju records wait",
			       spool->path, (uintmax_t)spool->records);
	errno = code;
	return err_sys(err, "spool %s: write", spool->path);
}

int spool_put(struct spool *spool, const void *record, size_t length,
	      struct err *err)
{
	uint32_t length_le = htole32((uint32_t)length);
	struct prefix prefix = { .length = length_le };

	if (length > SPOOL_RECORD_MAX)
		return refuse(spool, EFBIG, err);
	if (!make_room(spool, PREFIX + length))
		return refuse(spool, ENOSPC, err);
	prefix.crc = htole32(checksum(length_le, record, length));
	if (write_at(spool->fd, &prefix, sizeof(prefix), spool->end) < 0 ||
	    write_at(spool->fd, record, length, spool->end + PREFIX) < 0) {
		int code = errno;

		/* Were it to stay, it would be cut off at the next opening. */
		if (ftruncate(spool->fd, (off_t)spool->end) < 0)
			errno = code;
		return refuse(spool, code, err);
	}
	spool->end += PREFIX + length;
	spool->records++;
	spool->unsynced = true;
	return 0;
}

int spool_sync(struct spool *spool, struct err *err)
{
	if (!spool->unsynced)
		return 0;
	if (fdatasync(spool->fd) < 0)
		return err_sys(err, "spool %s: sync", spool->path);
	spool->unsynced = false;
	return 0;
}

/* ---- taking --------------------------------------------------------------- */

int spool_next(struct spool *spool, const void **record, size_t *length,
	       struct err *err)
{
	int got;

	if (spool->next == spool->end)
		return 0;
	got = record_read(spool, spool->next, spool->end, length);
	if (got < 0)
		return err_sys(err, "spool %s: read", spool->path);
	if (got == 0)
		return err_set(err, EIO, "spool %s: damaged at byte %ju",
			       spool->path, (uintmax_t)spool->next);
	spool->next += PREFIX + *length;
	spool->passed++;
	*record = spool->buffer;
	return 1;
}

int spool_done(struct spool *spool, struct err *err)
{
	spool->first = spool->next;
	spool->records -= spool->passed;
	spool->passed = 0;
	if (spool->first == spool->end && spool->end > HEAD)
		return empty(spool, err);
	if (head_write(spool->fd, spool->first) < 0)
		return err_sys(err, "spool %s: write", spool->path);
	return 0;
}

void spool_rewind(struct spool *spool)
{
	spool->next = spool->first;
	spool->passed = 0;
}

/* ---- asking --------------------------------------------------------------- */

const char *spool_path(const struct spool *spool)
{
	return spool->path;
}

uint64_t spool_records(const struct spool *spool)
{
	return spool->records;
}

uint64_t spool_bytes(const struct spool *spool)
{
	return spool->end - spool->first;
}

uint64_t spool_refused(const struct spool *spool)
{
	return spool->refused;
}

uint64_t spool_cut(const struct spool *spool)
{
	return spool->cut;
}
