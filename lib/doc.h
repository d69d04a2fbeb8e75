/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * doc -- a JSON value, for configuration, tables and results.
 *
 *	struct doc *doc = doc_new_object();
 *
 *	doc_set_text(doc, "schema", "fedwatts.prediction/1");
 *	doc_set_real(doc, "seconds", 0.25);
 *	doc_set_take(doc, "pi95", doc_new_reals(bounds, 2));
 *	char *line = doc_to_text(doc);
 *	free(line);
 *	doc_free(doc);
 *
 * Keys keep the order in which they were set.  Reals are written with the
 * fewest digits that read back as the same double; a real that is not finite
 * is not written at all (a field that does not apply is absent, never 0).
 *
 * JSON's null is NULL: a member that is null counts as absent, doc_new_real(NAN)
 * is NULL, setting NULL removes, and adding it to an array adds a null.
 *
 * Ownership: doc_new_…, doc_parse and doc_read give a value that is yours:
 * doc_free() it, or hand it over with a …_take function.  What doc_get and
 * doc_at return is borrowed from its parent.
 *
 * Never for a tick: what flows from sensor to sink is a batch (batch.h).
 */
#ifndef LIB_DOC_H
#define LIB_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Larger files are refused (EFBIG) before they are read. */
#define DOC_FILE_MAX ((size_t)256 << 20)

struct doc;

enum doc_kind {
	DOC_NULL,
	DOC_BOOL,
	DOC_INT,
	DOC_REAL,
	DOC_TEXT,
	DOC_ARRAY,
	DOC_OBJECT
};

/* One JSON value and nothing behind it but white space (comments are fine).
 * The error says where: "line 3, column 14: …".  NaN and Infinity are not
 * JSON, "\u0000" and a bare null are refused.  Nesting is limited to 32.  A
 * whole number above INT64_MAX is a real, written back with all its digits;
 * one above UINT64_MAX or below INT64_MIN is an error.  Of equal keys the last
 * one counts. */
struct doc *doc_parse(const char *text, size_t length, struct err *err);
struct doc *doc_read(const char *path, struct err *err);
/* Pretty-printed, through a temporary file; EEXIST unless `force`. */
int doc_write(const struct doc *doc, const char *path, bool force,
	      struct err *err);

struct doc *doc_new_object(void);
struct doc *doc_new_array(void);
struct doc *doc_new_real(double value);
struct doc *doc_new_int(int64_t value);
struct doc *doc_new_text(const char *value);
struct doc *doc_new_reals(const double *value, size_t n);
struct doc *doc_copy(const struct doc *doc);
void doc_free(struct doc *doc); /* accepts NULL */

/* Put into an object (replacing) or behind the last of an array. */
void doc_set_real(struct doc *object, const char *key, double value);
void doc_set_int(struct doc *object, const char *key, int64_t value);
void doc_set_bool(struct doc *object, const char *key, bool value);
void doc_set_text(struct doc *object, const char *key, const char *value);
void doc_set_take(struct doc *object, const char *key, struct doc *value);
void doc_add_take(struct doc *array, struct doc *value);
/* {…, key: [lo, hi]} */
void doc_set_bounds(struct doc *object, const char *key, double lo, double hi);

enum doc_kind doc_kind(const struct doc *doc);
/* Members of an object or items of an array; 0 for everything else. */
size_t doc_count(const struct doc *doc);
/* NULL where there is none, or `doc` is NULL or of another kind. */
const struct doc *doc_get(const struct doc *object, const char *key);
const struct doc *doc_at(const struct doc *array, size_t index);
/* The index-th member of an object, in order: its key, and its value. */
const char *doc_key_at(const struct doc *object, size_t index,
		       const struct doc **value);

/* The value itself, or the fallback where it is absent or of another kind.  A
 * whole number is a real as well, and 3.0 is a whole number. */
double doc_real(const struct doc *doc, double fallback);
int64_t doc_int(const struct doc *doc, int64_t fallback);
bool doc_bool(const struct doc *doc, bool fallback);
const char *doc_string(const struct doc *doc, const char *fallback);

/* A member that must be there and of that kind, else a sentence that says so:
 * "batch: missing", "batch: expected a whole number, found text". */
int doc_need_real(const struct doc *object, const char *key, double *value,
		  struct err *err);
int doc_need_int(const struct doc *object, const char *key, int64_t *value,
		 struct err *err);
int doc_need_text(const struct doc *object, const char *key, const char **value,
		  struct err *err);
int doc_need_array(const struct doc *object, const char *key,
		   const struct doc **value, struct err *err);
int doc_need_object(const struct doc *object, const char *key,
		    const struct doc **value, struct err *err);
/* Does "schema" say `name` ("fedwatts.bench-record/1")? */
bool doc_is_schema(const struct doc *doc, const char *name);

/* One line, compact.  Yours to free(). */
char *doc_to_text(const struct doc *doc);

/* The first 16 hexadecimal digits of the SHA-256 of the compact text with the
 * keys of every object sorted: equal documents, equal digests. */
#define DOC_DIGEST_MAX 17
const char *doc_digest(const struct doc *doc, char out[static DOC_DIGEST_MAX]);

#endif
