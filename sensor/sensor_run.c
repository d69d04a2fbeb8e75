/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/quantity.h"
#include "sensor/manifest.h"
#include "sensor/notify.h"
#include "sensor/privilege.h"
#include "sensor/process.h"
#include "sensor/sampler.h"
#include "sensor/sensor.h"
#include "sensor/sensor_session.h"
#include "sensor/target.h"

static volatile sig_atomic_t reload_signal;

static void reload_note(int number)
{
	reload_signal = number;
}

static void reload_install(void)
{
	struct sigaction action = { .sa_handler = reload_note };

	sigemptyset(&action.sa_mask);
	sigaction(SIGHUP, &action, NULL);
}

static bool stop_asked(void *arg)
{
	(void)arg;
	return cli_stop_signal() != 0;
}

/* ---- reloading ------------------------------------------------------------- */

/* What sampling goes on with, for who looks around meanwhile. */
struct running {
	const struct cli *cli;
	struct session *session;
	struct sampler *sampler;
};

static bool names_targets(const char *key)
{
	static const char *const keys[] = { "pid",          "threads-of",
					    "name-pattern", "cgroup",
					    "unit",         "cgroup-all" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* Only targets can change while it runs. */
static void note_the_rest(const struct config *was, const struct config *is)
{
	struct text before = TEXT_INIT, now = TEXT_INIT;

	for (const struct field *f = was->fields; f->name; f++) {
		if (names_targets(f->name))
			continue;
		text_clear(&before);
		text_clear(&now);
		field_put_value(f, was->values, &before);
		field_put_value(f, is->values, &now);
		if (before.length != now.length ||
		    (now.length > 0 &&
		     memcmp(before.data, now.data, now.length) != 0))
			log_warn("reload", "%s: only a restart changes it",
				 f->name);
	}
	text_done(&before);
	text_done(&now);
}

static int reload_targets(struct running *running,
			  const struct sensor_config *config, struct err *err)
{
	struct session again = { 0 };

	if (session_add_targets(&again, config, err) < 0) {
		target_set_free(again.targets);
		return -1;
	}
	if (again.targets && !running->session->engine) {
		target_set_free(again.targets);
		return err_set(err, ENOTSUP,
			       "targets: it was started without any "
			       "(restart it)");
	}
	if (!running->session->engine)
		return 0;
	if (!again.targets)
		again.targets = target_set_new("/proc");
	sampler_retarget(running->sampler, again.targets);
	target_set_free(running->session->targets);
	running->session->targets = again.targets;
	return 0;
}

/* A file that is wrong changes nothing. */
static void reload(struct running *running)
{
	struct sensor_config values = { 0 };
	struct config config;
	struct err err = { 0 };
	int status = cli_read_again(running->cli, &config, &values, &err);

	if (status == 0) {
		status = reload_targets(running, &values, &err);
		if (status == 0)
			note_the_rest(&running->cli->config, &config);
		config_done(&config);
	}
	if (status < 0)
		log_warn("reload", "%s; everything stays as it was", err.text);
	else
		log_note("reload   %zu targets at the moment",
			 running->session->targets
				 ? target_set_count(running->session->targets)
				 : 0);
}

/* Signals and the service manager, while it runs. */
static void look_around(void *arg)
{
	struct running *running = (struct running *)arg;

	if (notify_watchdog_due(clock_now_ns(clock_real())))
		notify("WATCHDOG=1");
	if (!reload_signal)
		return;
	reload_signal = 0;
	reload(running);
}

/* Everything is open. */
static void settle(const struct sensor_config *config)
{
	struct err err = { 0 };

	if (!config->keep_privileges && privilege_drop(&err) < 0)
		log_warn("privileges", "%s", err.text);
	notify("READY=1");
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
		log_note("targets  %s%zu of them at the moment",
			 machine_has_row(session->machine) ? "all, and " : "",
			 sampler_targets(sampler));
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

/* Joules by the share of the CPU time that the machine used meanwhile. */
static void note_self(const struct machine *machine, uint64_t used_ns)
{
	char cpu[QUANTITY_TEXT_MAX], joules[QUANTITY_TEXT_MAX];
	char label[ENERGY_LABEL_MAX];
	struct energy energy = ENERGY_NONE;
	struct machine_sum sum;
	double share;

	machine_sum(machine, &sum);
	share = sum.busy_s > 0 ? 1e-9 * (double)used_ns / sum.busy_s : 0.0;
	quantity_text(1e-9 * (double)used_ns, QUANTITY_SECONDS, cpu);
	if (machine_meters(machine) > 0)
		machine_energy(machine, 0, &energy);
	if (machine_meters(machine) == 0 || !isfinite(energy.joules)) {
		log_note("self     %s of CPU, %.2f %% of what was used", cpu,
			 100 * share);
		return;
	}
	quantity_text(share * energy.joules, QUANTITY_JOULES, joules);
	log_note("self     %s of CPU, %.2f %% of what was used; by that share "
		 "%s, %s",
		 cpu, 100 * share, joules,
		 energy_label(energy.source, energy.scale_lo, energy.scale_hi,
			      label));
}

static int sample(const struct cli *cli, struct session *session,
		  const struct sensor_config *config, struct err *err)
{
	struct running running = { cli, session, NULL };
	struct sampler_config plan = {
		.interval_ns = session_interval_ns(config),
		.duration_ns = (int64_t)(1e9 * config->duration_s),
		.discovery_ns = session_discovery_ns(config),
		.name = config->name ? config->name : manifest_device(),
		.clock = clock_real(),
		.machine = session->machine,
		.engine = session->engine,
		.targets = session->targets,
		.plain = session_is_hwpc(config),
		.sink = session->sink,
		.stop = stop_asked,
		.awake = look_around,
		.arg = &running,
		.keep_rest = config->duration_s > 0,
		.end_with_targets = config->duration_s <= 0,
	};
	uint64_t before_ns = 0, after_ns = 0;
	struct sampler *sampler;
	int status;

	sampler = running.sampler = sampler_new(&plan);
	status = sampler_start(sampler, err);
	if (status == 0) {
		note_plan(session, config, sampler);
		settle(config);
		process_cpu_ns(getpid(), &before_ns, NULL);
		status = sampler_run(sampler, err);
		notify("STOPPING=1");
		note_end(sampler_tally(sampler));
		process_cpu_ns(getpid(), &after_ns, NULL);
		if (config->self)
			note_self(session->machine, after_ns - before_ns);
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
	reload_install();
	raise_file_limit();
	status = session_add_targets(&session, config, err);
	if (status == 0)
		status = session_open(&session, config, "jsonl:-", err);
	if (status == 0)
		status = sample(cli, &session, config, err);
	if (session_close(&session, status < 0 ? NULL : err) < 0)
		status = -1;
	return status;
}
