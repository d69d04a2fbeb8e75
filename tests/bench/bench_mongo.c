/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_mongo -- documents a second into MongoDB, three ways, interleaved:
 *
 *	ready   unordered bulks of 500 ready-made documents, nothing else; and the
 *	        same unchecked, without libmongoc's look at every key
 *	sink    sink_put() of ticks, encoded, queued, sent by the sink's thread
 *	one     insert_one per report, appended by libbson (hwpc-sensor's way)
 *
 * into a server of its own that throws everything away, and into the one at
 * MONGODB_URI, if there is one.  Ends with 1 where the sink is below 0.7 of
 * `ready` or below 7 times `one` (null server), or below 0.8 of `ready` (real).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mongoc/mongoc.h>

#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/sink.h"

#define ROWS   100 /* targets of a tick */
#define BULK   500
#define ROUNDS 7

/* ---- a server that throws everything away --------------------------------- */

#define MESSAGE_MAX (64 << 20)
#define OP_REPLY    1
#define OP_QUERY    2004
#define OP_MSG      2013

static bool read_all(int fd, void *out, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(fd, (char *)out + done, length - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Documents of the sections of kind 1 (OP_MSG: a kind, then a size and a name
 * before them). */
static int32_t count_documents(const char *at, const char *end)
{
	int32_t count = 0, size;

	while (at + 5 <= end) {
		char kind = *at++;
		const char *inner = at + 4;

		memcpy(&size, at, sizeof(size));
		at += size;
		if (kind != 1)
			continue;
		for (inner += strlen(inner) + 1; inner < at; inner += size) {
			memcpy(&size, inner, sizeof(size));
			count++;
		}
	}
	return count;
}

static void answer(bson_t *reply, const char *command, int32_t documents)
{
	bson_t cursor, batch;

	BSON_APPEND_BOOL(reply, "ismaster", true);
	BSON_APPEND_INT32(reply, "minWireVersion", 0);
	BSON_APPEND_INT32(reply, "maxWireVersion", 17);
	BSON_APPEND_INT32(reply, "maxBsonObjectSize", 16777216);
	BSON_APPEND_INT32(reply, "maxMessageSizeBytes", 48000000);
	BSON_APPEND_INT32(reply, "maxWriteBatchSize", 100000);
	if (!strcmp(command, "find")) {
		BSON_APPEND_DOCUMENT_BEGIN(reply, "cursor", &cursor);
		BSON_APPEND_INT64(&cursor, "id", 0);
		BSON_APPEND_UTF8(&cursor, "ns", "bench.c");
		BSON_APPEND_ARRAY_BEGIN(&cursor, "firstBatch", &batch);
		bson_append_array_end(&cursor, &batch);
		bson_append_document_end(reply, &cursor);
	}
	BSON_APPEND_INT32(reply, "n", documents);
	BSON_APPEND_DOUBLE(reply, "ok", 1.0);
}

static bool reply_to(int fd, int32_t id, int32_t op, const char *body,
		     int32_t length)
{
	int32_t head[4] = { 0, id, id, op == OP_QUERY ? OP_REPLY : OP_MSG };
	struct text out = TEXT_INIT;
	bson_t reply = BSON_INITIALIZER;
	bool sent;

	if (op == OP_QUERY) {
		static const int32_t tail[5] = { 8, 0, 0, 0, 1 };

		answer(&reply, "hello", 0);
		text_put_bytes(&out, head, sizeof(head));
		text_put_bytes(&out, tail, sizeof(tail));
	} else {
		/* Flags, kind 0, the command; its first key is its name. */
		answer(&reply, body + 4 + 1 + 4 + 1,
		       count_documents(body + 4, body + length));
		text_put_bytes(&out, head, sizeof(head));
		text_put_bytes(&out, "\0\0\0\0\0", 5);
	}
	text_put_bytes(&out, bson_get_data(&reply), reply.len);
	head[0] = (int32_t)out.length;
	memcpy(out.data, head, sizeof(head));
	sent = write(fd, out.data, out.length) == (ssize_t)out.length;
	bson_destroy(&reply);
	text_done(&out);
	return sent;
}

static void *connection_main(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *body = xmalloc(MESSAGE_MAX);
	int32_t head[4];

	while (read_all(fd, head, sizeof(head)) && head[0] > 16 &&
	       head[0] < MESSAGE_MAX &&
	       read_all(fd, body, (size_t)head[0] - 16))
		if (!reply_to(fd, head[1], head[3], body, head[0] - 16))
			break;
	free(body);
	close(fd);
	return NULL;
}

static void serve(int listener)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		int on = 1;
		pthread_t thread;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (!pthread_create(&thread, NULL, connection_main,
				    (void *)(intptr_t)fd))
			pthread_detach(thread);
	}
	_exit(0);
}

static pid_t null_server(char *uri, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, length) < 0 ||
	    listen(listener, 16) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		exit(1);
	snprintf(uri, size, "mongodb://127.0.0.1:%d/bench",
		 ntohs(address.sin_port));
	pid = fork();
	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

/* ---- the reports ---------------------------------------------------------- */

static const char *const events[] = { "CPU_CLK_THREAD_UNHALTED:REF_P",
				      "CPU_CLK_THREAD_UNHALTED:THREAD_P",
				      "LLC_MISSES",
				      "INSTRUCTIONS_RETIRED",
				      "time_enabled",
				      "time_running" };

#define EVENTS (sizeof(events) / sizeof(events[0]))
#define CPUS   4
#define VALUES (CPUS * EVENTS)

static const char *const cpus[CPUS] = { "0", "1", "2", "3" };
static struct layout *layout;
static char target[ROWS][32];
static union value values[ROWS][VALUES];

static void reports_init(void)
{
	layout = layout_new("hwpc", LAYOUT_TABLES);
	layout_key_columns(layout, "socket", "cpu");
	for (size_t cpu = 0; cpu < CPUS; cpu++)
		for (size_t i = 0; i < EVENTS; i++)
			layout_add(layout, COLUMN_INT, "core", "0", cpus[cpu],
				   events[i], "groups", "core", "0", cpus[cpu],
				   events[i], NULL);
	layout_end(layout);
	for (int row = 0; row < ROWS; row++) {
		snprintf(target[row], sizeof(target[row]),
			 "/system.slice/demo-%03d.service", row);
		for (size_t i = 0; i < VALUES; i++)
			values[row][i].integer =
				1000003u * (uint64_t)row + 9176543u * i;
	}
}

/* hwpc-sensor's way: a document of boxes, appended one by one. */
static void append_report(bson_t *doc, int64_t time_ms, int row)
{
	bson_t groups, core, package, cpu;

	BSON_APPEND_DATE_TIME(doc, "timestamp", time_ms);
	BSON_APPEND_UTF8(doc, "sensor", "bench");
	BSON_APPEND_UTF8(doc, "target", target[row]);
	BSON_APPEND_DOCUMENT_BEGIN(doc, "groups", &groups);
	BSON_APPEND_DOCUMENT_BEGIN(&groups, "core", &core);
	BSON_APPEND_DOCUMENT_BEGIN(&core, "0", &package);
	for (size_t c = 0; c < CPUS; c++) {
		BSON_APPEND_DOCUMENT_BEGIN(&package, cpus[c], &cpu);
		for (size_t i = 0; i < EVENTS; i++)
			BSON_APPEND_DOUBLE(
				&cpu, events[i],
				(double)values[row][c * EVENTS + i].integer);
		bson_append_document_end(&package, &cpu);
	}
	bson_append_document_end(&core, &package);
	bson_append_document_end(&groups, &core);
	bson_append_document_end(doc, &groups);
}

/* ---- the three ways ------------------------------------------------------- */

static mongoc_collection_t *collection;
static struct sink *sink;

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench_mongo: %s\n", what);
	exit(1);
}

/* `checked`: libmongoc looks at each document's keys and texts, as it does
 * unless it is told not to. */
static void ready(const struct text *docs, int count, bool checked)
{
	bson_t ordered = BSON_INITIALIZER, plain = BSON_INITIALIZER, reply;
	const char *at = docs->data;
	size_t left = docs->length, n;
	bson_error_t error;

	BSON_APPEND_BOOL(&ordered, "ordered", false);
	BSON_APPEND_BOOL(&plain, "validate", false);
	for (int i = 0; i < count; i += BULK) {
		mongoc_bulk_operation_t *bulk =
			mongoc_collection_create_bulk_operation_with_opts(
				collection, &ordered);

		for (int k = 0;
		     k < BULK && (n = mongo_document_length(at, left)) > 0;
		     k++, at += n, left -= n) {
			bson_t doc;

			bson_init_static(&doc, (const uint8_t *)at, n);
			mongoc_bulk_operation_insert_with_opts(
				bulk, &doc, checked ? NULL : &plain, &error);
		}
		if (!mongoc_bulk_operation_execute(bulk, &reply, &error))
			fail(error.message);
		bson_destroy(&reply);
		mongoc_bulk_operation_destroy(bulk);
	}
	bson_destroy(&ordered);
	bson_destroy(&plain);
}

static void through_sink(int count, int chunk)
{
	struct err err = { 0 };

	for (int i = 0; i < count; i += ROWS) {
		struct row row[ROWS];
		struct batch batch = { 1783600000000 + i, "bench", row, ROWS };

		for (int k = 0; k < ROWS; k++)
			row[k] = (struct row){ target[k], layout, values[k],
					       NULL };
		/* Faster than the database, it would go to the disk. */
		if (sink_put(sink, &batch, &err) < 0 ||
		    ((i + ROWS) % chunk == 0 && sink_flush(sink, &err) < 0))
			fail(err.text);
	}
	if (sink_flush(sink, &err) < 0)
		fail(err.text);
}

static void one_by_one(int count)
{
	bson_error_t error;

	for (int i = 0; i < count; i++) {
		bson_t doc = BSON_INITIALIZER;

		append_report(&doc, 1783600000000 + i, i % ROWS);
		if (!mongoc_collection_insert_one(collection, &doc, NULL, NULL,
						  &error))
			fail(error.message);
		bson_destroy(&doc);
	}
}

/* ---- measuring ------------------------------------------------------------ */

/* Documents as the sink would send them, each with a name of its own. */
static void make_ready(struct text *docs, int count, int round)
{
	struct mongo_template *template = mongo_template_new(layout, false);
	char id[64];

	text_clear(docs);
	for (int i = 0; i < count; i++) {
		struct row row = { target[i % ROWS], layout, values[i % ROWS],
				   NULL };
		struct batch batch = { 1783600000000 + i, "bench", &row, 1 };

		snprintf(id, sizeof(id),
			 "bench:01a206135e9d-99b85aef-%04x:%08x", round, i);
		mongo_put_row(template, &batch, &row, id, docs);
	}
	mongo_template_free(template);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *rate)
{
	qsort(rate, ROUNDS, sizeof(*rate), by_value);
	return rate[ROUNDS / 2];
}

static double seconds_since(int64_t start_ns)
{
	return 1e-9 * (double)(clock_now_ns(clock_real()) - start_ns);
}

struct rates {
	double ready, sink, one, unchecked;
};

static void places_open(const char *base, mongoc_client_t **client)
{
	char *uri = xasprintf("%s?collection=bench_sink", base);
	struct err err = { 0 };
	bson_t *index = BCON_NEW(
		"createIndexes", "bench_ready", "indexes", "[", "{", "key", "{",
		"sensor", BCON_INT32(1), "target", BCON_INT32(1), "timestamp",
		BCON_INT32(1), "}", "name", "reports", "}", "]");
	const char *name;

	*client = mongoc_client_new(base);
	name = mongoc_uri_get_database(mongoc_client_get_uri(*client));
	collection = mongoc_client_get_collection(*client, name, "bench_ready");
	mongoc_collection_drop(collection, NULL);
	/* The sink's has one, and keeping it is work. */
	mongoc_client_write_command_with_opts(*client, name, index, NULL, NULL,
					      NULL);
	bson_destroy(index);
	sink = sink_open(uri, &err);
	if (!sink)
		fail(err.text);
	free(uri);
}

/* `chunk`: what the sink has in hand at most. */
static struct rates measure(const char *base, int count, int chunk, int ones)
{
	double rate[4][ROUNDS];
	struct text docs = TEXT_INIT;
	mongoc_client_t *client;
	struct err err = { 0 };

	places_open(base, &client);
	through_sink(BULK, BULK); /* an index is made, buffers grow */
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start_ns;

		make_ready(&docs, count, round);
		start_ns = clock_now_ns(clock_real());
		ready(&docs, count, true);
		rate[0][round] = count / seconds_since(start_ns);
		start_ns = clock_now_ns(clock_real());
		through_sink(count, chunk);
		rate[1][round] = count / seconds_since(start_ns);
		start_ns = clock_now_ns(clock_real());
		one_by_one(ones);
		rate[2][round] = ones / seconds_since(start_ns);
		make_ready(&docs, count, ROUNDS + round);
		start_ns = clock_now_ns(clock_real());
		ready(&docs, count, false);
		rate[3][round] = count / seconds_since(start_ns);
	}
	if (sink_close(sink, &err) < 0)
		fail(err.text);
	text_done(&docs);
	mongoc_collection_destroy(collection);
	mongoc_client_destroy(client);
	return (struct rates){ median(rate[0]), median(rate[1]),
			       median(rate[2]), median(rate[3]) };
}

static int show(const char *what, const struct rates *rates, double ready_min,
		double one_min)
{
	double of_ready = rates->sink / rates->ready;
	double of_one = rates->sink / rates->one;
	bool good = of_ready >= ready_min && of_one >= one_min;

	printf("%-5s ready %.0f/s (unchecked %.0f/s)   sink %.0f/s   "
	       "one %.0f/s   sink = %.2f ready (>= %.1f; %.2f unchecked), "
	       "%.1f one",
	       what, rates->ready, rates->unchecked, rates->sink, rates->one,
	       of_ready, ready_min, rates->sink / rates->unchecked, of_one);
	if (one_min > 0)
		printf(" (>= %.0f)", one_min);
	printf("%s\n", good ? "" : "   BELOW");
	return good ? 0 : 1;
}

int main(void)
{
	const char *real = getenv("MONGODB_URI");
	struct text one = TEXT_INIT;
	struct rates rates;
	char uri[64];
	pid_t pid;
	int status;

	signal(SIGPIPE, SIG_IGN);
	log_start("bench_mongo", LOG_WARN);
	mongoc_init();
	reports_init();
	make_ready(&one, 1, 0);
	printf("documents of %zu bytes, medians of %d interleaved rounds\n",
	       one.length, ROUNDS);
	text_done(&one);
	pid = null_server(uri, sizeof(uri));
	rates = measure(uri, 120000, 30000, 2000);
	status = show("null", &rates, 0.7, 7);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (real && *real) {
		rates = measure(real, 8000, 4000, 500);
		status |= show("real", &rates, 0.8, 0);
	} else {
		printf("real  skipped: no MONGODB_URI\n");
	}
	layout_free(layout);
	return status;
}
