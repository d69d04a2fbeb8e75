/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to write a tick of HWPC reports, beside what others do with the
 * same numbers in the same run, interleaved:
 *
 *	JSON	json-c, a tree per report and its text, as hwpc-sensor does
 *	CSV	fprintf, a call per cell and a stdio buffer, as hwpc-sensor does
 *	BSON	libbson's append calls, as hwpc-sensor does
 *
 * 100 targets × 2 CPUs × 5 values; medians over rounds.  Text is compared with
 * theirs byte by byte first.
 *
 *	bench_encode [ROUNDS]
 */
#include <bson/bson.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/mongo_bson.h"
#include "lib/sink.h"

#define TARGETS 100
#define CPUS    2
#define EVENTS  5
#define VALUES  (CPUS * EVENTS)
#define TICKS   20 /* in a row, between two looks at the clock */

static const char *const events[EVENTS] = { "CPU_CLK_THREAD_UNHALTED",
					    "INSTRUCTIONS_RETIRED",
					    "LLC_MISSES", "time_enabled",
					    "time_running" };
static const char *const cpus[CPUS] = { "0", "1" };

static union value value[TARGETS][VALUES];
static char target[TARGETS][64];
static struct row row[TARGETS];
static struct batch batch = { 1783600000123, "node1", row, TARGETS };
static struct layout *layout;
static struct text out;
static const char id[] = "node1-1a2b3c4d5e6f-0000000001"; /* about that */
static char folder[] = "/tmp/bench-encode-XXXXXX";

static uint64_t count(int number)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1;
	switch (number % EVENTS) {
	case 2:
		return state >> 44; /* misses: six or seven digits */
	case 3:
	case 4:
		return 120000000 + (state >> 40); /* nanoseconds */
	default:
		return state >> 35; /* nine digits */
	}
}

static void setup(void)
{
	layout = layout_new("hwpc", LAYOUT_TABLES);
	layout_key_columns(layout, "socket", "cpu");
	for (int c = 0; c < CPUS; c++)
		for (int e = 0; e < EVENTS; e++)
			layout_add(layout, COLUMN_INT, "core", "0", cpus[c],
				   events[e], "groups", "core", "0", cpus[c],
				   events[e], NULL);
	layout_end(layout);
	for (int t = 0; t < TARGETS; t++) {
		for (int v = 0; v < VALUES; v++)
			value[t][v].integer = count(v);
		snprintf(target[t], sizeof(target[t]),
			 "/system.slice/service%02d.service", t);
		row[t] = (struct row){ target[t], layout, value[t], NULL };
	}
}

/* ---- JSON ---------------------------------------------------------------- */

static struct json_object *child(struct json_object *parent, const char *key)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(parent, key, object);
	return object;
}

static void json_theirs(const struct row *one, struct text *text)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *package, *cpu;
	size_t length;
	const char *json;

	json_object_object_add(doc, "timestamp",
			       json_object_new_int64(batch.time_ms));
	json_object_object_add(doc, "sensor",
			       json_object_new_string(batch.sensor));
	json_object_object_add(doc, "target",
			       json_object_new_string(one->target));
	package = child(child(child(doc, "groups"), "core"), "0");
	for (int c = 0; c < CPUS; c++) {
		cpu = child(package, cpus[c]);
		for (int e = 0; e < EVENTS; e++)
			json_object_object_add(
				cpu, events[e],
				json_object_new_uint64(
					one->value[c * EVENTS + e].integer));
	}
	json = json_object_to_json_string_length(
		doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&length);
	text_put_bytes(text, json, length);
	text_put_char(text, '\n');
	json_object_put(doc);
}

static void json_c(void)
{
	text_clear(&out);
	for (int t = 0; t < TARGETS; t++)
		json_theirs(&row[t], &out);
}

static void json_ours(void)
{
	text_clear(&out);
	batch_put_jsonl(&batch, &out);
}

/* ---- BSON ---------------------------------------------------------------- */

static void bson_theirs(const struct row *one, struct text *text)
{
	bson_t doc = BSON_INITIALIZER, groups, core, package, cpu;

	BSON_APPEND_UTF8(&doc, "_id", id);
	BSON_APPEND_DATE_TIME(&doc, "timestamp", batch.time_ms);
	BSON_APPEND_UTF8(&doc, "sensor", batch.sensor);
	BSON_APPEND_UTF8(&doc, "target", one->target);
	BSON_APPEND_DOCUMENT_BEGIN(&doc, "groups", &groups);
	BSON_APPEND_DOCUMENT_BEGIN(&groups, "core", &core);
	BSON_APPEND_DOCUMENT_BEGIN(&core, "0", &package);
	for (int c = 0; c < CPUS; c++) {
		BSON_APPEND_DOCUMENT_BEGIN(&package, cpus[c], &cpu);
		for (int e = 0; e < EVENTS; e++)
			BSON_APPEND_DOUBLE(
				&cpu, events[e],
				(double)one->value[c * EVENTS + e].integer);
		bson_append_document_end(&package, &cpu);
	}
	bson_append_document_end(&core, &package);
	bson_append_document_end(&groups, &core);
	bson_append_document_end(&doc, &groups);
	text_put_bytes(text, bson_get_data(&doc), doc.len);
	bson_destroy(&doc);
}

static void libbson(void)
{
	text_clear(&out);
	for (int t = 0; t < TARGETS; t++)
		bson_theirs(&row[t], &out);
}

static struct mongo_template *template;

static void bson_ours(void)
{
	text_clear(&out);
	for (int t = 0; t < TARGETS; t++)
		mongo_put_row(template, &batch, &row[t], id, &out);
}

/* ---- CSV ----------------------------------------------------------------- */

static FILE *csv_file;
static struct sink *csv_sink;

static void csv_fprintf(void)
{
	for (int t = 0; t < TARGETS; t++) {
		for (int c = 0; c < CPUS; c++) {
			fprintf(csv_file, "%" PRIi64 ",%s,%s,%s,%s",
				batch.time_ms, batch.sensor, target[t], "0",
				cpus[c]);
			for (int e = 0; e < EVENTS; e++)
				fprintf(csv_file, ",%" PRIu64,
					value[t][c * EVENTS + e].integer);
			fputc('\n', csv_file);
		}
	}
}

static void csv_ours(void)
{
	struct err err = { 0 };

	if (sink_put(csv_sink, &batch, &err) < 0) {
		fprintf(stderr, "bench_encode: %s\n", err.text);
		exit(1);
	}
}

/* Both into /dev/null: what the kernel does with bytes is nobody's merit. */
static void csv_open_both(void)
{
	struct err err = { 0 };
	char uri[64], path[64];

	if (!mkdtemp(folder))
		exit(1);
	snprintf(path, sizeof(path), "%s/core.csv", folder);
	snprintf(uri, sizeof(uri), "csv:%s", folder);
	csv_file = fopen("/dev/null", "w");
	if (!csv_file || symlink("/dev/null", path) < 0)
		exit(1);
	csv_sink = sink_open(uri, &err);
	if (!csv_sink) {
		fprintf(stderr, "bench_encode: %s\n", err.text);
		exit(1);
	}
}

static void csv_close_both(void)
{
	char path[64];

	fclose(csv_file);
	sink_close(csv_sink, NULL);
	snprintf(path, sizeof(path), "%s/core.csv", folder);
	unlink(path);
	rmdir(folder);
}

/* ---- measuring ----------------------------------------------------------- */

static double ns_per_report(void (*encode)(void))
{
	int64_t start_ns = clock_thread_cpu_ns();

	for (int i = 0; i < TICKS; i++)
		encode();
	return (double)(clock_thread_cpu_ns() - start_ns) / (TICKS * TARGETS);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

enum { JSON_C, JSON_OURS, FPRINTF, CSV_OURS, LIBBSON, BSON_OURS, WAYS };

static double *samples[WAYS];

static double median(int way, int rounds)
{
	qsort(samples[way], (size_t)rounds, sizeof(double), compare);
	return samples[way][rounds / 2];
}

static void tell(const char *what, int theirs, const char *their_name, int ours,
		 double floor, int rounds)
{
	double a = median(theirs, rounds), b = median(ours, rounds);

	printf("%-5s %-8s %8.1f ns a report, ours %6.1f ns: %5.1f times "
	       "(floor %.0f)\n",
	       what, their_name, a, b, a / b, floor);
}

static void must_be_equal(const char *what, void (*theirs)(void),
			  void (*ours)(void))
{
	char *want;
	size_t length;

	theirs();
	length = out.length;
	want = text_take(&out);
	ours();
	if (length != out.length || memcmp(want, out.data, length) != 0) {
		fprintf(stderr, "bench_encode: %s differs\n", what);
		exit(1);
	}
	free(want);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 61;

	if (rounds < 1 || rounds > 100000)
		return 64;
	setup();
	template = mongo_template_new(layout, false);
	must_be_equal("JSON", json_c, json_ours);
	must_be_equal("BSON", libbson, bson_ours);
	for (int way = 0; way < WAYS; way++)
		samples[way] = calloc((size_t)rounds, sizeof(double));
	csv_open_both();
	for (int i = 0; i < rounds; i++) {
		samples[JSON_C][i] = ns_per_report(json_c);
		samples[JSON_OURS][i] = ns_per_report(json_ours);
		samples[FPRINTF][i] = ns_per_report(csv_fprintf);
		samples[CSV_OURS][i] = ns_per_report(csv_ours);
		samples[LIBBSON][i] = ns_per_report(libbson);
		samples[BSON_OURS][i] = ns_per_report(bson_ours);
	}
	csv_close_both();
	printf("%d targets x %d CPUs x %d values, medians of %d rounds\n",
	       TARGETS, CPUS, EVENTS, rounds);
	tell("JSON", JSON_C, "json-c", JSON_OURS, 25, rounds);
	tell("CSV", FPRINTF, "fprintf", CSV_OURS, 5, rounds);
	tell("BSON", LIBBSON, "libbson", BSON_OURS, 10, rounds);
	for (int way = 0; way < WAYS; way++)
		free(samples[way]);
	mongo_template_free(template);
	layout_free(layout);
	text_done(&out);
	return 0;
}
