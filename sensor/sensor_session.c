/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sensor_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sensor/counter.h"
#include "sensor/hwpc_report.h"
#include "sensor/topology.h"

const char *const session_engines[] = { "auto", "perf", "clock", NULL };

static int parse_pid(const char *text, pid_t *pid, struct err *err)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > 1 << 22)
		return err_set(err, EINVAL,
			       "--pid %s: expected a process number", text);
	*pid = (pid_t)value;
	return 0;
}

int session_add_targets(struct session *session,
			const struct sensor_config *config, struct err *err)
{
	if (config->pids.count + config->patterns.count == 0)
		return 0;
	if (!session->targets)
		session->targets = target_set_new("/proc");
	for (size_t i = 0; i < config->pids.count; i++) {
		pid_t pid = 0;

		if (parse_pid(config->pids.item[i], &pid, err) < 0)
			return -1;
		if (target_set_add_pid(session->targets, pid, err) < 0)
			return err_wrap(err, "--pid");
	}
	for (size_t i = 0; i < config->patterns.count; i++)
		target_set_add_pattern(session->targets,
				       config->patterns.item[i]);
	return 0;
}

/* Where there is a PMU, what formulas live on. */
static void add_hardware(struct event_group *group)
{
	static const char *const names[] = {
		"PERF_COUNT_HW_CPU_CYCLES",
		"PERF_COUNT_HW_INSTRUCTIONS",
		"PERF_COUNT_HW_CACHE_MISSES",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct event event;

		if (event_find(names[i], &event, NULL) == 0 &&
		    counter_supported(&event, NULL))
			group->event[group->events++] = event;
	}
}

int session_add_events(struct session *session,
		       const struct sensor_config *config, struct err *err)
{
	const char *engine = session_engines[config->engine];
	struct event_group *group = &session->group;

	memcpy(group->name, HWPC_GROUP_CORE, sizeof(HWPC_GROUP_CORE));
	if (event_group_add(group, HWPC_TASK_CLOCK, err) < 0)
		return -1;
	for (size_t i = 0; i < config->events.count; i++)
		if (strcmp(config->events.item[i], HWPC_TASK_CLOCK) != 0 &&
		    event_group_add(group, config->events.item[i], err) < 0)
			return err_wrap(err, "--event");
	if (config->events.count == 0 && strcmp(engine, "clock") != 0)
		add_hardware(group);
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

static void note_engine(const struct session *session)
{
	const char *remarks = engine_remarks(session->engine);

	log_note("engine   %s%s%s%s", engine_name(session->engine),
		 *remarks ? " (not perf: " : "", remarks, *remarks ? ")" : "");
}

/* ---- opening and closing --------------------------------------------------- */

static int open_machine(struct session *session,
			const struct sensor_config *config, struct err *err)
{
	if (!session->quiet)
		note_machine();
	session->machine = machine_open(&config->meters, err);
	if (!session->machine)
		return -1;
	for (size_t i = 0;
	     !session->quiet && i < machine_meters(session->machine); i++)
		note_meter(machine_meter(session->machine, i));
	return 0;
}

int session_open(struct session *session, const struct sensor_config *config,
		 const char *fallback, struct err *err)
{
	if (!session->targets && config->events.count > 0)
		return err_set(err, EINVAL,
			       "--event counts for processes (name some: "
			       "--pid, --name-pattern, -- CMD)");
	if (session->targets) {
		if (session_add_events(session, config, err) < 0)
			return -1;
		session->engine = engine_open(session_engines[config->engine],
					      &session->group, 1, "/proc", err);
		if (!session->engine)
			return -1;
	}
	if (open_machine(session, config, err) < 0)
		return -1;
	if (session->engine && !session->quiet)
		note_engine(session);
	session->sink = sink_open_all(&config->to, fallback, err);
	return session->sink ? 0 : -1;
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
