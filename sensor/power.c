/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/power.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"
#include "sensor/privilege.h"

struct rail {
	double watts, joules, variance, step_w;
	int64_t at_ns;
	bool started, gone;
};

struct power {
	struct rail *rail;
	double *watts; /* of one poll */
	size_t count;
	int64_t period_ns;
	power_poll_fn poll;
	void *self;
	struct clock *clock;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	pthread_t thread;
	bool threaded, stopping;
};

double power_trapezoid(double a_watts, double b_watts, double seconds,
		       double step_w, double *variance)
{
	double jump = (b_watts - a_watts) * seconds;
	double step = step_w * seconds;

	*variance += (jump * jump + step * step) / 12;
	return 0.5 * (a_watts + b_watts) * seconds;
}

static void rail_add(struct rail *rail, double watts, int64_t at_ns)
{
	if (isnan(watts) || rail->gone)
		return;
	if (isinf(watts)) {
		rail->gone = true;
		return;
	}
	if (watts > POWER_MAX_W)
		return;
	watts = fmax(0, watts);
	if (rail->started)
		rail->joules +=
			power_trapezoid(rail->watts, watts,
					1e-9 * (double)(at_ns - rail->at_ns),
					rail->step_w, &rail->variance);
	rail->watts = watts;
	rail->at_ns = at_ns;
	rail->started = true;
}

/* The middle of the polling is its time: a bus of slow sensors takes
 * milliseconds. */
static void poll_once(struct power *power)
{
	int64_t begin_ns = clock_now_ns(power->clock);
	int64_t at_ns;

	power->poll(power->self, power->watts);
	at_ns = begin_ns + (clock_now_ns(power->clock) - begin_ns) / 2;
	for (size_t i = 0; i < power->count; i++)
		rail_add(&power->rail[i], power->watts[i], at_ns);
}

static struct timespec time_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / 1000000000,
				  .tv_nsec = ns % 1000000000 };
}

static void *poll_always(void *arg)
{
	struct power *power = arg;
	int64_t due_ns = clock_now_ns(power->clock);

	/* It has all that it needs, and a drop is each thread's own. */
	privilege_drop(NULL);
	pthread_mutex_lock(&power->lock);
	while (!power->stopping) {
		struct timespec due;

		due_ns += power->period_ns;
		due = time_of(due_ns);
		while (!power->stopping &&
		       pthread_cond_timedwait(&power->stop, &power->lock,
					      &due) == 0)
			;
		if (!power->stopping)
			poll_once(power);
		if (clock_now_ns(power->clock) > due_ns + power->period_ns)
			due_ns = clock_now_ns(power->clock);
	}
	pthread_mutex_unlock(&power->lock);
	return NULL;
}

/* Signals are the main thread's.  Without a thread it is polled when read. */
static void thread_start(struct power *power)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	power->threaded =
		pthread_create(&power->thread, NULL, poll_always, power) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct power *power_start(size_t count, double period_s, power_poll_fn poll,
			  void *self, const double *step_w, struct clock *clock)
{
	struct power *power = xcalloc(1, sizeof(*power));
	pthread_condattr_t attributes;

	power->rail = xcalloc(count + 1, sizeof(*power->rail));
	power->watts = xcalloc(count + 1, sizeof(*power->watts));
	power->count = count;
	power->period_ns = (int64_t)(1e9 * period_s);
	power->poll = poll;
	power->self = self;
	power->clock = clock;
	for (size_t i = 0; step_w && i < count; i++)
		power->rail[i].step_w = step_w[i];
	pthread_mutex_init(&power->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&power->stop, &attributes);
	pthread_condattr_destroy(&attributes);
	poll_once(power);
	if (clock == clock_real())
		thread_start(power);
	return power;
}

void power_read(struct power *power, double *joules, double *variance)
{
	pthread_mutex_lock(&power->lock);
	poll_once(power);
	for (size_t i = 0; i < power->count; i++) {
		const struct rail *rail = &power->rail[i];

		joules[i] = rail->gone ? (double)NAN : rail->joules;
		variance[i] = rail->variance;
	}
	pthread_mutex_unlock(&power->lock);
}

void power_stop(struct power *power)
{
	if (!power)
		return;
	if (power->threaded) {
		pthread_mutex_lock(&power->lock);
		power->stopping = true;
		pthread_cond_signal(&power->stop);
		pthread_mutex_unlock(&power->lock);
		pthread_join(power->thread, NULL);
	}
	pthread_cond_destroy(&power->stop);
	pthread_mutex_destroy(&power->lock);
	free(power->watts);
	free(power->rail);
	free(power);
}
