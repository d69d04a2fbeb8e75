/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_table -- rows of numbers that come one by one, from text.
 *
 *	struct dataset_table table = { .features = 13 };
 *	float *x = dataset_table_row(&table, &err);
 *	...
 *	dataset_words_find(&table.classes, cell, &class, &err);
 *	dataset_table_put(&table, class, DATASET_NO_USER, false);
 *	...
 *	rc = dataset_table_finish(&table, set, &err);
 *	dataset_table_done(&table);
 *
 * Classes and users that are words are numbered, at the end, in their natural
 * order: numbers by value, words by bytes.
 */
#ifndef BENCH_DATASET_TABLE_H
#define BENCH_DATASET_TABLE_H

#include <stdbool.h>

#include "bench/dataset_kind.h"

#define DATASET_NO_USER UINT32_MAX

struct dataset_words {
	char **name;
	size_t count, capacity;
	size_t max, last; /* the limit, and the word found last */
};

struct dataset_table_row {
	uint32_t class, user;
	bool test;
};

struct dataset_table {
	size_t features;
	float *x;
	struct dataset_table_row *row;
	size_t rows, x_capacity, row_capacity;
	struct dataset_words classes, users; /* none: `class` is a number */
};

/* Room for the features of a row; EFBIG beyond DATASET_FLOATS_MAX. */
float *dataset_table_row(struct dataset_table *table, struct err *err);
/* The row is complete. */
void dataset_table_put(struct dataset_table *table, size_t class, size_t user,
		       bool test);
/* EFBIG beyond `max` (0: DATASET_CLASSES_MAX) different words. */
int dataset_words_find(struct dataset_words *words, const char *word,
		       size_t *index, struct err *err);
/* The set's parts, features, classes and users; takes the rows. */
int dataset_table_finish(struct dataset_table *table, struct dataset *set,
			 struct err *err);
void dataset_table_done(struct dataset_table *table);

/* Is it how tables write that a value is missing: "", "?", NA, NaN …? */
bool dataset_is_missing(const char *cell);

#endif
