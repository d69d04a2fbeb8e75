/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay -- gives files to a fuzz target, with any compiler.
 *
 *	replay_doc tests/fuzz/corpus/doc crash-1234
 *
 * Arguments are files, or folders whose files are taken in order of name.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mem.h"
#include "lib/text.h"

#define INPUT_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t *count)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };
	uint8_t *exact;

	if (text_read_file(&text, path, INPUT_MAX, &err) < 0) {
		(void)fprintf(stderr, "replay: %s\n", err.text);
		return -1;
	}
	/* In a block of exactly its size, so that a sanitizer sees every look
	 * beyond the end. */
	exact = xmalloc(text.length);
	if (text.length > 0)
		memcpy(exact, text.data, text.length);
	(void)LLVMFuzzerTestOneInput(exact, text.length);
	++*count;
	free(exact);
	text_done(&text);
	return 0;
}

static int replay(const char *path, size_t *count);

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_folder(const char *path, size_t *count)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_visible, alphasort);
	int rc = n < 0 ? -1 : 0;
	int i;

	for (i = 0; i < n; i++) {
		char *inner = xasprintf("%s/%s", path, entries[i]->d_name);

		if (replay(inner, count) < 0)
			rc = -1;
		free(inner);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return rc;
}

static int replay(const char *path, size_t *count)
{
	struct stat stat_now;

	if (stat(path, &stat_now) == 0 && S_ISDIR(stat_now.st_mode))
		return replay_folder(path, count);
	return replay_file(path, count);
}

int main(int argc, char **argv)
{
	size_t count = 0;
	int rc = 0;
	int i;

	for (i = 1; i < argc; i++)
		if (replay(argv[i], &count) < 0)
			rc = -1;
	(void)printf("%zu inputs replayed\n", count);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
