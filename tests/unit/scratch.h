/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scratch -- a folder of a test's own, and files in it.
 *
 *	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
 *
 * The test then runs inside the folder, so that plain names are safe.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_path[] = "/tmp/fedwatts-unit-XXXXXX";

static inline void scratch_open(void)
{
	ck_assert_ptr_nonnull(mkdtemp(scratch_path));
	ck_assert_int_eq(chdir(scratch_path), 0);
}

static inline int scratch_remove(const char *path, const struct stat *status,
				 int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void scratch_close(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	nftw(scratch_path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* The whole file; a static buffer. */
static inline const char *scratch_read(const char *path)
{
	static char buffer[1 << 16];
	FILE *file = fopen(path, "r");
	size_t length;

	ck_assert_msg(file != NULL, "%s is not there", path);
	length = fread(buffer, 1, sizeof(buffer) - 1, file);
	buffer[length] = '\0';
	fclose(file);
	return buffer;
}

#endif
