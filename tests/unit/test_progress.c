/* SPDX-License-Identifier: BSD-3-Clause */
/* progress and log together, as both write to stderr: here into a pseudo
 * terminal or a file. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/progress.h"
#include "lib/text.h"

#define ERASE "\r\x1b[K"

static int saved_stderr;
static int reader;

static void redirect(int fd)
{
	(void)fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	(void)close(fd);
}

static void into_terminal(unsigned short columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	struct termios raw;
	int terminal;

	setenv("TERM", "xterm", 1);
	reader = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_eq(grantpt(reader), 0);
	ck_assert_int_eq(unlockpt(reader), 0);
	terminal = open(ptsname(reader), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal, 0);
	ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
	ck_assert_int_eq(tcgetattr(terminal, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
	(void)fcntl(reader, F_SETFL, O_NONBLOCK);
	redirect(terminal);
}

static void into_file(void)
{
	char name[] = "/tmp/test_progress.XXXXXX";
	int file = mkstemp(name);

	ck_assert_int_ge(file, 0);
	reader = open(name, O_RDONLY);
	(void)unlink(name);
	redirect(file);
}

static void expect(const char *wanted)
{
	struct text said = TEXT_INIT;
	char piece[4096];
	ssize_t got;

	(void)fflush(stderr);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	text_put(&said, "");
	while ((got = read(reader, piece, sizeof(piece))) > 0)
		text_put_bytes(&said, piece, (size_t)got);
	(void)close(reader);
	ck_assert_str_eq(said.data, wanted);
	text_done(&said);
}

START_TEST(a_terminal_gets_one_moving_line)
{
	struct progress *progress;

	into_terminal(80);
	progress = progress_new();
	progress_show(progress, 0.615, "block %d/%d", 3, 5);
	progress_part(progress, "silent");
	progress_free(progress);
	expect(ERASE " 61 %  block 3/5" ERASE);
}
END_TEST

START_TEST(it_is_drawn_ten_times_a_second_at_most)
{
	struct progress *progress;
	int i;

	into_terminal(80);
	progress = progress_new();
	for (i = 0; i < 1000; i++)
		progress_show(progress, 0, "x");
	(void)usleep(110000);
	progress_show(progress, 2, "y");
	progress_free(progress);
	expect(ERASE "  0 %  x" ERASE "100 %  y" ERASE);
}
END_TEST

START_TEST(the_line_tells_what_is_left)
{
	struct progress *progress;

	into_terminal(80);
	progress = progress_new();
	progress_show(progress, 0.5, "x"); /* a continued run */
	(void)usleep(1050000);
	progress_show(progress, 0.6, "x");
	progress_free(progress);
	expect(ERASE " 50 %  x" ERASE " 60 %  x   0:04 left" ERASE);
}
END_TEST

START_TEST(the_line_is_cut_to_the_terminal)
{
	struct progress *progress;

	into_terminal(12);
	progress = progress_new();
	progress_show(progress, 0.1, "\xc2\xb5J and more");
	progress_free(progress);
	expect(ERASE " 10 %  \xc2\xb5J a" ERASE);
}
END_TEST

START_TEST(a_message_wipes_the_line_first)
{
	struct progress *progress;

	into_terminal(80);
	log_start("bench", LOG_NOTE);
	progress = progress_new();
	progress_show(progress, 0, "x");
	log_note("wrote");
	log_note("more");
	progress_free(progress);
	expect(ERASE "  0 %  x" ERASE "wrote\nmore\n");
}
END_TEST

START_TEST(a_log_gets_a_line_for_each_part)
{
	struct progress *progress;

	into_file();
	log_start("bench", LOG_NOTE);
	progress = progress_new();
	progress_show(progress, 0.5, "silent");
	progress_part(progress, "block %d done", 3);
	progress_free(progress);
	expect("block 3 done\n");
}
END_TEST

START_TEST(quiet_is_quiet_everywhere)
{
	struct progress *progress;

	log_start("bench", LOG_QUIET);
	into_terminal(80);
	progress = progress_new();
	progress_show(progress, 0.5, "x");
	progress_free(progress);
	expect("");
	into_file();
	progress = progress_new();
	progress_part(progress, "x");
	log_note("x");
	log_warn("x", "x");
	progress_free(progress);
	expect("");
}
END_TEST

START_TEST(a_dumb_terminal_is_a_log)
{
	struct progress *progress;

	log_start("bench", LOG_NOTE);
	into_terminal(80);
	setenv("TERM", "dumb", 1);
	progress = progress_new();
	progress_show(progress, 0.5, "x");
	progress_part(progress, "y");
	progress_free(progress);
	expect("y\n");
}
END_TEST

START_TEST(levels_choose_the_messages)
{
	into_file();
	log_start("sensor", LOG_WARN);
	log_warn("counter", "cpu %d went offline", 3);
	log_note("no");
	log_detail("x", "no");
	log_start("sensor", LOG_DETAIL);
	log_warn(NULL, "w");
	log_note("note\twith tab");
	log_detail("where", "what");
	expect("sensor: warning: counter: cpu 3 went offline\n"
	       "sensor: warning: w\n"
	       "note\twith tab\n"
	       "sensor: where: what\n");
}
END_TEST

START_TEST(names_cannot_steer_the_terminal)
{
	into_file();
	log_start("sensor", LOG_NOTE);
	log_warn("x", "process \x1b]0;evil\x07\x7f \xc3\xa9");
	expect("sensor: warning: x: process ?]0;evil?? \xc3\xa9\n");
}
END_TEST

Suite *progress_suite(void);
Suite *progress_suite(void)
{
	Suite *suite = suite_create("progress");
	TCase *tests = tcase_create("progress");

	tcase_add_test(tests, a_terminal_gets_one_moving_line);
	tcase_add_test(tests, it_is_drawn_ten_times_a_second_at_most);
	tcase_add_test(tests, the_line_tells_what_is_left);
	tcase_add_test(tests, the_line_is_cut_to_the_terminal);
	tcase_add_test(tests, a_message_wipes_the_line_first);
	tcase_add_test(tests, a_log_gets_a_line_for_each_part);
	tcase_add_test(tests, quiet_is_quiet_everywhere);
	tcase_add_test(tests, a_dumb_terminal_is_a_log);
	tcase_add_test(tests, levels_choose_the_messages);
	tcase_add_test(tests, names_cannot_steer_the_terminal);
	suite_add_tcase(suite, tests);
	return suite;
}
