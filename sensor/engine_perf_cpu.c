/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of counters on each CPU, for a cgroup or for everything.
 *
 * When CPUs come or go there is a new plan (engine_sites.h), and each target
 * moves to it: counters of CPUs that stay are kept, those of new ones opened.
 * Counters of a CPU that went offline cannot be read any more, and do not come
 * back with it.
 */
#include "sensor/engine_perf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/pmu.h"
#include "sensor/sysfs.h"
#include "sensor/topology.h"

struct perf_places {
	const struct site_plan *plan;
	char *cgroup; /* NULL: the machine */
	struct place {
		struct counter *counter; /* NULL: the CPU does not count now */
		uint64_t *kept; /* what an earlier counter had, or NULL */
	} * place;
	bool lost; /* a counter died */
};

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

struct perf_places *perf_places_new(const struct site_plan *plan,
				    const struct target *target,
				    struct err *err)
{
	struct perf_places *places = xcalloc(1, sizeof(*places));

	places->plan = plan;
	places->place = xcalloc(plan->sites + 1, sizeof(*places->place));
	if (target->kind == TARGET_CGROUP)
		places->cgroup = xstrdup(target->path);
	for (size_t i = 0; i < plan->sites; i++) {
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
static void move(struct perf_places *places, const struct site_plan *plan)
{
	const struct site_plan *before = places->plan;
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

const struct engine_shape *perf_places_shape(struct perf_places *places,
					     const struct site_plan *plan)
{
	if (places->plan == plan && !places->lost)
		return &plan->shape;
	if (places->plan != plan)
		move(places, plan);
	places->lost = false;
	for (size_t i = 0; i < plan->sites; i++) {
		struct err why = { 0 };

		if (!places->place[i].counter &&
		    open_place(places, i, &why) < 0 && why.code != ESRCH &&
		    why.code != ENODEV)
			log_warn("engine", "%s", why.text);
	}
	return &plan->shape;
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
	const struct site_plan *plan = places->plan;

	for (size_t i = 0; i < plan->sites; i++) {
		struct place *place = &places->place[i];
		size_t columns = engine_columns_of(&plan->site[i].here);
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
