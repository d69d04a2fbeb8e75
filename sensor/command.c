/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- waiting --------------------------------------------------------------- */

bool command_ended(struct command *command)
{
	siginfo_t info = { 0 };

	if (!command->ended && waitid(P_PID, (id_t)command->pid, &info,
				      WEXITED | WNOHANG | WNOWAIT) == 0)
		command->ended = info.si_pid == command->pid;
	return command->ended;
}

/* What a person sends to us (si_code <= 0) is meant for the child as well;
 * what the terminal sends, the kernel gave to both. */
static void take_signal(struct command *command)
{
	struct signalfd_siginfo info;

	if (read(command->signal_fd, &info, sizeof(info)) != sizeof(info) ||
	    info.ssi_signo == SIGCHLD || info.ssi_code > 0)
		return;
	kill(command->pid, (int)info.ssi_signo);
}

static int sleep_until(struct clock *clock, int64_t due_ns)
{
	struct command *command = (struct command *)clock;
	struct pollfd fd = { command->signal_fd, POLLIN, 0 };

	while (!command_ended(command)) {
		int64_t left_ns = due_ns - clock_now_ns(clock);
		struct timespec left;

		if (left_ns <= 0)
			return 0;
		left.tv_sec = left_ns / 1000000000;
		left.tv_nsec = left_ns % 1000000000;
		if (ppoll(&fd, 1, &left, NULL) > 0)
			take_signal(command);
	}
	return -1;
}

static int64_t now_ns(struct clock *clock)
{
	(void)clock;
	return clock_now_ns(clock_real());
}

static int64_t wall_ms(struct clock *clock)
{
	(void)clock;
	return clock_wall_ms(clock_real());
}

/* ---- the child ------------------------------------------------------------- */

static _Noreturn void be_child(const struct command *command, int go_fd,
			       int failed_fd, char **argv)
{
	char go;
	ssize_t got;
	int code;

	/* The read below ends without a byte when the sensor dies first. */
	close(command->go_fd);
	sigprocmask(SIG_SETMASK, &command->mask_before, NULL);
	do {
		got = read(go_fd, &go, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(0);
	execvp(argv[0], argv);
	code = errno;
	if (write(failed_fd, &code, sizeof(code)) != sizeof(code))
		_exit(COMMAND_NOT_RUNNABLE);
	_exit(COMMAND_NOT_FOUND);
}

static int take_signals(struct command *command, struct err *err)
{
	static const int forwarded[] = { SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
					 SIGUSR1, SIGUSR2, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &command->mask_before);
	command->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (command->signal_fd < 0)
		return err_sys(err, "signalfd");
	return 0;
}

int command_fork(struct command *command, char **argv, struct err *err)
{
	int go[2] = { -1, -1 }, failed[2] = { -1, -1 };

	*command = (struct command){
		.clock = { now_ns, wall_ms, sleep_until, NULL },
		.go_fd = -1,
		.failed_fd = -1,
		.signal_fd = -1,
	};
	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0) {
		err_sys(err, "pipe");
		goto fail;
	}
	if (take_signals(command, err) < 0)
		goto fail;
	command->go_fd = go[1];
	command->pid = fork();
	if (command->pid < 0) {
		err_sys(err, "fork");
		goto fail;
	}
	if (command->pid == 0)
		be_child(command, go[0], failed[1], argv);
	command->failed_fd = failed[0];
	close(go[0]);
	close(failed[1]);
	return 0;
fail:
	command->go_fd = -1;
	for (int i = 0; i < 2; i++) {
		close_fd(&go[i]);
		close_fd(&failed[i]);
	}
	command_done(command);
	return -1;
}

int command_release(struct command *command, struct err *err)
{
	ssize_t got;
	int code;

	if (write(command->go_fd, "", 1) != 1)
		return err_sys(err, "start the command");
	close_fd(&command->go_fd);
	do {
		got = read(command->failed_fd, &code, sizeof(code));
	} while (got < 0 && errno == EINTR);
	close_fd(&command->failed_fd);
	if (got != sizeof(code))
		return 0; /* closed by a successful exec */
	command_reap(command);
	command->status =
		code == ENOENT ? COMMAND_NOT_FOUND : COMMAND_NOT_RUNNABLE;
	errno = code;
	return err_sys(err, "cannot run");
}

void command_reap(struct command *command)
{
	int status = 0;

	close_fd(&command->go_fd);
	if (command->pid <= 0)
		return;
	while (!command_ended(command))
		sleep_until(&command->clock, now_ns(NULL) + 1000000000);
	while (wait4(command->pid, &status, 0, &command->usage) < 0 &&
	       errno == EINTR)
		;
	command->pid = 0;
	command->ended = true;
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					      : WEXITSTATUS(status);
}

void command_done(struct command *command)
{
	close_fd(&command->go_fd);
	close_fd(&command->failed_fd);
	if (command->signal_fd >= 0)
		sigprocmask(SIG_SETMASK, &command->mask_before, NULL);
	close_fd(&command->signal_fd);
}
