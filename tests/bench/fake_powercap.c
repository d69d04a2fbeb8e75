/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_powercap -- RAPL counters with a known truth.
 *
 *	fake_powercap [-i IDLE_W] [-c CORE_W] [-d DRAM_W] [-t TRUTH] PID…
 *
 * Advances energy_uj under /sys/class/powercap, where
 * tests/e2e/powercap_tree.sh has put a tree of plain files, a thousand times a
 * second:
 *
 *	package = IDLE_W × time + CORE_W × busy CPU seconds
 *	core    =                 CORE_W × busy CPU seconds
 *	dram    = DRAM_W × time
 *
 * each wrapping at its max_energy_range_uj.  Every 10 ms a line goes to TRUTH:
 * Unix time in ms, machine J, idle J, and of each process its CPU clock ×
 * CORE_W.  SIGTERM ends it with the last of them on stdout.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "sensor/cputime.h"

#define PERIOD_NS   1000000
#define PIDS_MAX    64
#define TRUTH_EVERY 10
#define PATH_SIZE   512

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	stop = signal;
}

struct zone {
	int fd;
	uint64_t range;
};

struct fake {
	double idle_w, core_w, dram_w;
	const char *root;
	FILE *truth;
	struct zone package, core, dram;
	pid_t pid[PIDS_MAX];
	double pid_start_s[PIDS_MAX], pid_s[PIDS_MAX];
	int pids;
	int64_t start_ns;
	double start_busy_s;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct zone zone_open(const char *root, const char *name)
{
	char path[PATH_SIZE], text[32];
	struct zone zone;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/max_energy_range_uj", root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	zone.range = strtoull(text, NULL, 10);
	snprintf(path, sizeof(path), "%s/%s/energy_uj", root, name);
	zone.fd = open(path, O_WRONLY | O_CLOEXEC);
	if (zone.fd < 0 || !zone.range)
		fail(path);
	return zone;
}

/* One write of a fixed width, in place: a reader never sees half of it. */
static void zone_put(const struct zone *zone, double joules)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%020" PRIu64 "\n",
			      (uint64_t)(1e6 * joules) % zone->range);

	/* libpowercap takes a leading 0 for octal. */
	for (int i = 0; i < 19 && text[i] == '0'; i++)
		text[i] = ' ';
	if (pwrite(zone->fd, text, (size_t)length, 0) != length)
		fail("energy_uj");
}

static double process_s(pid_t pid)
{
	struct timespec now;
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) || clock_gettime(id, &now))
		return -1;
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void truth_put(struct fake *fake, FILE *out, double machine, double idle)
{
	fprintf(out, "%lld %.6f %.6f", (long long)clock_wall_ms(clock_real()),
		machine, idle);
	for (int i = 0; i < fake->pids; i++) {
		double now = process_s(fake->pid[i]);

		if (now >= 0)
			fake->pid_s[i] = now - fake->pid_start_s[i];
		fprintf(out, " %.6f", fake->core_w * fake->pid_s[i]);
	}
	fputc('\n', out);
}

static void step(struct fake *fake, struct cputime *cputime, uint64_t number)
{
	struct cputime_reading reading;
	double seconds, busy_s, idle;

	if (cputime_read(cputime, &reading, NULL) < 0)
		fail("cputime");
	if (!number) {
		fake->start_ns = reading.ns;
		fake->start_busy_s = reading.busy_s;
	}
	seconds = 1e-9 * (double)(reading.ns - fake->start_ns);
	busy_s = reading.busy_s - fake->start_busy_s;
	zone_put(&fake->package,
		 fake->idle_w * seconds + fake->core_w * busy_s);
	zone_put(&fake->core, fake->core_w * busy_s);
	zone_put(&fake->dram, fake->dram_w * seconds);
	idle = (fake->idle_w + fake->dram_w) * seconds;
	if (fake->truth && number % TRUTH_EVERY == 0)
		truth_put(fake, fake->truth, idle + fake->core_w * busy_s,
			  idle);
	if (stop)
		truth_put(fake, stdout, idle + fake->core_w * busy_s, idle);
}

static void options_read(struct fake *fake, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "i:c:d:t:")) != -1) {
		if (option == 'i')
			fake->idle_w = strtod(optarg, NULL);
		else if (option == 'c')
			fake->core_w = strtod(optarg, NULL);
		else if (option == 'd')
			fake->dram_w = strtod(optarg, NULL);
		else if (option == 't')
			fake->truth = fopen(optarg, "we");
		else
			exit(64);
		if (option == 't' && !fake->truth)
			fail(optarg);
	}
	for (; optind < argc && fake->pids < PIDS_MAX; optind++) {
		pid_t pid = (pid_t)strtol(argv[optind], NULL, 10);

		fake->pid_start_s[fake->pids] = process_s(pid);
		if (fake->pid_start_s[fake->pids] < 0)
			fail(argv[optind]);
		fake->pid[fake->pids++] = pid;
	}
}

int main(int argc, char **argv)
{
	struct fake fake = { .idle_w = 10,
			     .core_w = 20,
			     .dram_w = 3,
			     .root = "/sys/class/powercap/intel-rapl" };
	struct cputime *cputime = cputime_open(NULL, NULL);
	struct clock *clock = clock_real();
	int64_t due = clock_now_ns(clock);

	options_read(&fake, argc, argv);
	if (!cputime)
		fail("cputime");
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	fake.package = zone_open(fake.root, "intel-rapl:0");
	fake.core = zone_open(fake.root, "intel-rapl:0/intel-rapl:0:0");
	fake.dram = zone_open(fake.root, "intel-rapl:0/intel-rapl:0:1");
	for (uint64_t number = 0; !stop; number++) {
		step(&fake, cputime, number);
		due += PERIOD_NS;
		if (due < clock_now_ns(clock))
			due = clock_now_ns(clock);
		clock_sleep_until_ns(clock, due);
	}
	step(&fake, cputime, 1);
	cputime_close(cputime);
	return fake.truth && fclose(fake.truth) ? 1 : 0;
}
