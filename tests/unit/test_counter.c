/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/counter.h"

/* ---- a kernel that writes down what it is asked ---------------------------- */

static struct {
	struct perf_event_attr attr[8];
	pid_t pid[8];
	int cpu[8], group[8], fd[8];
	size_t calls;
	/* errno of the n-th call, 0: a memfd */
	int fails[8];
} fake;

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu,
		     int group_fd, unsigned long flags)
{
	size_t call = fake.calls++;

	ck_assert_uint_lt(call, 8);
	ck_assert_uint_eq(flags, PERF_FLAG_FD_CLOEXEC);
	fake.attr[call] = *attr;
	fake.pid[call] = pid;
	fake.cpu[call] = cpu;
	fake.group[call] = group_fd;
	fake.fd[call] = -1;
	if (fake.fails[call]) {
		errno = fake.fails[call];
		return -1;
	}
	fake.fd[call] = memfd_create("counter", MFD_CLOEXEC);
	ck_assert_int_ge(fake.fd[call], 0);
	return fake.fd[call];
}

static void set_reading(int fd, const uint64_t *word, size_t words)
{
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, word, words * sizeof(*word), 0),
			 (ssize_t)(words * sizeof(*word)));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
}

static void pretend(void)
{
	memset(&fake, 0, sizeof(fake));
	counter_open_fn = fake_open;
}

static struct event events[2];

static void make_events(void)
{
	event_init(&events[0], "TASK", PERF_TYPE_SOFTWARE,
		   PERF_COUNT_SW_TASK_CLOCK);
	event_init(&events[1], "INSTRUCTIONS", PERF_TYPE_HARDWARE,
		   PERF_COUNT_HW_INSTRUCTIONS);
	events[1].exclude_hv = true;
}

static struct counter *open_two(pid_t pid, int cpu, unsigned int flags,
				struct err *err)
{
	struct counter_request request = { .event = events,
					   .events = 2,
					   .pid = pid,
					   .cpu = cpu,
					   .flags = flags };

	make_events();
	return counter_open(&request, err);
}

START_TEST(a_group_is_asked_for_as_one)
{
	struct counter *counter;

	pretend();
	counter = open_two(42, -1, COUNTER_CHILDREN | COUNTER_ON_EXEC, NULL);
	ck_assert_ptr_nonnull(counter);
	ck_assert_uint_eq(fake.calls, 2);
	ck_assert_int_eq(fake.pid[0], 42);
	ck_assert_int_eq(fake.cpu[0], -1);
	ck_assert_int_eq(fake.group[0], -1);
	ck_assert_int_eq(fake.group[1], fake.fd[0]);
	ck_assert_uint_eq(fake.attr[0].size, sizeof(fake.attr[0]));
	ck_assert_uint_eq(fake.attr[0].read_format,
			  PERF_FORMAT_TOTAL_TIME_ENABLED |
				  PERF_FORMAT_TOTAL_TIME_RUNNING |
				  PERF_FORMAT_GROUP);
	ck_assert(fake.attr[0].disabled && fake.attr[0].enable_on_exec);
	ck_assert(!fake.attr[1].disabled);
	ck_assert(fake.attr[0].inherit && !fake.attr[0].inherit_thread);
	ck_assert(!fake.attr[0].pinned && !fake.attr[0].exclusive);
	ck_assert_uint_eq(fake.attr[1].type, PERF_TYPE_HARDWARE);
	ck_assert_uint_eq(fake.attr[1].config, PERF_COUNT_HW_INSTRUCTIONS);
	ck_assert(fake.attr[1].exclude_hv);
	counter_close(counter);
}
END_TEST

START_TEST(threads_alone_are_inherited_when_asked_for)
{
	struct counter *counter;

	pretend();
	counter = open_two(42, -1, COUNTER_THREADS, NULL);
	ck_assert(fake.attr[0].inherit && fake.attr[0].inherit_thread);
	counter_close(counter);
}
END_TEST

START_TEST(a_kernel_that_refuses_inherited_groups_is_asked_one_by_one)
{
	static const uint64_t first[] = { 100, 50, 40 };
	static const uint64_t second[] = { 200, 60, 30 };
	struct counter_reading reading;
	struct counter *counter;

	pretend();
	fake.fails[0] = EINVAL;
	counter = open_two(42, -1, COUNTER_CHILDREN, NULL);
	ck_assert_ptr_nonnull(counter);
	ck_assert_uint_eq(fake.calls, 3);
	ck_assert_int_eq(fake.group[2], -1);
	ck_assert_uint_eq(fake.attr[2].read_format & PERF_FORMAT_GROUP, 0);
	set_reading(fake.fd[1], first, 3);
	set_reading(fake.fd[2], second, 3);
	ck_assert_int_eq(counter_read(counter, &reading, NULL), 0);
	ck_assert_uint_eq(reading.value[0], 100);
	ck_assert_uint_eq(reading.value[1], 200);
	ck_assert_uint_eq(reading.enabled_ns, 60);
	ck_assert_uint_eq(reading.running_ns, 30);
	counter_close(counter);
}
END_TEST

START_TEST(a_member_that_fails_leaves_nothing_open)
{
	struct err err = { 0 };

	pretend();
	fake.fails[1] = ENOENT;
	ck_assert_ptr_null(open_two(42, -1, 0, &err));
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "INSTRUCTIONS of process 42"));
	ck_assert_int_eq(fcntl(fake.fd[0], F_GETFD), -1);
}
END_TEST

START_TEST(what_is_not_permitted_comes_with_a_remedy)
{
	struct err err = { 0 };

	pretend();
	fake.fails[0] = EACCES;
	ck_assert_ptr_null(open_two(-1, 3, 0, &err));
	ck_assert_int_eq(err.code, EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "TASK on CPU 3: not permitted"));
	ck_assert_ptr_nonnull(strstr(err.text, "perf_event_paranoid=0"));
	ck_assert_ptr_nonnull(strstr(err.text, "cap_perfmon"));
}
END_TEST

START_TEST(no_events_or_too_many_are_refused)
{
	struct counter_request request = { .event = events,
					   .pid = 1,
					   .cpu = -1 };
	struct err err = { 0 };

	pretend();
	ck_assert_ptr_null(counter_open(&request, &err));
	ck_assert_int_eq(err.code, EINVAL);
	request.events = EVENT_GROUP_MAX + 1;
	ck_assert_ptr_null(counter_open(&request, &err));
	ck_assert_uint_eq(fake.calls, 0);
}
END_TEST

START_TEST(a_reading_is_taken_apart)
{
	static const uint64_t one[] = { 2, 1000, 1000, 11, 22 };
	static const uint64_t two[] = { 2, 3000, 2000, 111, 222 };
	struct counter_reading before, after, delta;
	struct counter *counter;

	pretend();
	counter = open_two(42, -1, 0, NULL);
	set_reading(fake.fd[0], one, 5);
	ck_assert_int_eq(counter_read(counter, &before, NULL), 0);
	set_reading(fake.fd[0], two, 5);
	ck_assert_int_eq(counter_read(counter, &after, NULL), 0);
	counter_between(counter, &before, &after, &delta);
	ck_assert_uint_eq(delta.enabled_ns, 2000);
	ck_assert_uint_eq(delta.running_ns, 1000);
	ck_assert_uint_eq(delta.value[0], 100);
	ck_assert_uint_eq(delta.value[1], 200);
	/* half of the time seen: twice as much happened */
	ck_assert_double_eq(counter_scaled(&delta, 0), 200.0);
	ck_assert_double_eq(counter_scaled(&delta, 1), 400.0);
	counter_close(counter);
}
END_TEST

START_TEST(a_group_that_never_ran_has_no_count)
{
	struct counter_reading delta = { .enabled_ns = 10 };

	ck_assert(isnan(counter_scaled(&delta, 0)));
	delta.enabled_ns = 0; /* the task did not run: nothing happened */
	ck_assert_double_eq(counter_scaled(&delta, 0), 0.0);
}
END_TEST

START_TEST(a_short_reading_is_an_error)
{
	static const uint64_t word[] = { 2, 1000, 1000, 11 };
	struct counter_reading reading = { .enabled_ns = 7 };
	struct err err = { 0 };
	struct counter *counter;

	pretend();
	counter = open_two(42, -1, 0, NULL);
	set_reading(fake.fd[0], word, 4);
	ck_assert_int_eq(counter_read(counter, &reading, &err), -1);
	ck_assert_int_eq(err.code, EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "32 of 40 bytes"));
	ck_assert_uint_eq(reading.enabled_ns, 7);
	counter_close(counter);
}
END_TEST

START_TEST(a_cpu_that_went_away_is_named)
{
	struct counter_reading reading;
	struct err err = { 0 };
	struct counter *counter;

	pretend();
	counter = open_two(-1, 5, 0, NULL);
	/* an empty file: end of file at once */
	ck_assert_int_eq(counter_read(counter, &reading, &err), -1);
	ck_assert_int_eq(err.code, ENODEV);
	ck_assert_ptr_nonnull(strstr(err.text, "CPU 5 went offline"));
	counter_close(counter);
}
END_TEST

START_TEST(another_number_of_values_is_an_error)
{
	static const uint64_t word[] = { 3, 1, 1, 11, 22 };
	struct counter_reading reading;
	struct err err = { 0 };
	struct counter *counter;

	pretend();
	counter = open_two(42, -1, 0, NULL);
	set_reading(fake.fd[0], word, 5);
	ck_assert_int_eq(counter_read(counter, &reading, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "3 values instead of 2"));
	counter_close(counter);
}
END_TEST

static void nothing(int signal)
{
	(void)signal;
}

/* A pipe stands in for a file whose read can be interrupted. */
static int pipe_write_end;

static int pipe_open(struct perf_event_attr *attr, pid_t pid, int cpu,
		     int group_fd, unsigned long flags)
{
	int end[2];

	(void)attr, (void)pid, (void)cpu, (void)group_fd, (void)flags;
	ck_assert_int_eq(pipe(end), 0);
	pipe_write_end = end[1];
	return end[0];
}

START_TEST(an_interrupted_read_is_repeated)
{
	static const uint64_t word[] = { 1, 5, 5, 9 };
	struct itimerval soon = { .it_value = { 0, 20000 } };
	struct sigaction action = { .sa_handler = nothing }; /* no SA_RESTART */
	struct counter_request request;
	struct counter_reading reading;
	struct counter *counter;
	pid_t child;

	counter_open_fn = pipe_open;
	make_events();
	request = (struct counter_request){
		.event = events, .events = 1, .pid = 42, .cpu = -1
	};
	counter = counter_open(&request, NULL);
	child = fork();
	if (child == 0) {
		usleep(100000);
		_exit(write(pipe_write_end, word, sizeof(word)) !=
		      sizeof(word));
	}
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(counter_read(counter, &reading, NULL), 0);
	ck_assert_uint_eq(reading.value[0], 9);
	waitpid(child, NULL, 0);
	close(pipe_write_end);
	counter_close(counter);
}
END_TEST

/* ---- the real kernel ------------------------------------------------------- */

static void burn(double seconds)
{
	clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	while (clock() < end)
		;
}

START_TEST(the_kernels_task_clock_follows_a_busy_process)
{
	struct counter_request request = { .event = events,
					   .events = 2,
					   .pid = 0,
					   .cpu = -1,
					   .flags = COUNTER_CHILDREN };
	struct counter_reading before, after, delta;
	struct counter *counter;
	struct err err = { 0 };
	int status;

	make_events();
	event_init(&events[1], "page-faults", PERF_TYPE_SOFTWARE,
		   PERF_COUNT_SW_PAGE_FAULTS);
	counter = counter_open(&request, &err);
	if (!counter) {
		printf("skip: %s\n", err.text);
		return;
	}
	ck_assert_int_eq(counter_read(counter, &before, &err), 0);
	burn(0.05);
	/* children count too, also after they ended */
	if (fork() == 0) {
		burn(0.05);
		_exit(0);
	}
	wait(&status);
	ck_assert_int_eq(counter_read(counter, &after, &err), 0);
	counter_between(counter, &before, &after, &delta);
	ck_assert_uint_ge(delta.value[0], 90000000);
	ck_assert_uint_lt(delta.value[0], 5000000000);
	ck_assert_uint_gt(delta.value[1], 0);
	counter_close(counter);
}
END_TEST

START_TEST(what_this_kernel_cannot_count_is_told)
{
	struct event task, nothing_such;
	struct err err = { 0 };

	event_init(&task, "TASK", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	event_init(&nothing_such, "NOPE", PERF_TYPE_SOFTWARE, 4711);
	ck_assert(!counter_supported(&nothing_such, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "NOPE"));
	if (!counter_supported(&task, &err))
		printf("skip: %s\n", err.text);
}
END_TEST

Suite *counter_suite(void);
Suite *counter_suite(void)
{
	Suite *suite = suite_create("counter");
	TCase *asks = tcase_create("requests");
	TCase *reads = tcase_create("readings");
	TCase *real = tcase_create("kernel");

	tcase_add_test(asks, a_group_is_asked_for_as_one);
	tcase_add_test(asks, threads_alone_are_inherited_when_asked_for);
	tcase_add_test(
		asks,
		a_kernel_that_refuses_inherited_groups_is_asked_one_by_one);
	tcase_add_test(asks, a_member_that_fails_leaves_nothing_open);
	tcase_add_test(asks, what_is_not_permitted_comes_with_a_remedy);
	tcase_add_test(asks, no_events_or_too_many_are_refused);
	suite_add_tcase(suite, asks);
	tcase_add_test(reads, a_reading_is_taken_apart);
	tcase_add_test(reads, a_group_that_never_ran_has_no_count);
	tcase_add_test(reads, a_short_reading_is_an_error);
	tcase_add_test(reads, a_cpu_that_went_away_is_named);
	tcase_add_test(reads, another_number_of_values_is_an_error);
	tcase_add_test(reads, an_interrupted_read_is_repeated);
	suite_add_tcase(suite, reads);
	tcase_add_test(real, the_kernels_task_clock_follows_a_busy_process);
	tcase_add_test(real, what_this_kernel_cannot_count_is_told);
	suite_add_tcase(suite, real);
	return suite;
}
