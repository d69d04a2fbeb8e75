/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sensor/command.h"
#include "tests/unit/scratch.h"

static struct command command;

static void start(const char *script)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(script),
			 NULL };
	struct err err = { 0 };

	ck_assert_msg(command_fork(&command, argv, &err) == 0, "%s", err.text);
	free(argv[2]);
}

static void finish(void)
{
	struct err err = { 0 };

	ck_assert_msg(command_release(&command, &err) == 0, "%s", err.text);
	command_reap(&command);
	command_done(&command);
}

START_TEST(nothing_happens_before_the_release)
{
	start("echo ran >ran");
	usleep(50000);
	ck_assert_int_eq(access("ran", F_OK), -1);
	ck_assert(!command_ended(&command));
	finish();
	ck_assert_str_eq(scratch_read("ran"), "ran\n");
	ck_assert_int_eq(command.status, 0);
}
END_TEST

static const struct ending {
	const char *script;
	int status;
} endings[] = {
	{ "exit 0", 0 },
	{ "exit 7", 7 },
	{ "kill -TERM $$", 128 + SIGTERM },
	{ "kill -KILL $$", 128 + SIGKILL },
};

START_TEST(the_status_is_the_commands_own)
{
	start(endings[_i].script);
	finish();
	ck_assert_int_eq(command.status, endings[_i].status);
}
END_TEST

static const struct missing {
	const char *name;
	int status, code;
} missings[] = {
	{ "/nowhere/at/all", 127, ENOENT },
	{ "/", 126, EACCES },
};

START_TEST(what_cannot_be_run_is_told)
{
	char *argv[] = { strdup(missings[_i].name), NULL };
	struct err err = { 0 };

	ck_assert_int_eq(command_fork(&command, argv, NULL), 0);
	ck_assert_int_eq(command_release(&command, &err), -1);
	ck_assert_int_eq(err.code, missings[_i].code);
	ck_assert_int_eq(command.status, missings[_i].status);
	command_done(&command);
	free(argv[0]);
}
END_TEST

START_TEST(a_command_that_is_never_released_does_nothing)
{
	start("echo ran >ran");
	command_reap(&command);
	command_done(&command);
	ck_assert_int_eq(access("ran", F_OK), -1);
}
END_TEST

START_TEST(sleeping_ends_when_the_command_does)
{
	int64_t begin_ns, end_ns;

	start("exit 0");
	ck_assert_int_eq(command_release(&command, NULL), 0);
	begin_ns = clock_now_ns(&command.clock);
	ck_assert_int_eq(
		clock_sleep_until_ns(&command.clock, begin_ns + 20000000000),
		-1);
	end_ns = clock_now_ns(&command.clock);
	ck_assert_int_lt(end_ns - begin_ns, 10000000000);
	ck_assert(command_ended(&command));
	command_reap(&command);
	command_done(&command);
}
END_TEST

START_TEST(sleeping_ends_when_it_is_due)
{
	int64_t due_ns;

	start("sleep 5");
	ck_assert_int_eq(command_release(&command, NULL), 0);
	due_ns = clock_now_ns(&command.clock) + 20000000;
	ck_assert_int_eq(clock_sleep_until_ns(&command.clock, due_ns), 0);
	ck_assert_int_ge(clock_now_ns(&command.clock), due_ns);
	ck_assert(!command_ended(&command));
	kill(command.pid, SIGKILL);
	command_reap(&command);
	command_done(&command);
	ck_assert_int_eq(command.status, 128 + SIGKILL);
}
END_TEST

START_TEST(signals_that_are_sent_to_us_reach_the_command)
{
	start("trap 'echo got >got; exit 9' USR1; echo >ready; "
	      "while :; do sleep 0.01; done");
	ck_assert_int_eq(command_release(&command, NULL), 0);
	while (access("ready", F_OK) < 0)
		usleep(1000);
	kill(getpid(), SIGUSR1);
	command_reap(&command);
	command_done(&command);
	ck_assert_int_eq(command.status, 9);
	ck_assert_str_eq(scratch_read("got"), "got\n");
}
END_TEST

START_TEST(the_child_has_the_signals_we_began_with)
{
	sigset_t now;

	start("kill -INT $$; exit 3");
	finish();
	ck_assert_int_eq(command.status, 128 + SIGINT);
	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGINT), 0);
}
END_TEST

START_TEST(what_children_used_is_known_in_the_end)
{
	start("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
	finish();
	ck_assert_int_gt(command.usage.ru_utime.tv_sec * 1000000 +
				 command.usage.ru_utime.tv_usec,
			 10000);
}
END_TEST

Suite *command_suite(void);
Suite *command_suite(void)
{
	Suite *suite = suite_create("command");
	TCase *tests = tcase_create("children");

	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, nothing_happens_before_the_release);
	tcase_add_loop_test(tests, the_status_is_the_commands_own, 0,
			    sizeof(endings) / sizeof(endings[0]));
	tcase_add_loop_test(tests, what_cannot_be_run_is_told, 0,
			    sizeof(missings) / sizeof(missings[0]));
	tcase_add_test(tests, a_command_that_is_never_released_does_nothing);
	tcase_add_test(tests, sleeping_ends_when_the_command_does);
	tcase_add_test(tests, sleeping_ends_when_it_is_due);
	tcase_add_test(tests, signals_that_are_sent_to_us_reach_the_command);
	tcase_add_test(tests, the_child_has_the_signals_we_began_with);
	tcase_add_test(tests, what_children_used_is_known_in_the_end);
	suite_add_tcase(suite, tests);
	return suite;
}
