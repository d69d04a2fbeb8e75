/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock -- time, real or virtual.
 *
 * Whoever waits or measures durations takes a `struct clock *`, so that a
 * simulation runs hours of federated learning in seconds and a test decides
 * what time it is:
 *
 *	struct clock *clock = clock_real();
 *	int64_t due_ns = clock_now_ns(clock) + interval_ns;
 *
 *	clock_sleep_until_ns(clock, due_ns);
 *
 * Nanoseconds are monotonic and start anywhere; wall time is Unix time in
 * milliseconds.  Real sleeping is absolute (no drift) and returns early only
 * when a signal arrives.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*now_ns)(struct clock *clock);
	int64_t (*wall_ms)(struct clock *clock);
	/* 0 when due, -1 when a signal came first. */
	int (*sleep_until_ns)(struct clock *clock, int64_t due_ns);
	/* NULL: never suspended. */
	int64_t (*asleep_ns)(struct clock *clock);
};

int64_t clock_now_ns(struct clock *clock);
int64_t clock_wall_ms(struct clock *clock);
int clock_sleep_until_ns(struct clock *clock, int64_t due_ns);

/* The machine's clock (CLOCK_MONOTONIC, CLOCK_REALTIME); never freed. */
struct clock *clock_real(void);

/* How long the machine has been suspended since it was started, which is no
 * part of clock_now_ns(): CLOCK_BOOTTIME less CLOCK_MONOTONIC, to within the
 * microsecond between the two readings. */
int64_t clock_asleep_ns(struct clock *clock);

/* The kernel's name for this boot, by which the clocks above are told apart
 * from those of another; "" where it has none. */
#define CLOCK_BOOT_MAX 64
void clock_boot_id(char out[static CLOCK_BOOT_MAX]);

/* CPU time used by the calling thread. */
int64_t clock_thread_cpu_ns(void);

/* A clock that moves only when told to, or slept on. */
struct clock_virtual {
	struct clock clock;
	int64_t ns;
	int64_t wall_start_ms;
	int64_t slept_ns;
};

void clock_virtual_init(struct clock_virtual *clock, int64_t wall_start_ms);
void clock_virtual_set_ns(struct clock_virtual *clock, int64_t ns);

#endif
