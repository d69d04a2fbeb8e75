/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/cputime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"

/* More is not a file of /proc. */
#define CPUTIME_FILE_MAX ((size_t)32 << 20)
#define CPUTIME_CPUS_MAX 8192
/* /proc/stat is dear to make (it sums every interrupt of every CPU) and counts
 * in steps of 10 ms, so it is not asked more often. */
#define STAT_STALE_NS 10000000
/* 36 years: a larger figure is cut, so that no sum overflows. */
#define FIGURE_NS_MAX ((uint64_t)1 << 60)

enum source { FROM_CPUACCT, FROM_SCHEDSTAT, FROM_STAT };

struct cpu {
	int id;
	bool based;
	int64_t base_ns;
	/* What the source said last, and what /proc/stat said when that last
	 * changed: see schedstat_busy(). */
	int64_t source_ns, ticks_ns, ticks_at_change_ns;
};

struct cputime {
	enum source source;
	int source_fd, stat_fd; /* the same one for FROM_STAT */
	int64_t tick_ns;
	char *buffer;
	size_t capacity;
	struct cpu *cpu;
	int64_t *busy_ns;
	size_t cpus, cpu_capacity, busy_capacity;
	bool started;
	int64_t stat_read_ns;
	double steal_s;
};

/* Columns of a line "cpuN …" of /proc/stat. */
enum {
	STAT_USER,
	STAT_NICE,
	STAT_SYSTEM,
	STAT_IDLE,
	STAT_IOWAIT,
	STAT_IRQ,
	STAT_SOFTIRQ,
	STAT_STEAL,
	STAT_FIGURES
};
/* rq_cpu_time in /proc/schedstat (Documentation/scheduler/sched-stats.rst);
 * in this place since version 12. */
#define SCHEDSTAT_RUN 6

static const char *parse_u64(const char *at, uint64_t *value)
{
	uint64_t sum = 0;

	while (*at == ' ')
		at++;
	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		if (sum < FIGURE_NS_MAX)
			sum = 10 * sum + (uint64_t)(*at - '0');
	*value = sum < FIGURE_NS_MAX ? sum : FIGURE_NS_MAX;
	return at;
}

int cputime_parse_line(const char *line, uint64_t *figure, size_t max,
		       size_t *figures)
{
	uint64_t id;

	if (strncmp(line, "cpu", 3) != 0 || line[3] < '0' || line[3] > '9')
		return -1;
	line = parse_u64(line + 3, &id);
	if (!line || *line != ' ' || id >= CPUTIME_CPUS_MAX)
		return -1;
	for (*figures = 0; *figures < max; ++*figures) {
		line = parse_u64(line, &figure[*figures]);
		if (!line)
			break;
	}
	return (int)id;
}

/* A file of the kernel up to `last` (NULL: the whole), NUL-terminated.  To ask
 * for more behind the end makes the kernel write everything once again. */
static int read_up_to(struct cputime *cputime, int fd, const char *last,
		      struct err *err)
{
	size_t length = 0;

	for (;;) {
		ssize_t got;

		if (length + 2 > CPUTIME_FILE_MAX)
			return err_set(err, EFBIG, "larger than %zu MiB",
				       CPUTIME_FILE_MAX >> 20);
		cputime->buffer = mem_grow(cputime->buffer, &cputime->capacity,
					   length + 4096, 1);
		got = pread(fd, cputime->buffer + length,
			    cputime->capacity - length - 1, (off_t)length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "read");
		if (got == 0)
			break;
		length += (size_t)got;
		cputime->buffer[length] = '\0';
		if (last && strstr(cputime->buffer, last))
			break;
	}
	cputime->buffer[length] = '\0';
	return 0;
}

static struct cpu *cpu_of(struct cputime *cputime, int id)
{
	if ((size_t)id < cputime->cpus && cputime->cpu[id].id == id)
		return &cputime->cpu[id];
	for (size_t i = 0; i < cputime->cpus; i++)
		if (cputime->cpu[i].id == id)
			return &cputime->cpu[i];
	cputime->cpu = mem_grow(cputime->cpu, &cputime->cpu_capacity,
				cputime->cpus + 1, sizeof(*cputime->cpu));
	cputime->busy_ns =
		mem_grow(cputime->busy_ns, &cputime->busy_capacity,
			 cputime->cpus + 1, sizeof(*cputime->busy_ns));
	cputime->cpu[cputime->cpus] = (struct cpu){ .id = id };
	cputime->busy_ns[cputime->cpus] = 0;
	return &cputime->cpu[cputime->cpus++];
}

/* A CPU that comes online later starts at zero, so that sums do not jump. */
static void set_busy(struct cputime *cputime, struct cpu *cpu, int64_t ns)
{
	int64_t *busy_ns = &cputime->busy_ns[cpu - cputime->cpu];

	if (!cpu->based && cputime->started)
		cpu->base_ns = ns;
	cpu->based = true;
	if (ns - cpu->base_ns > *busy_ns)
		*busy_ns = ns - cpu->base_ns;
}

static int64_t ticks_to_ns(const struct cputime *cputime, uint64_t ticks)
{
	uint64_t most = FIGURE_NS_MAX / (uint64_t)cputime->tick_ns;

	return (int64_t)((ticks < most ? ticks : most) *
			 (uint64_t)cputime->tick_ns);
}

static void take_stat_line(struct cputime *cputime, int id,
			   const uint64_t *figure)
{
	struct cpu *cpu;
	int64_t ns = ticks_to_ns(
		cputime, figure[STAT_USER] + figure[STAT_NICE] +
				 figure[STAT_SYSTEM] + figure[STAT_IRQ] +
				 figure[STAT_SOFTIRQ]);

	if (cputime->source == FROM_CPUACCT)
		return;
	cpu = cpu_of(cputime, id);
	if (cpu->ticks_ns == 0)
		cpu->ticks_at_change_ns = ns;
	if (ns > cpu->ticks_ns)
		cpu->ticks_ns = ns;
	if (cputime->source == FROM_STAT)
		set_busy(cputime, cpu, ns);
}

static int read_stat(struct cputime *cputime, struct err *err)
{
	uint64_t figure[CPUTIME_FIGURES_MAX];
	double steal_s = 0.0;
	size_t figures, lines = 0;

	if (read_up_to(cputime, cputime->stat_fd, "\nintr", err) < 0)
		return err_wrap(err, "/proc/stat");
	for (char *line = cputime->buffer; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		int id = cputime_parse_line(line, figure, STAT_FIGURES,
					    &figures);

		if (id < 0 || figures < STAT_FIGURES)
			continue;
		take_stat_line(cputime, id, figure);
		steal_s +=
			1e-9 * (double)ticks_to_ns(cputime, figure[STAT_STEAL]);
		lines++;
	}
	if (lines == 0)
		return err_set(err, EINVAL, "/proc/stat: no line of a CPU");
	if (steal_s > cputime->steal_s)
		cputime->steal_s = steal_s;
	return 0;
}

/* rq_cpu_time grows when a task is switched out.  Between two such moments the
 * one that runs is unknown to it, be it for seconds; then the growth of
 * /proc/stat since the last one is added.  What it misses or adds is put
 * right when rq_cpu_time moves again, so nothing drifts. */
static void schedstat_busy(struct cputime *cputime, struct cpu *cpu,
			   int64_t run_ns)
{
	if (run_ns != cpu->source_ns) {
		cpu->source_ns = run_ns;
		cpu->ticks_at_change_ns = cpu->ticks_ns;
	}
	set_busy(cputime, cpu,
		 run_ns + cpu->ticks_ns - cpu->ticks_at_change_ns);
}

static int read_schedstat(struct cputime *cputime, struct err *err)
{
	uint64_t figure[CPUTIME_FIGURES_MAX];
	size_t figures;

	if (read_up_to(cputime, cputime->source_fd, NULL, err) < 0)
		return err_wrap(err, "/proc/schedstat");
	for (char *line = cputime->buffer; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		int id = cputime_parse_line(line, figure, SCHEDSTAT_RUN + 1,
					    &figures);

		if (id >= 0 && figures > SCHEDSTAT_RUN)
			schedstat_busy(cputime, cpu_of(cputime, id),
				       (int64_t)figure[SCHEDSTAT_RUN]);
	}
	return 0;
}

/* One figure for each possible CPU; one that was never online has used 0. */
static int read_cpuacct(struct cputime *cputime, struct err *err)
{
	const char *at;
	uint64_t ns;

	if (read_up_to(cputime, cputime->source_fd, "\n", err) < 0)
		return err_wrap(err, "cpuacct.usage_percpu");
	at = cputime->buffer;
	for (int id = 0; id < CPUTIME_CPUS_MAX; id++) {
		at = parse_u64(at, &ns);
		if (!at)
			break;
		if (ns > 0)
			set_busy(cputime, cpu_of(cputime, id), (int64_t)ns);
	}
	return 0;
}

static int read_source(struct cputime *cputime, struct err *err)
{
	switch (cputime->source) {
	case FROM_CPUACCT:
		return read_cpuacct(cputime, err);
	case FROM_SCHEDSTAT:
		return read_schedstat(cputime, err);
	case FROM_STAT:
		break;
	}
	return 0;
}

static int read_all(struct cputime *cputime, bool steal,
		    struct cputime_reading *reading, struct err *err)
{
	int64_t ns = clock_now_ns(clock_real());
	double busy_ns = 0.0;

	if (!cputime->started || cputime->source == FROM_STAT ||
	    ((steal || cputime->source == FROM_SCHEDSTAT) &&
	     ns - cputime->stat_read_ns >= STAT_STALE_NS)) {
		if (read_stat(cputime, err) < 0)
			return -1;
		cputime->stat_read_ns = ns;
	}
	if (read_source(cputime, err) < 0)
		return -1;
	cputime->started = true;
	for (size_t i = 0; i < cputime->cpus; i++)
		busy_ns += (double)cputime->busy_ns[i];
	reading->ns = ns;
	reading->busy_s = 1e-9 * busy_ns;
	reading->steal_s = cputime->steal_s;
	reading->cpus = cputime->cpus;
	reading->busy_ns = cputime->busy_ns;
	return 0;
}

int cputime_read(struct cputime *cputime, struct cputime_reading *reading,
		 struct err *err)
{
	return read_all(cputime, true, reading, err);
}

int cputime_read_busy(struct cputime *cputime, struct cputime_reading *reading,
		      struct err *err)
{
	return read_all(cputime, false, reading, err);
}

static int open_file(const char *root, const char *folder, const char *name)
{
	char *path = xasprintf("%s%s%s", root, folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	free(path);
	return fd;
}

/* A container is shown its own cgroup in the place of the root; only the real
 * root has a release_agent. */
static int open_cpuacct(const char *sys)
{
	static const char *const folders[] = {
		"/fs/cgroup/cpuacct",
		"/fs/cgroup/cpu,cpuacct",
		"/fs/cgroup/cpuacct,cpu",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *agent = xasprintf("%s%s/release_agent", sys, folders[i]);
		bool root = access(agent, F_OK) == 0;

		free(agent);
		if (root)
			return open_file(sys, folders[i],
					 "/cpuacct.usage_percpu");
	}
	errno = ENOENT;
	return -1;
}

/* Is there a source that has counted anything since boot? */
static bool try_source(struct cputime *cputime, enum source source, int fd)
{
	if (fd < 0)
		return false;
	cputime->source = source;
	cputime->source_fd = fd;
	if (read_source(cputime, NULL) == 0)
		for (size_t i = 0; i < cputime->cpus; i++)
			if (cputime->busy_ns[i] > 0)
				return true;
	close(fd);
	cputime->source_fd = -1;
	cputime->cpus = 0;
	return false;
}

static void choose_source(struct cputime *cputime, const char *proc,
			  const char *sys)
{
	if (sys && try_source(cputime, FROM_CPUACCT, open_cpuacct(sys)))
		return;
	if (try_source(cputime, FROM_SCHEDSTAT,
		       open_file(proc, "", "/schedstat")))
		return;
	cputime->source = FROM_STAT;
}

struct cputime *cputime_open_at(const char *proc, const char *sys,
				struct err *err)
{
	struct cputime *cputime = xcalloc(1, sizeof(*cputime));
	struct cputime_reading reading;

	cputime->source_fd = -1;
	cputime->tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	cputime->stat_fd = open_file(proc, "", "/stat");
	if (cputime->stat_fd < 0) {
		err_sys(err, "open %s/stat", proc);
		goto fail;
	}
	choose_source(cputime, proc, sys);
	if (cputime_read(cputime, &reading, err) < 0)
		goto fail;
	return cputime;
fail:
	cputime_close(cputime);
	return NULL;
}

struct cputime *cputime_open(const char *proc, struct err *err)
{
	return proc ? cputime_open_at(proc, NULL, err)
		    : cputime_open_at("/proc", "/sys", err);
}

int cputime_cpu(const struct cputime *cputime, size_t position)
{
	return cputime->cpu[position].id;
}

const char *cputime_source_name(const struct cputime *cputime)
{
	static const char *const names[] = { "cpuacct", "schedstat", "stat" };

	return names[cputime->source];
}

double cputime_resolution_s(const struct cputime *cputime)
{
	struct timespec tick;

	/* The coarse clock moves with the scheduler's tick. */
	if (cputime->source == FROM_CPUACCT &&
	    clock_getres(CLOCK_REALTIME_COARSE, &tick) == 0)
		return (double)tick.tv_sec + 1e-9 * (double)tick.tv_nsec;
	return 1e-9 * (double)cputime->tick_ns;
}

void cputime_close(struct cputime *cputime)
{
	if (!cputime)
		return;
	if (cputime->source_fd >= 0)
		close(cputime->source_fd);
	if (cputime->stat_fd >= 0)
		close(cputime->stat_fd);
	free(cputime->buffer);
	free(cputime->cpu);
	free(cputime->busy_ns);
	free(cputime);
}
