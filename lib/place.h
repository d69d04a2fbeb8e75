/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * place -- a URI, cut into what it names and its parameters.
 *
 *	jsonl:trace.jsonl?rotate=64MiB
 *	^scheme ^name     ^parameters
 *
 * sink.c and source.c cut off the scheme; a kind describes its parameters by a
 * table of fields (field.h) and gets the name:
 *
 *	static const struct field fields[] = {
 *		{ "rotate", FIELD_BYTES, offsetof(struct options, rotate) },
 *		FIELD_END
 *	};
 *	struct options options = { 0 };
 *	char *name = place_name(rest, fields, &options, &err);
 *
 * A path without a scheme is a jsonl file; so is one with a '/' before its
 * first ':'.  A file called "a:b" is written jsonl:a:b.
 */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include <stddef.h>

#include "lib/err.h"
#include "lib/field.h"

/* The length of "scheme" in "scheme:rest", or 0 where there is none. */
size_t place_scheme(const char *uri);

/* What stands before '?', yours to free(); the parameters behind it are set in
 * `values` (defaults first).  `fields` NULL: the kind has none.  NULL and a
 * sentence that names the parameters there are, for one that is not.  Text and
 * list fields become the caller's to free. */
char *place_name(const char *rest, const struct field *fields, void *values,
		 struct err *err);

/* A URI as it may be shown: a password in it ("//user:password@host") is "***".
 * Yours to free(). */
char *place_shown(const char *uri);

#endif
