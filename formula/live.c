/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/lines.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/source.h"

/* How long a child may take to end when asked, before it is killed. */
#define PATIENCE_NS INT64_C(2000000000)
#define STEP_NS     INT64_C(10000000)

struct live {
	pid_t formula, sensor; /* 0: none */
	int reports, said;     /* what they write; -1: ended */
	struct lines lines, words;
	char *last; /* what was said */
	int status; /* of the formula, when it ended */
};

/* ---- children --------------------------------------------------------------- */

/* In a child: signals as they were before anybody looked for a stop, and our
 * own handlers will be installed anew where they are wanted. */
static void signals_plain(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
}

static void become_sensor(char **sensor, int to, int said)
{
	signals_plain();
	if (dup2(to, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	execvp(sensor[0], sensor);
	dprintf(STDERR_FILENO, "formula: %s: %s\n", sensor[0], strerror(errno));
	_exit(127);
}

static void become_formula(struct cli *cli, const struct formula_config *config,
			   int from, int to, int said)
{
	struct formula_config own = *config;
	struct err err = { 0 };
	int status;

	signals_plain();
	if ((from >= 0 && dup2(from, STDIN_FILENO) < 0) ||
	    dup2(to, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	/* A pipe that nobody else holds open ends with its writer. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	own.live = true;
	log_start(cli->program, LOG_WARN);
	status = formula_run(cli, &own, &err);
	if (status != 0)
		dprintf(STDERR_FILENO, "%s\n", err.text);
	_exit(status < 0 ? EXIT_FAILURE : status);
}

struct pipes {
	int counts[2], reports[2], said[2];
};

static void pipes_close(struct pipes *pipes)
{
	int *fd = pipes->counts;

	for (size_t i = 0; i < sizeof(*pipes) / sizeof(*fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static int pipes_open(struct pipes *pipes, struct err *err)
{
	if (pipe2(pipes->counts, O_CLOEXEC) < 0 ||
	    pipe2(pipes->reports, O_CLOEXEC) < 0 ||
	    pipe2(pipes->said, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	return 0;
}

static int children_start(struct live *live, struct cli *cli,
			  const struct formula_config *config, char **sensor,
			  const struct pipes *pipes, struct err *err)
{
	live->sensor = sensor ? fork() : 0;
	if (live->sensor < 0)
		return err_sys(err, "fork");
	if (sensor && live->sensor == 0)
		become_sensor(sensor, pipes->counts[1], pipes->said[1]);
	live->formula = fork();
	if (live->formula < 0)
		return err_sys(err, "fork");
	if (live->formula == 0)
		become_formula(cli, config, sensor ? pipes->counts[0] : -1,
			       pipes->reports[1], pipes->said[1]);
	return 0;
}

/* Takes an end out of the pipes, to be kept; it never waits. */
static int keep_take(int *fd)
{
	int kept = *fd;

	*fd = -1;
	(void)fcntl(kept, F_SETFL, O_NONBLOCK);
	return kept;
}

struct live *live_open(struct cli *cli, const struct formula_config *config,
		       char **sensor, struct err *err)
{
	struct live *live = xcalloc(1, sizeof(*live));
	struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int failed;

	live->reports = live->said = -1;
	live->last = xstrdup("");
	lines_init(&live->lines, SOURCE_DOCUMENT_MAX);
	lines_init(&live->words, ERR_TEXT_MAX);
	(void)fflush(NULL); /* or both would write it */
	failed = pipes_open(&pipes, err);
	if (!failed)
		failed = children_start(live, cli, config, sensor, &pipes, err);
	if (!failed) {
		live->reports = keep_take(&pipes.reports[0]);
		live->said = keep_take(&pipes.said[0]);
	}
	pipes_close(&pipes);
	if (failed) {
		live_close(live);
		return NULL;
	}
	return live;
}

/* ---- ending them -------------------------------------------------------------- */

static bool has_ended(pid_t child, int *status)
{
	pid_t ended;

	do
		ended = waitpid(child, status, WNOHANG);
	while (ended < 0 && errno == EINTR);
	return ended != 0;
}

/* Its status, as a shell would say it. */
static int child_end(pid_t child)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	int status = 0;

	if (child <= 0)
		return 0;
	for (int64_t waited = 0; !has_ended(child, &status);
	     waited += STEP_NS) {
		if (waited == PATIENCE_NS)
			kill(child, SIGKILL);
		nanosleep(&step, NULL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void ask_to_end(pid_t child)
{
	if (child > 0)
		kill(child, SIGTERM);
}

void live_close(struct live *live)
{
	if (!live)
		return;
	ask_to_end(live->sensor);
	ask_to_end(live->formula);
	/* Who is in the middle of a write learns that nobody reads. */
	if (live->reports >= 0)
		close(live->reports);
	child_end(live->formula);
	child_end(live->sensor);
	if (live->said >= 0)
		close(live->said);
	lines_done(&live->lines);
	lines_done(&live->words);
	free(live->last);
	free(live);
}

/* ---- reading ------------------------------------------------------------------ */

int live_fd(const struct live *live)
{
	return live->reports;
}

int live_said_fd(const struct live *live)
{
	return live->said;
}

/* Bytes that are there now; 0: none, -1: it ended (the descriptor is closed). */
static int take(int *fd, struct lines *lines)
{
	char piece[65536];
	ssize_t n;

	if (*fd < 0)
		return -1;
	do
		n = read(*fd, piece, sizeof(piece));
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		lines_put(lines, piece, (size_t)n);
		return 1;
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	close(*fd);
	*fd = -1;
	return -1;
}

const char *live_said(struct live *live)
{
	const char *line;
	size_t length;
	int got;

	while (take(&live->said, &live->words) > 0)
		;
	while ((got = lines_next(&live->words, &line, &length)) != 0) {
		if (got < 0)
			continue;
		free(live->last);
		live->last = xstrndup(line, length);
	}
	return live->last;
}

/* The reports ended: in peace, or why. */
static int ended(struct live *live, struct err *err)
{
	int status = child_end(live->formula);

	live->formula = 0;
	if (status == 0)
		return 0;
	live_said(live);
	if (*live->last)
		return err_set(err, EIO, "%s", live->last);
	return err_set(err, EIO, "the child that reads ended with status %d",
		       status);
}

int live_next(struct live *live, struct doc **doc, struct err *err)
{
	const char *line;
	size_t length;
	int got;

	while ((got = lines_next(&live->lines, &line, &length)) == 0) {
		bool was_open = live->reports >= 0;

		got = take(&live->reports, &live->lines);
		if (got == 0)
			return 0;
		if (got < 0)
			return was_open ? ended(live, err) : 0;
	}
	if (got < 0)
		return err_set(err, EFBIG, "a report longer than %zu bytes",
			       SOURCE_DOCUMENT_MAX);
	*doc = doc_parse(line, length, err);
	return *doc ? 1 : -1;
}
