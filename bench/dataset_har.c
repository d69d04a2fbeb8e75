/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UCI human activity recognition (Anguita et al., ESANN 2013), as its archive
 * unpacks: train/X_train.txt (numbers between blanks, a sample a line),
 * train/y_train.txt (1 … 6), train/subject_train.txt (1 … 30); the same of
 * test.  Subjects are the users; the files' own test part has other subjects
 * than the training part.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/dataset_table.h"
#include "bench/net.h"
#include "lib/mem.h"

#define NUMBER_MAX 64

/* A file of numbers, walked through. */
struct numbers {
	char *path;
	const unsigned char *at, *end;
	size_t line;
};

static int numbers_open(struct dataset *set, const char *folder,
			const char *part, const char *name,
			struct numbers *numbers, struct err *err)
{
	size_t length;

	numbers->path = xasprintf("%s/%s/%s_%s.txt", folder, part, name, part);
	numbers->at = dataset_file(set, numbers->path, &length, err);
	if (!numbers->at)
		return -1;
	numbers->end = numbers->at + length;
	numbers->line = 1;
	return 0;
}

/* Over blanks, and over ends of lines too, if `lines`. */
static void skip(struct numbers *numbers, bool lines)
{
	for (; numbers->at < numbers->end && isspace(*numbers->at);
	     numbers->at++) {
		if (*numbers->at == '\n' && !lines)
			return;
		numbers->line += *numbers->at == '\n';
	}
}

static bool at_end(const struct numbers *numbers)
{
	return numbers->at == numbers->end;
}

static bool at_line_end(const struct numbers *numbers)
{
	return at_end(numbers) || *numbers->at == '\n';
}

static int number_next(struct numbers *numbers, float *value, struct err *err)
{
	char text[NUMBER_MAX] = "", *end;
	size_t length = 0;

	while (numbers->at + length < numbers->end &&
	       !isspace(numbers->at[length]) && length < NUMBER_MAX - 1) {
		text[length] = (char)numbers->at[length];
		length++;
	}
	numbers->at += length;
	*value = strtof(text, &end);
	if (length && end == text + length && isfinite(*value) &&
	    !text[strspn(text, "0123456789+-.eE")])
		return 0;
	return err_set(err, EINVAL,
		       "%s:%zu: expected a number, found \"%.20s\"",
		       numbers->path, numbers->line, text);
}

/* A line of one number from 1 to `max`, as a word's index. */
static int word_next(struct numbers *numbers, struct dataset_words *words,
		     int max, size_t *index, struct err *err)
{
	char word[NUMBER_MAX];
	float value;

	skip(numbers, true);
	if (at_end(numbers))
		return err_set(err, EINVAL, "%s: ends before the samples do",
			       numbers->path);
	if (number_next(numbers, &value, err) < 0)
		return -1;
	if (!(value >= 1.0f && value <= (float)max && value == floorf(value)))
		return err_set(err, EINVAL,
			       "%s:%zu: %g is no whole number from 1 to %d",
			       numbers->path, numbers->line, (double)value,
			       max);
	snprintf(word, sizeof(word), "%d", (int)value);
	return dataset_words_find(words, word, index, err);
}

/* The first row says how many features there are. */
static int features_count(struct numbers numbers, size_t *count,
			  struct err *err)
{
	float value;

	skip(&numbers, true);
	for (*count = 0; !at_line_end(&numbers); ++*count) {
		if (number_next(&numbers, &value, err) < 0)
			return -1;
		skip(&numbers, false);
	}
	if (*count >= 1 && *count <= NET_WIDTH_MAX)
		return 0;
	return err_set(err, EINVAL, "%s: %zu features, expected 1 … %d",
		       numbers.path, *count, NET_WIDTH_MAX);
}

static int row_next(struct numbers *numbers, struct dataset_table *table,
		    struct err *err)
{
	float *x = dataset_table_row(table, err);
	size_t n = 0;

	if (!x)
		return err_wrap(err, "%s", numbers->path);
	for (; n < table->features && !at_line_end(numbers); n++) {
		if (number_next(numbers, &x[n], err) < 0)
			return -1;
		skip(numbers, false);
	}
	if (n == table->features && at_line_end(numbers))
		return 0;
	return err_set(err, EINVAL,
		       "%s:%zu: %s than the %zu features of the first row",
		       numbers->path, numbers->line,
		       n < table->features ? "fewer" : "more", table->features);
}

static int rows_read(struct dataset_table *table, struct numbers file[3],
		     bool test, struct err *err)
{
	size_t class = 0, user = 0;

	if (!table->features &&
	    features_count(file[0], &table->features, err) < 0)
		return -1;
	for (skip(&file[0], true); !at_end(&file[0]); skip(&file[0], true)) {
		if (row_next(&file[0], table, err) < 0 ||
		    word_next(&file[1], &table->classes, DATASET_CLASSES_MAX,
			      &class, err) < 0 ||
		    word_next(&file[2], &table->users, DATASET_USERS_MAX, &user,
			      err) < 0)
			return -1;
		dataset_table_put(table, class, user, test);
	}
	for (int i = 1; i < 3; i++) {
		skip(&file[i], true);
		if (!at_end(&file[i]))
			return err_set(err, EINVAL,
				       "%s:%zu: more lines than samples",
				       file[i].path, file[i].line);
	}
	return 0;
}

static int part_read(struct dataset *set, struct dataset_table *table,
		     const char *folder, const char *part, struct err *err)
{
	static const char *const names[] = { "X", "y", "subject" };
	struct numbers file[3] = { { .path = NULL } };
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++)
		rc = numbers_open(set, folder, part, names[i], &file[i], err);
	if (rc == 0)
		rc = rows_read(table, file, *part == 't' && part[1] == 'e',
			       err);
	for (int i = 0; i < 3; i++)
		free(file[i].path);
	return rc;
}

static int har_read(struct dataset *set, const char *folder,
		    const struct dataset_options *options, struct err *err)
{
	struct dataset_table table = { .users = { .max = DATASET_USERS_MAX } };
	int rc;

	(void)options;
	if (access(folder, F_OK) < 0)
		return err_sys(err, "folder %s", folder);
	rc = part_read(set, &table, folder, "train", err);
	if (rc == 0)
		rc = part_read(set, &table, folder, "test", err);
	if (rc == 0)
		rc = dataset_table_finish(&table, set, err);
	dataset_table_done(&table);
	return rc;
}

const struct dataset_kind dataset_kind_har = {
	.scheme = "har",
	.form = "har:DIR",
	.fields = dataset_fields,
	.scale = DATASET_SCALE_NONE,
	.read = har_read,
};
