/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of counters on each CPU, for a cgroup or for everything.
 *
 * CPUs come and go.  A plan says which groups are counted where, at the moment;
 * when the list of online CPUs changes there is a new plan, and each target
 * moves to it: counters of CPUs that stay are kept, those of new ones opened.
 * Counters of a CPU that went offline cannot be read any more, and do not come
 * back with it.
 */
#include "sensor/engine_perf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/pmu.h"
#include "sensor/sysfs.h"
#include "sensor/topology.h"

/* One group on one CPU: those of its events that this CPU counts. */
struct site {
	size_t group;
	int package, cpu;
	struct event_group here;
};

struct plan {
	struct site *site;
	size_t sites;
	struct engine_column *column;
	struct engine_shape shape;
	struct plan *older; /* shapes live as long as the engine */
};

struct perf_cpus {
	const struct event_group *group;
	size_t groups;
	char *proc;
	int online_fd;
	char online[4096];
	struct plan *plan;
};

struct perf_places {
	const struct plan *plan;
	char *cgroup; /* NULL: the machine */
	struct place {
		struct counter *counter; /* NULL: the CPU does not count now */
		uint64_t *kept; /* what an earlier counter had, or NULL */
	} * place;
	bool lost; /* a counter died */
};

/* ---- columns --------------------------------------------------------------- */

size_t perf_columns(const struct event_group *group)
{
	return group->events + 2;
}

void perf_name_columns(const struct event_group *group, int package, int cpu,
		       struct engine_column *column)
{
	for (size_t i = 0; i < perf_columns(group); i++) {
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

static void add_site(struct plan *plan, const struct event_group *group,
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
			site->here.events++;
	if (site->here.events == 0)
		return;
	plan->shape.columns += perf_columns(&site->here);
	plan->sites++;
}

static void add_sites(struct plan *plan, const struct event_group *group,
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

static void name_sites(struct plan *plan)
{
	size_t at = 0;

	plan->column = xcalloc(plan->shape.columns + 1, sizeof(*plan->column));
	plan->shape.column = plan->column;
	for (size_t i = 0; i < plan->sites; i++) {
		const struct site *site = &plan->site[i];

		perf_name_columns(&site->here, site->package, site->cpu,
				  &plan->column[at]);
		at += perf_columns(&site->here);
	}
}

static int make_plan(struct perf_cpus *cpus, struct err *err)
{
	struct topology *topology = topology_read(sysfs_root, cpus->proc, err);
	struct pmu_cores cores;
	struct plan *plan;

	if (!topology)
		return -1;
	qsort(topology->cpu, topology->cpus, sizeof(*topology->cpu),
	      by_package);
	pmu_cores_read(&cores);
	plan = xcalloc(1, sizeof(*plan));
	plan->site =
		xcalloc(topology->cpus * cpus->groups, sizeof(*plan->site));
	for (size_t i = 0; i < cpus->groups; i++)
		add_sites(plan, &cpus->group[i], i, topology, &cores);
	topology_free(topology);
	name_sites(plan);
	plan->older = cpus->plan;
	cpus->plan = plan;
	return 0;
}

/* ---- CPUs that come and go ------------------------------------------------- */

static bool read_online(struct perf_cpus *cpus, char *out, size_t size)
{
	ssize_t got = pread(cpus->online_fd, out, size - 1, 0);

	if (got <= 0)
		return false;
	out[got] = '\0';
	return true;
}

void perf_cpus_update(struct perf_cpus *cpus)
{
	char online[sizeof(cpus->online)];
	struct err why = { 0 };

	if (!cpus->plan || !read_online(cpus, online, sizeof(online)) ||
	    !strcmp(online, cpus->online))
		return;
	if (make_plan(cpus, &why) < 0) {
		log_warn("CPUs", "%s", why.text);
		return;
	}
	memcpy(cpus->online, online, sizeof(online));
	log_note("CPUs     online now: %.*s", (int)strcspn(online, "\n"),
		 online);
}

struct perf_cpus *perf_cpus_new(const struct event_group *group, size_t groups,
				const char *proc)
{
	struct perf_cpus *cpus = xcalloc(1, sizeof(*cpus));
	char path[PATH_MAX];

	cpus->group = group;
	cpus->groups = groups;
	cpus->proc = xstrdup(proc);
	snprintf(path, sizeof(path), "%s/devices/system/cpu/online",
		 sysfs_root);
	cpus->online_fd = open(path, O_RDONLY | O_CLOEXEC);
	return cpus;
}

static void plan_free(struct plan *plan)
{
	while (plan) {
		struct plan *older = plan->older;

		free(plan->site);
		free(plan->column);
		free(plan);
		plan = older;
	}
}

void perf_cpus_free(struct perf_cpus *cpus)
{
	if (!cpus)
		return;
	plan_free(cpus->plan);
	if (cpus->online_fd >= 0)
		close(cpus->online_fd);
	free(cpus->proc);
	free(cpus);
}

/* ---- one target ------------------------------------------------------------ */

static int open_place(const struct perf_places *places, size_t index,
		      struct err *err)
{
	const struct site *site = &places->plan->site[index];
	struct counter_request request = {
		.event = site->here.event,
		.events = site->here.events,
		.pid = -1,
		.cpu = site->cpu,
		.cgroup = places->cgroup,
	};

	places->place[index].counter = counter_open(&request, err);
	if (places->place[index].counter)
		return 0;
	return err_wrap(err, "group '%s'", site->here.name);
}

static void close_place(struct place *place)
{
	counter_close(place->counter);
	free(place->kept);
	*place = (struct place){ 0 };
}

void perf_places_free(struct perf_places *places)
{
	for (size_t i = 0; i < places->plan->sites; i++)
		close_place(&places->place[i]);
	free(places->place);
	free(places->cgroup);
	free(places);
}

struct perf_places *perf_places_new(struct perf_cpus *cpus,
				    const struct target *target,
				    struct err *err)
{
	struct perf_places *places;

	if (!cpus->plan &&
	    (!read_online(cpus, cpus->online, sizeof(cpus->online)) ||
	     make_plan(cpus, err) < 0)) {
		err_set(err, EIO, "cannot tell which CPUs are online");
		return NULL;
	}
	places = xcalloc(1, sizeof(*places));
	places->plan = cpus->plan;
	places->place = xcalloc(cpus->plan->sites + 1, sizeof(*places->place));
	if (target->kind == TARGET_CGROUP)
		places->cgroup = xstrdup(target->path);
	for (size_t i = 0; i < cpus->plan->sites; i++) {
		struct err why = { 0 };

		if (open_place(places, i, &why) == 0)
			continue;
		if (why.code == ENODEV) { /* just went offline */
			places->lost = true;
			continue;
		}
		if (err)
			*err = why;
		perf_places_free(places);
		return NULL;
	}
	return places;
}

static bool same_site(const struct site *a, const struct site *b)
{
	return a->group == b->group && a->cpu == b->cpu &&
	       a->package == b->package;
}

/* Takes over what is counted already; the rest of it is closed. */
static void move(struct perf_places *places, const struct plan *plan)
{
	const struct plan *before = places->plan;
	struct place *place = xcalloc(plan->sites + 1, sizeof(*place));

	for (size_t i = 0; i < before->sites; i++) {
		size_t j = 0;

		while (j < plan->sites &&
		       !same_site(&before->site[i], &plan->site[j]))
			j++;
		if (j < plan->sites)
			place[j] = places->place[i];
		else
			close_place(&places->place[i]);
	}
	free(places->place);
	places->place = place;
	places->plan = plan;
}

const struct engine_shape *perf_places_shape(struct perf_cpus *cpus,
					     struct perf_places *places)
{
	if (places->plan == cpus->plan && !places->lost)
		return &places->plan->shape;
	if (places->plan != cpus->plan)
		move(places, cpus->plan);
	places->lost = false;
	for (size_t i = 0; i < places->plan->sites; i++) {
		struct err why = { 0 };

		if (!places->place[i].counter &&
		    open_place(places, i, &why) < 0 && why.code != ESRCH &&
		    why.code != ENODEV)
			log_warn("engine", "%s", why.text);
	}
	return &places->plan->shape;
}

static void put_totals(const struct place *place,
		       const struct counter_reading *reading, size_t events,
		       uint64_t *total)
{
	memcpy(total, reading->value, events * sizeof(*total));
	total[events] = reading->enabled_ns;
	total[events + 1] = reading->running_ns;
	for (size_t i = 0; place->kept && i < events + 2; i++)
		total[i] += place->kept[i];
}

/* `total` still has what was read last. */
static void lose(struct place *place, const uint64_t *total, size_t columns)
{
	counter_close(place->counter);
	place->counter = NULL;
	if (!place->kept)
		place->kept = xcalloc(columns, sizeof(*place->kept));
	memcpy(place->kept, total, columns * sizeof(*total));
}

int perf_places_read(struct perf_places *places, uint64_t *total,
		     struct err *err)
{
	const struct plan *plan = places->plan;

	for (size_t i = 0; i < plan->sites; i++) {
		struct place *place = &places->place[i];
		size_t columns = perf_columns(&plan->site[i].here);
		struct counter_reading reading;
		struct err why = { 0 };

		if (!place->counter) {
			total += columns;
			continue;
		}
		if (counter_read(place->counter, &reading, &why) == 0) {
			put_totals(place, &reading, columns - 2, total);
		} else if (why.code == ENODEV) {
			lose(place, total, columns);
			places->lost = true;
		} else {
			if (err)
				*err = why;
			return -1;
		}
		total += columns;
	}
	return 1;
}

/* ---- what can be counted --------------------------------------------------- */

bool perf_can_count(const struct event *event, struct err *err)
{
	struct topology *topology;
	struct pmu_cores cores;
	bool can = counter_supported(event, err);
	struct err unused;

	if (can)
		return true;
	topology = topology_read(sysfs_root, "/proc", &unused);
	pmu_cores_read(&cores);
	for (size_t i = 0; topology && i < topology->cpus && !can; i++) {
		struct event there;

		can = pmu_event_on(&cores, event, topology->cpu[i].id,
				   &there) &&
		      counter_supported_on(&there, topology->cpu[i].id,
					   &unused);
	}
	topology_free(topology);
	return can;
}
