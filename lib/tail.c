/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/append.h"
#include "lib/cli.h"
#include "lib/frames.h"
#include "lib/mem.h"

#define CHUNK   ((size_t)64 << 10)
#define WAIT_NS 50000000 /* how often a growing file is looked at */

struct tail {
	struct tail_options options;
	char *base;          /* the name that was asked for */
	char *path;          /* the file at hand */
	unsigned int number; /* of the part at hand; 0: `base` itself */
	int fd;
	bool waits;            /* it is a pipe or a terminal */
	struct frames *frames; /* NULL: plain */
	bool began;            /* its first bytes were seen */
	char *chunk;           /* packed bytes, or the first ones */
	size_t at, end;        /* of a plain chunk, what is not used yet */
};

static bool is_stdin(const struct tail *tail)
{
	return !strcmp(tail->base, "-");
}

const char *tail_path(const struct tail *tail)
{
	return is_stdin(tail) ? "standard input" : tail->path;
}

bool tail_is_cut(const struct tail *tail)
{
	return tail->frames && frames_is_open(tail->frames);
}

/* ---- files --------------------------------------------------------------- */

static void file_close(struct tail *tail)
{
	if (tail->fd > STDIN_FILENO)
		close(tail->fd);
	tail->fd = -1;
	frames_free(tail->frames);
	tail->frames = NULL;
	tail->began = false;
	tail->at = tail->end = 0;
}

void tail_close(struct tail *tail)
{
	if (!tail)
		return;
	file_close(tail);
	free(tail->chunk);
	free(tail->path);
	free(tail->base);
	free(tail);
}

/* Part `number`; 0 is the file itself. */
static int file_open(struct tail *tail, unsigned int number, struct err *err)
{
	struct stat status;

	file_close(tail);
	free(tail->path);
	tail->path = number > 0 ? append_numbered(tail->base, number)
				: xstrdup(tail->base);
	tail->number = number;
	tail->fd = is_stdin(tail) ? STDIN_FILENO
				  : open(tail->path, O_RDONLY | O_CLOEXEC);
	if (tail->fd < 0)
		return err_sys(err, "open");
	if (fstat(tail->fd, &status) < 0)
		return err_sys(err, "stat");
	tail->waits = !S_ISREG(status.st_mode);
	if (S_ISDIR(status.st_mode)) {
		err_set(err, EISDIR, "is a folder");
		return err_remedy(err, "hwpc-sensor's: csv:%s", tail->path);
	}
	return 0;
}

static bool part_exists(const struct tail *tail, unsigned int number)
{
	char *path = append_numbered(tail->base, number);
	bool exists = access(path, F_OK) == 0;

	free(path);
	return exists;
}

struct tail *tail_open(const char *path, const struct tail_options *options,
		       struct err *err)
{
	struct tail *tail = xcalloc(1, sizeof(*tail));
	unsigned int first;

	tail->options = *options;
	tail->base = xstrdup(path);
	tail->fd = -1;
	tail->chunk = xmalloc(CHUNK);
	first = options->parts && part_exists(tail, 1) ? 1 : 0;
	if (file_open(tail, first, err) < 0) {
		tail_close(tail);
		return NULL;
	}
	return tail;
}

/* Is the file at hand what `path` names? */
static bool is_named(const struct tail *tail, const char *path)
{
	struct stat named, ours;

	return stat(path, &named) == 0 && fstat(tail->fd, &ours) == 0 &&
	       named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
}

/* Its number, if a writer moved it away since we opened it. */
static unsigned int number_now(const struct tail *tail)
{
	for (unsigned int n = 1; part_exists(tail, n); n++) {
		char *path = append_numbered(tail->base, n);
		bool found = is_named(tail, path);

		free(path);
		if (found)
			return n;
	}
	return 0;
}

int tail_next(struct tail *tail, struct err *err)
{
	unsigned int number = tail->number;

	if (is_stdin(tail) || (tail->number == 0 && !tail->options.follow))
		return 0;
	if (cli_stop_signal())
		return 0;
	if (number == 0)
		number = number_now(tail);
	number = number > 0 && part_exists(tail, number + 1) ? number + 1 : 0;
	return file_open(tail, number, err) < 0 ? -1 : 1;
}

/* ---- bytes --------------------------------------------------------------- */

static ssize_t file_read(struct tail *tail, void *buffer, size_t size,
			 struct err *err)
{
	ssize_t n;

	/* On a pipe nothing may come for ever: a stop is its end, though the
	 * writer may have more. */
	if (tail->waits && cli_stop_wait(tail->fd) < 0)
		return 0;
	do
		n = read(tail->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(err, "%s: read", tail_path(tail)) : n;
}

/* Packed or plain?  Its first four bytes tell. */
static int file_begin(struct tail *tail, struct err *err)
{
	while (tail->end < FRAMES_MAGIC_LENGTH) {
		ssize_t n = file_read(tail, tail->chunk + tail->end,
				      CHUNK - tail->end, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		tail->end += (size_t)n;
	}
	if (tail->end == 0)
		return 0;
	tail->began = true;
	if (tail->end >= FRAMES_MAGIC_LENGTH &&
	    !memcmp(tail->chunk, FRAMES_MAGIC, FRAMES_MAGIC_LENGTH)) {
		tail->frames = frames_new();
		frames_put(tail->frames, tail->chunk, tail->end);
		tail->at = tail->end;
	}
	return 0;
}

static ssize_t plain_read(struct tail *tail, void *buffer, size_t size,
			  struct err *err)
{
	size_t n = tail->end - tail->at;

	if (n == 0)
		return file_read(tail, buffer, size, err);
	n = n < size ? n : size;
	memcpy(buffer, tail->chunk + tail->at, n);
	tail->at += n;
	return (ssize_t)n;
}

static ssize_t packed_read(struct tail *tail, void *buffer, size_t size,
			   struct err *err)
{
	for (;;) {
		ssize_t n = frames_take(tail->frames, buffer, size, err);

		if (n < 0)
			err_wrap(err, "%s", tail_path(tail));
		if (n != 0)
			return n;
		n = file_read(tail, tail->chunk, CHUNK, err);
		if (n <= 0)
			return n;
		frames_put(tail->frames, tail->chunk, (size_t)n);
	}
}

static ssize_t read_now(struct tail *tail, void *buffer, size_t size,
			struct err *err)
{
	if (!tail->began && file_begin(tail, err) < 0)
		return -1;
	return tail->frames ? packed_read(tail, buffer, size, err)
			    : plain_read(tail, buffer, size, err);
}

ssize_t tail_read(struct tail *tail, void *buffer, size_t size, struct err *err)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	bool moved = false;
	ssize_t n;

	while ((n = read_now(tail, buffer, size, err)) == 0 &&
	       tail->options.follow && tail->number == 0 && !is_stdin(tail) &&
	       !cli_stop_signal()) {
		/* Once more after it was moved: the writer may have come
		 * between. */
		if (moved)
			break;
		moved = access(tail->path, F_OK) == 0 &&
			!is_named(tail, tail->path);
		if (!moved)
			nanosleep(&wait, NULL);
	}
	return n;
}
