/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A battery's fuel gauge: joules that left it.
 *
 * Documentation/ABI/testing/sysfs-class-power: energy_now in microwatt-hours,
 * or charge_now in microampere-hours, times voltage_now in microvolts.  Gauges
 * count in coarse steps (10 mWh are 36 J) and move every few seconds: both are
 * found out from what is read, and are in sigma.
 *
 * While a charger is plugged in the machine feeds on that, and the gauge says
 * nothing about it: then there is no meter, rather than one of 0 W.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sensor/domain.h"
#include "sensor/meter_kind.h"
#include "sensor/sysfs.h"

#define SUPPLIES_MAX 64
/* 1 uWh, and 1 uAh at 1 V. */
#define HOUR_J  3.6e-3
#define COUNT_J 1e-6
/* 10 kWh, and 1 kV: no battery of a computer. */
#define NOW_MAX        INT64_C(10000000000)
#define MICROVOLTS_MAX INT64_C(1000000000)
/* A gauge may be wrong upwards too; counts do not go below 0. */
#define COUNT_START (UINT64_C(1) << 60)
/* A machine that is on draws half a watt at least (a phone's idle), and one per
 * cent of 50 Wh, the coarsest gauge, is gone by that in an hour. */
#define STILL_S 3600.0

struct cell {
	int fd_now, fd_volts; /* the second where it counts charge, else -1 */
	int64_t now, step;    /* as the file has them */
	double volts, used_j;
	int64_t changed_ns, gap_ns; /* 0: not seen to change yet */
	bool gone;
	char name[32];
};

struct battery {
	struct cell cell[METER_DOMAINS_MAX];
	size_t cells;
	char root[256];
	struct meter_parts *parts;
	struct clock *clock;
	int64_t start_ns;
};

/* ---- chargers -------------------------------------------------------------- */

static bool says(const char *root, const char *supply, const char *file,
		 const char *what)
{
	char text[32];

	return sysfs_read(text, sizeof(text), "%s/%s/%s", root, supply, file) ==
		       0 &&
	       !strcmp(text, what);
}

static int is_supply(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The name of what feeds the machine besides its batteries; false where nothing
 * does. Chargers say so; where there is none, batteries do. */
static bool find_charger(const char *root, char name[64])
{
	struct dirent **entry;
	int count = scandir(root, &entry, is_supply, versionsort);
	bool found = false;

	for (int i = 0; i < count; i++) {
		const char *supply = entry[i]->d_name;
		bool battery = says(root, supply, "type", "Battery");

		if (!found &&
		    (battery ? !says(root, supply, "scope", "Device") &&
				       (says(root, supply, "status",
					     "Charging") ||
					says(root, supply, "status", "Full"))
			     : says(root, supply, "online", "1"))) {
			found = true;
			snprintf(name, 64, "%.40s%s", supply,
				 battery ? " is charging or full"
					 : " is plugged in");
		}
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
	return found;
}

/* ---- opening --------------------------------------------------------------- */

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a < 0 ? -a : a;
}

/* All that a gauge shows are multiples of its step. */
static int64_t find_step(const struct battery *battery, const char *supply,
			 const char *what, int64_t now)
{
	static const char *const files[] = { "full", "full_design" };
	int64_t step = now;

	for (size_t i = 0; i < 2; i++) {
		char text[32];

		sysfs_read(text, sizeof(text), "%s/%s/%s_%s", battery->root,
			   supply, what, files[i]);
		step = common_divisor(step, strtoll(text, NULL, 10));
	}
	return step > 0 ? step : 1;
}

static double resolution_j(const struct cell *cell)
{
	return HOUR_J * (double)cell->step * cell->volts;
}

static void cell_describe(struct battery *battery, const struct cell *cell)
{
	struct meter_counter *counter = meter_parts_add(battery->parts);
	struct meter_domain *domain;

	domain = &battery->parts->domain[battery->parts->domains - 1];
	domain_other(domain, "battery", cell->name);
	domain->resolution_j = resolution_j(cell);
	counter->count_j = COUNT_J;
	counter->still_s = STILL_S;
	snprintf(counter->where, sizeof(counter->where), "%.31s", cell->name);
}

/* 1, 0 where it has no gauge, -1. */
static int cell_open(struct battery *battery, const char *supply)
{
	struct cell *cell = &battery->cell[battery->cells];
	const char *what = "energy";
	int64_t microvolts = 0;

	if (battery->cells == METER_DOMAINS_MAX)
		return 0;
	*cell = (struct cell){ .fd_volts = -1, .volts = 1 };
	cell->fd_now = sysfs_open("%s/%s/energy_now", battery->root, supply);
	if (cell->fd_now < 0) {
		what = "charge";
		cell->fd_now =
			sysfs_open("%s/%s/charge_now", battery->root, supply);
		cell->fd_volts =
			sysfs_open("%s/%s/voltage_now", battery->root, supply);
	}
	if (sysfs_number(cell->fd_now, &cell->now) < 0 ||
	    (cell->fd_volts >= 0 &&
	     sysfs_number(cell->fd_volts, &microvolts) < 0) ||
	    (what[0] == 'c' &&
	     (microvolts <= 0 || microvolts > MICROVOLTS_MAX)) ||
	    cell->now < 0 || cell->now > NOW_MAX) {
		close(cell->fd_now);
		close(cell->fd_volts);
		return 0;
	}
	if (cell->fd_volts >= 0)
		cell->volts = 1e-6 * (double)microvolts;
	cell->step = find_step(battery, supply, what, cell->now);
	for (size_t i = 0; supply[i] && i + 1 < sizeof(cell->name); i++)
		cell->name[i] = (char)(supply[i] >= 'A' && supply[i] <= 'Z'
					       ? supply[i] + 32
					       : supply[i]);
	battery->cells++;
	cell_describe(battery, cell);
	return 1;
}

static int cells_open(struct battery *battery, struct err *err)
{
	struct dirent **entry;
	int count = scandir(battery->root, &entry, is_supply, versionsort);

	if (count < 0)
		return err_sys(err, "open %s", battery->root);
	for (int i = 0; i < count; i++) {
		const char *supply = entry[i]->d_name;

		/* A mouse's battery does not feed the machine. */
		if (says(battery->root, supply, "type", "Battery") &&
		    !says(battery->root, supply, "scope", "Device"))
			cell_open(battery, supply);
		free(entry[i]);
	}
	free(entry);
	if (battery->cells)
		return 0;
	return err_set(err, ENODEV, "no battery with a gauge under %s",
		       battery->root);
}

static void battery_close(void *self)
{
	struct battery *battery = self;

	for (size_t i = 0; i < battery->cells; i++) {
		close(battery->cell[i].fd_now);
		if (battery->cell[i].fd_volts >= 0)
			close(battery->cell[i].fd_volts);
	}
	free(battery);
}

static int open_all(struct battery *battery, struct meter_parts *parts,
		    struct err *err)
{
	char charger[64];

	if (cells_open(battery, err) < 0)
		return -1;
	if (!find_charger(battery->root, charger))
		return 0;
	snprintf(parts->remedy, sizeof(parts->remedy), "unplug the charger");
	return err_set(err, EBUSY,
		       "%s: what the machine draws does not come from the "
		       "battery",
		       charger);
}

static void *battery_open(const char *argument, const struct meter_place *place,
			  struct meter_parts *parts, struct err *err)
{
	struct battery *battery = xcalloc(1, sizeof(*battery));

	battery->parts = parts;
	battery->clock = place->clock;
	battery->start_ns = clock_now_ns(place->clock);
	if (argument && *argument)
		snprintf(battery->root, sizeof(battery->root), "%s", argument);
	else
		snprintf(battery->root, sizeof(battery->root),
			 "%.200s/class/power_supply",
			 place->sys ? place->sys : "/sys");
	if (open_all(battery, parts, err) == 0)
		return battery;
	battery_close(battery);
	return NULL;
}

/* ---- reading --------------------------------------------------------------- */

/* How often it moves, and by how much: the shortest and the least that was
 * seen; before it moved at all, longer than it was watched. */
static void learn(struct battery *battery, size_t i, int64_t change)
{
	struct cell *cell = &battery->cell[i];
	struct meter_domain *domain = &battery->parts->domain[i];
	int64_t now_ns = clock_now_ns(battery->clock);

	if (change) {
		int64_t from_ns =
			cell->changed_ns ? cell->changed_ns : battery->start_ns;

		if (!cell->gap_ns || now_ns - from_ns < cell->gap_ns)
			cell->gap_ns = now_ns - from_ns;
		cell->changed_ns = now_ns;
		cell->step = common_divisor(cell->step, change);
	}
	domain->period_seen = cell->gap_ns > 0;
	domain->period_s =
		1e-9 * (double)(cell->gap_ns ? cell->gap_ns
					     : now_ns - battery->start_ns);
	domain->resolution_j = resolution_j(cell);
}

/* -1 when it is gone; an error that passes shows nothing new. */
static int cell_read(struct battery *battery, size_t i)
{
	struct cell *cell = &battery->cell[i];
	int64_t now, microvolts;
	double volts = cell->volts;

	if (sysfs_number(cell->fd_now, &now) < 0)
		return errno == ENODEV || errno == ENXIO ? -1 : 0;
	if (now < 0 || now > NOW_MAX)
		return 0;
	if (cell->fd_volts >= 0 &&
	    sysfs_number(cell->fd_volts, &microvolts) == 0 && microvolts > 0 &&
	    microvolts < MICROVOLTS_MAX)
		volts = 1e-6 * (double)microvolts;
	cell->used_j += HOUR_J * ((double)cell->now - (double)now) * 0.5 *
			(volts + cell->volts);
	cell->volts = volts;
	learn(battery, i, cell->now - now);
	cell->now = now;
	return 0;
}

static int battery_read(void *self, uint64_t *count, struct err *err)
{
	struct battery *battery = self;
	char charger[64];
	bool charged = find_charger(battery->root, charger);

	(void)err;
	for (size_t i = 0; i < battery->cells; i++) {
		struct cell *cell = &battery->cell[i];

		if (charged && !cell->gone) {
			cell->gone = true;
			meter_parts_remark(battery->parts,
					   "battery %s: %s: what the machine "
					   "draws is not seen any more",
					   cell->name, charger);
		}
		cell->gone = cell->gone || cell_read(battery, i) < 0;
		count[i] = cell->gone
				   ? METER_COUNT_GONE
				   : COUNT_START +
					     (uint64_t)(int64_t)(cell->used_j /
								 COUNT_J);
	}
	return 0;
}

const struct meter_kind meter_kind_battery = {
	.name = "battery",
	.argument = "[ROOT]",
	.summary = "a battery's fuel gauge, while no charger is plugged in",
	.proof = METER_PROOF_FORM,
	.source = ENERGY_ACCUMULATOR,
	.open = battery_open,
	.read = battery_read,
	.close = battery_close,
};
