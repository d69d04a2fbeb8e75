/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_words -- the words of a description between its input and its outputs
 * (net_spec.h), one at a time.
 */
#ifndef BENCH_NET_WORDS_H
#define BENCH_NET_WORDS_H

#include "bench/net_spec.h"
#include "lib/err.h"

/* A description at work. */
struct net_words {
	struct net_spec *spec;
	struct net_shape shape; /* of what the last layer gives */
};

/* Append what `word` says to the net. */
int net_word_add(struct net_words *words, const char *word, struct err *err);
/* The outputs: a dense layer without activation, from a bare number. */
int net_word_last(struct net_words *words, const char *word, struct err *err);

/* A whole number of digits alone, 1 … NET_WIDTH_MAX; moves `text` behind it. */
int net_number(const char **text, const char *what, uint32_t *value,
	       struct err *err);

#endif
