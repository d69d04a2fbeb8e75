/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/sensor_summary.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/quantity.h"
#include "lib/text.h"
#include "sensor/counter.h"

enum {
	TASK_CLOCK,
	CONTEXT_SWITCHES,
	CPU_MIGRATIONS,
	PAGE_FAULTS,
	CYCLES,
	INSTRUCTIONS,
	CACHE_MISSES,
	EVENTS
};

static const struct {
	const char *event, *label;
} events[EVENTS] = {
	[TASK_CLOCK] = { "PERF_COUNT_SW_TASK_CLOCK", "task-clock" },
	[CONTEXT_SWITCHES] = { "PERF_COUNT_SW_CONTEXT_SWITCHES",
			       "context-switches" },
	[CPU_MIGRATIONS] = { "PERF_COUNT_SW_CPU_MIGRATIONS", "cpu-migrations" },
	[PAGE_FAULTS] = { "PERF_COUNT_SW_PAGE_FAULTS", "page-faults" },
	[CYCLES] = { "PERF_COUNT_HW_CPU_CYCLES", "cycles" },
	[INSTRUCTIONS] = { "PERF_COUNT_HW_INSTRUCTIONS", "instructions" },
	[CACHE_MISSES] = { "PERF_COUNT_HW_CACHE_MISSES", "cache-misses" },
};

enum count_state { COUNTED, NOT_SUPPORTED, NOT_PERMITTED };

struct summary {
	struct count {
		enum count_state state;
		struct counter *counter;
		double value;
		double running; /* share of the time it was counted */
	} count[EVENTS];
	const struct machine *machine;
	struct machine_sum sum;
	double user_s, sys_s, cpu_s;
};

/* ---- counting -------------------------------------------------------------- */

static void attach(struct count *count, const char *name, pid_t pid)
{
	struct event event;
	struct err why = { 0 };
	struct counter_request request = {
		.event = &event,
		.events = 1,
		.pid = pid,
		.cpu = -1,
		.flags = COUNTER_CHILDREN | COUNTER_ON_EXEC,
	};

	count->state = NOT_SUPPORTED;
	if (event_find(name, &event, &why) < 0)
		return;
	count->counter = counter_open(&request, &why);
	if (count->counter)
		count->state = COUNTED;
	else if (why.code == EACCES || why.code == EPERM)
		count->state = NOT_PERMITTED;
	if (!count->counter)
		log_detail("summary", "%s", why.text);
}

struct summary *summary_attach(pid_t pid)
{
	struct summary *summary = xcalloc(1, sizeof(*summary));

	for (int i = 0; i < EVENTS; i++)
		attach(&summary->count[i], events[i].event, pid);
	return summary;
}

void summary_free(struct summary *summary)
{
	if (!summary)
		return;
	for (int i = 0; i < EVENTS; i++)
		counter_close(summary->count[i].counter);
	free(summary);
}

static void collect(struct count *count)
{
	struct counter_reading reading;

	if (!count->counter)
		return;
	if (counter_read(count->counter, &reading, NULL) < 0 ||
	    (reading.running_ns == 0 && reading.enabled_ns > 0)) {
		count->state = NOT_SUPPORTED;
		return;
	}
	count->value = counter_scaled(&reading, 0);
	count->running = reading.enabled_ns == 0
				 ? 1.0
				 : (double)reading.running_ns /
					   (double)reading.enabled_ns;
}

static void replace(struct count *count, double value)
{
	if (count->state == COUNTED)
		return;
	count->state = COUNTED;
	count->value = value;
	count->running = 1.0;
}

static double seconds_of(const struct timeval *time)
{
	return (double)time->tv_sec + 1e-6 * (double)time->tv_usec;
}

void summary_collect(struct summary *summary, const struct machine *machine,
		     const struct rusage *usage)
{
	struct count *count = summary->count;

	for (int i = 0; i < EVENTS; i++)
		collect(&count[i]);
	summary->user_s = seconds_of(&usage->ru_utime);
	summary->sys_s = seconds_of(&usage->ru_stime);
	/* What wait4(2) tells needs no permission, but knows only those
	 * descendants that somebody waited for. */
	replace(&count[TASK_CLOCK], 1e9 * (summary->user_s + summary->sys_s));
	replace(&count[CONTEXT_SWITCHES],
		(double)(usage->ru_nvcsw + usage->ru_nivcsw));
	replace(&count[PAGE_FAULTS],
		(double)(usage->ru_minflt + usage->ru_majflt));
	summary->cpu_s = 1e-9 * count[TASK_CLOCK].value;
	summary->machine = machine;
	machine_sum(machine, &summary->sum);
}

/* What the command used of what all tasks used.  At the edges the machine's
 * account may lag a tick behind the command's. */
static double share_of(const struct summary *summary)
{
	double busy_s = fmax(summary->sum.busy_s, summary->cpu_s);

	return busy_s > 0 ? summary->cpu_s / busy_s : 0.0;
}

/* ---- for people ------------------------------------------------------------ */

/* 1234567 as "1,234,567". */
static const char *grouped(double value, char out[static 40])
{
	char digits[32];
	size_t n = 0, length;

	snprintf(digits, sizeof(digits), "%.0f", value);
	length = strlen(digits);
	for (size_t i = 0; i < length && n < 38; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			out[n++] = ',';
		out[n++] = digits[i];
	}
	out[n] = '\0';
	return out;
}

static void print_event(const struct summary *summary, int i, FILE *out)
{
	const struct count *count = &summary->count[i];
	char figure[40];

	if (count->state != COUNTED) {
		fprintf(out, "%18s  %s\n",
			count->state == NOT_PERMITTED ? "<not permitted>"
						      : "<not supported>",
			events[i].label);
		return;
	}
	fprintf(out, "%18s  %-18s", grouped(count->value, figure),
		events[i].label);
	if (i == INSTRUCTIONS && summary->count[CYCLES].state == COUNTED &&
	    summary->count[CYCLES].value > 0)
		fprintf(out, "  # %.2f per cycle",
			count->value / summary->count[CYCLES].value);
	else if (summary->cpu_s > 0)
		fprintf(out, "  # %.3g per CPU second",
			count->value / summary->cpu_s);
	if (count->running < 0.999)
		fprintf(out, "  (counted %.0f %% of the time)",
			100 * count->running);
	fputc('\n', out);
}

static void print_events(const struct summary *summary, FILE *out)
{
	double elapsed_s = summary->sum.elapsed_s;

	fprintf(out, "%13.2f msec  %-18s  # %.3f CPUs utilized\n",
		1e3 * summary->cpu_s, events[TASK_CLOCK].label,
		elapsed_s > 0 ? summary->cpu_s / elapsed_s : 0.0);
	for (int i = TASK_CLOCK + 1; i < EVENTS; i++)
		print_event(summary, i, out);
}

/* Four digits or so, the same for a figure and its sigma. */
static int decimals(double joules)
{
	return joules >= 100 ? 1 : joules >= 10 ? 2 : joules >= 1 ? 3 : 4;
}

static void print_energy(const struct energy *energy, int digits,
			 const char *what, const char *remark, FILE *out)
{
	fprintf(out, "%16.*f J  ± %.*f  %-14s  %s\n", digits, energy->joules,
		digits + 1, energy->sigma_j, what, remark);
}

static void print_share(const struct summary *summary, double joules, FILE *out)
{
	double share = share_of(summary);
	char own[QUANTITY_TEXT_MAX], all[QUANTITY_TEXT_MAX];

	quantity_text(summary->cpu_s, QUANTITY_SECONDS, own);
	quantity_text(fmax(summary->sum.busy_s, summary->cpu_s),
		      QUANTITY_SECONDS, all);
	fprintf(out,
		"%16.*f J  share by CPU time: %.1f %% (%s of %s that all tasks "
		"used)\n",
		decimals(share * joules), share * joules, 100 * share, own,
		all);
}

static void print_domains(const struct summary *summary, size_t i, int digits,
			  FILE *out)
{
	const struct meter *meter = machine_meter(summary->machine, i);
	char label[ENERGY_LABEL_MAX];

	for (size_t j = 0; j < meter_domains(meter); j++) {
		struct energy energy = ENERGY_NONE;

		machine_domain_energy(summary->machine, i, j, &energy);
		if (isfinite(energy.joules))
			print_energy(
				&energy, digits, meter_domain(meter, j)->name,
				energy_label(energy.source, energy.scale_lo,
					     energy.scale_hi, label),
				out);
	}
}

static size_t count_cover(const struct meter *meter)
{
	size_t n = 0;

	for (size_t j = 0; j < meter_domains(meter); j++)
		n += meter_domain(meter, j)->counts;
	return n;
}

static void print_meter(const struct summary *summary, size_t i, FILE *out)
{
	const struct meter *meter = machine_meter(summary->machine, i);
	struct energy energy = ENERGY_NONE;
	char watts[QUANTITY_TEXT_MAX];
	int digits;

	machine_energy(summary->machine, i, &energy);
	digits = decimals(energy.joules);
	print_domains(summary, i, digits, out);
	if (count_cover(meter) == 0)
		return;
	if (count_cover(meter) > 1)
		print_energy(&energy, digits, "together",
			     "packages and DRAM, nothing twice", out);
	quantity_text(energy.joules / summary->sum.elapsed_s, QUANTITY_WATTS,
		      watts);
	fprintf(out, "%18s  on average, the whole machine (%s)\n", watts,
		meter_spec(meter));
	print_share(summary, energy.joules, out);
}

static void print_command(char **argv, FILE *out)
{
	fputs("\n Energy of '", out);
	for (char **word = argv; *word; word++)
		fprintf(out, "%s%s", word == argv ? "" : " ", *word);
	fputs("':\n\n", out);
}

static bool any_hardware(const struct machine *machine)
{
	for (size_t i = 0; i < machine_meters(machine); i++)
		if (meter_source(machine_meter(machine, i)) <= ENERGY_HANDOVER)
			return true;
	return false;
}

static void print_text(const struct summary *summary, char **argv, FILE *out)
{
	print_command(argv, out);
	for (size_t i = 0; i < machine_meters(summary->machine); i++) {
		print_meter(summary, i, out);
		fputc('\n', out);
	}
	print_events(summary, out);
	fprintf(out, "\n%18.6f seconds elapsed\n", summary->sum.elapsed_s);
	fprintf(out, "%18.6f seconds user\n", summary->user_s);
	fprintf(out, "%18.6f seconds sys\n", summary->sys_s);
	if (summary->sum.steal_s >= 0.01)
		fprintf(out,
			"%18.2f seconds stolen by the hypervisor: joules and "
			"times are worth less\n",
			summary->sum.steal_s);
	if (!any_hardware(summary->machine))
		fputs("\n no hardware meter works here ('sensor doctor' says "
		      "why)\n",
		      out);
	fputc('\n', out);
}

/* ---- for programs ---------------------------------------------------------- */

/* Clocks count ns; what is behind is noise of the sums. */
static void set_seconds(struct doc *doc, const char *key, double seconds)
{
	doc_set_real(doc, key, round(1e9 * seconds) / 1e9);
}

static void set_energy(struct doc *doc, const struct energy *energy)
{
	doc_set_real(doc, "energy_j", energy->joules);
	doc_set_real(doc, "energy_sigma_j", energy->sigma_j);
	doc_set_int(doc, "source", (int64_t)energy->source);
	doc_set_real(doc, "scale_lo", energy->scale_lo);
	doc_set_real(doc, "scale_hi", energy->scale_hi);
}

static struct doc *meter_doc(const struct summary *summary, size_t i)
{
	const struct meter *meter = machine_meter(summary->machine, i);
	struct doc *doc = doc_new_object();
	struct doc *domains = doc_new_array();
	struct energy energy = ENERGY_NONE;

	doc_set_text(doc, "meter", meter_spec(meter));
	machine_energy(summary->machine, i, &energy);
	set_energy(doc, &energy);
	doc_set_real(doc, "watts", energy.joules / summary->sum.elapsed_s);
	doc_set_real(doc, "share_j", share_of(summary) * energy.joules);
	for (size_t j = 0; j < meter_domains(meter); j++) {
		struct doc *domain = doc_new_object();

		machine_domain_energy(summary->machine, i, j, &energy);
		doc_set_text(domain, "domain", meter_domain(meter, j)->name);
		set_energy(domain, &energy);
		doc_set_bool(domain, "counts", meter_domain(meter, j)->counts);
		doc_add_take(domains, domain);
	}
	doc_set_take(doc, "domains", domains);
	return doc;
}

static struct doc *events_doc(const struct summary *summary)
{
	struct doc *doc = doc_new_object();

	for (int i = 0; i < EVENTS; i++)
		if (summary->count[i].state == COUNTED)
			doc_set_real(doc, events[i].event,
				     summary->count[i].value);
	return doc;
}

static void print_json(const struct summary *summary, char **argv, int status,
		       FILE *out)
{
	struct doc *doc = doc_new_object();
	struct doc *command = doc_new_array();
	struct doc *meters = doc_new_array();
	char *line;

	doc_set_text(doc, "schema", "fedwatts.command-summary/1");
	for (char **word = argv; *word; word++)
		doc_add_take(command, doc_new_text(*word));
	doc_set_take(doc, "command", command);
	doc_set_int(doc, "status", status);
	set_seconds(doc, "seconds", summary->sum.elapsed_s);
	set_seconds(doc, "user_s", summary->user_s);
	set_seconds(doc, "sys_s", summary->sys_s);
	set_seconds(doc, "cpu_s", summary->cpu_s);
	set_seconds(doc, "machine_busy_s", summary->sum.busy_s);
	set_seconds(doc, "stolen_s", summary->sum.steal_s);
	doc_set_real(doc, "cpu_share", share_of(summary));
	for (size_t i = 0; i < machine_meters(summary->machine); i++)
		if (meter_domains(machine_meter(summary->machine, i)) > 0)
			doc_add_take(meters, meter_doc(summary, i));
	doc_set_take(doc, "meters", meters);
	doc_set_take(doc, "events", events_doc(summary));
	line = doc_to_text(doc);
	fprintf(out, "%s\n", line);
	free(line);
	doc_free(doc);
}

void summary_print(const struct summary *summary, char **argv, int status,
		   bool json, FILE *out)
{
	if (json)
		print_json(summary, argv, status, out);
	else
		print_text(summary, argv, out);
}
