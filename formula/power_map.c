/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const time_units[] = { "s", "ms", "us", "ns", NULL };
static const char *const frequency_units[] = { "Hz", "kHz", "MHz", "GHz",
					       NULL };

/* clang-format off */
static const struct field map_fields[] = {
	{ "power", FIELD_TEXT, offsetof(struct power_map, power),
	  .help = "column of the watts" },
	{ "group", FIELD_TEXT, offsetof(struct power_map, group),
	  .help = "column of what is left out together (default: the file)" },
	{ "time", FIELD_TEXT, offsetof(struct power_map, time),
	  .help = "column of the time" },
	{ "time_unit", FIELD_CHOICE, offsetof(struct power_map, time_unit),
	  .initial = "s", .choices = time_units,
	  .help = "its unit" },
	{ "counters", FIELD_LIST, offsetof(struct power_map, counters),
	  .help = "columns counted since the row before" },
	{ "rates", FIELD_LIST, offsetof(struct power_map, rates),
	  .help = "columns counted per second" },
	{ "frequency", FIELD_TEXT, offsetof(struct power_map, frequency),
	  .help = "column of the clock" },
	{ "frequency_unit", FIELD_CHOICE,
	  offsetof(struct power_map, frequency_unit),
	  .initial = "MHz", .choices = frequency_units,
	  .help = "its unit" },
	{ "voltage", FIELD_TEXT, offsetof(struct power_map, voltage),
	  .help = "column of the volts" },
	{ "temperature", FIELD_TEXT, offsetof(struct power_map, temperature),
	  .help = "column of the degrees Celsius" },
	{ "threads", FIELD_LIST, offsetof(struct power_map, threads),
	  .help = "columns: how busy each hardware thread is" },
	{ "thread_full", FIELD_REAL, offsetof(struct power_map, thread_full),
	  .initial = "100", .min = 1e-9, .max = 1e18,
	  .help = "what a busy one reads" },
	{ "siblings", FIELD_INT, offsetof(struct power_map, siblings),
	  .min = 0, .max = 65536,
	  .help = "thread i and i + siblings are one core" },
	FIELD_END
};
/* clang-format on */

/* For reading and writing: the struct, with its table. */
static struct config config_of(struct power_map *map)
{
	struct config config;

	config_init(&config, map_fields, map);
	return config;
}

static int map_check(const struct power_map *map, const char *where,
		     struct err *err)
{
	if (!map->power)
		return err_set(err, EINVAL,
			       "%s: \"power\" is missing: which column has the "
			       "watts?",
			       where);
	if (!map->counters.count && !map->rates.count && !map->threads.count &&
	    !map->frequency)
		return err_set(err, EINVAL,
			       "%s: nothing explains the power: name counters, "
			       "rates, threads or frequency",
			       where);
	if (map->counters.count && !map->time)
		return err_set(err, EINVAL,
			       "%s: counters need \"time\", the column that "
			       "says since when (or list them under \"rates\" "
			       "if they are per second already)",
			       where);
	if (map->siblings > 0 &&
	    map->threads.count != 2 * (size_t)map->siblings)
		return err_set(err, EINVAL,
			       "%s: siblings: %lld cores of 2 threads, but %zu "
			       "threads are listed",
			       where, (long long)map->siblings,
			       map->threads.count);
	return 0;
}

int power_map_read(struct power_map *map, const struct doc *doc,
		   const char *where, struct err *err)
{
	struct config config;
	int failed;

	memset(map, 0, sizeof(*map));
	if (doc_kind(doc) != DOC_OBJECT)
		return err_set(
			err, EINVAL,
			"%s: a JSON object that maps columns is expected",
			where);
	config = config_of(map);
	failed = config_set_doc(&config, doc, where, err);
	if (!failed)
		failed = map_check(map, where, err);
	/* The texts are the map's now. */
	free(config.state);
	if (failed)
		power_map_done(map);
	return failed;
}

static void put_text(struct doc *doc, const char *key, const char *text)
{
	if (text)
		doc_set_text(doc, key, text);
}

static void put_list(struct doc *doc, const char *key,
		     const struct field_list *list)
{
	struct doc *array;

	if (!list->count)
		return;
	array = doc_new_array();
	for (size_t i = 0; i < list->count; i++)
		doc_add_take(array, doc_new_text(list->item[i]));
	doc_set_take(doc, key, array);
}

struct doc *power_map_to_doc(const struct power_map *map)
{
	struct doc *doc = doc_new_object();

	put_text(doc, "power", map->power);
	put_text(doc, "group", map->group);
	put_text(doc, "time", map->time);
	if (map->time)
		doc_set_text(doc, "time_unit", time_units[map->time_unit]);
	put_list(doc, "counters", &map->counters);
	put_list(doc, "rates", &map->rates);
	put_text(doc, "frequency", map->frequency);
	if (map->frequency)
		doc_set_text(doc, "frequency_unit",
			     frequency_units[map->frequency_unit]);
	put_text(doc, "voltage", map->voltage);
	put_text(doc, "temperature", map->temperature);
	put_list(doc, "threads", &map->threads);
	if (map->threads.count) {
		doc_set_real(doc, "thread_full", map->thread_full);
		doc_set_int(doc, "siblings", map->siblings);
	}
	return doc;
}

void power_map_done(struct power_map *map)
{
	free(map->power);
	free(map->group);
	free(map->time);
	free(map->frequency);
	free(map->voltage);
	free(map->temperature);
	field_list_done(&map->counters);
	field_list_done(&map->rates);
	field_list_done(&map->threads);
	memset(map, 0, sizeof(*map));
}

double power_map_second(const struct power_map *map)
{
	static const double seconds[] = { 1, 1e-3, 1e-6, 1e-9 };

	return seconds[map->time_unit];
}

double power_map_hertz(const struct power_map *map)
{
	static const double hertz[] = { 1, 1e3, 1e6, 1e9 };

	return hertz[map->frequency_unit];
}
