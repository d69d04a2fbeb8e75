/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_log -- the documents of a run, on their way to one or more places.
 *
 *	struct run_log *log = run_log_open(&to, header, force, &err);
 *
 *	if (run_log_complete(log))
 *		return 0;	// there is nothing to do
 *	run_log_put(log, round, &err);
 *	run_log_put(log, summary, &err);
 *	run_log_close(log, &err);
 *
 * A file that exists is continued when its first line has the same `run`.  A
 * run follows from its configuration, so continuing means to work it out again
 * from the start: each document that the file has already is compared with
 * what is put now and must be the same, what is missing is appended.  A file
 * with anything else in it is refused unless `force`, which empties it.
 */
#ifndef FL_RUN_LOG_H
#define FL_RUN_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

struct run_log;

/* Puts the header, too.  No URIs: standard output. */
struct run_log *run_log_open(const struct field_list *uris,
			     const struct doc *header, bool force,
			     struct err *err);
/* Everything is there already, everywhere. */
bool run_log_complete(const struct run_log *log);
/* Documents that a file had already, of the place that has most. */
size_t run_log_found(const struct run_log *log);
/* A file's name, for `fl report` and messages; NULL where there is none. */
const char *run_log_file(const struct run_log *log);

int run_log_put(struct run_log *log, const struct doc *doc, struct err *err);
/* FILE.manifest.json beside each file, a document into other places but
 * standard output (whose bytes are the run's alone). */
int run_log_put_manifest(struct run_log *log, const struct doc *manifest,
			 struct err *err);
/* Accepts NULL. */
int run_log_close(struct run_log *log, struct err *err);

#endif
