/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"

/* A line of /proc/PID/stat: 52 figures of up to 20 digits, and the name. */
#define STAT_LINE_MAX 2048
/* The kernel's own limit of pids (PID_MAX_LIMIT). */
#define PROCESSES_MAX ((size_t)1 << 22)

static int parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long value;

	if (*text < '1' || *text > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || value > (long)PROCESSES_MAX)
		return -1;
	*pid = (pid_t)value;
	return 0;
}

/* Figures behind the name's closing bracket, numbered as in proc(5): the
 * state is the third. */
static int parse_figures(const char *at, struct process *process)
{
	enum { PARENT = 4, UTIME = 14, STIME = 15, START = 22 };
	uint64_t figure[START + 1] = { 0 };

	if (at[0] != ' ' || at[1] == '\0')
		return -1;
	process->state = at[1];
	at += 2;
	for (int i = PARENT; i <= START; i++) {
		char *end;

		if (*at != ' ')
			return -1;
		figure[i] = strtoull(at, &end, 10);
		if (end == at)
			return -1;
		at = end;
	}
	process->parent = (pid_t)figure[PARENT];
	process->cpu_ticks = figure[UTIME] + figure[STIME];
	process->start = figure[START];
	return 0;
}

int process_parse_stat(const char *text, struct process *process)
{
	const char *open = strchr(text, '(');
	/* A name may contain brackets and blanks: the last one closes it. */
	const char *close = strrchr(text, ')');
	struct process result = { 0 };
	size_t length;

	if (!open || !close || close < open)
		return -1;
	result.pid = (pid_t)strtol(text, NULL, 10);
	length = (size_t)(close - open - 1);
	if (result.pid <= 0 || length >= sizeof(result.name))
		return -1;
	memcpy(result.name, open + 1, length);
	if (parse_figures(close + 1, &result) < 0)
		return -1;
	*process = result;
	return 0;
}

int process_read(const char *proc, pid_t pid, struct process *process,
		 struct err *err)
{
	char path[512];
	char line[STAT_LINE_MAX];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/stat", proc, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		return err_set(err, ESRCH, "process %d: no such process",
			       (int)pid);
	if (fd < 0)
		return err_sys(err, "process %d: open %s", (int)pid, path);
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (got <= 0) /* it ended between open and read */
		return err_set(err, ESRCH, "process %d: no such process",
			       (int)pid);
	line[got] = '\0';
	if (process_parse_stat(line, process) < 0)
		return err_set(err, EINVAL, "process %d: %s makes no sense",
			       (int)pid, path);
	return 0;
}

int process_walk(const char *proc,
		 int (*visit)(void *arg, const struct process *process),
		 void *arg, struct err *err)
{
	DIR *folder = opendir(proc);
	struct dirent *entry;

	if (!folder)
		return err_sys(err, "open %s", proc);
	while ((entry = readdir(folder))) {
		struct process process;
		pid_t pid;

		if (parse_pid(entry->d_name, &pid) < 0 ||
		    process_read(proc, pid, &process, NULL) < 0)
			continue;
		if (visit(arg, &process) != 0)
			break;
	}
	closedir(folder);
	return 0;
}

int process_threads(const char *proc, pid_t pid, pid_t **tid, size_t *count,
		    struct err *err)
{
	char path[512];
	size_t capacity = 0, found = 0;
	pid_t *list = NULL;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/%d/task", proc, (int)pid);
	folder = opendir(path);
	if (!folder && (errno == ENOENT || errno == ESRCH))
		return err_set(err, ESRCH, "process %d: no such process",
			       (int)pid);
	if (!folder)
		return err_sys(err, "process %d: open %s", (int)pid, path);
	while (found < PROCESSES_MAX && (entry = readdir(folder))) {
		pid_t thread;

		if (parse_pid(entry->d_name, &thread) < 0)
			continue;
		list = mem_grow(list, &capacity, found + 1, sizeof(*list));
		list[found++] = thread;
	}
	closedir(folder);
	*tid = list;
	*count = found;
	return 0;
}

/* The clock of a process is named by its pid (linux/posix-timers.h):
 * ~pid << 3 | CPUCLOCK_SCHED. */
#define CPUCLOCK_SCHED 2U

int process_cpu_ns(pid_t pid, uint64_t *ns, struct err *err)
{
	clockid_t id = (clockid_t)((~(unsigned int)pid << 3) | CPUCLOCK_SCHED);
	struct timespec time;

	if (clock_gettime(id, &time) < 0) {
		if (errno == EINVAL || errno == ESRCH)
			return err_set(err, ESRCH,
				       "process %d: no such process", (int)pid);
		return err_sys(err, "process %d: its CPU clock", (int)pid);
	}
	*ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	return 0;
}
