/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command -- a child process that waits to be let go.
 *
 *	struct command command;
 *
 *	command_fork(&command, argv, &err);
 *	attach_counters(command.pid);
 *	if (command_release(&command, &err) < 0)
 *		return command.status;             // 126 or 127
 *	while (!command_ended(&command))
 *		clock_sleep_until_ns(&command.clock, due_ns);
 *	command_reap(&command);
 *	return command.status;
 *
 * Between fork and exec the child stands still, so that whatever counts it can
 * be attached before it does anything.  Signals that somebody sends to us are
 * handed on to it; those of the terminal reach it by themselves.
 */
#ifndef SENSOR_COMMAND_H
#define SENSOR_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/err.h"

#define COMMAND_NOT_RUNNABLE 126
#define COMMAND_NOT_FOUND    127

struct command {
	struct clock clock; /* sleeps until due, or until the child ended */
	pid_t pid;
	int go_fd, failed_fd, signal_fd;
	sigset_t mask_before;
	bool ended;
	/* After command_reap(): as a shell has it (128 + N for a signal), and
	 * what the child and those it waited for used. */
	int status;
	struct rusage usage;
};

int command_fork(struct command *command, char **argv, struct err *err);

/* Calls exec in the child. -1 when that failed; `status` says how. */
int command_release(struct command *command, struct err *err);

bool command_ended(struct command *command);

/* Collects the child's exit status; waits for it.  A child that was never
 * released does nothing and ends. */
void command_reap(struct command *command);

/* Closes what was opened, after reaping. */
void command_done(struct command *command);

#endif
