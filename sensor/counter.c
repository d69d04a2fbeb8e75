/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/mem.h"

struct counter {
	size_t events;
	/* One read for all, or (where the kernel refuses to combine it with
	 * inheritance) one for each. */
	bool grouped;
	pid_t pid;
	int cpu;
	int fd[];
};

#define READ_TIMES \
	(PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING)

static int open_syscall(struct perf_event_attr *attr, pid_t pid, int cpu,
			int group_fd, unsigned long flags)
{
	return (int)syscall(SYS_perf_event_open, attr, pid, cpu, group_fd,
			    flags);
}

int (*counter_open_fn)(struct perf_event_attr *attr, pid_t pid, int cpu,
		       int group_fd, unsigned long flags) = open_syscall;

/* ---- opening --------------------------------------------------------------- */

/* The kernel's clocks are counted from outside, whatever is excluded; with the
 * bit set, they are permitted where perf_event_paranoid is 2. */
static bool is_clock(const struct event *event)
{
	return event->type == PERF_TYPE_SOFTWARE &&
	       (event->config == PERF_COUNT_SW_CPU_CLOCK ||
		event->config == PERF_COUNT_SW_TASK_CLOCK);
}

static void fill_attr(struct perf_event_attr *attr, const struct event *event,
		      const struct counter_request *request, bool leader,
		      bool grouped)
{
	*attr = (struct perf_event_attr){
		.size = sizeof(*attr),
		.type = event->type,
		.config = event->config,
		.config1 = event->config1,
		.config2 = event->config2,
		.exclude_user = event->exclude_user,
		.exclude_kernel = event->exclude_kernel || is_clock(event),
		.exclude_hv = event->exclude_hv,
		.exclude_guest = event->exclude_guest,
		.precise_ip = event->precise,
		.read_format = READ_TIMES | (grouped ? PERF_FORMAT_GROUP : 0),
	};
	attr->inherit =
		(request->flags & (COUNTER_THREADS | COUNTER_CHILDREN)) != 0;
	attr->inherit_thread = (request->flags & COUNTER_THREADS) &&
			       !(request->flags & COUNTER_CHILDREN);
	/* Members follow their leader. */
	if (leader || !grouped) {
		attr->disabled = 1;
		attr->enable_on_exec = (request->flags & COUNTER_ON_EXEC) != 0;
	}
}

static const char *whose(const struct counter_request *request, char *out,
			 size_t size)
{
	if (request->cgroup)
		snprintf(out, size, " of cgroup %.200s on CPU %d",
			 request->cgroup, request->cpu);
	else if (request->pid == 0)
		out[0] = '\0';
	else if (request->pid > 0)
		snprintf(out, size, " of process %d", (int)request->pid);
	else
		snprintf(out, size, " on CPU %d", request->cpu);
	return out;
}

static int explain_open(const struct event *event,
			const struct counter_request *request, struct err *err)
{
	int code = errno;
	char who[256];

	whose(request, who, sizeof(who));
	switch (code) {
	case EACCES:
	case EPERM:
		err_set(err, code, "count %s%s: not permitted", event->name,
			who);
		return err_remedy(err,
				  "sudo sysctl kernel.perf_event_paranoid"
				  "=%d, or sudo setcap cap_perfmon=ep on "
				  "this program",
				  request->pid >= 0 ? 1 : 0);
	case ENOENT:
	case EOPNOTSUPP:
	case ENXIO:
		return err_set(err, code,
			       "count %s%s: this machine's hardware or kernel "
			       "does not count it",
			       event->name, who);
	case ENODEV:
		return err_set(err, code,
			       "count %s%s: no such PMU, or the "
			       "CPU is offline",
			       event->name, who);
	case ESRCH:
		return err_set(err, code, "count %s%s: no such process",
			       event->name, who);
	case EINVAL:
		if (request->pid < 0)
			return err_set(err, code,
				       "count %s%s: the kernel refuses it, by "
				       "itself or in this group",
				       event->name, who);
		return err_sys(err, "count %s%s", event->name, who);
	case EMFILE:
		err_set(err, code, "count %s%s: too many open files",
			event->name, who);
		return err_remedy(err, "ulimit -n 65536");
	default:
		return err_sys(err, "count %s%s", event->name, who);
	}
}

static void close_events(struct counter *counter)
{
	for (size_t i = 0; i < counter->events; i++)
		close(counter->fd[i]);
	counter->events = 0;
}

/* `pid`: a task, or the file of a cgroup's folder. */
static int open_events(struct counter *counter,
		       const struct counter_request *request, pid_t pid,
		       struct err *err)
{
	for (size_t i = 0; i < request->events; i++) {
		struct perf_event_attr attr;
		int lead = counter->grouped && i > 0 ? counter->fd[0] : -1;
		int fd;

		fill_attr(&attr, &request->event[i], request, i == 0,
			  counter->grouped);
		fd = counter_open_fn(
			&attr, pid, request->cpu, lead,
			PERF_FLAG_FD_CLOEXEC |
				(request->cgroup ? PERF_FLAG_PID_CGROUP : 0UL));
		if (fd < 0) {
			explain_open(&request->event[i], request, err);
			close_events(counter);
			return -1;
		}
		counter->fd[counter->events++] = fd;
	}
	return 0;
}

/* A fake's file knows no such request; then it counts already. */
static void start(struct counter *counter,
		  const struct counter_request *request)
{
	if (request->flags & COUNTER_ON_EXEC)
		return;
	for (size_t i = 0; i < counter->events; i++) {
		ioctl(counter->fd[i], PERF_EVENT_IOC_ENABLE, 0);
		if (counter->grouped)
			break;
	}
}

/* What to ask for when the kernel answers EINVAL: reading a group that is
 * inherited came with 4.3 and is warned of in the manual, inheritance by
 * threads only came with 5.13 (before, children are counted too). */
static const struct attempt {
	bool grouped;
	unsigned int add;
} attempts[] = {
	{ true, 0 },
	{ false, 0 },
	{ true, COUNTER_CHILDREN },
	{ false, COUNTER_CHILDREN },
};

static int try_open(struct counter *counter,
		    const struct counter_request *request, pid_t pid,
		    struct err *err)
{
	struct err first = { 0 };

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct counter_request as = *request;
		struct err why = { 0 };

		as.flags |= attempts[i].add;
		counter->grouped = attempts[i].grouped;
		if (open_events(counter, &as, pid, &why) == 0)
			return 0;
		if (i == 0)
			first = why; /* what was wanted, not the makeshift */
		if (why.code != EINVAL || !request->flags)
			break;
	}
	if (err)
		*err = first;
	return -1;
}

/* The counters hold the cgroup; the folder's file is for opening them. */
static int open_target(struct counter *counter,
		       const struct counter_request *request, struct err *err)
{
	int folder, status;

	if (!request->cgroup)
		return try_open(counter, request, request->pid, err);
	folder = open(request->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && (errno == ENOENT || errno == ENODEV))
		return err_set(err, ESRCH, "cgroup %s: no such cgroup",
			       request->cgroup);
	if (folder < 0)
		return err_sys(err, "open cgroup %s", request->cgroup);
	status = try_open(counter, request, folder, err);
	close(folder);
	return status;
}

struct counter *counter_open(const struct counter_request *request,
			     struct err *err)
{
	struct counter *counter;

	if (request->events == 0 || request->events > EVENT_GROUP_MAX) {
		err_set(err, EINVAL, "count %zu events: expected 1 to %d",
			request->events, EVENT_GROUP_MAX);
		return NULL;
	}
	counter = xcalloc(1, sizeof(*counter) +
				     request->events * sizeof(counter->fd[0]));
	counter->pid = request->pid;
	counter->cpu = request->cpu;
	if (open_target(counter, request, err) < 0) {
		free(counter);
		return NULL;
	}
	start(counter, request);
	return counter;
}

size_t counter_events(const struct counter *counter)
{
	return counter->events;
}

int counter_fd(const struct counter *counter, size_t event)
{
	return counter->fd[event];
}

void counter_close(struct counter *counter)
{
	if (!counter)
		return;
	close_events(counter);
	free(counter);
}

bool counter_supported(const struct event *event, struct err *err)
{
	struct counter_request request = {
		.event = event, .events = 1, .pid = 0, .cpu = -1
	};
	struct counter *counter = counter_open(&request, err);

	counter_close(counter);
	return counter != NULL;
}

bool counter_supported_on(const struct event *event, int cpu, struct err *err)
{
	struct counter_request request = {
		.event = event, .events = 1, .pid = -1, .cpu = cpu
	};
	struct counter *counter = counter_open(&request, err);

	counter_close(counter);
	return counter != NULL;
}

/* ---- reading --------------------------------------------------------------- */

static int explain_read(const struct counter *counter, ssize_t got, size_t size,
			struct err *err)
{
	if (got < 0 && errno != ENODEV)
		return err_sys(err, "read counter");
	/* perf tells a group that can never be scheduled again, as on a CPU
	 * that went offline, by the end of the file. */
	if (got <= 0 && counter->cpu >= 0)
		return err_set(err, ENODEV, "read counter: CPU %d went offline",
			       counter->cpu);
	if (got <= 0)
		return err_set(err, ENODEV,
			       "read counter of process %d: the "
			       "kernel gave it up",
			       (int)counter->pid);
	return err_set(err, EIO, "read counter: %zd of %zu bytes", got, size);
}

static int read_words(const struct counter *counter, int fd, uint64_t *word,
		      size_t words, struct err *err)
{
	size_t size = words * sizeof(*word);
	ssize_t got;

	do {
		got = read(fd, word, size);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)size)
		return explain_read(counter, got, size, err);
	return 0;
}

/* { nr, enabled, running, value[nr] } */
static int read_group(const struct counter *counter,
		      struct counter_reading *reading, struct err *err)
{
	uint64_t word[3 + EVENT_GROUP_MAX];

	if (read_words(counter, counter->fd[0], word, 3 + counter->events,
		       err) < 0)
		return -1;
	if (word[0] != counter->events)
		return err_set(err, EIO,
			       "read counter: %llu values instead of %zu",
			       (unsigned long long)word[0], counter->events);
	reading->enabled_ns = word[1];
	reading->running_ns = word[2];
	memcpy(reading->value, word + 3, counter->events * sizeof(*word));
	return 0;
}

/* { value, enabled, running } of each; the times of the least lucky one. */
static int read_each(const struct counter *counter,
		     struct counter_reading *reading, struct err *err)
{
	struct counter_reading result = { 0 };

	for (size_t i = 0; i < counter->events; i++) {
		uint64_t word[3];

		if (read_words(counter, counter->fd[i], word, 3, err) < 0)
			return -1;
		result.value[i] = word[0];
		if (i == 0 || word[2] < result.running_ns) {
			result.enabled_ns = word[1];
			result.running_ns = word[2];
		}
	}
	*reading = result;
	return 0;
}

int counter_read(struct counter *counter, struct counter_reading *reading,
		 struct err *err)
{
	return counter->grouped ? read_group(counter, reading, err)
				: read_each(counter, reading, err);
}

void counter_between(const struct counter *counter,
		     const struct counter_reading *before,
		     const struct counter_reading *after,
		     struct counter_reading *delta)
{
	delta->enabled_ns = after->enabled_ns - before->enabled_ns;
	delta->running_ns = after->running_ns - before->running_ns;
	for (size_t i = 0; i < counter->events; i++)
		delta->value[i] = after->value[i] - before->value[i];
}

double counter_scaled(const struct counter_reading *delta, size_t event)
{
	if (delta->running_ns == 0)
		return delta->enabled_ns == 0 ? 0.0 : (double)NAN;
	return (double)delta->value[event] * (double)delta->enabled_ns /
	       (double)delta->running_ns;
}
