/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * burn -- a process that keeps a CPU busy for a share of the time.
 *
 *	burn DUTY [SECONDS]      burn 0.4: 8 ms of every 20 ms, until killed
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"

#define PERIOD_NS 20000000

int main(int argc, char **argv)
{
	struct clock *clock = clock_real();
	int64_t start = clock_now_ns(clock), end = INT64_MAX;
	volatile double x = 1;
	double duty;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: burn DUTY [SECONDS]\n");
		return 64;
	}
	duty = strtod(argv[1], NULL);
	if (argc == 3)
		end = start + (int64_t)(1e9 * strtod(argv[2], NULL));
	for (int64_t at = start; at < end; at += PERIOD_NS) {
		while (clock_now_ns(clock) < at + (int64_t)(duty * PERIOD_NS))
			for (int i = 0; i < 1000; i++)
				x = x * 1.000001 + 1e-9;
		if (duty < 1)
			clock_sleep_until_ns(clock, at + PERIOD_NS);
	}
	return 0;
}
