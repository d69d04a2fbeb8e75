/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever stands in the files of a meter: an INA's watts, a battery's gauge, a
 * wall meter's log.  The first byte chooses; behind a form feed stands what the
 * file says at the second reading.  No joule is ever negative. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "sensor/meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz-meter-XXXXXX";

static void path_of(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
	char path[96];
	FILE *file;

	path_of(path, sizeof(path), name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static const char *const files[] = {
	"chip/name",  "chip/power1_input", "chip/power1_label", "bat/type",
	"bat/status", "bat/charge_now",    "bat/voltage_now",   "wall.csv",
};

static void remove_folder(void)
{
	static const char *const folders[] = { "chip", "bat", "" };
	char path[96];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(path, sizeof(path), files[i]);
		(void)remove(path);
	}
	for (size_t i = 0; i < 3; i++) {
		path_of(path, sizeof(path), folders[i]);
		(void)remove(path);
	}
}

static void make_folder(void)
{
	char path[96];

	if (!mkdtemp(folder) || atexit(remove_folder) != 0)
		abort();
	path_of(path, sizeof(path), "chip");
	(void)mkdir(path, 0700);
	path_of(path, sizeof(path), "bat");
	(void)mkdir(path, 0700);
}

static void check(const struct meter *meter, const struct meter_reading *before,
		  const struct meter_reading *after)
{
	struct energy energy;

	meter_between(meter, before, after, &energy);
	if (energy.joules < 0 || energy.sigma_j < 0 || isinf(energy.joules))
		abort();
}

static void measure(const char *kind, const char *file, const char *first,
		    const char *second)
{
	struct clock_virtual clock;
	struct meter_place place = { .state = "" };
	struct meter_reading before, after;
	struct meter *meter;
	char spec[96];

	clock_virtual_init(&clock, INT64_C(1783600000000));
	place.clock = &clock.clock;
	put(file, first);
	(void)snprintf(spec, sizeof(spec), "%s:%s%s", kind, folder,
		       strcmp(kind, "log") ? "" : "/wall.csv");
	meter = meter_open_at(spec, &place, NULL);
	if (!meter)
		return;
	if (meter_read(meter, &before, NULL) < 0)
		abort();
	clock_virtual_set_ns(&clock, 3000000000);
	put(file, second);
	for (int i = 0; i < 2; i++) {
		if (meter_read(meter, &after, NULL) < 0)
			abort();
		check(meter, &before, &after);
		before = after;
		clock_virtual_set_ns(&clock, clock.ns + 1000000000);
	}
	meter_close(meter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int made;
	char *text, *second;

	if (size == 0 || size > 1 << 16)
		return 0;
	if (!made++)
		make_folder();
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	second = strchr(text, '\f');
	if (second)
		*second++ = '\0';
	else
		second = text;
	put("chip/name", "ina226\n");
	put("bat/type", "Battery\n");
	put("bat/status", "Discharging\n");
	put("bat/voltage_now", "11000000\n");
	if (data[0] == 'l')
		measure("log", "wall.csv", text, second);
	else if (data[0] == 'b')
		measure("battery", "bat/charge_now", text, second);
	else if (data[0] == 'v')
		measure("battery", "bat/voltage_now", text, second);
	else if (data[0] == 'n')
		measure("hwmon", "chip/power1_label", text, second);
	else
		measure("hwmon", "chip/power1_input", text, second);
	free(text);
	return 0;
}
