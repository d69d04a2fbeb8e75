/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin -- N times round a loop of two instructions.
 *
 * The work of which tests/e2e/arm64_counters.sh knows how many instructions it
 * takes: 2 N, and a few thousand for starting.
 */
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

	__asm__ volatile("1: subs %0, %0, #1\n"
			 "   b.ne 1b\n"
			 : "+r"(n)
			 :
			 : "cc");
	return (int)n;
}
