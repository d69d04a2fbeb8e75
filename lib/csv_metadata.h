/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_metadata -- metadata as cells of a CSV file (for csv_targets.c alone).
 *
 * One level of objects within the metadata is made flat, as PowerAPI does:
 * {"k8s": {"pod": …}} is k8s_pod.  Texts are without their quotes, everything
 * else is as it stands in JSON.
 *
 * Most metadata is one object of numbers and plain texts: its members are read
 * where they stand.  Any other is parsed.
 */
#ifndef LIB_CSV_METADATA_H
#define LIB_CSV_METADATA_H

#include <stddef.h>

#include "lib/err.h"
#include "lib/text.h"

struct csv_member {
	const char *key, *value; /* no NUL behind them */
	size_t key_length, value_length;
};

struct csv_metadata {
	struct csv_member *member;
	size_t members, capacity;
	struct text text; /* of those that were parsed */
};

/* Borrows `json` (NULL: no members) until the next read. */
int csv_metadata_read(struct csv_metadata *metadata, const char *json,
		      struct err *err);
void csv_metadata_put(const struct csv_member *member, struct text *out);
void csv_metadata_done(struct csv_metadata *metadata);

#endif
