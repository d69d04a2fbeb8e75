/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t real_now_ns(struct clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_MONOTONIC);
}

static int64_t real_wall_ms(struct clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

static int real_sleep_until_ns(struct clock *clock, int64_t due_ns)
{
	struct timespec due = { .tv_sec = due_ns / NS_PER_S,
				.tv_nsec = due_ns % NS_PER_S };

	(void)clock;
	if (due_ns <= 0)
		return 0;
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ? -1
									   : 0;
}

static int64_t real_asleep_ns(struct clock *clock)
{
	int64_t monotonic_ns = read_ns(CLOCK_MONOTONIC);

	(void)clock;
	return read_ns(CLOCK_BOOTTIME) - monotonic_ns;
}

struct clock *clock_real(void)
{
	static struct clock clock = { real_now_ns, real_wall_ms,
				      real_sleep_until_ns, real_asleep_ns };

	return &clock;
}

int64_t clock_now_ns(struct clock *clock)
{
	return clock->now_ns(clock);
}

int64_t clock_wall_ms(struct clock *clock)
{
	return clock->wall_ms(clock);
}

int clock_sleep_until_ns(struct clock *clock, int64_t due_ns)
{
	return clock->sleep_until_ns(clock, due_ns);
}

int64_t clock_asleep_ns(struct clock *clock)
{
	return clock->asleep_ns ? clock->asleep_ns(clock) : 0;
}

void clock_boot_id(char out[static CLOCK_BOOT_MAX])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	out[0] = '\0';
	if (!file)
		return;
	if (!fgets(out, CLOCK_BOOT_MAX, file))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

int64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* `clock` is the first member, so that both have one address. */
static struct clock_virtual *virtual_of(struct clock *clock)
{
	return (struct clock_virtual *)clock;
}

static int64_t virtual_now_ns(struct clock *clock)
{
	return virtual_of(clock)->ns;
}

static int64_t virtual_wall_ms(struct clock *clock)
{
	struct clock_virtual *self = virtual_of(clock);

	return self->wall_start_ms + (self->ns + self->slept_ns) / NS_PER_MS;
}

static int virtual_sleep_until_ns(struct clock *clock, int64_t due_ns)
{
	struct clock_virtual *self = virtual_of(clock);

	if (due_ns > self->ns)
		self->ns = due_ns;
	return 0;
}

static int64_t virtual_asleep_ns(struct clock *clock)
{
	return virtual_of(clock)->slept_ns;
}

void clock_virtual_init(struct clock_virtual *clock, int64_t wall_start_ms)
{
	*clock = (struct clock_virtual){
		.clock = { virtual_now_ns, virtual_wall_ms,
			   virtual_sleep_until_ns, virtual_asleep_ns },
		.wall_start_ms = wall_start_ms,
	};
}

void clock_virtual_set_ns(struct clock_virtual *clock, int64_t ns)
{
	clock->ns = ns;
}
