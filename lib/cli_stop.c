/* SPDX-License-Identifier: BSD-3-Clause */
/* Stopping: what finite work asks between its parts. */
#include "lib/cli.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

/* timeout(1) and some supervisors signal a process and then its whole group:
 * the same stop, told twice within moments. */
#define REPEAT_S 0.5

static volatile sig_atomic_t stop_signal;
static struct timespec stop_time;

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) +
	       1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

/* Both signals are blocked while this runs. */
static void stop_note(int number)
{
	int kept = errno;

	if (!stop_signal) {
		clock_gettime(CLOCK_MONOTONIC, &stop_time);
		stop_signal = number;
	} else if (seconds_since(&stop_time) > REPEAT_S) {
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = kept;
}

/* No SA_RESTART: whoever waits is woken.  On the stack that a thread has set
 * aside for signals, if any: kernels of oneDNN point the stack's register at
 * their own data (bench/mat_onednn.c). */
static void stop_install(void)
{
	struct sigaction action = { .sa_handler = stop_note,
				    .sa_flags = SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int cli_stop_signal(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, stop_install);
	return stop_signal;
}

/* Signals are let in only while it waits: one that came just before is seen by
 * the question, one that comes just after by ppoll(). */
int cli_stop_wait(int fd)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	sigset_t stops, before;
	int got = -1;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stops, &before);
	while (!stop_signal && (got = ppoll(&poll, 1, NULL, &before)) < 0 &&
	       errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return stop_signal && got < 0 ? -1 : 0;
}

int cli_stop_status(void)
{
	return stop_signal ? 128 + stop_signal : 0;
}
