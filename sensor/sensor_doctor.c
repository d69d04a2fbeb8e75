/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/doc.h"
#include "lib/quantity.h"
#include "lib/stat.h"
#include "lib/table.h"
#include "sensor/counter.h"
#include "sensor/cputime.h"
#include "sensor/meter.h"
#include "sensor/privilege.h"
#include "sensor/process.h"
#include "sensor/sensor.h"
#include "sensor/topology.h"

const struct field sensor_doctor_fields[] = { CLI_SHARED(sensor_doctor_config),
					      FIELD_END };

const char sensor_doctor_about[] =
	"Tries everything that measuring needs, and says of each what was "
	"found, what is lost without it, and the command that would change "
	"that ('bench doctor' looks at libraries and data). The exit status is 2 if nothing at all can be counted here.\n"
	"\n"
	"Examples:\n"
	"  sensor doctor\n"
	"  sensor doctor --json | jq '.findings[] | select(.state != \"ok\")'\n";

#define CHECKS_MAX 32

enum state { CHECK_OK, CHECK_WARN, CHECK_BLOCKING };

static const char *const state_names[] = { "ok", "warn", "blocking" };

struct check {
	const char *what;
	enum state state;
	char says[ERR_TEXT_MAX];
	char remedy[256];
};

struct checks {
	struct check check[CHECKS_MAX];
	size_t count;
};

static void remedy(struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static struct check *add(struct checks *checks, const char *what,
			 enum state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static struct check *add(struct checks *checks, const char *what,
			 enum state state, const char *format, ...)
{
	struct check *check = &checks->check[checks->count];
	va_list args;

	if (checks->count + 1 < CHECKS_MAX)
		checks->count++;
	*check = (struct check){ .what = what, .state = state };
	va_start(args, format);
	vsnprintf(check->says, sizeof(check->says), format, args);
	va_end(args);
	return check;
}

static void remedy(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->remedy, sizeof(check->remedy), format, args);
	va_end(args);
}

/* The first line of a small file, or -1. */
static int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = read(fd, line, size - 1);
	close(fd);
	if (got <= 0)
		return -1;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/* ---- counting -------------------------------------------------------------- */

static bool can_count(const char *name, struct err *why)
{
	struct event event;

	return event_find(name, &event, why) == 0 &&
	       counter_supported(&event, why);
}

static bool check_software(struct checks *checks)
{
	char paranoid[32] = "unknown";
	struct err why = { 0 };
	struct check *check;

	read_line("/proc/sys/kernel/perf_event_paranoid", paranoid,
		  sizeof(paranoid));
	if (can_count("PERF_COUNT_SW_CONTEXT_SWITCHES", &why)) {
		add(checks, "perf events", CHECK_OK,
		    "software events can be counted "
		    "(perf_event_paranoid %s)",
		    paranoid);
		return true;
	}
	check = add(checks, "perf events", CHECK_WARN,
		    "not permitted (perf_event_paranoid %s): processes are "
		    "counted by their CPU clocks, without events",
		    paranoid);
	remedy(check, "sudo sysctl kernel.perf_event_paranoid=1   or   "
		      "sudo setcap cap_perfmon=ep \"$(command -v sensor)\"");
	return false;
}

static bool check_clocks(struct checks *checks)
{
	struct err why = { 0 };
	uint64_t ns;

	if (process_cpu_ns(getpid(), &ns, &why) == 0) {
		add(checks, "process clocks", CHECK_OK,
		    "CPU time of any process, in ns, without permission");
		return true;
	}
	add(checks, "process clocks", CHECK_WARN, "%s", why.text);
	return false;
}

static void check_hardware(struct checks *checks)
{
	struct err why = { 0 };

	if (can_count("PERF_COUNT_HW_INSTRUCTIONS", &why)) {
		add(checks, "hardware PMU", CHECK_OK,
		    "cycles and instructions can be counted");
		return;
	}
	if (why.code == EACCES || why.code == EPERM)
		add(checks, "hardware PMU", CHECK_WARN,
		    "not permitted, as above");
	else
		add(checks, "hardware PMU", CHECK_WARN,
		    "none: no cycles, no instructions (a virtual machine "
		    "often has none)");
}

static void check_counting(struct checks *checks)
{
	bool perf = check_software(checks);
	bool clocks = check_clocks(checks);

	check_hardware(checks);
	if (!perf && !clocks)
		add(checks, "engine", CHECK_BLOCKING,
		    "neither perf events nor process clocks: processes "
		    "cannot be counted");
}

static void check_privileges(struct checks *checks)
{
	char text[128];
	struct check *check;
	uint64_t now = privilege_now();

	privilege_text(now, text, sizeof(text));
	check = add(checks, "capabilities", CHECK_OK, "%s%s", text,
		    now ? " (sensor gives up all but cap_perfmon and cap_bpf "
			  "once it is open)"
			: ": own processes only, where perf events need "
			  "permission");
	if (!now)
		remedy(check, "sudo setcap cap_perfmon,cap_bpf=ep "
			      "\"$(command -v sensor)\"   or   run it as a "
			      "service (docs: deploy/)");
}

/* A cycle counter that the kernel keeps for itself is missing in groups. */
static void check_nmi(struct checks *checks)
{
	char line[16];
	struct check *check;

	if (read_line("/proc/sys/kernel/nmi_watchdog", line, sizeof(line)) < 0)
		return;
	if (strcmp(line, "1") != 0) {
		add(checks, "NMI watchdog", CHECK_OK, "off");
		return;
	}
	check = add(checks, "NMI watchdog", CHECK_WARN,
		    "on: it keeps one hardware counter of each CPU for itself");
	remedy(check, "sudo sysctl kernel.nmi_watchdog=0");
}

/* ---- meters ---------------------------------------------------------------- */

static bool is_hardware(const char *kind)
{
	return !strcmp(kind, "powercap") || !strcmp(kind, "perf");
}

static void check_meters(struct checks *checks)
{
	struct meter_finding finding[16];
	size_t n = meter_survey(finding, 16);
	bool hardware = false;

	for (size_t i = 0; i < n; i++) {
		bool warn = !finding[i].usable && is_hardware(finding[i].kind);
		struct check *check;

		if (!strcmp(finding[i].kind, "null"))
			continue;
		check = add(checks, "meter", warn ? CHECK_WARN : CHECK_OK,
			    "%s%s%s", finding[i].usable ? "" : finding[i].kind,
			    finding[i].usable ? "" : ": ", finding[i].says);

		remedy(check, "%s", finding[i].remedy);
		hardware |= finding[i].usable &&
			    (is_hardware(finding[i].kind) ||
			     !strcmp(finding[i].kind, "hwmon"));
	}
	if (!hardware)
		add(checks, "energy", CHECK_WARN,
		    "no hardware meter works here: joules are estimated by a "
		    "model (class 7)");
}

/* ---- the machine ----------------------------------------------------------- */

static void check_virtual(struct checks *checks,
			  const struct topology *topology)
{
	if (topology->hypervisor)
		add(checks, "hypervisor", CHECK_WARN,
		    "a virtual machine: meters and counters are the host's, "
		    "frequencies are hidden, time can be stolen");
	else
		add(checks, "hypervisor", CHECK_OK, "none");
}

static void check_governor(struct checks *checks,
			   const struct topology *topology)
{
	struct check *check;

	if (topology->governor[0] == '\0') {
		add(checks, "governor", CHECK_OK,
		    "unknown: the kernel does not set frequencies here");
		return;
	}
	if (!strcmp(topology->governor, "performance")) {
		add(checks, "governor", CHECK_OK, "performance");
		return;
	}
	check = add(checks, "governor", CHECK_WARN,
		    "%s: frequencies follow the load, repeats scatter",
		    topology->governor);
	remedy(check, "sudo cpupower frequency-set -g performance");
}

static void check_turbo(struct checks *checks)
{
	static const struct {
		const char *path, *on, *off;
	} switches[] = {
		{ "/sys/devices/system/cpu/intel_pstate/no_turbo", "0", "1" },
		{ "/sys/devices/system/cpu/cpufreq/boost", "1", "0" },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		char line[16];
		struct check *check;

		if (read_line(switches[i].path, line, sizeof(line)) < 0)
			continue;
		if (strcmp(line, switches[i].on) != 0) {
			add(checks, "turbo", CHECK_OK, "off");
			return;
		}
		check = add(checks, "turbo", CHECK_WARN,
			    "on: speed depends on temperature and on other "
			    "cores");
		remedy(check, "echo %s | sudo tee %s", switches[i].off,
		       switches[i].path);
		return;
	}
}

/* Clocks are read around every reading of a meter. */
static void check_clock(struct checks *checks)
{
	static const char folder[] = "/sys/devices/system/clocksource/"
				     "clocksource0/";
	char path[128], line[32];
	struct check *check;
	bool slow;

	snprintf(path, sizeof(path), "%scurrent_clocksource", folder);
	if (read_line(path, line, sizeof(line)) < 0)
		return;
	slow = !strcmp(line, "hpet") || !strcmp(line, "acpi_pm") ||
	       !strcmp(line, "jiffies");
	check = add(checks, "clock", slow ? CHECK_WARN : CHECK_OK, "%s%s", line,
		    slow ? ": every look at the time is a system call and "
			   "more"
			 : "");
	if (slow)
		remedy(check, "echo tsc | sudo tee %s", path);
}

#define STEAL_SECONDS 0.5

static void check_cpu_time(struct checks *checks, size_t cpus)
{
	struct cputime_reading before, after;
	struct err why = { 0 };
	struct cputime *cputime = cputime_open(NULL, &why);
	char text[QUANTITY_TEXT_MAX];
	double share;

	if (!cputime || cputime_read(cputime, &before, &why) < 0) {
		add(checks, "CPU time", CHECK_WARN, "%s", why.text);
		cputime_close(cputime);
		return;
	}
	quantity_text(cputime_resolution_s(cputime), QUANTITY_SECONDS, text);
	add(checks, "CPU time", CHECK_OK,
	    "of the machine: %s, within %s for each busy CPU",
	    cputime_source_name(cputime), text);
	usleep((useconds_t)(1e6 * STEAL_SECONDS));
	if (cputime_read(cputime, &after, NULL) == 0) {
		share = (after.steal_s - before.steal_s) /
			(STEAL_SECONDS * (double)cpus);
		add(checks, "stolen time", share > 0.02 ? CHECK_WARN : CHECK_OK,
		    "%.1f %% of the CPUs' time now", 100 * share);
	}
	cputime_close(cputime);
}

#define WAKES 50

/* How late is a tick?  The worst of a few says whether 1 kHz is possible. */
static void check_timer(struct checks *checks)
{
	double late_s[WAKES];
	char middle[QUANTITY_TEXT_MAX], worst[QUANTITY_TEXT_MAX];
	int64_t due_ns = clock_now_ns(clock_real());

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (int i = 0; i < WAKES; i++) {
		due_ns += 1000000;
		clock_sleep_until_ns(clock_real(), due_ns);
		late_s[i] =
			1e-9 * (double)(clock_now_ns(clock_real()) - due_ns);
	}
	quantity_text(stat_median(late_s, WAKES), QUANTITY_SECONDS, middle);
	quantity_text(stat_quantile(late_s, WAKES, 1.0), QUANTITY_SECONDS,
		      worst);
	add(checks, "timer",
	    stat_median(late_s, WAKES) > 2e-4 ? CHECK_WARN : CHECK_OK,
	    "ticks of 1 ms come %s late, %s at worst", middle, worst);
}

static void check_files(struct checks *checks)
{
	struct rlimit limit;
	struct check *check;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	check = add(checks, "open files",
		    limit.rlim_cur < 1024 ? CHECK_WARN : CHECK_OK,
		    "%llu at once: each counted thread needs one for each "
		    "event",
		    (unsigned long long)limit.rlim_cur);
	if (limit.rlim_cur < 1024)
		remedy(check, "ulimit -n 65536");
}

/* ---- telling --------------------------------------------------------------- */

/* As `bench doctor` has it. */
static void print_table(const struct checks *checks)
{
	static const char *const shown[] = { "ok", "warn", "BLOCKING" };
	struct table *table = table_new("", "what", "says", NULL);
	bool remedies = false;

	for (size_t i = 0; i < checks->count; i++) {
		const struct check *check = &checks->check[i];

		table_row(table, shown[check->state], check->what, check->says,
			  NULL);
		remedies |= check->remedy[0] != '\0';
	}
	table_print(table, stdout);
	table_free(table);
	if (remedies)
		printf("\nwhat would change that:\n");
	for (size_t i = 0; i < checks->count; i++)
		if (checks->check[i].remedy[0])
			printf("%-14s %s\n", checks->check[i].what,
			       checks->check[i].remedy);
}

static void print_json(const struct checks *checks, int blocking)
{
	struct doc *doc = doc_new_object();
	struct doc *findings = doc_new_array();
	char *line;

	doc_set_text(doc, "schema", "fedwatts.doctor/1");
	doc_set_text(doc, "program", "sensor");
	doc_set_int(doc, "blocking", blocking);
	for (size_t i = 0; i < checks->count; i++) {
		const struct check *check = &checks->check[i];
		struct doc *finding = doc_new_object();

		doc_set_text(finding, "what", check->what);
		doc_set_text(finding, "state", state_names[check->state]);
		doc_set_text(finding, "says", check->says);
		if (check->remedy[0])
			doc_set_text(finding, "remedy", check->remedy);
		doc_add_take(findings, finding);
	}
	doc_set_take(doc, "findings", findings);
	line = doc_to_text(doc);
	puts(line);
	free(line);
	doc_free(doc);
}

int sensor_doctor(struct cli *cli, void *values, struct err *err)
{
	const struct sensor_doctor_config *config =
		(const struct sensor_doctor_config *)values;
	struct topology *topology = topology_read("/sys", "/proc", err);
	struct checks checks = { .count = 0 };
	char line[256];
	int blocking = 0;

	(void)cli;
	if (!topology)
		return -1;
	add(&checks, "machine", CHECK_OK, "%s",
	    topology_describe(topology, line, sizeof(line)));
	check_virtual(&checks, topology);
	check_counting(&checks);
	check_privileges(&checks);
	check_nmi(&checks);
	check_meters(&checks);
	check_cpu_time(&checks, topology->cpus);
	check_governor(&checks, topology);
	check_turbo(&checks);
	check_clock(&checks);
	check_timer(&checks);
	check_files(&checks);
	topology_free(topology);
	for (size_t i = 0; i < checks.count; i++)
		blocking += checks.check[i].state == CHECK_BLOCKING;
	if (config->shared.json)
		print_json(&checks, blocking);
	else
		print_table(&checks);
	return blocking ? 2 : 0;
}
