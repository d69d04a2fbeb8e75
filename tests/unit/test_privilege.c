/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sensor/notify.h"
#include "sensor/privilege.h"
#include "tests/unit/tree.h"

#define PERFMON (UINT64_C(1) << 38)
#define BPF     (UINT64_C(1) << 39)

/* In the test's own process: Check forks for each. */
START_TEST(only_two_capabilities_stay_and_none_is_gained)
{
	uint64_t before = privilege_now(), after;
	struct err err = { 0 };

	ck_assert_msg(privilege_drop(&err) == 0, "%s", err.text);
	after = privilege_now();
	ck_assert_uint_eq(after & ~(PERFMON | BPF), 0);
	ck_assert_uint_eq(after & ~before, 0);
	ck_assert_int_eq(privilege_drop(&err), 0);
	ck_assert_uint_eq(privilege_now(), after);
}
END_TEST

START_TEST(capabilities_have_names)
{
	char text[64], small[16];

	ck_assert_str_eq(privilege_text(0, text, sizeof(text)), "none");
	ck_assert_str_eq(privilege_text(UINT64_MAX, text, sizeof(text)), "all");
	ck_assert_str_eq(privilege_text(PERFMON | BPF, text, sizeof(text)),
			 "cap_perfmon, cap_bpf");
	ck_assert_str_eq(privilege_text(BPF | 0x18, text, sizeof(text)),
			 "cap_bpf, 2 more");
	ck_assert_uint_lt(
		strlen(privilege_text(UINT64_MAX / 2 & ~3, small, 16)), 16);
}
END_TEST

START_TEST(states_reach_whoever_listens)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct tree tree;
	char state[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	tree_init(&tree);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", tree.root);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	notify("READY=1");
	ck_assert_int_eq(recv(fd, state, sizeof(state), MSG_DONTWAIT), 7);
	ck_assert_str_eq(state, "READY=1");
	close(fd);
	notify("STOPPING=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify("STOPPING=1");
	unsetenv("NOTIFY_SOCKET");
	notify("STOPPING=1");
	tree_done(&tree);
}
END_TEST

START_TEST(signs_of_life_are_due_twice_a_period)
{
	char pid[16];

	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	ck_assert(!notify_watchdog_due(1000000000));
	setenv("WATCHDOG_USEC", "2000000", 1);
	ck_assert(notify_watchdog_due(2000000000));
	ck_assert(!notify_watchdog_due(2900000000));
	ck_assert(notify_watchdog_due(3000000000));
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert(!notify_watchdog_due(9000000000));
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert(notify_watchdog_due(10000000000));
}
END_TEST

Suite *privilege_suite(void);
Suite *privilege_suite(void)
{
	Suite *suite = suite_create("privilege");
	TCase *tcase = tcase_create("privilege");

	tcase_add_test(tcase, only_two_capabilities_stay_and_none_is_gained);
	tcase_add_test(tcase, capabilities_have_names);
	tcase_add_test(tcase, states_reach_whoever_listens);
	tcase_add_test(tcase, signs_of_life_are_due_twice_a_period);
	suite_add_tcase(suite, tcase);
	return suite;
}
