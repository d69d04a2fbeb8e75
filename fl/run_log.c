/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/place.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "sensor/manifest.h"

struct outlet {
	struct sink *sink;
	char **found; /* the documents it has, as text */
	size_t founds, capacity;
	size_t put;
	bool complete;
};

struct run_log {
	struct outlet *outlet;
	size_t outlets;
};

/* ---- what is there ------------------------------------------------------- */

static int other_run(const char *path, const struct doc *first,
		     const struct doc *header, struct err *err)
{
	const char *run = doc_string(doc_get(first, "run"), "");
	const char *version = doc_string(doc_get(first, "version"), "?");

	if (!doc_is_schema(first, "fedwatts.fl-run/1"))
		err_set(err, EEXIST, "%s exists, and is not a run of fl", path);
	else if (strcmp(run, doc_string(doc_get(header, "run"), "")) != 0)
		err_set(err, EEXIST,
			"%s exists, and holds run %s with another "
			"configuration or table",
			path, run);
	else
		err_set(err, EEXIST, "%s was begun by version %s", path,
			version);
	return err_remedy(err, "another name for --to, or --force");
}

/* A complete run needs no version check: nothing will be compared. */
static int check_found(struct outlet *outlet, const char *path,
		       const struct doc *first, const struct doc *last,
		       const struct doc *header, struct err *err)
{
	const char *ours = doc_string(doc_get(header, "run"), "");
	const char *version = doc_string(doc_get(header, "version"), "");

	if (!doc_is_schema(first, "fedwatts.fl-run/1") ||
	    strcmp(doc_string(doc_get(first, "run"), ""), ours) != 0)
		return other_run(path, first, header, err);
	outlet->complete = doc_is_schema(last, "fedwatts.fl-summary/1");
	if (!outlet->complete &&
	    strcmp(doc_string(doc_get(first, "version"), ""), version) != 0)
		return other_run(path, first, header, err);
	return 0;
}

static int read_found(struct outlet *outlet, const char *path,
		      const struct doc *header, struct err *err)
{
	struct source *source = source_open(path, NULL, err);
	struct doc *first = NULL, *last = NULL, *doc;
	int got = -1, result = -1;

	while (source && (got = source_next(source, &doc, err)) > 0) {
		outlet->found = mem_grow(outlet->found, &outlet->capacity,
					 outlet->founds + 1, sizeof(char *));
		outlet->found[outlet->founds++] = doc_to_text(doc);
		if (last != first)
			doc_free(last);
		last = doc;
		if (!first)
			first = doc;
	}
	if (got == 0)
		result = !first ? 0
				: check_found(outlet, path, first, last, header,
					      err);
	if (last != first)
		doc_free(last);
	doc_free(first);
	source_close(source);
	return result;
}

/* ---- places -------------------------------------------------------------- */

/* --force: what is in the file goes, before a sink looks at it. */
static int empty_file(const char *uri, struct err *err)
{
	size_t scheme = place_scheme(uri);
	char *path;
	int result = 0;

	if (scheme && strncmp(uri, "jsonl:", scheme + 1) != 0)
		return 0;
	path = place_name(scheme ? uri + scheme + 1 : uri, NULL, NULL, err);
	if (!path)
		return -1;
	if (strcmp(path, "-") != 0 && !access(path, F_OK) &&
	    truncate(path, 0) < 0)
		result = err_sys(err, "%s", path);
	free(path);
	return result;
}

static int outlet_open(struct outlet *outlet, const char *uri,
		       const struct doc *header, bool force, struct err *err)
{
	const char *path;

	if (force && empty_file(uri, err) < 0)
		return -1;
	outlet->sink = sink_open(uri, err);
	if (!outlet->sink)
		return -1;
	path = sink_file(outlet->sink);
	return path ? read_found(outlet, path, header, err) : 0;
}

static int outlet_put(struct outlet *outlet, const struct doc *doc,
		      struct err *err)
{
	size_t at = outlet->put++;
	char *text;
	bool same;

	if (at >= outlet->founds)
		return sink_put_doc(outlet->sink, doc, err);
	text = doc_to_text(doc);
	same = !strcmp(text, outlet->found[at]);
	free(text);
	if (same)
		return 0;
	err_set(err, EEXIST,
		"%s: document %zu is not what this run gives (was the data "
		"changed, or is it from another machine?)",
		sink_file(outlet->sink), at + 1);
	return err_remedy(err, "another name for --to, or --force");
}

static int outlet_close(struct outlet *outlet, struct err *err)
{
	for (size_t i = 0; i < outlet->founds; i++)
		free(outlet->found[i]);
	free(outlet->found);
	return sink_close(outlet->sink, err);
}

/* ---- all of them --------------------------------------------------------- */

struct run_log *run_log_open(const struct field_list *uris,
			     const struct doc *header, bool force,
			     struct err *err)
{
	struct run_log *log = xcalloc(1, sizeof(*log));
	size_t n = uris->count ? uris->count : 1;

	log->outlet = xcalloc(n, sizeof(*log->outlet));
	for (size_t i = 0; i < n; i++) {
		const char *uri = uris->count ? uris->item[i] : "jsonl:-";

		if (outlet_open(&log->outlet[log->outlets++], uri, header,
				force, err) < 0)
			goto fail;
	}
	if (run_log_complete(log) || !run_log_put(log, header, err))
		return log;
fail:
	run_log_close(log, NULL);
	return NULL;
}

bool run_log_complete(const struct run_log *log)
{
	for (size_t i = 0; i < log->outlets; i++)
		if (!log->outlet[i].complete)
			return false;
	return true;
}

size_t run_log_found(const struct run_log *log)
{
	size_t most = 0;

	for (size_t i = 0; i < log->outlets; i++)
		if (log->outlet[i].founds > most)
			most = log->outlet[i].founds;
	return most;
}

const char *run_log_file(const struct run_log *log)
{
	for (size_t i = 0; i < log->outlets; i++)
		if (sink_file(log->outlet[i].sink))
			return sink_file(log->outlet[i].sink);
	return NULL;
}

int run_log_put(struct run_log *log, const struct doc *doc, struct err *err)
{
	for (size_t i = 0; i < log->outlets; i++)
		if (outlet_put(&log->outlet[i], doc, err) < 0)
			return -1;
	return 0;
}

int run_log_put_manifest(struct run_log *log, const struct doc *manifest,
			 struct err *err)
{
	for (size_t i = 0; i < log->outlets; i++) {
		struct sink *sink = log->outlet[i].sink;
		const char *uri = sink_uri(sink);

		if (!strcmp(uri, "jsonl:-") || !strcmp(uri, "-"))
			continue;
		if (manifest_lay(manifest, sink, err) < 0)
			return -1;
	}
	return 0;
}

int run_log_close(struct run_log *log, struct err *err)
{
	int result = 0;

	if (!log)
		return 0;
	for (size_t i = 0; i < log->outlets; i++) {
		struct err *tell = result < 0 ? NULL : err;

		if (outlet_close(&log->outlet[i], tell) < 0)
			result = -1;
	}
	free(log->outlet);
	free(log);
	return result;
}
