/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_sensor -- the least that a sensor must do: wake up at absolute times,
 * read what there is to read for each cgroup, throw it away.
 *
 *	floor_sensor timer|perf|tally PERIOD_US [EVENTS FOLDER…]
 *
 * `timer` reads nothing.  Prints ticks, missed periods and the worst lateness
 * in µs at SIGTERM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/engine_sites.h"
#include "sensor/tally.h"

static const char *const events[] = {
	"PERF_COUNT_SW_TASK_CLOCK",
	"PERF_COUNT_SW_PAGE_FAULTS",
	"PERF_COUNT_SW_CONTEXT_SWITCHES",
};

static volatile sig_atomic_t over;
static volatile uint64_t waste;

static struct event_group group = { .name = "core" };
static int *file;
static size_t files;
static struct tally *tally;
static size_t slots;

static void stop(int signal)
{
	(void)signal;
	over = 1;
}

static void fail(const struct err *err)
{
	fprintf(stderr, "floor_sensor: %s\n", err->text);
	exit(1);
}

/* ---- what is read ---------------------------------------------------------- */

static const struct site_plan *plan_sites(void)
{
	struct err err = { 0 };
	struct engine_sites *sites = engine_sites_new(&group, 1, "/proc");
	const struct site_plan *plan = engine_sites_plan(sites, &err);

	if (!plan)
		fail(&err);
	return plan;
}

static void open_perf(char **folder, size_t count)
{
	const struct site_plan *plan = plan_sites();
	struct err err = { 0 };

	file = xcalloc(count * plan->sites, sizeof(*file));
	for (size_t i = 0; i < count * plan->sites; i++) {
		const struct site *site = &plan->site[i % plan->sites];
		struct counter_request request = {
			.event = site->here.event,
			.events = site->here.events,
			.pid = -1,
			.cpu = site->cpu,
			.cgroup = folder[i / plan->sites],
		};
		struct counter *counter = counter_open(&request, &err);

		if (!counter)
			fail(&err);
		file[files++] = counter_fd(counter, 0);
	}
}

static void open_tally(char **folder, size_t count)
{
	struct err err = { 0 };

	tally = tally_open(&group, 1, plan_sites(), &err);
	if (!tally)
		fail(&err);
	for (size_t i = 0; i < count; i++)
		if (tally_add_cgroup(tally, folder[i], &err) < 0)
			fail(&err);
	slots = count;
}

static void read_all(void)
{
	size_t cpus = tally ? tally_cpus(tally) : 0;
	uint64_t word[16], sum = 0;

	for (size_t i = 0; i < files; i++)
		if (read(file[i], word, sizeof(word)) > 0)
			sum += word[3];
	for (size_t i = 1; i <= slots; i++)
		for (size_t cpu = 0; cpu < cpus; cpu++) {
			const uint64_t *at = tally_words(tally, (int)i, cpu);

			for (size_t j = 0; j <= group.events; j++)
				sum += at[j];
		}
	waste = sum;
}

/* ---- when ------------------------------------------------------------------ */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void loop(int64_t period_ns)
{
	int64_t due_ns = now_ns() + period_ns, worst_ns = 0;
	long ticks = 0, missed = 0;

	while (!over) {
		struct timespec due = { due_ns / 1000000000,
					due_ns % 1000000000 };
		int64_t late_ns;

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		late_ns = now_ns() - due_ns;
		if (late_ns > worst_ns)
			worst_ns = late_ns;
		missed += late_ns / period_ns;
		due_ns += late_ns / period_ns * period_ns;
		read_all();
		ticks++;
		due_ns += period_ns;
	}
	printf("%ld ticks %ld missed %.0f worst\n", ticks, missed,
	       1e-3 * (double)worst_ns);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc < 3)
		return 64;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGTERM, stop);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (int i = 0; argc > 3 && i < (int)strtol(argv[3], NULL, 10); i++)
		event_group_add(&group, events[i], NULL);
	if (!strcmp(argv[1], "perf"))
		open_perf(argv + 4, (size_t)argc - 4);
	if (!strcmp(argv[1], "tally"))
		open_tally(argv + 4, (size_t)argc - 4);
	loop(1000 * strtol(argv[2], NULL, 10));
	return 0;
}
