/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_compare -- where two streams of power reports differ, and by how much.
 *
 *	struct power_stream a = { 0 }, b = { 0 };
 *	struct power_difference difference;
 *
 *	if (power_stream_read(&a, "a.jsonl", &err) < 0 || …)
 *		return -1;
 *	power_compare(&a, &b, 1e-9, &difference);
 *	power_stream_done(&a);
 *
 * A report is known by its timestamp, sensor, target, scope, socket and idle
 * policy; where several are called the same, they are taken in their order.
 * Documents without "power" are passed over.
 */
#ifndef FORMULA_POWER_COMPARE_H
#define FORMULA_POWER_COMPARE_H

#include <stddef.h>

#include "lib/err.h"

/* More reports than that in one stream is an error. */
#define POWER_STREAM_MAX ((size_t)1 << 26)

struct power_stream {
	struct power_item {
		char *key; /* "1783600000123 node1 /system.slice/x cpu 0 none" */
		size_t order;
		double watts;
	} * item;
	size_t items, capacity;
};

struct power_difference {
	size_t both, only_a, only_b;
	size_t differ; /* of both: by more than the tolerance */
	double worst_relative, worst_w, mean_w;
	const char *worst_key, *first_only; /* borrowed; or NULL */
};

int power_stream_read(struct power_stream *stream, const char *uri,
		      struct err *err);
void power_stream_done(struct power_stream *stream);
/* Sorts both. */
void power_compare(struct power_stream *a, struct power_stream *b,
		   double tolerance, struct power_difference *difference);

#endif
