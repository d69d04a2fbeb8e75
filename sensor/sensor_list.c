/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/quantity.h"
#include "lib/table.h"
#include "sensor/counter.h"
#include "sensor/event.h"
#include "sensor/meter.h"
#include "sensor/process.h"
#include "sensor/sensor.h"

/* clang-format off */
const struct field sensor_list_fields[] = {
	{ "match", FIELD_TEXT, offsetof(struct sensor_list_config, pattern),
	  .value = "P", .help = "only names that match the shell pattern P" },
	CLI_SHARED(sensor_list_config),
	FIELD_END
};
/* clang-format on */

const char sensor_list_about[] =
	"meters: each kind of energy meter, tried, with its domains or the "
	"reason why it does not work.\n"
	"events: what --event and -e take, the kernel's own first.\n"
	"targets: the processes of this machine, the busiest first, by the "
	"names that reports give them.\n"
	"\n"
	"Examples:\n"
	"  sensor list meters\n"
	"  sensor list events --match '*FAULTS*'\n"
	"  sensor list targets --json | jq '.[0].target'\n";

static bool wanted(const struct sensor_list_config *config, const char *name)
{
	return !config->pattern || fnmatch(config->pattern, name, 0) == 0;
}

/* A list as a table or as an array of objects. */
struct list {
	const struct sensor_list_config *config;
	struct table *table;
	struct doc *array;
};

static int list_end(struct list *list)
{
	char *line;

	if (list->config->shared.json) {
		line = doc_to_text(list->array);
		puts(line);
		free(line);
	} else {
		table_print(list->table, stdout);
	}
	table_free(list->table);
	doc_free(list->array);
	return 0;
}

/* ---- meters ---------------------------------------------------------------- */

static int list_meters(const struct sensor_list_config *config)
{
	struct list list = { config, table_new("meter", "works", "what", NULL),
			     doc_new_array() };
	struct meter_finding finding[16];
	size_t n = meter_survey(finding, 16);

	for (size_t i = 0; i < n; i++) {
		struct doc *item;

		if (!wanted(config, finding[i].kind))
			continue;
		table_row(list.table, finding[i].kind,
			  finding[i].usable ? "yes" : "no", finding[i].says,
			  NULL);
		if (finding[i].remedy[0]) {
			table_cell(list.table, "%s", "");
			table_cell(list.table, "%s", "");
			table_cell(list.table, "→ %s", finding[i].remedy);
		}
		item = doc_new_object();
		doc_set_text(item, "meter", finding[i].kind);
		doc_set_bool(item, "usable", finding[i].usable);
		doc_set_text(item, "says", finding[i].says);
		if (finding[i].remedy[0])
			doc_set_text(item, "remedy", finding[i].remedy);
		doc_add_take(list.array, item);
	}
	return list_end(&list);
}

/* ---- events ---------------------------------------------------------------- */

/* Whether the kernel counts it here is asked for its own events; those of a
 * PMU need unit masks. */
static const char *works(const struct event_info *info)
{
	struct event event;

	if (strcmp(info->pmu, "perf") != 0)
		return "";
	return event_find(info->name, &event, NULL) == 0 &&
			       counter_supported(&event, NULL)
		       ? "yes"
		       : "no";
}

static void list_event(void *arg, const struct event_info *info)
{
	struct list *list = (struct list *)arg;
	struct doc *item;

	if (!wanted(list->config, info->name))
		return;
	table_row(list->table, info->name, info->pmu, works(info), info->about,
		  NULL);
	item = doc_new_object();
	doc_set_text(item, "event", info->name);
	doc_set_text(item, "pmu", info->pmu);
	if (*works(info))
		doc_set_bool(item, "works", !strcmp(works(info), "yes"));
	doc_set_text(item, "about", info->about);
	doc_add_take(list->array, item);
}

static int list_events(const struct sensor_list_config *config, struct err *err)
{
	struct list list = { config,
			     table_new("event", "PMU", "works", "what", NULL),
			     doc_new_array() };

	if (event_walk(list_event, &list, err) < 0) {
		table_free(list.table);
		doc_free(list.array);
		return -1;
	}
	return list_end(&list);
}

/* ---- targets --------------------------------------------------------------- */

struct found {
	const struct sensor_list_config *config;
	struct used {
		struct process process;
		uint64_t ns;
	} * used;
	size_t count, capacity;
};

static int take_process(void *arg, const struct process *process)
{
	struct found *found = (struct found *)arg;
	uint64_t ns;

	if (!wanted(found->config, process->name) ||
	    process_cpu_ns(process->pid, &ns, NULL) < 0)
		return 0;
	found->used = mem_grow(found->used, &found->capacity, found->count + 1,
			       sizeof(*found->used));
	found->used[found->count++] = (struct used){ *process, ns };
	return 0;
}

static int busiest_first(const void *left, const void *right)
{
	const struct used *a = (const struct used *)left;
	const struct used *b = (const struct used *)right;

	return (a->ns < b->ns) - (a->ns > b->ns);
}

static int list_targets(const struct sensor_list_config *config,
			struct err *err)
{
	struct list list = { config,
			     table_new(">pid", ">CPU time", "target", NULL),
			     doc_new_array() };
	struct found found = { .config = config };

	if (process_walk("/proc", take_process, &found, err) < 0)
		return -1;
	if (found.count > 0)
		qsort(found.used, found.count, sizeof(*found.used),
		      busiest_first);
	for (size_t i = 0; i < found.count; i++) {
		const struct process *process = &found.used[i].process;
		double seconds = 1e-9 * (double)found.used[i].ns;
		struct doc *item = doc_new_object();
		char time[QUANTITY_TEXT_MAX];
		char *name = xasprintf("process:%d:%s", (int)process->pid,
				       process->name);

		table_cell(list.table, "%d", (int)process->pid);
		table_cell(list.table, "%s",
			   quantity_text(seconds, QUANTITY_SECONDS, time));
		table_cell(list.table, "%s", name);
		doc_set_int(item, "pid", process->pid);
		doc_set_real(item, "cpu_s", seconds);
		doc_set_text(item, "target", name);
		doc_add_take(list.array, item);
		free(name);
	}
	free(found.used);
	return list_end(&list);
}

int sensor_list(struct cli *cli, void *values, struct err *err)
{
	const struct sensor_list_config *config =
		(const struct sensor_list_config *)values;
	const char *what = cli->arguments == 1 ? cli->argument[0] : "";

	if (!strcmp(what, "meters"))
		return list_meters(config);
	if (!strcmp(what, "events"))
		return list_events(config, err);
	if (!strcmp(what, "targets"))
		return list_targets(config, err);
	err_set(err, EINVAL, "list what? (meters, events or targets)");
	return CLI_USAGE;
}
