/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/instant.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "sensor/regroup.h"
#include "sensor/sensor.h"

static int set_since(void *values, const char *text, struct err *err)
{
	struct sensor_replay_config *config = values;

	return instant_parse(text, &config->since_ms, err);
}

static int set_until(void *values, const char *text, struct err *err)
{
	struct sensor_replay_config *config = values;

	return instant_parse(text, &config->until_ms, err);
}

/* clang-format off */
#define AT(member) offsetof(struct sensor_replay_config, member)
const struct field sensor_replay_fields[] = {
	CLI_FROM(sensor_replay_config, from),
	CLI_TO(sensor_replay_config, to),
	{ "pace", FIELD_REAL, AT(pace), .initial = "0", .min = 0, .max = 1e6,
	  .value = "X",
	  .help = "0: at once; 1: as they came; 2: twice as fast" },
	{ "since", FIELD_CALL, AT(since_ms), .value = "T", .set = set_since,
	  .help = "only from T on: 2026-07-09T10:00:00 (UTC), or a timestamp "
		  "in seconds or milliseconds" },
	{ "until", FIELD_CALL, AT(until_ms), .value = "T", .set = set_until,
	  .help = "only before T" },
	{ "target", FIELD_TEXT, AT(target), .value = "PATTERN",
	  .help = "only targets that match the shell pattern" },
	CLI_SHARED(sensor_replay_config),
	FIELD_END
};
/* clang-format on */

const char sensor_replay_about[] =
	"Reads documents from one place and puts them into another, all or "
	"some, at once or in their own time: a recording becomes a stream "
	"again. Documents that come out are equal to those that went in. "
	"Reports go on as whole ticks: when the next one begins.\n"
	"\n"
	"Examples:\n"
	"  sensor replay --from trace.jsonl --to csv:trace\n"
	"  sensor replay --from trace.jsonl --pace 10 | formula\n"
	"  sensor replay --from tcp-listen:9080 --to trace.jsonl.zst\n"
	"  sensor replay --from day.jsonl --since 2026-07-09T10:00:00 "
	"--target 'process:*' --to part.jsonl\n";

struct replay {
	struct sink *sink;
	struct regroup *regroup;
	double pace;
	/* Both ends of the time scale. */
	int64_t first_ms, first_ns;
	bool started;
	uint64_t documents;
};

/* When a document is due on our clock; false when we are to stop. */
static bool wait_for(struct replay *replay, const struct doc *doc)
{
	const struct doc *stamp = doc_get(doc, "timestamp");
	int64_t due_ns;

	if (replay->pace > 0 && doc_kind(stamp) == DOC_INT) {
		int64_t ms = doc_int(stamp, 0);

		if (!replay->started) {
			replay->started = true;
			replay->first_ms = ms;
			replay->first_ns = clock_now_ns(clock_real());
		}
		due_ns = replay->first_ns +
			 (int64_t)(1e6 * (double)(ms - replay->first_ms) /
				   replay->pace);
		while (!cli_stop_signal() &&
		       clock_now_ns(clock_real()) < due_ns)
			clock_sleep_until_ns(clock_real(), due_ns);
	}
	return cli_stop_signal() == 0;
}

/* Ticks that are whole go out before the next one is waited for. */
static int put(struct replay *replay, const struct source *source,
	       struct doc *doc_taken, struct err *err)
{
	bool due = regroup_fits(replay->regroup, doc_taken) ||
		   regroup_flush(replay->regroup, err) == 0;

	if (due && (wait_for(replay, doc_taken) || source_drains(source))) {
		replay->documents++;
		return regroup_put(replay->regroup, doc_taken, err);
	}
	doc_free(doc_taken);
	return due ? 0 : -1;
}

static int copy(struct replay *replay, struct source *source, struct err *err)
{
	struct doc *doc;
	int got = 0;

	while ((source_drains(source) || !cli_stop_signal()) &&
	       (got = source_next(source, &doc, err)) > 0)
		if (put(replay, source, doc, err) < 0)
			return -1;
	if (regroup_flush(replay->regroup, got < 0 ? NULL : err) < 0)
		return -1;
	if (got == 0 && source_torn(source))
		log_warn("replay", "%s: a torn last line was left out",
			 source_where(source));
	return got;
}

static int copy_all(struct replay *replay,
		    const struct sensor_replay_config *config,
		    const struct source_filter *filter, struct err *err)
{
	for (size_t i = 0; i < config->from.count && !cli_stop_signal(); i++) {
		struct source *source =
			source_open(config->from.item[i], filter, err);
		int status;

		if (!source)
			return -1;
		status = copy(replay, source, err);
		source_close(source);
		if (status < 0)
			return -1;
	}
	return 0;
}

int sensor_replay(struct cli *cli, void *values, struct err *err)
{
	const struct sensor_replay_config *config =
		(const struct sensor_replay_config *)values;
	const struct source_filter filter = { .since_ms = config->since_ms,
					      .until_ms = config->until_ms,
					      .target = config->target };
	struct replay replay = { .pace = config->pace };
	int status;

	(void)cli;
	if (config->from.count == 0) {
		err_set(err, EINVAL, "--from: which documents?");
		return CLI_USAGE;
	}
	cli_stop_signal();
	replay.sink = sink_open_all(&config->to, "jsonl:-", err);
	if (!replay.sink)
		return -1;
	replay.regroup = regroup_new(replay.sink);
	status = copy_all(&replay, config, &filter, err);
	regroup_free(replay.regroup);
	if (status == 0)
		log_note("copied   %" PRIu64 " documents to %s",
			 replay.documents, sink_uri(replay.sink));
	if (sink_close(replay.sink, status < 0 ? NULL : err) < 0)
		status = -1;
	return status < 0 ? -1 : cli_stop_status();
}
