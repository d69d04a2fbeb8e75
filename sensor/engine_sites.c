/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/engine_sites.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/pmu.h"
#include "sensor/sysfs.h"
#include "sensor/topology.h"

int64_t engine_sites_pause_ns = 1000000000;

struct engine_sites {
	const struct event_group *group;
	size_t groups;
	char *proc;
	int64_t looked_ns;
	int online_fd;
	char online[4096];
	struct site_plan *plan;
};

/* ---- columns --------------------------------------------------------------- */

size_t engine_columns_of(const struct event_group *group)
{
	return group->events + 2;
}

void engine_name_columns(const struct event_group *group, int package, int cpu,
			 struct engine_column *column)
{
	for (size_t i = 0; i < engine_columns_of(group); i++) {
		column[i].group = group->name;
		column[i].package = package;
		column[i].cpu = cpu;
	}
	for (size_t i = 0; i < group->events; i++)
		column[i].event = group->event[i].name;
	column[group->events].event = ENGINE_TIME_ENABLED;
	column[group->events + 1].event = ENGINE_TIME_RUNNING;
}

/* ---- plans ----------------------------------------------------------------- */

static int by_package(const void *left, const void *right)
{
	const struct topology_cpu *a = (const struct topology_cpu *)left;
	const struct topology_cpu *b = (const struct topology_cpu *)right;

	if (a->package != b->package)
		return a->package < b->package ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static void add_site(struct site_plan *plan, const struct event_group *group,
		     size_t index, const struct topology_cpu *cpu,
		     const struct pmu_cores *cores)
{
	struct site *site = &plan->site[plan->sites];

	*site = (struct site){ .group = index,
			       .package = cpu->package,
			       .cpu = cpu->id };
	memcpy(site->here.name, group->name, sizeof(group->name));
	for (size_t i = 0; i < group->events; i++)
		if (pmu_event_on(cores, &group->event[i], cpu->id,
				 &site->here.event[site->here.events]))
			site->from[site->here.events++] = i;
	if (site->here.events == 0)
		return;
	plan->shape.columns += engine_columns_of(&site->here);
	plan->sites++;
}

static void add_sites(struct site_plan *plan, const struct event_group *group,
		      size_t index, const struct topology *topology,
		      const struct pmu_cores *cores)
{
	for (size_t i = 0; i < topology->cpus; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];

		if (!group->one_cpu || i == 0 ||
		    cpu->package != topology->cpu[i - 1].package)
			add_site(plan, group, index, cpu, cores);
	}
}

static void name_sites(struct site_plan *plan)
{
	size_t at = 0;

	plan->column = xcalloc(plan->shape.columns + 1, sizeof(*plan->column));
	plan->shape.column = plan->column;
	for (size_t i = 0; i < plan->sites; i++) {
		const struct site *site = &plan->site[i];

		engine_name_columns(&site->here, site->package, site->cpu,
				    &plan->column[at]);
		at += engine_columns_of(&site->here);
	}
}

static int make_plan(struct engine_sites *sites, struct err *err)
{
	struct topology *topology = topology_read(sysfs_root, sites->proc, err);
	struct pmu_cores cores;
	struct site_plan *plan;

	if (!topology)
		return -1;
	qsort(topology->cpu, topology->cpus, sizeof(*topology->cpu),
	      by_package);
	pmu_cores_read(&cores);
	plan = xcalloc(1, sizeof(*plan));
	plan->site =
		xcalloc(topology->cpus * sites->groups, sizeof(*plan->site));
	for (size_t i = 0; i < sites->groups; i++)
		add_sites(plan, &sites->group[i], i, topology, &cores);
	topology_free(topology);
	name_sites(plan);
	plan->older = sites->plan;
	sites->plan = plan;
	return 0;
}

/* ---- CPUs that come and go ------------------------------------------------- */

static bool read_online(struct engine_sites *sites, char *out, size_t size)
{
	ssize_t got = pread(sites->online_fd, out, size - 1, 0);

	if (got <= 0)
		return false;
	out[got] = '\0';
	return true;
}

const struct site_plan *engine_sites_plan(struct engine_sites *sites,
					  struct err *err)
{
	if (!sites->plan &&
	    (!read_online(sites, sites->online, sizeof(sites->online)) ||
	     make_plan(sites, err) < 0))
		err_set(err, EIO, "cannot tell which CPUs are online");
	return sites->plan;
}

bool engine_sites_update(struct engine_sites *sites)
{
	int64_t now_ns = clock_now_ns(clock_real());
	char online[sizeof(sites->online)];
	struct err why = { 0 };

	if (now_ns - sites->looked_ns < engine_sites_pause_ns)
		return false;
	sites->looked_ns = now_ns;
	if (!sites->plan || !read_online(sites, online, sizeof(online)) ||
	    !strcmp(online, sites->online))
		return false;
	if (make_plan(sites, &why) < 0) {
		log_warn("CPUs", "%s", why.text);
		return false;
	}
	memcpy(sites->online, online, sizeof(online));
	log_note("CPUs     online now: %.*s", (int)strcspn(online, "\n"),
		 online);
	return true;
}

struct engine_sites *engine_sites_new(const struct event_group *group,
				      size_t groups, const char *proc)
{
	struct engine_sites *sites = xcalloc(1, sizeof(*sites));
	char path[PATH_MAX];

	sites->group = group;
	sites->groups = groups;
	sites->proc = xstrdup(proc);
	snprintf(path, sizeof(path), "%s/devices/system/cpu/online",
		 sysfs_root);
	sites->online_fd = open(path, O_RDONLY | O_CLOEXEC);
	return sites;
}

static void plan_free(struct site_plan *plan)
{
	while (plan) {
		struct site_plan *older = plan->older;

		free(plan->site);
		free(plan->column);
		free(plan);
		plan = older;
	}
}

void engine_sites_free(struct engine_sites *sites)
{
	if (!sites)
		return;
	plan_free(sites->plan);
	if (sites->online_fd >= 0)
		close(sites->online_fd);
	free(sites->proc);
	free(sites);
}
