/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor_session -- everything that sampling needs, opened in order.
 *
 *	struct session session = { 0 };
 *
 *	if (session_open(&session, config, &err) < 0 || …)
 *		…
 *	session_close(&session, &err);
 *
 * What `sensor` and `sensor -- CMD` have in common.
 */
#ifndef SENSOR_SENSOR_SESSION_H
#define SENSOR_SENSOR_SESSION_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/sink.h"
#include "sensor/engine.h"
#include "sensor/machine.h"
#include "sensor/sensor.h"
#include "sensor/target.h"

struct session {
	struct machine *machine;
	struct target_set *targets; /* NULL: "all" alone */
	struct engine *engine;      /* NULL likewise */
	struct sink *sink;
	bool quiet; /* say nothing of what was found, unless -v */
};

/* The engine's name, as in --engine. */
extern const char *const session_engines[];

/* Targets of the configuration, if any. */
int session_add_targets(struct session *session,
			const struct sensor_config *config, struct err *err);

/* Meters, events and an engine where there are targets, and the place of the
 * documents (`fallback` where none is named; NULL: none). Says on stderr what it
 * found. */
int session_open(struct session *session, const struct sensor_config *config,
		 const char *fallback, struct err *err);

/* Was it called as hwpc-sensor is? */
bool session_is_hwpc(const struct sensor_config *config);

int64_t session_discovery_ns(const struct sensor_config *config);
int64_t session_interval_ns(const struct sensor_config *config);

/* Late errors of the sink count. */
int session_close(struct session *session, struct err *err);

#endif
