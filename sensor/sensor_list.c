/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/quantity.h"
#include "lib/table.h"
#include "sensor/cgroup.h"
#include "sensor/container.h"
#include "sensor/counter.h"
#include "sensor/event.h"
#include "sensor/meter.h"
#include "sensor/pmu.h"
#include "sensor/process.h"
#include "sensor/sensor.h"
#include "sensor/sysfs.h"

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
	"events: what --event and -e take: the kernel's own, those of the "
	"CPU, those that sysfs describes, and groups of tracepoints (one by "
	"one with --match).\n"
	"targets: the cgroups and processes of this machine, the busiest "
	"first, by the names that reports give them.\n"
	"\n"
	"Examples:\n"
	"  sensor list meters\n"
	"  sensor list events --match '*FAULTS*'\n"
	"  sensor list events --match 'sched:*'\n"
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

/* Tracepoints by the thousand: how many in a group, unless names are asked
 * for. */
struct points {
	struct list *list;
	char group[256];
	int count;
};

static void put_group(struct points *points)
{
	struct doc *item;
	char *name;

	if (points->count == 0)
		return;
	name = xasprintf("%s:*", points->group);
	table_cell(points->list->table, "%s", name);
	table_cell(points->list->table, "tracepoint");
	table_cell(points->list->table, "%s", "");
	table_cell(points->list->table, "%d of them", points->count);
	item = doc_new_object();
	doc_set_text(item, "event", name);
	doc_set_text(item, "pmu", "tracepoint");
	doc_set_int(item, "count", points->count);
	doc_add_take(points->list->array, item);
	free(name);
	points->count = 0;
}

static void list_point(void *arg, const char *group, const char *name)
{
	struct points *points = (struct points *)arg;

	if (points->list->config->pattern) {
		char *label = xasprintf("%s:%s", group, name);

		list_event(points->list,
			   &(struct event_info){ "tracepoint", label, "" });
		free(label);
		return;
	}
	if (strcmp(group, points->group) != 0)
		put_group(points);
	snprintf(points->group, sizeof(points->group), "%s", group);
	points->count++;
}

static int list_events(const struct sensor_list_config *config, struct err *err)
{
	struct list list = { config,
			     table_new("event", "PMU", "works", "what", NULL),
			     doc_new_array() };
	struct points points = { .list = &list };

	if (event_walk(list_event, &list, err) < 0) {
		table_free(list.table);
		doc_free(list.array);
		return -1;
	}
	pmu_walk(list_event, &list);
	pmu_walk_tracepoints(list_point, &points);
	put_group(&points);
	return list_end(&list);
}

/* ---- targets --------------------------------------------------------------- */

/* A process or a cgroup, and its CPU seconds (negative: not known). */
struct found {
	char *name;
	pid_t pid; /* 0: a cgroup */
	double cpu_s;
	struct container names;
};

struct search {
	const struct sensor_list_config *config;
	struct found *found;
	size_t count, capacity;
};

static struct found *found_new(struct search *search)
{
	search->found = mem_grow(search->found, &search->capacity,
				 search->count + 1, sizeof(*search->found));
	search->found[search->count] = (struct found){ .cpu_s = -1 };
	return &search->found[search->count++];
}

static int take_process(void *arg, const struct process *process)
{
	struct search *search = (struct search *)arg;
	struct found *found;
	uint64_t ns;

	if (!wanted(search->config, process->name) ||
	    process_cpu_ns(process->pid, &ns, NULL) < 0)
		return 0;
	found = found_new(search);
	found->pid = process->pid;
	found->cpu_s = 1e-9 * (double)ns;
	found->name =
		xasprintf("process:%d:%s", (int)process->pid, process->name);
	return 0;
}

/* Of cgroup v2, in its first line; v1 keeps it elsewhere. */
static double cgroup_cpu_s(const char *path)
{
	static const char key[] = "usage_usec ";
	char text[64];

	if (sysfs_read(text, sizeof(text), "%s/cpu.stat", path) < 0 ||
	    strncmp(text, key, sizeof(key) - 1) != 0)
		return -1;
	return 1e-6 * (double)strtoull(text + sizeof(key) - 1, NULL, 10);
}

static void take_cgroup(void *arg, const struct cgroup *cgroup)
{
	struct search *search = (struct search *)arg;
	struct container names;
	struct found *found;

	container_read("", cgroup->name, &names);
	if (!wanted(search->config, cgroup->name) &&
	    !wanted(search->config, names.container) &&
	    !wanted(search->config, names.pod) &&
	    !wanted(search->config, names.unit))
		return;
	found = found_new(search);
	found->name = xstrdup(cgroup->name);
	found->cpu_s = cgroup_cpu_s(cgroup->path);
	found->names = names;
}

/* None where none are mounted. */
static void take_cgroups(struct search *search)
{
	char base[PATH_MAX];
	struct cgroup_tree *tree = NULL;

	if (cgroup_find_base("/proc", base, sizeof(base), NULL) == 0)
		tree = cgroup_tree_open(base, NULL);
	if (tree)
		cgroup_tree_walk(tree, take_cgroup, search);
	cgroup_tree_close(tree);
}

static int busiest_first(const void *left, const void *right)
{
	const struct found *a = (const struct found *)left;
	const struct found *b = (const struct found *)right;

	return (a->cpu_s < b->cpu_s) - (a->cpu_s > b->cpu_s);
}

static void set_known(struct doc *item, const char *key, const char *name)
{
	if (*name)
		doc_set_text(item, key, name);
}

/* What people call it: the innermost name that is known. */
static const char *called(const struct container *names)
{
	if (*names->container)
		return names->container;
	return *names->pod ? names->pod : names->unit;
}

static void list_found(struct list *list, const struct found *found)
{
	struct doc *item = doc_new_object();
	char time[QUANTITY_TEXT_MAX] = "";

	if (found->pid > 0)
		table_cell(list->table, "%d", (int)found->pid);
	else
		table_cell(list->table, "%s", "");
	if (found->cpu_s >= 0)
		quantity_text(found->cpu_s, QUANTITY_SECONDS, time);
	table_cell(list->table, "%s", time);
	table_cell(list->table, "%s", called(&found->names));
	table_cell(list->table, "%s", found->name);
	if (found->pid > 0)
		doc_set_int(item, "pid", found->pid);
	if (found->cpu_s >= 0)
		doc_set_real(item, "cpu_s", found->cpu_s);
	doc_set_text(item, "target", found->name);
	set_known(item, "container", found->names.container);
	set_known(item, "container_id", found->names.id);
	if (found->names.runtime)
		set_known(item, "runtime", found->names.runtime);
	set_known(item, "pod", found->names.pod);
	set_known(item, "pod_namespace", found->names.pod_namespace);
	set_known(item, "unit", found->names.unit);
	doc_add_take(list->array, item);
}

static int list_targets(const struct sensor_list_config *config,
			struct err *err)
{
	struct list list = { config,
			     table_new(">pid", ">CPU time", "called", "target",
				       NULL),
			     doc_new_array() };
	struct search search = { .config = config };
	int status;

	take_cgroups(&search);
	status = process_walk("/proc", take_process, &search, err);
	if (search.count > 0)
		qsort(search.found, search.count, sizeof(*search.found),
		      busiest_first);
	for (size_t i = 0; i < search.count; i++) {
		list_found(&list, &search.found[i]);
		free(search.found[i].name);
	}
	free(search.found);
	if (status == 0)
		return list_end(&list);
	table_free(list.table);
	doc_free(list.array);
	return -1;
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
