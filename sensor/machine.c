/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/engine.h"
#include "sensor/machine_state.h"
#include "sensor/topology.h"

/* ---- opening --------------------------------------------------------------- */

static int add_meter(struct machine *machine, const char *spec, struct err *err)
{
	struct meter *meter;

	if (machine->meters == MACHINE_METERS_MAX)
		return err_set(err, E2BIG, "more than %d meters",
			       MACHINE_METERS_MAX);
	meter = meter_open(spec, err);
	if (!meter)
		return -1;
	machine->metered[machine->meters].told = strlen(meter_remarks(meter));
	machine->metered[machine->meters++].meter = meter;
	return 0;
}

/* Two routes to one counter would be added by whoever reads the report. */
static int refuse_twice(const struct machine *machine, const struct metered *a,
			size_t i, struct err *err)
{
	const struct meter_domain *x = meter_domain(a->meter, i);

	for (const struct metered *b = machine->metered; b < a; b++)
		for (size_t j = 0; j < meter_domains(b->meter); j++) {
			const struct meter_domain *y =
				meter_domain(b->meter, j);

			if (!strcmp(x->group, y->group) &&
			    !strcmp(x->event, y->event) &&
			    x->package == y->package)
				return err_set(
					err, EEXIST,
					"meter '%s': %s of package %d is "
					"measured by meter '%s' already",
					meter_spec(a->meter), x->event,
					x->package, meter_spec(b->meter));
		}
	return 0;
}

static int check_meters(const struct machine *machine, struct err *err)
{
	for (size_t i = 0; i < machine->meters; i++) {
		const struct metered *metered = &machine->metered[i];

		for (size_t j = 0; j < meter_domains(metered->meter); j++)
			if (refuse_twice(machine, metered, j, err) < 0)
				return -1;
	}
	return 0;
}

static int read_packages(struct machine *machine, struct err *err)
{
	struct topology *topology = topology_read("/sys", "/proc", err);

	if (!topology)
		return -1;
	for (size_t i = 0; i < topology->cpus; i++)
		if ((size_t)topology->cpu[i].id >= machine->packages)
			machine->packages = (size_t)topology->cpu[i].id + 1;
	machine->package =
		xcalloc(machine->packages, sizeof(*machine->package));
	for (size_t i = 0; i < topology->cpus; i++)
		machine->package[topology->cpu[i].id] =
			topology->cpu[i].package;
	topology_free(topology);
	return 0;
}

static int open_parts(struct machine *machine, const struct field_list *meters,
		      struct err *err)
{
	machine->metered =
		xcalloc(MACHINE_METERS_MAX, sizeof(*machine->metered));
	for (size_t i = 0; i < meters->count; i++)
		if (add_meter(machine, meters->item[i], err) < 0)
			return -1;
	if (meters->count == 0 && add_meter(machine, "auto", err) < 0)
		return -1;
	if (check_meters(machine, err) < 0)
		return -1;
	machine->cputime = cputime_open(NULL, err);
	if (!machine->cputime)
		return err_wrap(err, "CPU time");
	return read_packages(machine, err);
}

struct machine *machine_open(const struct field_list *meters, struct err *err)
{
	struct machine *machine = xcalloc(1, sizeof(*machine));

	if (open_parts(machine, meters, err) < 0) {
		machine_close(machine);
		return NULL;
	}
	return machine;
}

static int refuse_group(const struct machine *machine, const char *group,
			struct err *err)
{
	for (size_t i = 0; i < machine->meters; i++) {
		const struct meter *meter = machine->metered[i].meter;

		for (size_t j = 0; j < meter_domains(meter); j++)
			if (!strcmp(meter_domain(meter, j)->group, group))
				return err_set(err, EEXIST,
					       "group '%s': meter '%s' "
					       "reports one of that name",
					       group, meter_spec(meter));
	}
	if (!machine->bare && !strcmp(group, HWPC_GROUP_CORE))
		return err_set(err, EEXIST,
			       "group '%s': the CPU time has that name", group);
	return 0;
}

int machine_count(struct machine *machine, const struct event_group *group,
		  size_t groups, const struct engine_options *options,
		  struct err *err)
{
	struct target all = { .kind = TARGET_MACHINE,
			      .pid = -1,
			      .name = HWPC_TARGET_ALL };

	for (size_t i = 0; i < groups; i++)
		if (refuse_group(machine, group[i].name, err) < 0)
			return -1;
	machine->system = engine_open("perf", group, groups, 1, "/proc", err);
	if (!machine->system)
		return -1;
	engine_set(machine->system, options);
	machine->slot = engine_add(machine->system, &all, err);
	return machine->slot < 0 ? -1 : 0;
}

void machine_set(struct machine *machine, const struct machine_options *options)
{
	machine->bare = options->bare;
	machine->cumulative = options->cumulative_times;
}

void machine_close(struct machine *machine)
{
	if (!machine)
		return;
	engine_close(machine->system);
	for (size_t i = 0; i < machine->meters; i++)
		meter_close(machine->metered[i].meter);
	machine_row_done(machine);
	cputime_close(machine->cputime);
	free(machine->metered);
	free(machine->cpu_before_ns);
	free(machine->package);
	free(machine);
}

/* ---- a tick ---------------------------------------------------------------- */

/* What became of a counter while it ran is said when it happens. */
static void tell_remarks(struct metered *metered)
{
	const char *remark = meter_remarks(metered->meter) + metered->told;

	while (*remark) {
		int length = (int)strcspn(remark, "\n");

		log_warn("meter", "%.*s", length, remark);
		remark += length;
		remark += *remark == '\n';
	}
	metered->told = strlen(meter_remarks(metered->meter));
}

static int read_meter(struct metered *metered, struct meter_reading *reading,
		      struct err *err)
{
	if (meter_read(metered->meter, reading, err) < 0)
		return err_wrap(err, "meter '%s'", meter_spec(metered->meter));
	tell_remarks(metered);
	return 0;
}

static int read_parts(struct machine *machine, struct engine *engine,
		      struct err *err)
{
	int64_t begin_ns = clock_now_ns(clock_real());
	int64_t end_ns;

	for (size_t i = 0; i < machine->meters; i++)
		if (read_meter(&machine->metered[i], &machine->metered[i].now,
			       err) < 0)
			return -1;
	if (machine->system && engine_read(machine->system, err) < 0)
		return -1;
	if (engine && engine_read(engine, err) < 0)
		return -1;
	if ((machine->started ? cputime_read_busy : cputime_read)(
		    machine->cputime, &machine->cpu_now, err) < 0)
		return err_wrap(err, "CPU time");
	end_ns = clock_now_ns(clock_real());
	machine->now_ns = begin_ns + (end_ns - begin_ns) / 2;
	machine->bracket_ns = end_ns - begin_ns;
	return 0;
}

static void start(struct machine *machine)
{
	machine->started = true;
	machine->first_ns = machine->before_ns = machine->now_ns;
	machine->cpu_first = machine->cpu_now;
	for (size_t i = 0; i < machine->meters; i++)
		machine->metered[i].first = machine->metered[i].now;
}

/* What this tick's baseline was; a CPU that is new has used nothing yet. */
static void keep_before(struct machine *machine, size_t cpus_before)
{
	size_t cpus = machine->cpu_now.cpus;

	machine->cpu_before_ns =
		xrealloc(machine->cpu_before_ns, cpus + 1, sizeof(int64_t));
	for (size_t i = cpus_before; i < cpus; i++)
		machine->cpu_before_ns[i] = 0;
}

int machine_read(struct machine *machine, struct engine *engine,
		 struct err *err)
{
	size_t cpus = machine->cpu_now.cpus;
	int64_t before_ns = machine->now_ns;

	for (size_t i = 0; i < cpus; i++)
		machine->cpu_before_ns[i] = machine->cpu_now.busy_ns[i];
	for (size_t i = 0; i < machine->meters; i++)
		machine->metered[i].before = machine->metered[i].now;
	if (read_parts(machine, engine, err) < 0)
		return -1;
	machine->before_ns = before_ns;
	keep_before(machine, cpus);
	if (!machine->started)
		start(machine);
	machine_row_update(machine);
	return 0;
}

int machine_guard(struct machine *machine, struct err *err)
{
	struct meter_reading unused;

	for (size_t i = 0; i < machine->meters; i++)
		if (read_meter(&machine->metered[i], &unused, err) < 0)
			return -1;
	return 0;
}

/* ---- what it was ----------------------------------------------------------- */

int64_t machine_elapsed_ns(const struct machine *machine)
{
	return machine->now_ns - machine->before_ns;
}

void machine_sum(const struct machine *machine, struct machine_sum *sum)
{
	struct cputime_reading now;

	sum->elapsed_s = 1e-9 * (double)(machine->now_ns - machine->first_ns);
	sum->busy_s = machine->cpu_now.busy_s - machine->cpu_first.busy_s;
	sum->steal_s = 0.0;
	if (cputime_read(machine->cputime, &now, NULL) == 0)
		sum->steal_s = now.steal_s - machine->cpu_first.steal_s;
}

size_t machine_meters(const struct machine *machine)
{
	return machine->meters;
}

const struct meter *machine_meter(const struct machine *machine, size_t i)
{
	return machine->metered[i].meter;
}

void machine_energy(const struct machine *machine, size_t meter,
		    struct energy *energy)
{
	const struct metered *metered = &machine->metered[meter];

	meter_between(metered->meter, &metered->first, &metered->now, energy);
}

void machine_domain_energy(const struct machine *machine, size_t meter,
			   size_t domain, struct energy *energy)
{
	const struct metered *metered = &machine->metered[meter];

	meter_domain_between(metered->meter, domain, &metered->first,
			     &metered->now, energy);
}

const char *machine_cpu_time(const struct machine *machine)
{
	return cputime_source_name(machine->cputime);
}
