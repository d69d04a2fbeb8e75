/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/machine_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/engine.h"

/* ---- the layout ------------------------------------------------------------ */

static int by_place(const void *left, const void *right)
{
	const struct cell *a = (const struct cell *)left;
	const struct cell *b = (const struct cell *)right;
	int order = strcmp(a->group, b->group);

	if (order == 0)
		order = (a->package > b->package) - (a->package < b->package);
	if (order == 0)
		order = (a->cpu > b->cpu) - (a->cpu < b->cpu);
	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0 && a->kind == CELL_COUNT)
		order = (a->position > b->position) -
			(a->position < b->position);
	return order ? order : strcmp(a->event, b->event);
}

static bool same_place(const struct cell *a, const struct cell *b)
{
	return !strcmp(a->group, b->group) && a->package == b->package &&
	       a->cpu == b->cpu;
}

static size_t list_cpus(const struct machine *machine, struct cell *cell)
{
	for (size_t i = 0; i < machine->cpu_now.cpus; i++) {
		int cpu = cputime_cpu(machine->cputime, i);

		cell[i] = (struct cell){
			.kind = CELL_CPU,
			.group = HWPC_GROUP_CORE,
			.event = HWPC_TASK_CLOCK,
			.cpu = cpu,
			.position = i,
			.package = (size_t)cpu < machine->packages
					   ? machine->package[cpu]
					   : 0,
		};
	}
	return machine->cpu_now.cpus;
}

/* With its own times among them. */
static size_t list_counts(struct machine *machine, struct cell *cell)
{
	const struct engine_shape *shape = machine->shape_shown;

	for (size_t i = 0; shape && i < shape->columns; i++)
		cell[i] = (struct cell){
			.kind = CELL_COUNT,
			.group = shape->column[i].group,
			.event = shape->column[i].event,
			.package = shape->column[i].package,
			.cpu = shape->column[i].cpu,
			.position = i,
		};
	return shape ? shape->columns : 0;
}

static size_t list_domains(struct machine *machine, size_t meter,
			   struct cell *cell)
{
	struct metered *metered = &machine->metered[meter];
	size_t n = 0;

	for (size_t i = 0; i < meter_domains(metered->meter); i++) {
		const struct meter_domain *domain =
			meter_domain(metered->meter, i);

		metered->shown[i] = isfinite(metered->now.joules[i]);
		if (metered->shown[i])
			cell[n++] = (struct cell){
				.kind = CELL_DOMAIN,
				.group = domain->group,
				.event = domain->event,
				.package = domain->package,
				.meter = meter,
				.domain = i,
			};
	}
	return n;
}

static size_t list_cells(struct machine *machine, struct cell *cell)
{
	size_t n = machine->bare ? 0 : list_cpus(machine, cell);

	n += list_counts(machine, cell + n);

	for (size_t i = 0; i < machine->meters; i++)
		n += list_domains(machine, i, cell + n);
	return n;
}

/* Behind the last value of a place, its two times. */
static size_t add_times(struct cell *to, const struct cell *from, size_t cells)
{
	size_t n = 0;

	for (size_t i = 0; i < cells; i++) {
		to[n++] = from[i];
		if (from[i].kind == CELL_COUNT ||
		    (i + 1 < cells && same_place(&from[i], &from[i + 1])))
			continue;
		to[n] = from[i];
		to[n].kind = CELL_TIME;
		to[n++].event = ENGINE_TIME_ENABLED;
		to[n] = to[n - 1];
		to[n++].event = ENGINE_TIME_RUNNING;
	}
	return n;
}

static void keep_old_layout(struct machine *machine)
{
	if (!machine->layout)
		return;
	machine->old_layout =
		mem_grow(machine->old_layout, &machine->old_capacity,
			 machine->old_layouts + 1, sizeof(struct layout *));
	machine->old_layout[machine->old_layouts++] = machine->layout;
}

static const struct engine_shape *system_shape(const struct machine *machine)
{
	return machine->system ? engine_shape(machine->system, machine->slot)
			       : NULL;
}

static void make_layout(struct machine *machine)
{
	const struct engine_shape *shape = system_shape(machine);
	size_t most = machine->cpu_now.cpus +
		      machine->meters * METER_DOMAINS_MAX +
		      (shape ? shape->columns : 0);
	struct cell *listed = xcalloc(most + 1, sizeof(*listed));
	size_t n;

	machine->shape_shown = shape;
	n = list_cells(machine, listed);

	keep_old_layout(machine);
	qsort(listed, n, sizeof(*listed), by_place);
	machine->cell =
		xrealloc(machine->cell, 3 * n + 1, sizeof(*machine->cell));
	machine->value =
		xrealloc(machine->value, 3 * n + 1, sizeof(*machine->value));
	machine->info = xrealloc(machine->info, n + 1, sizeof(*machine->info));
	machine->cells = add_times(machine->cell, listed, n);
	free(listed);
	machine->cpus_shown = machine->cpu_now.cpus;
	machine->layout = hwpc_layout_new();
	for (size_t i = 0; i < machine->cells; i++) {
		const struct cell *cell = &machine->cell[i];

		hwpc_layout_add(machine->layout, cell->group, cell->package,
				cell->cpu, cell->event);
	}
	layout_end(machine->layout);
}

static bool layout_fits(const struct machine *machine)
{
	if (!machine->layout || machine->cpus_shown != machine->cpu_now.cpus ||
	    machine->shape_shown != system_shape(machine))
		return false;
	for (size_t i = 0; i < machine->meters; i++) {
		const struct metered *metered = &machine->metered[i];

		for (size_t j = 0; j < meter_domains(metered->meter); j++)
			if (metered->shown[j] !=
			    (isfinite(metered->now.joules[j]) != 0))
				return false;
	}
	return true;
}

/* ---- values ---------------------------------------------------------------- */

/* Whole units since the beginning, less those that were reported. */
static uint64_t count_domain(struct metered *metered, size_t i)
{
	const struct meter_domain *domain = meter_domain(metered->meter, i);
	double joules = metered->now.joules[i] - metered->first.joules[i];
	uint64_t units, count;

	if (!(joules > 0))
		return 0;
	units = (uint64_t)(joules / domain->unit_j);
	if (units <= metered->counted[i])
		return 0;
	count = units - metered->counted[i];
	metered->counted[i] = units;
	return count;
}

static uint64_t cell_value(struct machine *machine, const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_CPU:
		return (uint64_t)(machine->cpu_now.busy_ns[cell->position] -
				  machine->cpu_before_ns[cell->position]);
	case CELL_DOMAIN:
		return count_domain(&machine->metered[cell->meter],
				    cell->domain);
	case CELL_COUNT:
		return engine_counts(machine->system,
				     machine->slot)[cell->position]
			.integer;
	case CELL_TIME:
		break;
	}
	return machine->cumulative
		       ? (uint64_t)(machine->now_ns - machine->first_ns)
		       : (uint64_t)machine_elapsed_ns(machine);
}

void machine_row_update(struct machine *machine)
{
	if (!layout_fits(machine))
		make_layout(machine);
	for (size_t i = 0; i < machine->cells; i++)
		machine->value[i].integer =
			cell_value(machine, &machine->cell[i]);
}

/* ---- what it was ----------------------------------------------------------- */

/* Domains of several packages share an event: their sigmas add in squares. */
static size_t describe_domain(struct machine *machine, const struct cell *cell,
			      size_t n)
{
	const struct metered *metered = &machine->metered[cell->meter];
	const struct meter_domain *domain =
		meter_domain(metered->meter, cell->domain);
	struct energy energy = ENERGY_NONE;

	meter_domain_between(metered->meter, cell->domain, &metered->before,
			     &metered->now, &energy);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(machine->info[i].event, cell->event)) {
			machine->info[i].sigma_j =
				hypot(machine->info[i].sigma_j, energy.sigma_j);
			return n;
		}
	machine->info[n] = (struct hwpc_meter){
		.event = cell->event,
		.meter = meter_spec(metered->meter),
		.source = (int)energy.source,
		.sigma_j = energy.sigma_j,
		.scale_lo = energy.scale_lo,
		.scale_hi = energy.scale_hi,
		.counts = domain->counts,
		.period_s = domain->period_seen ? domain->period_s : 0,
		.phase_ns = domain->phase_ns,
	};
	return n + 1;
}

void machine_row(struct machine *machine, const char *engine, struct row *row)
{
	struct hwpc_metadata metadata = {
		.elapsed_ns = machine_elapsed_ns(machine),
		.bracket_ns = machine->bracket_ns,
		.engine = engine,
		.cpu_time = cputime_source_name(machine->cputime),
		.meter = machine->info,
	};

	for (size_t i = 0; i < machine->cells; i++)
		if (machine->cell[i].kind == CELL_DOMAIN)
			metadata.meters = describe_domain(
				machine, &machine->cell[i], metadata.meters);
	text_clear(&machine->metadata);
	if (!machine->bare)
		hwpc_metadata_put(&metadata, &machine->metadata);
	*row = (struct row){
		.target = HWPC_TARGET_ALL,
		.layout = machine->layout,
		.value = machine->value,
		.metadata = machine->bare ? NULL : machine->metadata.data,
	};
}

bool machine_has_row(const struct machine *machine)
{
	return machine->cells > 0;
}

void machine_row_done(struct machine *machine)
{
	for (size_t i = 0; i < machine->old_layouts; i++)
		layout_free(machine->old_layout[i]);
	if (machine->layout)
		layout_free(machine->layout);
	text_done(&machine->metadata);
	free(machine->old_layout);
	free(machine->cell);
	free(machine->value);
	free(machine->info);
}
