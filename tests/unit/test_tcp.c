/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends of PowerAPI's socket, and what they are made of. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "tests/unit/scratch.h"

static struct layout *layout;
static struct err err;

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	err = (struct err){ 0 };
	layout = layout_new("hwpc", LAYOUT_TABLES);
	layout_add(layout, COLUMN_INT, "g", "0", "0", "A", "groups", "g", "0",
		   "0", "A", NULL);
	layout_end(layout);
}

static void teardown(void)
{
	layout_free(layout);
	scratch_close();
}

static void put(struct sink *sink, int64_t time_ms)
{
	union value value = { .integer = (uint64_t)time_ms * 3 };
	struct row row[] = { { "all", layout, &value, NULL },
			     { "/x", layout, &value, "{\"a\":1}" } };
	struct batch batch = { time_ms, "node", row, 2 };

	ck_assert_msg(sink_put(sink, &batch, &err) == 0, "%s", err.text);
}

static struct source *listen_at(const char *port)
{
	char uri[64];
	struct source *source;

	snprintf(uri, sizeof(uri), "tcp-listen:%s", port);
	source = source_open(uri, NULL, &err);
	ck_assert_msg(source != NULL, "%s", err.text);
	return source;
}

/* Before the first document that is the listener's own. */
static const char *port_of(const struct source *source)
{
	return strrchr(source_where(source), ':') + 1;
}

static struct sink *connect_to(const char *port, const char *more)
{
	char uri[64];
	struct sink *sink;

	snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%s%s", port, more);
	sink = sink_open(uri, &err);
	ck_assert_msg(sink != NULL, "%s", err.text);
	return sink;
}

static void take(struct source *source, int64_t time_ms, const char *target)
{
	struct doc *doc;

	ck_assert_int_eq(source_next(source, &doc, &err), 1);
	ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), 0), time_ms);
	ck_assert_str_eq(doc_string(doc_get(doc, "target"), ""), target);
	doc_free(doc);
}

static void take_ticks(struct source *source, int64_t from, int64_t to)
{
	for (int64_t i = from; i < to; i++) {
		take(source, i, "all");
		take(source, i, "/x");
	}
}

START_TEST(what_is_put_arrives_in_order)
{
	struct source *source = listen_at("0");
	struct sink *sink = connect_to(port_of(source), "");
	struct doc *doc = doc_new_object();

	for (int i = 0; i < 100; i++)
		put(sink, i);
	doc_set_int(doc, "timestamp", 100);
	doc_set_text(doc, "target", "doc");
	ck_assert_int_eq(sink_put_doc(sink, doc, &err), 0);
	doc_free(doc);
	ck_assert_int_eq(sink_flush(sink, &err), 0);
	ck_assert_uint_eq(sink_documents(sink), 201);
	take_ticks(source, 0, 100);
	take(source, 100, "doc");
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	source_close(source);
}
END_TEST

START_TEST(many_clients_are_heard)
{
	struct source *source = listen_at("0");
	char port[8];
	struct sink *sink[20];
	int seen[20] = { 0 };
	struct doc *doc;

	snprintf(port, sizeof(port), "%s", port_of(source));
	for (int i = 0; i < 20; i++) {
		sink[i] = connect_to(port, "");
		for (int k = 0; k < 5; k++)
			put(sink[i], i);
	}
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(source_next(source, &doc, &err), 1);
		seen[doc_int(doc_get(doc, "timestamp"), 0)]++;
		doc_free(doc);
	}
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(seen[i], 10);
		ck_assert_int_eq(sink_close(sink[i], &err), 0);
	}
	source_close(source);
}
END_TEST

static void say(const char *port, const char *text)
{
	struct address address;
	int fd;

	ck_assert_int_eq(address_parse(port, "127.0.0.1", &address, &err), 0);
	fd = address_connect(&address, 1000, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_int_eq(send(fd, text, strlen(text), 0),
			 (ssize_t)strlen(text));
	close(fd);
	address_done(&address);
}

START_TEST(wrong_lines_are_passed_over)
{
	struct source *source = listen_at("0");

	say(port_of(source),
	    "no json\n[1]\n\n"
	    "{\"timestamp\":1,\"target\":\"all\"}\r\n{\"timestamp\":2\n"
	    "{\"timestamp\":3,\"target\":\"without newline\"}");
	take(source, 1, "all");
	ck_assert_ptr_nonnull(strstr(source_where(source), ":4"));
	take(source, 3, "without newline");
	source_close(source);
}
END_TEST

static void *say_much(void *port)
{
	static const char rest[] = "\n{\"timestamp\":7,\"target\":\"all\"}\n";
	char *line = calloc(1, SOURCE_DOCUMENT_MAX + 2);
	struct address address;
	size_t sent = 0;
	int fd;

	memset(line, 'x', SOURCE_DOCUMENT_MAX + 1);
	address_parse(port, "127.0.0.1", &address, NULL);
	fd = address_connect(&address, 1000, NULL);
	while (sent < SOURCE_DOCUMENT_MAX + 1) {
		ssize_t n = send(fd, line + sent,
				 SOURCE_DOCUMENT_MAX + 1 - sent, 0);

		if (n > 0)
			sent += (size_t)n;
		else
			usleep(1000);
	}
	usleep(10000);
	send(fd, rest, sizeof(rest) - 1, 0);
	close(fd);
	address_done(&address);
	free(line);
	return NULL;
}

START_TEST(a_line_beyond_the_limit_is_passed_over)
{
	struct source *source = listen_at("0");
	char port[8];
	pthread_t thread;

	snprintf(port, sizeof(port), "%s", port_of(source));
	ck_assert_int_eq(pthread_create(&thread, NULL, say_much, port), 0);
	take(source, 7, "all");
	pthread_join(thread, NULL);
	source_close(source);
}
END_TEST

START_TEST(a_connection_that_breaks_loses_nothing)
{
	struct source *source = listen_at("0");
	char port[8];
	struct sink *sink;

	snprintf(port, sizeof(port), "%s", port_of(source));
	sink = connect_to(port, "");
	put(sink, 0);
	take_ticks(source, 0, 1);
	source_close(source);
	for (int i = 1; i < 10; i++)
		put(sink, i);
	usleep(20000);
	source = listen_at(port);
	for (int i = 10; i < 20; i++)
		put(sink, i);
	take_ticks(source, 1, 20);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	source_close(source);
}
END_TEST

/* A port that was free a moment ago. */
static void free_port(char port[static 8])
{
	struct source *source = listen_at("0");

	snprintf(port, 8, "%s", port_of(source));
	source_close(source);
}

START_TEST(nobody_there_is_an_error_with_a_remedy)
{
	char port[8], uri[64];

	free_port(port);
	snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%s", port);
	ck_assert_ptr_null(sink_open(uri, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "connect: Connection refused "));
	ck_assert_ptr_nonnull(strstr(err.text, "?spool=DIR"));
}
END_TEST

START_TEST(a_spool_keeps_them_for_the_next_run)
{
	char port[8];
	struct source *source;
	struct sink *sink;

	free_port(port);
	for (int run = 0; run < 2; run++) {
		sink = connect_to(port, "?spool=spool");
		/* More than memory takes. */
		for (int i = 0; i < 400; i++)
			put(sink, 400 * run + i);
		ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	}
	source = listen_at(port);
	sink = connect_to(port, "?spool=spool");
	put(sink, 800);
	take_ticks(source, 0, 801);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	source_close(source);
}
END_TEST

/* The reader sleeps: whoever puts does not wait for it. */
START_TEST(a_slow_place_does_not_slow_the_sensor)
{
	struct source *source = listen_at("0");
	struct sink *sink = connect_to(port_of(source), "?spool=spool");
	int64_t start_ns = clock_now_ns(clock_real());

	for (int i = 0; i < 50000; i++)
		put(sink, i);
	ck_assert_int_lt(clock_now_ns(clock_real()) - start_ns,
			 INT64_C(20000000000));
	take_ticks(source, 0, 50000);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	source_close(source);
}
END_TEST

START_TEST(what_was_dropped_is_told_at_the_end)
{
	struct source *source = listen_at("0");
	struct sink *sink = connect_to(port_of(source), "");

	source_close(source);
	usleep(20000);
	for (int i = 0; i < 300; i++)
		put(sink, i);
	ck_assert_int_eq(sink_close(sink, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "600 documents were lost"));
	ck_assert_ptr_nonnull(strstr(err.text, "(keep them with ?spool=DIR)"));
}
END_TEST

/* ---- addresses ----------------------------------------------------------- */

static const struct {
	const char *text, *fallback, *host, *port;
} addresses[] = {
	{ "a.b:1", NULL, "a.b", "1" }, { "[::1]:65535", NULL, "::1", "65535" },
	{ ":9", "h", "h", "9" },       { "9", "h", "h", "9" },
	{ "9", NULL, NULL, NULL },     { ":9", NULL, NULL, NULL },
	{ "", "h", NULL, NULL },       { "a", "h", NULL, NULL },
	{ "a:", "h", NULL, NULL },     { "a:65536", NULL, NULL, NULL },
	{ "a:-1", NULL, NULL, NULL },  { "::1:9", NULL, NULL, NULL },
};

START_TEST(addresses_are_cut_or_refused)
{
	struct address address = { 0 };
	int status = address_parse(addresses[_i].text, addresses[_i].fallback,
				   &address, &err);

	ck_assert_int_eq(status, addresses[_i].host ? 0 : -1);
	if (status < 0) {
		ck_assert_ptr_nonnull(strstr(err.text, "expected HOST:PORT"));
		return;
	}
	ck_assert_str_eq(address.host, addresses[_i].host);
	ck_assert_str_eq(address.port, addresses[_i].port);
	address_done(&address);
}
END_TEST

START_TEST(a_port_that_is_taken_is_refused)
{
	struct source *source = listen_at("0");
	char uri[64];

	snprintf(uri, sizeof(uri), "tcp-listen:%s", port_of(source));
	ck_assert_ptr_null(source_open(uri, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "Address already in use"));
	source_close(source);
}
END_TEST

Suite *tcp_suite(void);

Suite *tcp_suite(void)
{
	Suite *suite = suite_create("tcp");
	TCase *tcase = tcase_create("tcp");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_is_put_arrives_in_order);
	tcase_add_test(tcase, many_clients_are_heard);
	tcase_add_test(tcase, wrong_lines_are_passed_over);
	tcase_add_test(tcase, a_line_beyond_the_limit_is_passed_over);
	tcase_add_test(tcase, a_connection_that_breaks_loses_nothing);
	tcase_add_test(tcase, nobody_there_is_an_error_with_a_remedy);
	tcase_add_test(tcase, a_spool_keeps_them_for_the_next_run);
	tcase_add_test(tcase, a_slow_place_does_not_slow_the_sensor);
	tcase_add_test(tcase, what_was_dropped_is_told_at_the_end);
	tcase_add_loop_test(tcase, addresses_are_cut_or_refused, 0,
			    sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(tcase, a_port_that_is_taken_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
