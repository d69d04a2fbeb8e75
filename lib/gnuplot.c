/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than any plot of ours: something went wrong. */
#define SVG_MAX ((size_t)64 << 20)

/* The child's standard input, output and error, as files in memory: so nobody
 * has to read and write at the same time. */
struct streams {
	int fd[3];
};

static int streams_open(struct streams *streams, struct err *err)
{
	int i;

	*streams = (struct streams){ { -1, -1, -1 } };
	for (i = 0; i < 3; i++) {
		streams->fd[i] = memfd_create("gnuplot", MFD_CLOEXEC);
		if (streams->fd[i] < 0)
			return err_sys(err, "memory for gnuplot");
	}
	return 0;
}

static void streams_close(struct streams *streams)
{
	int i;

	for (i = 0; i < 3; i++)
		if (streams->fd[i] >= 0)
			(void)close(streams->fd[i]);
}

static int put_all(int fd, const struct text *text, struct err *err)
{
	size_t done = 0;
	ssize_t put;

	while (done < text->length) {
		put = write(fd, text->data + done, text->length - done);
		if (put < 0)
			return err_sys(err, "memory for gnuplot");
		done += (size_t)put;
	}
	/* The child shares the position. */
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "memory for gnuplot");
	return 0;
}

static int get_all(int fd, struct text *text, struct err *err)
{
	char piece[16384];
	ssize_t got;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "memory for gnuplot");
	while ((got = read(fd, piece, sizeof(piece))) > 0) {
		text_put_bytes(text, piece, (size_t)got);
		if (text->length > SVG_MAX)
			return err_set(err, EFBIG,
				       "gnuplot: more than %zu bytes", SVG_MAX);
	}
	return got < 0 ? err_sys(err, "memory for gnuplot") : 0;
}

static int start(const struct streams *streams, pid_t *child, struct err *err)
{
	char name[] = "gnuplot", defaults[] = "-d";
	char *argv[] = { name, defaults, NULL };
	posix_spawn_file_actions_t actions;
	int i, code;

	code = posix_spawn_file_actions_init(&actions);
	if (code != 0) {
		errno = code;
		return err_sys(err, "gnuplot");
	}
	for (i = 0; i < 3 && code == 0; i++)
		code = posix_spawn_file_actions_adddup2(&actions,
							streams->fd[i], i);
	if (code == 0)
		code = posix_spawnp(child, name, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (code == 0)
		return 0;
	errno = code;
	err_sys(err, "gnuplot");
	if (code == ENOENT)
		err_remedy(err, "sudo apt-get install gnuplot-nox");
	return -1;
}

/* gnuplot shows the line, points at the place, and says last what is wrong. */
static int complain(int fd, struct err *err)
{
	struct text said = TEXT_INIT;
	char *line;

	if (get_all(fd, &said, err) < 0 || said.length == 0) {
		text_done(&said);
		return err_set(err, EIO, "gnuplot failed and said nothing");
	}
	while (said.length > 0 && said.data[said.length - 1] == '\n')
		said.data[--said.length] = '\0';
	line = strrchr(said.data, '\n');
	line = line ? line + 1 : said.data;
	err_set(err, EIO, "gnuplot: %.200s", line + strspn(line, " \t"));
	text_done(&said);
	return -1;
}

static int run(const struct streams *streams, struct err *err)
{
	pid_t child = -1, ended;
	int status = 0;

	if (start(streams, &child, err) < 0)
		return -1;
	do
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return err_sys(err, "gnuplot");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return complain(streams->fd[2], err);
	return 0;
}

int gnuplot_run(const struct text *script, struct text *svg, struct err *err)
{
	struct streams streams;
	int rc = -1;

	if (streams_open(&streams, err) == 0 &&
	    put_all(streams.fd[0], script, err) == 0 && run(&streams, err) == 0)
		rc = get_all(streams.fd[1], svg, err);
	streams_close(&streams);
	return rc;
}
