/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tags -- the metadata of a report as flat names and texts.
 *
 *	struct tags tags = TAGS_INIT;
 *
 *	tags_begin(&tags, "node1", "/a");
 *	tags_add_metadata(&tags, row->metadata, &wanted, true, &err);
 *	for (size_t i = 0; i < tags.count; i++)
 *		put(tags.tag[i].name, tags.tag[i].value);
 *	tags_done(&tags);
 *
 * As PowerAPI makes them: "sensor" and "target" first; one level of nesting is
 * joined by '_'; '.', '-' and '/' in names become '_', and where that makes two
 * names one, both get '_' and the CRC-32 of what they were.
 *
 * A number that differs in each report would begin a new series each time:
 * numbers become tags only when they are asked for by name, or with "all".
 */
#ifndef LIB_TAGS_H
#define LIB_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/batch.h"
#include "lib/err.h"
#include "lib/field.h"

struct tag {
	char *name, *value;
};

struct tags {
	struct tag *tag;
	size_t count, capacity;
};

#define TAGS_INIT          \
	{                  \
		NULL, 0, 0 \
	}

/* Forgets what was there; the memory is kept. */
void tags_begin(struct tags *tags, const char *sensor, const char *target);
/* Replaces the value where the name is there already. */
void tags_set(struct tags *tags, const char *name, const char *value);
/* Where a column stands: its table and keys, under the names that the layout
 * has for them. */
void tags_set_column(struct tags *tags, const struct layout *layout,
		     const struct layout_series *series,
		     const struct column *column);
/* `metadata`: a JSON object as text, or NULL.  `wanted`: names, "all", or none:
 * then the members that are text, if `texts`. */
int tags_add_metadata(struct tags *tags, const char *metadata,
		      const struct field_list *wanted, bool texts,
		      struct err *err);
const char *tags_get(const struct tags *tags, const char *name);
void tags_done(struct tags *tags);

#endif
