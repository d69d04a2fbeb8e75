/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * switch_cost -- two processes in two cgroups on one CPU hand a byte to and
 * fro: ns per round trip, that is two context switches.
 *
 *	switch_cost CPU TRIPS FOLDER FOLDER
 *
 * They run before everybody else where that is permitted, and what is printed
 * is the lower quartile of short turns, so that others on the machine matter
 * little.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int enter(const char *folder, int cpu)
{
	cpu_set_t set;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	file = fopen(path, "w");
	if (!file || fprintf(file, "0\n") < 0 || fclose(file) != 0) {
		perror(path);
		return -1;
	}
	sched_setscheduler(0, SCHED_FIFO,
			   &(struct sched_param){ .sched_priority = 1 });
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void pass_on(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		_exit(0);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#define TURN 100

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double lower_quartile(int from, int to, int turns)
{
	double *ns = calloc((size_t)turns, sizeof(*ns)), result;

	for (int i = 0; i < turns; i++) {
		double start_s = now_s();

		for (int j = 0; j < TURN; j++)
			pass_on(from, to);
		ns[i] = 1e9 * (now_s() - start_s) / TURN;
	}
	qsort(ns, (size_t)turns, sizeof(*ns), by_size);
	result = ns[turns / 4];
	free(ns);
	return result;
}

int main(int argc, char **argv)
{
	int there[2], back[2], cpu, turns;

	if (argc != 5 || pipe(there) < 0 || pipe(back) < 0)
		return 64;
	cpu = (int)strtol(argv[1], NULL, 10);
	turns = (int)strtol(argv[2], NULL, 10) / TURN;
	if (fork() == 0) {
		close(there[1]);
		if (enter(argv[4], cpu) < 0)
			return 1;
		for (;;)
			pass_on(there[0], back[1]);
	}
	if (enter(argv[3], cpu) < 0 || write(back[1], "x", 1) != 1)
		return 1;
	lower_quartile(back[0], there[1], turns / 10 + 1);
	printf("%.0f\n", lower_quartile(back[0], there[1], turns + 1));
	close(there[1]);
	wait(NULL);
	return 0;
}
