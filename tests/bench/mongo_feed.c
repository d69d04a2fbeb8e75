/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_feed -- numbered reports, one a tick, for tests that kill things.
 *
 *	mongo_feed URI FIRST COUNT RATE PROGRESS
 *
 * Puts reports FIRST … FIRST+COUNT−1 into the place, RATE a second: the number
 * is in groups.feed.0.0.NUMBER, and the timestamp is that many milliseconds.
 * After each put, the file PROGRESS holds the number.  SIGTERM ends it early.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/batch.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sink.h"

#define EPOCH_MS INT64_C(1700000000000)

static int feed(struct sink *sink, const struct layout *layout, int64_t first,
		int64_t count, double rate, int progress, struct err *err)
{
	int64_t start_ns = clock_now_ns(clock_real());

	for (int64_t i = 0; i < count && !cli_stop_signal(); i++) {
		union value value = { .integer = (uint64_t)(first + i) };
		struct row row = { "all", layout, &value, NULL };
		struct batch batch = { EPOCH_MS + first + i, "feed", &row, 1 };
		char text[32];
		int length;

		clock_sleep_until_ns(clock_real(),
				     start_ns +
					     (int64_t)(1e9 * (double)i / rate));
		if (sink_put(sink, &batch, err) < 0)
			return -1;
		length = snprintf(text, sizeof(text), "%20" PRId64 "\n",
				  first + i);
		if (pwrite(progress, text, (size_t)length, 0) != length)
			return err_sys(err, "progress");
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);
	struct err err = { 0 };
	struct sink *sink;
	int progress, failed;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: mongo_feed URI FIRST COUNT RATE "
				      "PROGRESS\n");
		return 64;
	}
	log_start("mongo_feed", LOG_NOTE);
	layout_add(layout, COLUMN_INT, "feed", "0", "0", "NUMBER", "groups",
		   "feed", "0", "0", "NUMBER", NULL);
	layout_end(layout);
	progress = open(argv[5], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	sink = sink_open(argv[1], &err);
	failed = progress < 0 || !sink ||
		 feed(sink, layout, strtoll(argv[2], NULL, 10),
		      strtoll(argv[3], NULL, 10), strtod(argv[4], NULL),
		      progress, &err) < 0;
	if (sink_close(sink, failed ? NULL : &err) < 0)
		failed = 1;
	if (failed)
		(void)fprintf(stderr, "mongo_feed: %s\n", err.text);
	layout_free(layout);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
