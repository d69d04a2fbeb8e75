/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/source.h"

static int item_add(struct power_stream *stream, const struct doc *doc,
		    struct err *err)
{
	const struct doc *metadata = doc_get(doc, "metadata");
	struct power_item *item;
	const char *sensor, *target;
	int64_t time_ms;
	double watts;

	if (!doc_get(doc, "power"))
		return 0;
	if (doc_need_int(doc, "timestamp", &time_ms, err) < 0 ||
	    doc_need_text(doc, "sensor", &sensor, err) < 0 ||
	    doc_need_text(doc, "target", &target, err) < 0 ||
	    doc_need_real(doc, "power", &watts, err) < 0)
		return err_wrap(err, "power report");
	if (stream->items == POWER_STREAM_MAX)
		return err_set(err, EFBIG, "more than %zu power reports",
			       POWER_STREAM_MAX);
	stream->item = mem_grow(stream->item, &stream->capacity,
				stream->items + 1, sizeof(*stream->item));
	item = &stream->item[stream->items];
	item->order = stream->items++;
	item->watts = watts;
	item->key =
		xasprintf("%lld %s %s %s %s %s", (long long)time_ms, sensor,
			  target, doc_string(doc_get(metadata, "scope"), "-"),
			  doc_string(doc_get(metadata, "socket"), "-"),
			  doc_string(doc_get(metadata, "idle_policy"), "-"));
	return 0;
}

int power_stream_read(struct power_stream *stream, const char *uri,
		      struct err *err)
{
	struct source *source = source_open(uri, NULL, err);
	struct doc *doc;
	int got = source ? 1 : -1;

	while (got > 0 && (got = source_next(source, &doc, err)) > 0) {
		if (item_add(stream, doc, err) < 0) {
			err_wrap(err, "%s", source_where(source));
			got = -1;
		}
		doc_free(doc);
	}
	source_close(source);
	if (got == 0 && stream->items == 0)
		got = err_set(err, ENODATA, "no power reports in %s", uri);
	return got;
}

void power_stream_done(struct power_stream *stream)
{
	for (size_t i = 0; i < stream->items; i++)
		free(stream->item[i].key);
	free(stream->item);
}

static int compare_items(const void *a, const void *b)
{
	const struct power_item *x = a, *y = b;
	int by_key = strcmp(x->key, y->key);

	if (by_key)
		return by_key;
	return (x->order > y->order) - (x->order < y->order);
}

static void sort(struct power_stream *stream)
{
	if (stream->items)
		qsort(stream->item, stream->items, sizeof(*stream->item),
		      compare_items);
}

static void only(struct power_difference *difference, size_t *count,
		 const struct power_item *item)
{
	++*count;
	if (!difference->first_only)
		difference->first_only = item->key;
}

static void both(struct power_difference *difference, double tolerance,
		 const struct power_item *a, const struct power_item *b)
{
	double off = fabs(a->watts - b->watts);
	double size = fmax(fabs(a->watts), fabs(b->watts));
	double relative = off > 0 ? off / size : 0;

	difference->both++;
	difference->mean_w +=
		(off - difference->mean_w) / (double)difference->both;
	difference->worst_w = fmax(difference->worst_w, off);
	if (relative > tolerance)
		difference->differ++;
	if (relative > difference->worst_relative) {
		difference->worst_relative = relative;
		difference->worst_key = a->key;
	}
}

void power_compare(struct power_stream *a, struct power_stream *b,
		   double tolerance, struct power_difference *difference)
{
	size_t i = 0, j = 0;

	*difference = (struct power_difference){ 0 };
	sort(a);
	sort(b);
	while (i < a->items || j < b->items) {
		int order = i == a->items ? 1
			    : j == b->items
				    ? -1
				    : strcmp(a->item[i].key, b->item[j].key);

		if (order < 0)
			only(difference, &difference->only_a, &a->item[i++]);
		else if (order > 0)
			only(difference, &difference->only_b, &b->item[j++]);
		else
			both(difference, tolerance, &a->item[i++],
			     &b->item[j++]);
	}
}
