/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/mem.h"

#define BUFFER_BYTES ((size_t)128 << 10)
#define MAGIC_MAX    6
/* Deflate in gzip's wrapping, with the largest window. */
#define GZIP_WINDOW (16 + MAX_WBITS)

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_GZIP, FORM_XZ };

struct unpack {
	int fd;
	enum form form;
	bool ended;   /* nothing more in the file */
	bool between; /* gzip: a member ended, no other has begun */
	size_t next, have;
	z_stream gzip;
	lzma_stream xz;
	unsigned char buffer[BUFFER_BYTES];
};

static const unsigned char gzip_magic[] = { 0x1f, 0x8b };
static const unsigned char xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

struct unpack *unpack_open(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct unpack *file;

	if (fd < 0) {
		err_sys(err, "open %s", path);
		return NULL;
	}
	file = xcalloc(1, sizeof(*file));
	file->fd = fd;
	return file;
}

void unpack_close(struct unpack *file)
{
	if (!file)
		return;
	if (file->form == FORM_GZIP)
		(void)inflateEnd(&file->gzip);
	lzma_end(&file->xz);
	close(file->fd);
	free(file);
}

bool unpack_is_packed(const struct unpack *file)
{
	return file->form == FORM_GZIP || file->form == FORM_XZ;
}

/* ---- what the file has ------------------------------------------------------- */

static ssize_t file_read(struct unpack *file, void *buffer, size_t size,
			 struct err *err)
{
	ssize_t got;

	do
		got = read(file->fd, buffer, size);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(err, "read");
	if (got == 0)
		file->ended = true;
	return got;
}

/* At least `wanted` bytes in the buffer, unless the file ends before. */
static int fill(struct unpack *file, size_t wanted, struct err *err)
{
	ssize_t got;

	if (file->have - file->next >= wanted)
		return 0;
	memmove(file->buffer, file->buffer + file->next,
		file->have - file->next);
	file->have -= file->next;
	file->next = 0;
	while (file->have < wanted && !file->ended) {
		got = file_read(file, file->buffer + file->have,
				BUFFER_BYTES - file->have, err);
		if (got < 0)
			return -1;
		file->have += (size_t)got;
	}
	return 0;
}

static bool begins_with(const struct unpack *file, const unsigned char *magic,
			size_t length)
{
	return file->have - file->next >= length &&
	       memcmp(file->buffer + file->next, magic, length) == 0;
}

static int form_find(struct unpack *file, struct err *err)
{
	if (fill(file, MAGIC_MAX, err) < 0)
		return -1;
	file->form = FORM_PLAIN;
	if (begins_with(file, gzip_magic, sizeof(gzip_magic))) {
		if (inflateInit2(&file->gzip, GZIP_WINDOW) != Z_OK)
			return err_set(err, ENOMEM, "zlib cannot start");
		file->form = FORM_GZIP;
	} else if (begins_with(file, xz_magic, sizeof(xz_magic))) {
		if (lzma_stream_decoder(&file->xz, UNPACK_MEMORY_MAX,
					LZMA_CONCATENATED) != LZMA_OK)
			return err_set(err, ENOMEM, "liblzma cannot start");
		file->form = FORM_XZ;
	}
	return 0;
}

/* ---- plain ----------------------------------------------------------------- */

static ssize_t plain_read(struct unpack *file, void *buffer, size_t size,
			  struct err *err)
{
	size_t left = file->have - file->next;

	if (!left)
		return file->ended ? 0 : file_read(file, buffer, size, err);
	if (size > left)
		size = left;
	memcpy(buffer, file->buffer + file->next, size);
	file->next += size;
	return (ssize_t)size;
}

/* ---- gzip ------------------------------------------------------------------ */

static int cut_short(struct err *err)
{
	return err_set(err, EINVAL,
		       "truncated: the compressed data end too early");
}

/* Behind a member: another one, or the end. */
static int gzip_next_member(struct unpack *file, struct err *err)
{
	if (fill(file, sizeof(gzip_magic), err) < 0)
		return -1;
	if (file->have == file->next)
		return 0;
	if (!begins_with(file, gzip_magic, sizeof(gzip_magic)))
		return err_set(err, EINVAL,
			       "damaged: something else behind the compressed "
			       "data");
	(void)inflateReset(&file->gzip);
	file->between = false;
	return 0;
}

static int gzip_some(struct unpack *file, struct err *err)
{
	int rc;

	if (fill(file, 1, err) < 0)
		return -1;
	if (file->have == file->next)
		return cut_short(err);
	file->gzip.next_in = file->buffer + file->next;
	file->gzip.avail_in = (unsigned int)(file->have - file->next);
	rc = inflate(&file->gzip, Z_NO_FLUSH);
	file->next = file->have - file->gzip.avail_in;
	file->between = rc == Z_STREAM_END;
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		return 0;
	return err_set(err, rc == Z_MEM_ERROR ? ENOMEM : EINVAL, "damaged: %s",
		       file->gzip.msg ? file->gzip.msg : "no gzip data");
}

static ssize_t gzip_read(struct unpack *file, void *buffer, size_t size,
			 struct err *err)
{
	unsigned int room = size > INT32_MAX ? INT32_MAX : (unsigned int)size;

	file->gzip.next_out = buffer;
	file->gzip.avail_out = room;
	while (file->gzip.avail_out == room) {
		if (file->between && gzip_next_member(file, err) < 0)
			return -1;
		if (file->between)
			return 0;
		if (gzip_some(file, err) < 0)
			return -1;
	}
	return (ssize_t)(room - file->gzip.avail_out);
}

/* ---- xz -------------------------------------------------------------------- */

static int xz_failed(lzma_ret rc, struct err *err)
{
	switch (rc) {
	case LZMA_BUF_ERROR:
		return cut_short(err);
	case LZMA_MEM_ERROR:
		return err_set(err, ENOMEM, "not enough memory to unpack");
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, EFBIG,
			       "wants more than %zu MiB of memory to unpack",
			       UNPACK_MEMORY_MAX >> 20);
	case LZMA_FORMAT_ERROR:
		return err_set(err, EINVAL,
			       "damaged: something else behind the compressed "
			       "data");
	case LZMA_OPTIONS_ERROR:
		return err_set(err, EINVAL,
			       "xz with options that liblzma does not know");
	default:
		return err_set(err, EINVAL,
			       "damaged: the compressed data are "
			       "corrupt");
	}
}

static ssize_t xz_read(struct unpack *file, void *buffer, size_t size,
		       struct err *err)
{
	lzma_ret rc = LZMA_OK;

	file->xz.next_out = buffer;
	file->xz.avail_out = size;
	while (file->xz.avail_out == size && rc == LZMA_OK) {
		if (fill(file, 1, err) < 0)
			return -1;
		file->xz.next_in = file->buffer + file->next;
		file->xz.avail_in = file->have - file->next;
		rc = lzma_code(&file->xz,
			       file->xz.avail_in ? LZMA_RUN : LZMA_FINISH);
		file->next = file->have - file->xz.avail_in;
	}
	if (rc == LZMA_OK || rc == LZMA_STREAM_END)
		return (ssize_t)(size - file->xz.avail_out);
	return xz_failed(rc, err);
}

ssize_t unpack_read(struct unpack *file, void *buffer, size_t size,
		    struct err *err)
{
	if (!size)
		return 0;
	if (file->form == FORM_UNKNOWN && form_find(file, err) < 0)
		return -1;
	switch (file->form) {
	case FORM_GZIP:
		return gzip_read(file, buffer, size, err);
	case FORM_XZ:
		return xz_read(file, buffer, size, err);
	default:
		return plain_read(file, buffer, size, err);
	}
}
