/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sensor_session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "sensor/cgroup.h"
#include "sensor/sensor_groups.h"
#include "sensor/topology.h"

const char *const session_engines[] = { "auto", "perf", "tally", "clock",
					NULL };

static int parse_pid(const char *option, const char *text, pid_t *pid,
		     struct err *err)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > 1 << 22)
		return err_set(err, EINVAL, "%s %s: expected a process number",
			       option, text);
	*pid = (pid_t)value;
	return 0;
}

bool session_is_hwpc(const struct sensor_config *config)
{
	return config->hwpc.groups > 0;
}

static int add_pids(struct target_set *targets,
		    const struct sensor_config *config, struct err *err)
{
	pid_t pid = 0;

	for (size_t i = 0; i < config->pids.count; i++) {
		if (parse_pid("--pid", config->pids.item[i], &pid, err) < 0)
			return -1;
		if (target_set_add_pid(targets, pid, err) < 0)
			return err_wrap(err, "--pid");
	}
	for (size_t i = 0; i < config->threads_of.count; i++) {
		if (parse_pid("--threads-of", config->threads_of.item[i], &pid,
			      err) < 0)
			return -1;
		if (target_set_add_threads(targets, pid, err) < 0)
			return err_wrap(err, "--threads-of");
	}
	return 0;
}

static int add_cgroups(struct target_set *targets,
		       const struct sensor_config *config, struct err *err)
{
	char mount[PATH_MAX];
	struct target_cgroups wish = {
		.base = config->hwpc.base ? config->hwpc.base : mount,
		.paths = &config->cgroups,
		.units = &config->units,
		.all = config->cgroup_all,
		.files = "",
	};

	if (config->hwpc.base
		    ? cgroup_check_base(config->hwpc.base, "/proc", err) < 0
		    : cgroup_find_base("/proc", mount, sizeof(mount), err) < 0)
		return -1;
	return target_set_add_cgroups(targets, &wish, err);
}

int session_add_targets(struct session *session,
			const struct sensor_config *config, struct err *err)
{
	bool tasks = config->pids.count + config->patterns.count +
			     config->threads_of.count + config->self >
		     0;
	bool cgroups = config->cgroups.count + config->units.count > 0 ||
		       config->cgroup_all ||
		       (hwpc_groups(&config->hwpc, HWPC_CONTAINER) > 0 &&
			!tasks && !session->targets);

	if (!tasks && !cgroups)
		return 0;
	if (!session->targets)
		session->targets = target_set_new("/proc");
	/* First, so that processes are found to lie within them. */
	if (cgroups && add_cgroups(session->targets, config, err) < 0)
		return -1;
	if (add_pids(session->targets, config, err) < 0)
		return -1;
	if (config->self &&
	    target_set_add_pid(session->targets, getpid(), err) < 0)
		return err_wrap(err, "--self");
	for (size_t i = 0; i < config->patterns.count; i++)
		target_set_add_pattern(session->targets,
				       config->patterns.item[i]);
	return 0;
}

/* ---- saying what was found ------------------------------------------------- */

static void note_machine(void)
{
	struct topology *topology = topology_read("/sys", "/proc", NULL);
	char line[256];

	if (topology)
		log_note("machine  %s",
			 topology_describe(topology, line, sizeof(line)));
	topology_free(topology);
}

static void note_meter(const struct meter *meter)
{
	const char *remark = meter_remarks(meter);

	log_note("meter    %s", meter_describe(meter));
	while (*remark) {
		int length = (int)strcspn(remark, "\n");

		log_note("         (%.*s)", length, remark);
		remark += length;
		remark += *remark == '\n';
	}
}

/* What it is, and why it is not another one. */
static void note_engine(const struct session *session,
			const struct sensor_config *config)
{
	const char *remarks = engine_remarks(session->engine);
	const char *name = engine_name(session->engine);
	bool chosen = !strcmp(session_engines[config->engine], "auto");
	size_t targets = target_set_count(session->targets);

	if (*remarks)
		log_note("engine   %s (%s)", name, remarks);
	else if (chosen)
		log_note("engine   %s (%zu target%s: tally from %d on)", name,
			 targets, targets == 1 ? "" : "s", ENGINE_TALLY_FROM);
	else
		log_note("engine   %s", name);
}

/* ---- opening and closing --------------------------------------------------- */

/* hwpc-sensor's reports have the groups that were named, and nothing else. */
static int open_machine(struct session *session,
			const struct sensor_config *config, struct err *err)
{
	char none[] = "null", *no_meter[] = { none };
	const struct field_list nothing = { no_meter, 1 };
	bool bare = session_is_hwpc(config);

	if (!session->quiet)
		note_machine();
	session->machine = machine_open(
		bare && config->meters.count == 0 ? &nothing : &config->meters,
		err);
	if (!session->machine)
		return -1;
	machine_set(session->machine,
		    &(struct machine_options){
			    .bare = bare,
			    .cumulative_times = config->cumulative,
		    });
	for (size_t i = 0;
	     !session->quiet && !bare && i < machine_meters(session->machine);
	     i++)
		note_meter(machine_meter(session->machine, i));
	return 0;
}

static void options_of(const struct sensor_config *config,
		       struct engine_options *options)
{
	*options = (struct engine_options){
		.cumulative_times = config->cumulative,
		.correct_multiplexing = config->correct,
	};
}

static int count_machine(struct session *session,
			 const struct sensor_config *config, struct err *err)
{
	struct groups groups = { 0 };
	struct engine_options options;
	int status = groups_of_machine(&groups, config, err);

	options_of(config, &options);
	if (status == 0 && session_is_hwpc(config) && !session->engine &&
	    groups.count == 0)
		status = err_set(err, ENOENT, "no event is left to count");
	if (status == 0 && groups.count > 0)
		status = machine_count(session->machine, groups.group,
				       groups.count, &options, err);
	groups_done(&groups);
	return status;
}

static int open_engine(struct session *session,
		       const struct sensor_config *config, struct err *err)
{
	struct groups groups = { 0 };
	struct engine_options options;
	size_t found;

	if (!session->targets)
		return 0;
	if (groups_of_targets(&groups, config, err) < 0) {
		groups_done(&groups);
		return -1;
	}
	if (groups.count > 0 && target_set_look(session->targets, err) == 0)
		session->engine = engine_open(
			session_engines[config->engine], groups.group,
			groups.count, target_set_count(session->targets),
			"/proc", err);
	found = groups.count;
	groups_done(&groups);
	if (found == 0) { /* each was told of */
		target_set_free(session->targets);
		session->targets = NULL;
		return 0;
	}
	if (!session->engine)
		return -1;
	options_of(config, &options);
	engine_set(session->engine, &options);
	return 0;
}

/* --to, and hwpc-sensor's storage. */
static int open_sink(struct session *session,
		     const struct sensor_config *config, const char *fallback,
		     struct err *err)
{
	struct field_list places = { 0 };
	struct text uri = TEXT_INIT;
	int status = hwpc_config_sink(&config->hwpc, &uri, err);

	for (size_t i = 0; i < config->to.count; i++)
		field_list_add(&places, config->to.item[i]);
	if (status == 0 && uri.length > 0)
		field_list_add(&places, uri.data);
	if (status == 0)
		session->sink = sink_open_all(&places, fallback, err);
	text_done(&uri);
	field_list_done(&places);
	return session->sink ? 0 : -1;
}

int session_open(struct session *session, const struct sensor_config *config,
		 const char *fallback, struct err *err)
{
	if (!session->targets && config->events.count > 0)
		return err_set(err, EINVAL,
			       "--event counts for targets (name some: --pid, "
			       "--name-pattern, --cgroup, -- CMD)");
	if (open_engine(session, config, err) < 0 ||
	    open_machine(session, config, err) < 0 ||
	    count_machine(session, config, err) < 0)
		return -1;
	if (session->engine && !session->quiet)
		note_engine(session, config);
	return open_sink(session, config, fallback, err);
}

int64_t session_discovery_ns(const struct sensor_config *config)
{
	return config->discovery_ms > 0 ? config->discovery_ms * 1000000
					: (int64_t)(1e9 * config->discovery_s);
}

int64_t session_interval_ns(const struct sensor_config *config)
{
	return (int64_t)(1e9 * (config->frequency_s > 0 ? config->frequency_s
							: config->interval_s));
}

int session_close(struct session *session, struct err *err)
{
	int status = session->sink ? sink_close(session->sink, err) : 0;

	engine_close(session->engine);
	target_set_free(session->targets);
	machine_close(session->machine);
	*session = (struct session){ 0 };
	return status;
}
