/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is of events that the kernel describes. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/pmu.h"
#include "sensor/sysfs.h"

#define DEVICES "bus/event_source/devices"

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Each name in a folder, sorted; none where it may not be read. */
static void each_in(const char *folder,
		    void (*visit)(void *arg, const char *folder,
				  const char *name),
		    void *arg)
{
	struct dirent **entry = NULL;
	int n = scandir(folder, &entry, is_shown, alphasort);

	for (int i = 0; i < n; i++) {
		visit(arg, folder, entry[i]->d_name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

struct walk {
	void (*visit)(void *arg, const struct event_info *info);
	void *arg;
	const char *pmu;
};

/* ---- PMUs ------------------------------------------------------------------ */

/* NAME.scale and NAME.unit tell about NAME. */
static void put_event(void *arg, const char *folder, const char *name)
{
	const struct walk *walk = (const struct walk *)arg;
	char terms[256], unit[64], about[400];
	struct event_info info = { .pmu = walk->pmu, .about = about };
	char *label;

	if (strchr(name, '.') ||
	    sysfs_read(terms, sizeof(terms), "%s/%s", folder, name) < 0)
		return;
	(void)sysfs_read(unit, sizeof(unit), "%s/%s.unit", folder, name);
	snprintf(about, sizeof(about), "%s%s%s", terms, *unit ? ", in " : "",
		 unit);
	label = xasprintf("%s/%s/", walk->pmu, name);
	info.name = label;
	walk->visit(walk->arg, &info);
	free(label);
}

static void put_pmu(void *arg, const char *folder, const char *name)
{
	struct walk walk = *(const struct walk *)arg;
	char events[PATH_MAX];

	walk.pmu = name;
	snprintf(events, sizeof(events), "%.3000s/%.255s/events", folder, name);
	each_in(events, put_event, &walk);
}

void pmu_walk(void (*visit)(void *arg, const struct event_info *info),
	      void *arg)
{
	struct walk walk = { .visit = visit, .arg = arg };
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.3000s/" DEVICES, sysfs_root);
	each_in(folder, put_pmu, &walk);
}

/* ---- tracepoints ----------------------------------------------------------- */

struct points {
	void (*visit)(void *arg, const char *group, const char *name);
	void *arg;
	const char *group;
	bool any;
};

static void put_point(void *arg, const char *folder, const char *name)
{
	struct points *points = (struct points *)arg;
	char id[32];

	if (sysfs_read(id, sizeof(id), "%s/%s/id", folder, name) < 0)
		return;
	points->any = true;
	points->visit(points->arg, points->group, name);
}

static void put_group(void *arg, const char *folder, const char *name)
{
	struct points *points = (struct points *)arg;
	char group[PATH_MAX];

	points->group = name;
	snprintf(group, sizeof(group), "%.3000s/%.255s", folder, name);
	each_in(group, put_point, points);
}

void pmu_walk_tracepoints(void (*visit)(void *arg, const char *group,
					const char *name),
			  void *arg)
{
	static const char *const mounts[] = { "kernel/tracing",
					      "kernel/debug/tracing" };
	struct points points = { .visit = visit, .arg = arg };
	char folder[PATH_MAX];

	for (size_t i = 0; i < 2 && !points.any; i++) {
		snprintf(folder, sizeof(folder), "%.3000s/%s/events",
			 sysfs_root, mounts[i]);
		each_in(folder, put_group, &points);
	}
}
