/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_commands.h"
#include "bench/dataset.h"
#include "bench/mat.h"
#include "bench/product.h"
#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/table.h"
#include "sensor/meter.h"
#include "sensor/topology.h"

#define METERS_MAX 32
/* More than this share of the CPU time taken by a hypervisor since the machine
 * was started: timings will show it. */
#define STOLEN_SHARE 0.01

struct doctor_config {
	struct cli_shared shared;
};

static const struct field doctor_fields[] = { CLI_SHARED(doctor_config),
					      FIELD_END };

static const char doctor_about[] =
	"Looks at what bench needs on this machine and says what is missing, "
	"with the\n"
	"command that changes it.  Ends with 2 when something stands in the "
	"way of\n"
	"measuring: a matrix library on kernels too slow for this CPU, or no "
	"meter.\n"
	"\n"
	"Examples:\n"
	"  bench doctor\n"
	"  bench doctor --json\n"
	"  sensor doctor        (permissions, events and meters in depth)";

enum state { FINE, WARN, BLOCKING };
static const char *const states[] = { "ok", "warn", "blocking" };
static const char *const shown[] = { "ok", "warn", "BLOCKING" };

struct report {
	struct table *table;
	struct doc *list;
	int blocking;
	struct text remedies;
};

static void finding(struct report *report, enum state state, const char *what,
		    const char *says, const char *remedy)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "what", what);
	doc_set_text(doc, "state", states[state]);
	doc_set_text(doc, "says", says);
	if (*remedy)
		doc_set_text(doc, "remedy", remedy);
	doc_add_take(report->list, doc);
	table_row(report->table, shown[state], what, says, NULL);
	if (*remedy)
		text_printf(&report->remedies, "%-10s %s\n", what, remedy);
	report->blocking += state == BLOCKING;
}

/* ---- libraries ------------------------------------------------------------------ */

static void look_at_core(struct report *report)
{
	const char *better = mat_core_better(), *alone = mat_core_alone();
	char says[256], remedy[128] = "";

	if (better && getenv("OPENBLAS_CORETYPE"))
		snprintf(remedy, sizeof(remedy),
			 "unset OPENBLAS_CORETYPE, or set it to %s", better);
	else if (better)
		snprintf(remedy, sizeof(remedy),
			 "run it with OPENBLAS_CORETYPE=%s", better);
	if (better)
		snprintf(says, sizeof(says),
			 "%s, which is slower than this CPU allows: its flags "
			 "ask for %s",
			 mat_core(), better);
	else if (mat_core_chosen())
		snprintf(says, sizeof(says),
			 "%s, chosen by the CPU's flags; by itself it had "
			 "picked %s",
			 mat_core(), alone);
	else
		snprintf(says, sizeof(says), "%s, %s", mat_core(),
			 *alone ? "its own pick and a good one"
				: "as OPENBLAS_CORETYPE says");
	finding(report, better ? BLOCKING : FINE, "openblas", says, remedy);
}

static void look_at_kernels(struct report *report)
{
	finding(report, FINE, "kernels", mat_describe(), "");
}

/* What each precision ends up on: it may be slower than fp32 here. */
static void look_at_precisions(struct report *report)
{
	static const char *const narrow[] = { "bf16", "int8", "fp16" };

	for (size_t i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++) {
		struct precision precision;

		if (precision_parse(narrow[i], &precision, NULL) == 0)
			finding(report, FINE, narrow[i],
				precision_instructions(&precision), "");
	}
}

/* ---- files ------------------------------------------------------------------- */

static void look_at_data(struct report *report)
{
	const char *folder = dataset_fashion_mnist();
	char says[512];

	snprintf(says, sizeof(says), "fashion-mnist %s%s; kinds: %s",
		 folder ? "in " : "is not here", folder ? folder : "",
		 dataset_forms());
	finding(report, folder ? FINE : WARN, "data", says,
		folder ? "" : "apt-get install dataset-fashion-mnist");
}

/* Along PATH, as a shell would. */
static char *program_find(const char *name)
{
	const char *path = getenv("PATH");

	for (size_t length; path && *path;
	     path += length + (path[length] == ':')) {
		char *file;

		length = strcspn(path, ":");
		file = xasprintf("%.*s/%s", (int)length, path, name);
		if (length && access(file, X_OK) == 0)
			return file;
		free(file);
	}
	return NULL;
}

static void look_at_gnuplot(struct report *report)
{
	char *file = program_find("gnuplot");

	if (file)
		finding(report, FINE, "gnuplot", file, "");
	else
		finding(report, WARN, "gnuplot",
			"is not here; bench report draws with it",
			"apt-get install gnuplot-nox");
	free(file);
}

/* ---- the machine ---------------------------------------------------------------- */

static void look_at_machine(struct report *report)
{
	struct topology *topology = topology_read("/sys", "/proc", NULL);
	char text[256];

	if (topology)
		finding(report, FINE, "machine",
			topology_describe(topology, text, sizeof(text)), "");
	topology_free(topology);
}

/* Those that always work, given a file or nothing, do not count. */
static bool measures(const char *kind)
{
	return strcmp(kind, "null") != 0 && strcmp(kind, "replay") != 0;
}

static void look_at_meters(struct report *report)
{
	struct meter_finding *found = xcalloc(METERS_MAX, sizeof(*found));
	size_t count = meter_survey(found, METERS_MAX);
	char what[64];
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "meter %s", found[i].kind);
		any = any || (found[i].usable && measures(found[i].kind));
		finding(report, found[i].usable ? FINE : WARN, what,
			found[i].says, found[i].remedy);
	}
	if (!any)
		finding(report, BLOCKING, "meter",
			"none works here, not even the model",
			"bench sweep --meter model:idle=W,cpu=W");
	free(found);
}

/* The share of the CPU time since the start that was stolen; -1 unknown. */
static double stolen_share(void)
{
	/* user nice system idle iowait irq softirq steal */
	enum { STEAL = 7 };
	char line[256] = "", *next = line + 3, *end;
	FILE *file = fopen("/proc/stat", "re");
	double value = 0.0, all = 0.0;

	if (!file)
		return -1.0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	if (strncmp(line, "cpu ", 4) != 0)
		return -1.0;
	for (int i = 0; i <= STEAL; i++, next = end) {
		value = strtod(next, &end);
		if (end == next)
			return -1.0;
		all += value;
	}
	return all > 0.0 ? value / all : -1.0;
}

static void look_at_stolen(struct report *report)
{
	double share = stolen_share();
	char says[128];

	if (share < 0.0)
		return;
	snprintf(says, sizeof(says),
		 "%.2f %% of the CPU time since the machine was started",
		 100.0 * share);
	finding(report, share > STOLEN_SHARE ? WARN : FINE, "stolen", says,
		share > STOLEN_SHARE
			? "other guests disturb timings here; windows with "
			  "stolen time are flagged"
			: "");
}

/* ---- the command ----------------------------------------------------------------- */

static void print_json(struct report *report)
{
	struct doc *doc = doc_new_object();
	char *line;

	doc_set_text(doc, "schema", "fedwatts.doctor/1");
	doc_set_text(doc, "program", "bench");
	doc_set_text(doc, "openblas_core", mat_core());
	doc_set_text(doc, "openblas_alone", mat_core_alone());
	doc_set_bool(doc, "openblas_chosen", mat_core_chosen());
	doc_set_int(doc, "blocking", report->blocking);
	doc_set_take(doc, "findings", report->list);
	report->list = NULL;
	line = doc_to_text(doc);
	puts(line);
	free(line);
	doc_free(doc);
}

static void print_table(struct report *report)
{
	table_print(report->table, stdout);
	if (report->remedies.length)
		printf("\nwhat would change that:\n%s", report->remedies.data);
}

static int bench_doctor(struct cli *cli, void *values, struct err *err)
{
	const struct doctor_config *config = values;
	struct report report = {
		.table = table_new("", "what", "says", NULL),
		.list = doc_new_array(),
	};

	(void)cli;
	(void)err;
	look_at_machine(&report);
	look_at_core(&report);
	look_at_kernels(&report);
	look_at_precisions(&report);
	look_at_data(&report);
	look_at_gnuplot(&report);
	look_at_meters(&report);
	look_at_stolen(&report);
	if (config->shared.json)
		print_json(&report);
	else
		print_table(&report);
	doc_free(report.list);
	table_free(report.table);
	text_done(&report.remedies);
	return report.blocking ? 2 : 0;
}

const struct cli_command bench_doctor_command = {
	.name = "doctor",
	.summary = "what is missing here, and what would change that",
	.about = doctor_about,
	.fields = doctor_fields,
	.config_size = sizeof(struct doctor_config),
	.run = bench_doctor,
};
