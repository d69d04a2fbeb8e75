/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwmon: the kernel's hardware monitors.
 *
 * Documentation/hwmon/sysfs-interface.rst: energyN_input counts microjoules,
 * powerN_input and powerN_average show microwatts, each with an optional label;
 * update_interval is in milliseconds.  The INA3221 of Jetson boards shows each
 * rail as inN_input (millivolts) and currN_input (milliamperes) with inN_label,
 * which a product makes watts of.
 *
 * Rails named as a board's input contain the others.  Where there is none the
 * sum of all is the best there is, and it says so.
 */
#include <ctype.h>
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
#include "sensor/power.h"
#include "sensor/sysfs.h"

/* Channels of one chip. */
#define CHANNELS_MAX 32
#define CHIPS_MAX    256
/* Where a chip does not say how often it measures. */
#define PERIOD_S     0.1
#define PERIOD_MIN_S 0.02
#define PERIOD_MAX_S 1.0
/* 1 uJ: what energyN_input counts, and what joules of power are kept in. */
#define COUNT_J 1e-6

struct channel {
	int fd, fd_amperes; /* the second of an INA3221 only, else -1 */
	bool energy;
	int64_t last;
};

struct hwmon {
	struct channel channel[METER_DOMAINS_MAX];
	size_t channels;
	struct power *power;
	double variance[METER_DOMAINS_MAX];
};

/* While it opens. */
struct scan {
	struct hwmon *hwmon;
	struct meter_parts *parts;
	char chip[512], name[32];
	double period_s;
	bool all_rails; /* nothing but a board's own INA3221 */
	int refused;    /* errno of a file that could not be read */
};

/* ---- names ---------------------------------------------------------------- */

/* Inputs of a whole board: Jetson's (VDD_IN; POM_5V_IN on older ones), and
 * ACPI's power meter, which is a server's. */
static bool is_total(const char *name)
{
	static const char *const totals[] = { "vdd_in", "pom_5v_in",
					      "power_meter" };

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		if (!strncmp(name, totals[i], strlen(totals[i])))
			return true;
	return false;
}

/* Lower case, and nothing that an event's name has not. */
static void name_clean(char *name)
{
	for (; *name; name++)
		*name = isalnum((unsigned char)*name)
				? (char)tolower((unsigned char)*name)
				: '_';
}

static bool name_taken(const struct meter_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->domains; i++)
		if (!strcmp(parts->domain[i].name, name))
			return true;
	return false;
}

/* "vdd_in", "ina226_1"; a second of that name is "…_2". */
static void name_find(const struct scan *scan, const char *kind, int number,
		      char name[32])
{
	char label[24], base[64];

	sysfs_read(label, sizeof(label), "%s/%s%d_label", scan->chip, kind,
		   number);
	if (label[0])
		snprintf(base, sizeof(base), "%s", label);
	else
		snprintf(base, sizeof(base), "%.16s_%d", scan->name, number);
	name_clean(base);
	snprintf(name, 32, "%.31s", base);
	for (int i = 2; name_taken(scan->parts, name) && i < 1000; i++)
		snprintf(name, 32, "%.19s_%d", base, i);
}

/* ---- channels ------------------------------------------------------------- */

static struct channel *channel_add(struct scan *scan, const char *kind,
				   int number, int fd)
{
	struct meter_counter *counter = meter_parts_add(scan->parts);
	struct channel *channel;
	struct meter_domain *domain;
	char name[32];

	if (!counter) {
		close(fd);
		return NULL;
	}
	domain = &scan->parts->domain[scan->parts->domains - 1];
	/* domain_other() has not named it yet, so it does not take a name. */
	name_find(scan, kind, number, name);
	domain_other(domain, "hwmon", name);
	domain->resolution_j = COUNT_J;
	domain->period_s = scan->period_s;
	counter->count_j = COUNT_J;
	snprintf(counter->where, sizeof(counter->where), "%.20s %s%d (%.24s)",
		 scan->name, kind, number, name);
	scan->all_rails &= !strcmp(kind, "in");
	channel = &scan->hwmon->channel[scan->hwmon->channels++];
	*channel = (struct channel){ .fd = fd, .fd_amperes = -1 };
	return channel;
}

static int file_open(struct scan *scan, const char *kind, int number,
		     const char *what)
{
	int fd = sysfs_open("%s/%s%d_%s", scan->chip, kind, number, what);

	if (fd < 0 && errno != ENOENT)
		scan->refused = errno;
	return fd;
}

/* amd_energy's cores lie within its sockets. */
static bool is_core(const struct scan *scan, int number)
{
	char label[24];

	return sysfs_read(label, sizeof(label), "%s/energy%d_label", scan->chip,
			  number) == 0 &&
	       !strncmp(label, "Ecore", strlen("Ecore"));
}

static bool add_energy(struct scan *scan, int number)
{
	int fd = is_core(scan, number)
			 ? -1
			 : file_open(scan, "energy", number, "input");
	struct channel *channel;

	if (fd < 0)
		return false;
	channel = channel_add(scan, "energy", number, fd);
	if (!channel)
		return false;
	channel->energy = true;
	scan->parts->counter[scan->parts->domains - 1].plausible_w =
		METER_PLAUSIBLE_W;
	scan->parts->counter[scan->parts->domains - 1].slow = true;
	return true;
}

static void add_power(struct scan *scan, int number)
{
	int fd = file_open(scan, "power", number, "input");

	if (fd < 0)
		fd = file_open(scan, "power", number, "average");
	if (fd >= 0 && channel_add(scan, "power", number, fd))
		scan->parts->counter[scan->parts->domains - 1].form = true;
}

/* Volts and amperes of the same number are one rail's on no other chip. */
static void add_rail(struct scan *scan, int number)
{
	struct channel *channel;
	int volts, amperes;

	if (strcmp(scan->name, "ina3221") != 0)
		return;
	volts = file_open(scan, "in", number, "input");
	if (volts < 0)
		return;
	amperes = file_open(scan, "curr", number, "input");
	channel = amperes < 0 ? NULL : channel_add(scan, "in", number, volts);
	if (channel) {
		channel->fd_amperes = amperes;
		scan->parts->counter[scan->parts->domains - 1].form = true;
	} else if (amperes < 0) {
		close(volts);
	} else {
		close(amperes);
	}
}

static void add_chip(struct scan *scan)
{
	char text[32];
	bool energy = false;
	double ms;

	sysfs_read(scan->name, sizeof(scan->name), "%s/name", scan->chip);
	sysfs_read(text, sizeof(text), "%s/update_interval", scan->chip);
	ms = strtod(text, NULL);
	scan->period_s = ms >= 1 && ms < 1e5 ? 1e-3 * ms : PERIOD_S;
	for (int number = 1; number <= CHANNELS_MAX; number++)
		energy |= add_energy(scan, number);
	/* A counter is better than what it counts. */
	for (int number = 1; !energy && number <= CHANNELS_MAX; number++)
		add_power(scan, number);
	for (int number = 1; !energy && number <= 3; number++)
		add_rail(scan, number);
}

/* ---- opening -------------------------------------------------------------- */

static int is_chip(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their numbers, so that names come out the same. */
static int scan_all(struct scan *scan, const char *root, struct err *err)
{
	struct dirent **entry;
	int count = scandir(root, &entry, is_chip, versionsort);

	if (count < 0)
		return err_sys(err, "open %s", root);
	for (int i = 0; i < count; i++) {
		snprintf(scan->chip, sizeof(scan->chip), "%.300s/%.200s", root,
			 entry[i]->d_name);
		if (i < CHIPS_MAX)
			add_chip(scan);
		free(entry[i]);
	}
	free(entry);
	if (scan->parts->domains)
		return 0;
	if (scan->refused) {
		snprintf(scan->parts->remedy, sizeof(scan->parts->remedy),
			 "sudo chmod a+r %.100s/*/energy*_input "
			 "%.100s/*/power*_input",
			 root, root);
		return err_set(err, scan->refused, "open files under %s: %s",
			       root, strerror(scan->refused));
	}
	return err_set(err, ENODEV, "no monitor under %s shows energy or power",
		       root);
}

static void link_total(const struct scan *scan)
{
	struct meter_parts *parts = scan->parts;
	int total = -1;

	for (size_t i = 0; i < parts->domains && total < 0; i++)
		if (is_total(parts->domain[i].name))
			total = (int)i;
	for (size_t i = 0; i < parts->domains; i++)
		if (total >= 0 && (int)i != total)
			parts->domain[i].within = total;
	/* Of a board all rails of which are measured the sum is the total. */
	parts->partial = total < 0 && !scan->all_rails;
	if (total < 0 && parts->domains > 1)
		meter_parts_remark(
			parts,
			"hwmon: none of the %zu rails is known to be "
			"the total: their sum is taken",
			parts->domains);
}

static double channel_watts(struct channel *channel)
{
	int64_t value, amperes = 0;

	if (channel->energy)
		return 0;
	if (sysfs_number(channel->fd, &value) < 0 ||
	    (channel->fd_amperes >= 0 &&
	     sysfs_number(channel->fd_amperes, &amperes) < 0))
		return errno == ENODEV || errno == ENXIO ? (double)INFINITY
							 : (double)NAN;
	if (channel->fd_amperes >= 0)
		return 1e-6 * (double)value * (double)amperes;
	return 1e-6 * (double)value;
}

static void hwmon_poll(void *self, double *watts)
{
	struct hwmon *hwmon = self;

	for (size_t i = 0; i < hwmon->channels; i++)
		watts[i] = channel_watts(&hwmon->channel[i]);
}

/* Boards that are on draw something: a rail that contains all and shows 0 W is
 * no meter. */
static void find_dead(struct hwmon *hwmon, struct meter_parts *parts)
{
	for (size_t i = 0; i < hwmon->channels; i++) {
		if (hwmon->channel[i].energy || parts->domain[i].within >= 0 ||
		    channel_watts(&hwmon->channel[i]) > 0)
			continue;
		parts->domain[i].state = METER_DEAD;
		meter_parts_remark(parts, "hwmon %s: shows no power: dead",
				   parts->counter[i].where);
	}
}

static void start(struct hwmon *hwmon, const struct meter_place *place,
		  struct meter_parts *parts)
{
	double period_s = PERIOD_MAX_S, step_w[METER_DOMAINS_MAX] = { 0 };
	bool polled = false;

	for (size_t i = 0; i < hwmon->channels; i++) {
		if (hwmon->channel[i].energy)
			continue;
		polled = true;
		period_s = fmin(period_s, parts->domain[i].period_s);
		/* One digit: a microwatt, or a milliampere at that voltage. */
		if (hwmon->channel[i].fd_amperes >= 0) {
			int64_t millivolts = 0;

			sysfs_number(hwmon->channel[i].fd, &millivolts);
			step_w[i] = 1e-6 * (double)millivolts;
		}
	}
	if (!polled)
		return;
	parts->source = ENERGY_POLLED;
	hwmon->power =
		power_start(hwmon->channels, fmax(period_s, PERIOD_MIN_S),
			    hwmon_poll, hwmon, step_w, place->clock);
}

static void hwmon_close(void *self)
{
	struct hwmon *hwmon = self;

	power_stop(hwmon->power);
	for (size_t i = 0; i < hwmon->channels; i++) {
		close(hwmon->channel[i].fd);
		if (hwmon->channel[i].fd_amperes >= 0)
			close(hwmon->channel[i].fd_amperes);
	}
	free(hwmon);
}

static void *hwmon_open(const char *argument, const struct meter_place *place,
			struct meter_parts *parts, struct err *err)
{
	struct hwmon *hwmon = xcalloc(1, sizeof(*hwmon));
	struct scan scan = { .hwmon = hwmon,
			     .parts = parts,
			     .all_rails = true };
	char root[256];

	if (argument && *argument)
		snprintf(root, sizeof(root), "%s", argument);
	else
		snprintf(root, sizeof(root), "%s/class/hwmon",
			 place->sys ? place->sys : "/sys");
	if (scan_all(&scan, root, err) < 0) {
		hwmon_close(hwmon);
		return NULL;
	}
	link_total(&scan);
	find_dead(hwmon, parts);
	start(hwmon, place, parts);
	return hwmon;
}

/* ---- reading -------------------------------------------------------------- */

/* An error that passes (a busy bus) shows the last value once more. */
static uint64_t energy_read(struct channel *channel)
{
	int64_t value;

	if (sysfs_number(channel->fd, &value) == 0 && value >= 0)
		channel->last = value;
	else if (errno == ENODEV || errno == ENXIO)
		return METER_COUNT_GONE;
	return (uint64_t)channel->last;
}

static int hwmon_read(void *self, uint64_t *count, struct err *err)
{
	struct hwmon *hwmon = self;
	double joules[METER_DOMAINS_MAX] = { 0 };

	(void)err;
	if (hwmon->power)
		power_read(hwmon->power, joules, hwmon->variance);
	for (size_t i = 0; i < hwmon->channels; i++)
		if (hwmon->channel[i].energy)
			count[i] = energy_read(&hwmon->channel[i]);
		else
			count[i] = isnan(joules[i])
					   ? METER_COUNT_GONE
					   : (uint64_t)(joules[i] / COUNT_J);
	return 0;
}

static void hwmon_variance(void *self, double *j2)
{
	struct hwmon *hwmon = self;

	memcpy(j2, hwmon->variance, sizeof(hwmon->variance));
}

const struct meter_kind meter_kind_hwmon = {
	.name = "hwmon",
	.argument = "[ROOT]",
	.summary = "hardware monitors: INA2xx, Jetson's rails, energyN_input",
	.proof = METER_PROOF_LOAD,
	.automatic = true,
	.source = ENERGY_ACCUMULATOR,
	.open = hwmon_open,
	.read = hwmon_read,
	.variance = hwmon_variance,
	.close = hwmon_close,
};
