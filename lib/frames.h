/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frames -- zstd (RFC 8878), a frame at a time; the door to libzstd.
 *
 * Writing: each piece becomes a frame of its own, with its length and a
 * checksum, so that a file of frames can be cut behind any of them:
 *
 *	frames_pack(plain, &packed, &err);
 *
 * Reading: bytes in, as they come, bytes out:
 *
 *	struct frames *frames = frames_new();
 *
 *	frames_put(frames, bytes, length);
 *	while ((n = frames_take(frames, buffer, size, &err)) > 0)
 *		use(buffer, n);
 *	frames_is_open(frames)          // at the end: a frame is cut short
 *	frames_free(frames);
 */
#ifndef LIB_FRAMES_H
#define LIB_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"
#include "lib/text.h"

/* How files of frames begin. */
#define FRAMES_MAGIC        "\x28\xb5\x2f\xfd"
#define FRAMES_MAGIC_LENGTH 4

int frames_pack(const struct text *plain, struct text *packed, struct err *err);

struct frames;

struct frames *frames_new(void);
/* Borrowed until frames_take() has returned 0. */
void frames_put(struct frames *frames, const void *bytes, size_t length);
/* How many bytes there are now; 0 when more must be put, -1 on damage. */
ssize_t frames_take(struct frames *frames, void *buffer, size_t size,
		    struct err *err);
/* Has a frame begun that has not ended? */
bool frames_is_open(const struct frames *frames);
void frames_free(struct frames *frames); /* accepts NULL */

/* Bytes of the whole frames at the beginning of a file; -1 where it cannot be
 * read or does not begin with a frame's magic. */
off_t frames_whole(const char *path, struct err *err);

#endif
