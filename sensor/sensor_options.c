/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of `sensor` itself: ours, and all of hwpc-sensor's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/quantity.h"
#include "sensor/sensor.h"
#include "sensor/sensor_session.h"

/* hwpc-sensor's option: a bare number is milliseconds, in C's spellings. */
static int set_frequency(void *values, const char *text, struct err *err)
{
	struct sensor_config *config = (struct sensor_config *)values;
	double seconds;
	int64_t ms;
	char *end;

	errno = 0;
	seconds = 1e-3 * strtod(text, &end);
	if (hwpc_milliseconds(text, &ms, NULL) == 0)
		seconds = 1e-3 * (double)ms;
	else if ((*end || end == text || errno) &&
		 quantity_parse(text, QUANTITY_SECONDS, &seconds, err) < 0)
		return -1;
	if (!(seconds >= 1e-4 && seconds <= 86400))
		return err_set(err, EINVAL, "'%s': expected 0.1 ms to one day",
			       text);
	config->frequency_s = seconds;
	return 0;
}

/* ---- hwpc-sensor's --------------------------------------------------------- */

static struct hwpc_config *hwpc_of(void *values)
{
	return &((struct sensor_config *)values)->hwpc;
}

static int set_text(char **at, const char *text)
{
	free(*at);
	*at = xstrdup(text);
	return 0;
}

static int set_system(void *values, const char *text, struct err *err)
{
	return hwpc_open_group(hwpc_of(values), HWPC_SYSTEM, text, err);
}

static int set_container(void *values, const char *text, struct err *err)
{
	return hwpc_open_group(hwpc_of(values), HWPC_CONTAINER, text, err);
}

static int set_one_cpu(void *values, const char *text, struct err *err)
{
	(void)text;
	return hwpc_one_cpu(hwpc_of(values), err);
}

static int set_group_event(void *values, const char *text, struct err *err)
{
	struct sensor_config *config = (struct sensor_config *)values;

	if (config->hwpc.open > 0)
		return hwpc_add_event(&config->hwpc, text, err);
	field_list_add(&config->events, text);
	return 0;
}

static int set_base(void *values, const char *text, struct err *err)
{
	(void)err;
	return set_text(&hwpc_of(values)->base, text);
}

static int set_storage(void *values, const char *text, struct err *err)
{
	return hwpc_set_storage(hwpc_of(values), text, err);
}

static int set_uri(void *values, const char *text, struct err *err)
{
	(void)err;
	return set_text(&hwpc_of(values)->uri, text);
}

static int set_database(void *values, const char *text, struct err *err)
{
	(void)err;
	return set_text(&hwpc_of(values)->database, text);
}

static int set_collection(void *values, const char *text, struct err *err)
{
	(void)err;
	return set_text(&hwpc_of(values)->collection, text);
}

static int set_port(void *values, const char *text, struct err *err)
{
	(void)err;
	return set_text(&hwpc_of(values)->port, text);
}

static int set_discovery(void *values, const char *text, struct err *err)
{
	int64_t ms;

	if (hwpc_milliseconds(text, &ms, err) < 0)
		return -1;
	((struct sensor_config *)values)->discovery_ms = ms;
	return 0;
}

/* A file counts where it stands: what is behind it on the line replaces its
 * values, and it those before it. */
static int set_file(void *values, const char *path, struct err *err)
{
	struct sensor_config *config = (struct sensor_config *)values;
	struct hwpc_config *hwpc = &config->hwpc;
	struct doc *doc = doc_read(path, err);
	int status;

	if (!doc)
		return -1;
	hwpc->interval_ms = hwpc->discovery_ms = 0;
	hwpc->verbose = -1;
	status = hwpc_config_read(hwpc, doc, err);
	doc_free(doc);
	if (status < 0)
		return err_wrap(err, "%s", path);
	if (hwpc->interval_ms > 0)
		config->frequency_s = 1e-3 * (double)hwpc->interval_ms;
	if (hwpc->discovery_ms > 0)
		config->discovery_ms = hwpc->discovery_ms;
	if (hwpc->verbose >= 0)
		config->shared.verbose = hwpc->verbose;
	if (hwpc->name) {
		set_text(&config->name, hwpc->name);
		free(hwpc->name);
		hwpc->name = NULL;
	}
	return 0;
}

static void hwpc_done(void *values)
{
	hwpc_config_done(hwpc_of(values));
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
	{ "threads-of", FIELD_LIST, AT(threads_of), .value = "P",
	  .help = "measure each thread of process P (repeatable)" },
	{ "name-pattern", FIELD_LIST, AT(patterns), .value = "P",
	  .help = "measure every process whose command matches the shell "
		  "pattern P, now or later (repeatable)" },
	{ "cgroup", FIELD_LIST, AT(cgroups), .value = "P",
	  .help = "measure cgroup P, as a path below the cgroup mount or a "
		  "shell pattern of such paths (repeatable)" },
	{ "unit", FIELD_LIST, AT(units), .value = "U",
	  .help = "measure systemd unit U, or those whose names match the "
		  "shell pattern U (repeatable)" },
	{ "cgroup-all", FIELD_BOOL, AT(cgroup_all),
	  .help = "measure every cgroup, not leaves alone" },
	{ "self", FIELD_BOOL, AT(self),
	  .help = "measure the sensor itself as a process too, and say at the "
		  "end what it used" },
	{ "discovery-interval", FIELD_SECONDS, AT(discovery_s),
	  .initial = "1s", .min = 1e-3, .max = 86400, .value = "D",
	  .help = "look for new targets every D (cgroups are announced by the "
		  "kernel as well)" },
	{ "meter", FIELD_LIST, AT(meters), .value = "M",
	  .help = "auto, powercap, perf, hwmon[:ROOT], nvml[:N], "
		  "battery[:ROOT], log:FILE, replay:FILE, "
		  "model[:idle=W,cpu=W], null (repeatable; auto)" },
	{ "engine", FIELD_CHOICE, AT(engine), .initial = "auto",
	  .choices = session_engines, .value = "auto|perf|tally|clock",
	  .help = "how targets are counted" },
	{ "event", FIELD_LIST, AT(events), .value = "EVENT",
	  .help = "count EVENT for each target besides "
		  "PERF_COUNT_SW_TASK_CLOCK (repeatable)" },
	{ "skip-missing", FIELD_BOOL, AT(skip_missing),
	  .help = "leave out events that this machine does not count, by "
		  "name, instead of ending" },
	{ "correct-multiplexing", FIELD_BOOL, AT(correct),
	  .help = "extrapolate counts of a group that had to share the PMU "
		  "(by time_enabled / time_running)" },
	{ "cumulative-times", FIELD_BOOL, AT(cumulative),
	  .help = "time_enabled and time_running since the beginning, as "
		  "hwpc-sensor had them before 1.7" },
	{ "name", FIELD_TEXT, AT(name), .key = 'n', .value = "NAME",
	  .help = "the sensor's name in reports (the host's)" },
	{ "keep-privileges", FIELD_BOOL, AT(keep_privileges),
	  .help = "keep every capability; otherwise, once all is open, only "
		  "CAP_PERFMON and CAP_BPF stay" },
	CLI_TO(sensor_config, to),
	{ "config-file", FIELD_CALL, AT(hwpc), .key = 'x', .value = "FILE",
	  .set = set_file, .done = hwpc_done,
	  .help = "hwpc-sensor's configuration file, applied where it "
		  "stands" },
	{ "system", FIELD_CALL, AT(hwpc), .key = 's', .value = "GROUP",
	  .set = set_system,
	  .help = "open a group of events of the whole machine; -e and -o "
		  "behind it belong to it" },
	{ "container", FIELD_CALL, AT(hwpc), .key = 'c', .value = "GROUP",
	  .set = set_container,
	  .help = "open a group of events of each target: every leaf cgroup, "
		  "unless targets are named" },
	{ "group-event", FIELD_CALL, AT(hwpc), .key = 'e', .value = "EVENT",
	  .set = set_group_event,
	  .help = "count EVENT in the group opened last; without one, like "
		  "--event" },
	{ "one-cpu-per-socket", FIELD_CALL, AT(hwpc), .key = 'o',
	  .set = set_one_cpu,
	  .help = "count the group opened last on one CPU of each package" },
	{ "cgroup-basepath", FIELD_CALL, AT(hwpc), .key = 'p', .value = "PATH",
	  .set = set_base, .help = "where the cgroups are (found by itself)" },
	{ "cgroup-discovery-interval", FIELD_CALL, AT(discovery_ms),
	  .value = "MS", .set = set_discovery,
	  .help = "--discovery-interval as hwpc-sensor takes it, in "
		  "milliseconds" },
	{ "storage", FIELD_CALL, AT(hwpc), .key = 'r', .value = "KIND",
	  .set = set_storage,
	  .help = "csv, socket, mongodb or null: --to in hwpc-sensor's words, "
		  "with -U, -D, -C and -P" },
	{ "storage-uri", FIELD_CALL, AT(hwpc), .key = 'U', .value = "WHERE",
	  .set = set_uri,
	  .help = "the directory (csv), host (socket) or URI (mongodb)" },
	{ "storage-database", FIELD_CALL, AT(hwpc), .key = 'D',
	  .value = "NAME", .set = set_database, .help = "mongodb's database" },
	{ "storage-collection", FIELD_CALL, AT(hwpc), .key = 'C',
	  .value = "NAME", .set = set_collection,
	  .help = "mongodb's collection" },
	{ "storage-port", FIELD_CALL, AT(hwpc), .key = 'P', .value = "PORT",
	  .set = set_port, .help = "socket's port" },
	CLI_SHARED(sensor_config),
	FIELD_END
};
/* clang-format on */

const char sensor_run_about[] =
	"Reports what the machine (target 'all'), and each process asked for, "
	"used in each interval: PowerAPI's HWPC reports, one JSON document a "
	"line, on stdout unless --to says otherwise. SIGINT and SIGTERM end "
	"it, with everything written; SIGHUP makes it read its files "
	"again and take the targets that they name now.\n"
	"\n"
	"With -- CMD it measures that command and what it starts, and prints "
	"joules, watts, CPU time and events on stderr, as 'perf stat' does; "
	"documents go only where --to says. The exit status is CMD's, or 125 "
	"if the sensor failed.\n"
	"\n"
	"-s, -c, -e, -o, -p, -x, -r, -U, -D, -C and -P are hwpc-sensor's, and "
	"its command lines and files work unchanged.\n"
	"\n"
	"Examples:\n"
	"  sensor -- make                       joules of a build\n"
	"  sensor -f 100 --to trace.jsonl       ten reports a second\n"
	"  sensor --name-pattern 'python*' --meter model:idle=5,cpu=8\n"
	"                                       Python's share, by a model\n"
	"  sensor --cgroup '/docker/*' --to csv:out\n"
	"                                       every container, as it comes\n";
