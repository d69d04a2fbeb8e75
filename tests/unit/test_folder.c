/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <sys/stat.h>

#include "lib/folder.h"
#include "tests/unit/scratch.h"

static const struct {
	const char *systemd, *xdg, *home, *want;
} cases[] = {
	{ "/var/lib/fedwatts:/var/lib/other", "/x", "/home/u",
	  "/var/lib/fedwatts" },
	{ NULL, "/x", "/home/u", "/x/fedwatts" },
	{ "", "", "/home/u", "/home/u/.local/state/fedwatts" },
	{ NULL, NULL, NULL, NULL },
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(the_state_folder_follows_the_environment)
{
	char *folder;

	set("STATE_DIRECTORY", cases[_i].systemd);
	set("XDG_STATE_HOME", cases[_i].xdg);
	set("HOME", cases[_i].home);
	folder = folder_state();
	if (cases[_i].want)
		ck_assert_str_eq(folder, cases[_i].want);
	else
		ck_assert_ptr_null(folder);
	free(folder);
}
END_TEST

START_TEST(a_folder_is_made_with_all_above_it)
{
	struct stat status;

	ck_assert_int_eq(folder_make("a/b/c", NULL), 0);
	ck_assert_int_eq(folder_make("a/b/c/", NULL), 0);
	ck_assert_int_eq(stat("a/b/c", &status), 0);
	ck_assert(S_ISDIR(status.st_mode));
}
END_TEST

START_TEST(a_file_in_the_way_is_named)
{
	struct err err = { 0 };

	scratch_write("file", "x");
	ck_assert_int_eq(folder_make("file/sub", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "file"));
	ck_assert_int_eq(folder_make("file", &err), -1);
	ck_assert_int_eq(err.code, ENOTDIR);
}
END_TEST

Suite *folder_suite(void);

Suite *folder_suite(void)
{
	Suite *suite = suite_create("folder");
	TCase *tcase = tcase_create("folder");

	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
	tcase_add_loop_test(tcase, the_state_folder_follows_the_environment, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, a_folder_is_made_with_all_above_it);
	tcase_add_test(tcase, a_file_in_the_way_is_named);
	suite_add_tcase(suite, tcase);
	return suite;
}
