/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/source.h"
#include "sensor/energy.h"

const char *run_setting(const struct run *run, const char *name)
{
	return doc_string(doc_get(doc_get(run->header, "configuration"), name),
			  "");
}

static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);

	if (length > 6 && !strcmp(base + length - 6, ".jsonl"))
		length -= 6;
	return xstrndup(base, length);
}

/* ---- the first line ------------------------------------------------------ */

static int read_sizes(struct run *run, const struct doc *header,
		      struct err *err)
{
	const struct doc *devices;
	int64_t rounds;

	if (doc_need_int(header, "rounds", &rounds, err) < 0 ||
	    doc_need_array(header, "devices", &devices, err) < 0)
		return -1;
	run->devices = doc_count(devices);
	if (rounds < 1 || rounds > RUN_ROUNDS_MAX || !run->devices ||
	    run->devices > RUN_CELLS_MAX / (size_t)rounds)
		return err_set(err, EINVAL,
			       "%lld rounds of %zu devices: damaged?",
			       (long long)rounds, run->devices);
	run->budget_j = xcalloc(run->devices, sizeof(double));
	for (size_t k = 0; k < run->devices; k++) {
		run->budget_j[k] = doc_real(
			doc_get(doc_at(devices, k), "budget_j"), (double)NAN);
		run->has_budget |= !isnan(run->budget_j[k]);
	}
	return (int)rounds;
}

static int read_header(struct run *run, const struct doc *header,
		       struct err *err)
{
	const struct doc *scale;
	int64_t source;
	size_t n;
	int rounds;

	if (!doc_is_schema(header, "fedwatts.fl-run/1"))
		return err_set(err, EINVAL, "not a run (fl run writes them)");
	if (doc_need_int(header, "source", &source, err) < 0 ||
	    doc_need_array(header, "meter_scale", &scale, err) < 0)
		return -1;
	if (source < ENERGY_WALL || source > ENERGY_UNKNOWN)
		return err_set(err, EINVAL, "source: there is no class %lld",
			       (long long)source);
	rounds = read_sizes(run, header, err);
	if (rounds < 0)
		return -1;
	n = (size_t)rounds;
	run->source = (int)source;
	run->scale_lo = doc_real(doc_at(scale, 0), 1.0);
	run->scale_hi = doc_real(doc_at(scale, 1), 1.0);
	run->round = xcalloc(n, sizeof(double));
	run->accuracy = xcalloc(n, sizeof(double));
	run->loss = xcalloc(n, sizeof(double));
	run->time_s = xcalloc(n, sizeof(double));
	run->energy_total_j = xcalloc(n, sizeof(double));
	run->in = xcalloc(n, sizeof(double));
	run->left_stride = n + 1;
	run->left_at = xcalloc(n + 1, sizeof(double));
	run->left_j = xcalloc((n + 1) * run->devices, sizeof(double));
	for (size_t t = 0; t <= n; t++)
		run->left_at[t] = (double)t;
	for (size_t k = 0; k < run->devices; k++)
		run->left_j[k * run->left_stride] = run->budget_j[k];
	run->updates = xcalloc(run->devices, sizeof(double));
	run->spent_j = xcalloc(run->devices, sizeof(double));
	run->header = doc_copy(header);
	return 0;
}

/* ---- a round ------------------------------------------------------------- */

static int read_client(struct run *run, const struct doc *client,
		       struct err *err)
{
	int64_t id;

	if (doc_need_int(client, "id", &id, err) < 0)
		return -1;
	if (id < 0 || (size_t)id >= run->devices)
		return err_set(err, EINVAL, "id: there is no device %lld",
			       (long long)id);
	run->spent_j[id] += doc_real(doc_get(client, "spent_j"), 0.0);
	run->left_j[(size_t)id * run->left_stride + run->rounds + 1] =
		doc_real(doc_get(client, "left_j"), (double)NAN);
	if (doc_get(client, "action") && !doc_get(client, "lost")) {
		run->updates[id] += 1.0;
		run->in[run->rounds] += 1.0;
	}
	return 0;
}

static int read_round(struct run *run, const struct doc *doc, struct err *err)
{
	const struct doc *clients;
	size_t t = run->rounds;
	int64_t round;

	if (t + 1 == run->left_stride)
		return err_set(err, EINVAL, "more rounds than were planned");
	if (doc_need_int(doc, "round", &round, err) < 0 ||
	    doc_need_real(doc, "accuracy", &run->accuracy[t], err) < 0 ||
	    doc_need_real(doc, "loss", &run->loss[t], err) < 0 ||
	    doc_need_real(doc, "time_s", &run->time_s[t], err) < 0 ||
	    doc_need_real(doc, "energy_total_j", &run->energy_total_j[t], err) <
		    0 ||
	    doc_need_array(doc, "clients", &clients, err) < 0)
		return -1;
	if (round != (int64_t)t + 1)
		return err_set(err, EINVAL, "round %lld where %zu was due",
			       (long long)round, t + 1);
	run->round[t] = (double)round;
	for (size_t i = 0; i < doc_count(clients); i++)
		if (read_client(run, doc_at(clients, i), err) < 0)
			return err_wrap(err, "clients[%zu]", i);
	run->rounds++;
	return 0;
}

static int read_document(struct run *run, const struct doc *doc,
			 struct err *err)
{
	if (!run->header)
		return read_header(run, doc, err);
	if (strcmp(doc_string(doc_get(doc, "run"), ""),
		   doc_string(doc_get(run->header, "run"), "")) != 0)
		return err_set(err, EINVAL, "belongs to another run");
	if (doc_is_schema(doc, "fedwatts.fl-round/1"))
		return read_round(run, doc, err);
	if (!doc_is_schema(doc, "fedwatts.fl-summary/1"))
		return 0; /* a manifest, or what a later version adds */
	doc_free(run->summary);
	run->summary = doc_copy(doc);
	return 0;
}

static int read_all(struct run *run, struct source *source, struct err *err)
{
	struct doc *doc;
	int got;

	while ((got = source_next(source, &doc, err)) > 0) {
		int bad = read_document(run, doc, err);

		doc_free(doc);
		if (bad < 0)
			return err_wrap(err, "%s", source_where(source));
	}
	return got;
}

struct run *run_read(const char *path, struct err *err)
{
	struct source *source = source_open(path, NULL, err);
	struct run *run;

	if (!source)
		return NULL;
	run = xcalloc(1, sizeof(*run));
	run->name = name_of(path);
	if (read_all(run, source, err) < 0)
		goto fail;
	if (source_torn(source))
		log_warn("report", "%s: skipped a torn last line", path);
	if (!run->rounds) {
		err_set(err, EINVAL, "%s: no rounds in it", path);
		goto fail;
	}
	source_close(source);
	return run;
fail:
	source_close(source);
	run_free(run);
	return NULL;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	free(run->name);
	doc_free(run->header);
	doc_free(run->summary);
	free(run->round);
	free(run->accuracy);
	free(run->loss);
	free(run->time_s);
	free(run->energy_total_j);
	free(run->in);
	free(run->left_at);
	free(run->left_j);
	free(run->updates);
	free(run->spent_j);
	free(run->budget_j);
	free(run);
}
