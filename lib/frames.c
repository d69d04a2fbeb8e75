/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/mem.h"

#define LEVEL 3 /* zstd's own default */

static int failed(const char *what, size_t code, struct err *err)
{
	return err_set(err, EINVAL, "%s: %s", what, ZSTD_getErrorName(code));
}

int frames_pack(const struct text *plain, struct text *packed, struct err *err)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(plain->length);
	char *at = text_room(packed, room);
	size_t length;

	if (!context)
		return err_set(err, ENOMEM, "zstd: no memory");
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	length = ZSTD_compress2(context, at, room, plain->data, plain->length);
	ZSTD_freeCCtx(context);
	if (ZSTD_isError(length))
		return failed("zstd", length, err);
	text_extend(packed, at + length);
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

struct frames {
	ZSTD_DStream *stream;
	ZSTD_inBuffer in;
	bool open;
	bool full; /* the last take filled its buffer: there may be more */
};

struct frames *frames_new(void)
{
	struct frames *frames = xcalloc(1, sizeof(*frames));

	frames->stream = ZSTD_createDStream();
	if (!frames->stream)
		abort(); /* as every allocation of ours */
	ZSTD_initDStream(frames->stream);
	return frames;
}

void frames_put(struct frames *frames, const void *bytes, size_t length)
{
	frames->in = (ZSTD_inBuffer){ bytes, length, 0 };
}

ssize_t frames_take(struct frames *frames, void *buffer, size_t size,
		    struct err *err)
{
	ZSTD_outBuffer out = { buffer, size, 0 };

	while (out.pos == 0 &&
	       (frames->in.pos < frames->in.size || frames->full)) {
		size_t left = ZSTD_decompressStream(frames->stream, &out,
						    &frames->in);

		if (ZSTD_isError(left))
			return failed("zstd", left, err);
		frames->open = left > 0;
		frames->full = out.pos == out.size;
	}
	return (ssize_t)out.pos;
}

bool frames_is_open(const struct frames *frames)
{
	return frames->open;
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	ZSTD_freeDStream(frames->stream);
	free(frames);
}

/* ---- whole frames -------------------------------------------------------- */

static size_t count_whole(const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t frame =
			ZSTD_findFrameCompressedSize(bytes + at, length - at);

		if (ZSTD_isError(frame))
			break;
		at += frame;
	}
	return at;
}

/* Is it torn (a beginning of a frame, or zeros), or something else? */
static bool is_ours(const char *rest, size_t length)
{
	size_t magic =
		length < FRAMES_MAGIC_LENGTH ? length : FRAMES_MAGIC_LENGTH;

	return !memcmp(rest, FRAMES_MAGIC, magic) ||
	       !memcmp(rest, "\0\0\0\0", magic);
}

off_t frames_whole(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	size_t length, whole;
	char *bytes;

	if (fd < 0 || fstat(fd, &status) < 0) {
		err_sys(err, "read");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	length = (size_t)status.st_size;
	bytes = length ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0)
		       : NULL;
	close(fd);
	if (length == 0)
		return 0;
	if (bytes == MAP_FAILED)
		return err_sys(err, "mmap");
	whole = count_whole(bytes, length);
	if (whole < length && !is_ours(bytes + whole, length - whole)) {
		munmap(bytes, length);
		err_set(err, EINVAL, "is not zstd's at byte %zu", whole);
		return err_remedy(err, "is this the right file?");
	}
	munmap(bytes, length);
	return (off_t)whole;
}
