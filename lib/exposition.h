/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exposition -- the last value of each series, as Prometheus reads them.
 *
 *	struct exposition *shown = exposition_new();
 *
 *	family = exposition_family(shown, "watts", "Power", EXPOSE_GAUGE);
 *	exposition_set(shown, family, &tags, 12.5, time_ms, now_ns);
 *	exposition_put(shown, &text);           // # HELP …, # TYPE …, samples
 *
 * The text format 0.0.4: names are made of letters, digits, '_' and ':'; label
 * values are UTF-8 with \\, \" and \n escaped.  Families stand in the order in
 * which they were made, series within one in byte order of their labels.
 *
 * A series that was not set for a while is gone (exposition_expire()): a target
 * that ended must not stand there with its last watts for ever.
 */
#ifndef LIB_EXPOSITION_H
#define LIB_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "lib/tags.h"
#include "lib/text.h"

enum expose_type { EXPOSE_GAUGE, EXPOSE_COUNTER };

/* Series above this many are not taken (a label that differs each time). */
#define EXPOSITION_SERIES_MAX 1000000

struct exposition;
struct family;

struct exposition *exposition_new(void);
/* The same one for the same name. */
struct family *exposition_family(struct exposition *exposition,
				 const char *name, const char *help,
				 enum expose_type type);
/* A gauge.  `time_ms` 0: without a time. */
void exposition_set(struct exposition *exposition, struct family *family,
		    const struct tags *tags, double value, int64_t time_ms,
		    int64_t now_ns);
/* A counter grows by so much. */
void exposition_add(struct exposition *exposition, struct family *family,
		    const struct tags *tags, uint64_t value, int64_t now_ns);
/* Removes what was last set before then; how many. */
size_t exposition_expire(struct exposition *exposition, int64_t before_ns);
size_t exposition_series(const struct exposition *exposition);
uint64_t exposition_refused(const struct exposition *exposition);
void exposition_put(const struct exposition *exposition, struct text *out);
void exposition_free(struct exposition *exposition); /* accepts NULL */

#endif
