/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/log.h"
#include "lib/quantity.h"
#include "sensor/manifest.h"
#include "sensor/sampler.h"
#include "sensor/sensor.h"
#include "sensor/sensor_session.h"

/* hwpc-sensor's option: a bare number is milliseconds. */
static int set_frequency(void *values, const char *text, struct err *err)
{
	struct sensor_config *config = (struct sensor_config *)values;
	double seconds;
	char *end;

	errno = 0;
	seconds = 1e-3 * strtod(text, &end);
	if ((*end || end == text || errno) &&
	    quantity_parse(text, QUANTITY_SECONDS, &seconds, err) < 0)
		return -1;
	if (!(seconds >= 1e-4 && seconds <= 86400))
		return err_set(err, EINVAL, "'%s': expected 0.1 ms to one day",
			       text);
	config->frequency_s = seconds;
	return 0;
}

/* clang-format off */
#define AT(member) offsetof(struct sensor_config, member)
const struct field sensor_run_fields[] = {
	{ "interval", FIELD_SECONDS, AT(interval_s), .initial = "1s",
	  .min = 1e-4, .max = 86400, .value = "D",
	  .help = "a report every D" },
	{ "perf-sampling-interval", FIELD_CALL, AT(frequency_s), .key = 'f',
	  .value = "MS", .set = set_frequency,
	  .help = "the same as hwpc-sensor takes it: a bare number is "
		  "milliseconds" },
	{ "duration", FIELD_SECONDS, AT(duration_s), .initial = "0s",
	  .min = 0, .max = 1e8, .value = "D",
	  .help = "end after D (0: until stopped)" },
	{ "pid", FIELD_LIST, AT(pids), .value = "P",
	  .help = "measure process P (repeatable)" },
	{ "name-pattern", FIELD_LIST, AT(patterns), .value = "P",
	  .help = "measure every process whose command matches the shell "
		  "pattern P, now or later (repeatable)" },
	{ "discovery-interval", FIELD_SECONDS, AT(discovery_s),
	  .initial = "1s", .min = 1e-3, .max = 86400, .value = "D",
	  .help = "look for new processes every D" },
	{ "meter", FIELD_LIST, AT(meters), .value = "M",
	  .help = "auto, powercap, perf, replay:FILE, model[:idle=W,cpu=W], "
		  "null (repeatable; auto)" },
	{ "engine", FIELD_CHOICE, AT(engine), .initial = "auto",
	  .choices = session_engines, .value = "auto|perf|clock",
	  .help = "how processes are counted" },
	{ "event", FIELD_LIST, AT(events), .key = 'e', .value = "EVENT",
	  .help = "count EVENT for each process besides "
		  "PERF_COUNT_SW_TASK_CLOCK (repeatable)" },
	{ "name", FIELD_TEXT, AT(name), .key = 'n', .value = "NAME",
	  .help = "the sensor's name in reports (the host's)" },
	CLI_TO(sensor_config, to),
	CLI_SHARED(sensor_config),
	FIELD_END
};
/* clang-format on */

const char sensor_run_about[] =
	"Reports what the machine (target 'all'), and each process asked for, "
	"used in each interval: PowerAPI's HWPC reports, one JSON document a "
	"line, on stdout unless --to says otherwise. SIGINT and SIGTERM end "
	"it, with everything written.\n"
	"\n"
	"With -- CMD it measures that command and what it starts, and prints "
	"joules, watts, CPU time and events on stderr, as 'perf stat' does; "
	"documents go only where --to says. The exit status is CMD's, or 125 "
	"if the sensor failed.\n"
	"\n"
	"Examples:\n"
	"  sensor -- make                       joules of a build\n"
	"  sensor -f 100 --to trace.jsonl       ten reports a second\n"
	"  sensor --name-pattern 'python*' --meter model:idle=5,cpu=8\n"
	"                                       Python's share, by a model\n";

static bool stop_asked(void *arg)
{
	(void)arg;
	return cli_stop_signal() != 0;
}

static void note_plan(const struct session *session,
		      const struct sensor_config *config,
		      const struct sampler *sampler)
{
	char interval[QUANTITY_TEXT_MAX], duration[QUANTITY_TEXT_MAX];

	quantity_text(1e-9 * (double)session_interval_ns(config),
		      QUANTITY_SECONDS, interval);
	quantity_duration(config->duration_s, duration);
	if (session->targets)
		log_note("targets  all, and %zu process%s",
			 sampler_targets(sampler),
			 sampler_targets(sampler) == 1 ? "" : "es");
	log_note("reports  every %s%s%s to %s", interval,
		 config->duration_s > 0 ? ", for " : ", until stopped,",
		 config->duration_s > 0 ? duration : "",
		 sink_uri(session->sink));
}

static void note_end(const struct sampler_tally *tally)
{
	char worst[QUANTITY_TEXT_MAX];

	quantity_text(1e-9 * (double)tally->worst_ns, QUANTITY_SECONDS, worst);
	log_note("done     %" PRIu64 " ticks, %" PRIu64
		 " late (worst %s), %" PRIu64 " missed",
		 tally->ticks, tally->late, worst, tally->missed);
}

static int sample(struct session *session, const struct sensor_config *config,
		  struct err *err)
{
	struct sampler_config plan = {
		.interval_ns = session_interval_ns(config),
		.duration_ns = (int64_t)(1e9 * config->duration_s),
		.discovery_ns = (int64_t)(1e9 * config->discovery_s),
		.name = config->name ? config->name : manifest_device(),
		.clock = clock_real(),
		.machine = session->machine,
		.engine = session->engine,
		.targets = session->targets,
		.sink = session->sink,
		.stop = stop_asked,
		.keep_rest = config->duration_s > 0,
		.end_with_targets = config->duration_s <= 0,
	};
	struct sampler *sampler = sampler_new(&plan);
	int status = sampler_start(sampler, err);

	if (status == 0) {
		note_plan(session, config, sampler);
		status = sampler_run(sampler, err);
		note_end(sampler_tally(sampler));
	}
	sampler_free(sampler);
	return status;
}

/* Each counted thread needs a file or more. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int sensor_run(struct cli *cli, void *values, struct err *err)
{
	const struct sensor_config *config = (struct sensor_config *)values;
	struct session session = { 0 };
	int status;

	if (config_given(&cli->config, "interval") && config->frequency_s > 0) {
		err_set(err, EINVAL, "--interval and -f: one of them");
		return CLI_USAGE;
	}
	if (cli->rest)
		return sensor_command(cli, config);
	cli_stop_signal();
	raise_file_limit();
	status = session_add_targets(&session, config, err);
	if (status == 0)
		status = session_open(&session, config, "jsonl:-", err);
	if (status == 0)
		status = sample(&session, config, err);
	if (session_close(&session, status < 0 ? NULL : err) < 0)
		status = -1;
	return status;
}
