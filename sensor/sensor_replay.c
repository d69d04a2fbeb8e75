/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "sensor/sensor.h"

/* clang-format off */
#define AT(member) offsetof(struct sensor_replay_config, member)
const struct field sensor_replay_fields[] = {
	CLI_FROM(sensor_replay_config, from),
	CLI_TO(sensor_replay_config, to),
	{ "pace", FIELD_REAL, AT(pace), .initial = "0", .min = 0, .max = 1e6,
	  .value = "X",
	  .help = "0: at once; 1: as they came; 2: twice as fast" },
	{ "since", FIELD_TEXT, AT(since), .value = "T",
	  .help = "only from T on: Unix milliseconds, or "
		  "2026-07-09T10:00:00 (UTC)" },
	{ "until", FIELD_TEXT, AT(until), .value = "T",
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
	"again.\n"
	"\n"
	"Examples:\n"
	"  sensor replay --from trace.jsonl --to csv:trace\n"
	"  sensor replay --from trace.jsonl --pace 10 | formula\n"
	"  sensor replay --from day.jsonl --since 2026-07-09T10:00:00 "
	"--target 'process:*' --to part.jsonl\n";

static int parse_time(const char *name, const char *text, int64_t *ms,
		      struct err *err)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S",
					       "%Y-%m-%d %H:%M:%S",
					       "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*ms = strtoll(text, &end, 10);
	if (!errno && end != text && *end == '\0')
		return 0;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = { 0 };
		const char *rest = strptime(text, formats[i], &tm);

		if (rest && (*rest == '\0' || !strcmp(rest, "Z"))) {
			*ms = 1000 * (int64_t)timegm(&tm);
			return 0;
		}
	}
	return err_set(err, EINVAL,
		       "--%s '%s': expected Unix milliseconds or "
		       "2026-07-09T10:00:00",
		       name, text);
}

struct replay {
	struct sink *sink;
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

static int copy(struct replay *replay, struct source *source, struct err *err)
{
	struct doc *doc;
	int got;

	while ((got = source_next(source, &doc, err)) > 0) {
		int status = 0;
		bool go_on = wait_for(replay, doc);

		if (go_on)
			status = sink_put_doc(replay->sink, doc, err);
		doc_free(doc);
		if (status < 0)
			return -1;
		if (!go_on)
			return 0;
		replay->documents++;
	}
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
	struct source_filter filter = { .target = config->target };
	struct replay replay = { .pace = config->pace };
	int status;

	(void)cli;
	if (config->from.count == 0) {
		err_set(err, EINVAL, "--from: which documents?");
		return CLI_USAGE;
	}
	if (parse_time("since", config->since, &filter.since_ms, err) < 0 ||
	    parse_time("until", config->until, &filter.until_ms, err) < 0)
		return CLI_USAGE;
	cli_stop_signal();
	replay.sink = sink_open_all(&config->to, "jsonl:-", err);
	if (!replay.sink)
		return -1;
	status = copy_all(&replay, config, &filter, err);
	if (status == 0)
		log_note("copied   %" PRIu64 " documents to %s",
			 replay.documents, sink_uri(replay.sink));
	if (sink_close(replay.sink, status < 0 ? NULL : err) < 0)
		status = -1;
	return status < 0 ? -1 : cli_stop_status();
}
