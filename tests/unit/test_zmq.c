/* SPDX-License-Identifier: BSD-3-Clause */
/* zmq: both ends, in one process; and keys. */
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/curve.h"
#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "tests/unit/scratch.h"

static struct err err;
static struct layout *layout;

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	err = (struct err){ 0 };
	layout = layout_new("x", LAYOUT_TABLES);
	layout_add(layout, COLUMN_INT, "t", NULL, NULL, "n", "n", NULL);
	layout_end(layout);
}

static void teardown(void)
{
	layout_free(layout);
	scratch_close();
}

static struct sink *must_sink(const char *uri)
{
	struct sink *sink = sink_open(uri, &err);

	ck_assert_msg(sink != NULL, "%s: %s", uri, err.text);
	return sink;
}

static struct source *must_source(const char *uri)
{
	struct source *source = source_open(uri, NULL, &err);

	ck_assert_msg(source != NULL, "%s: %s", uri, err.text);
	return source;
}

/* A tick of two targets, "n" being 2 t and 2 t + 1. */
static void put_ticks(struct sink *sink, int from, int count)
{
	for (int t = from; t < from + count; t++) {
		const union value value[] = { { .integer = 2 * (uint64_t)t },
					      { .integer =
							2 * (uint64_t)t + 1 } };
		struct row row[] = { { "all", layout, &value[0], NULL },
				     { "/a", layout, &value[1], NULL } };
		struct batch batch = { 1000 + t, "node", row, 2 };

		ck_assert_int_eq(sink_put(sink, &batch, &err), 0);
	}
}

static void expect_ticks(struct source *source, int from, int count)
{
	for (int n = 2 * from; n < 2 * (from + count); n++) {
		struct doc *doc;

		ck_assert_int_eq(source_next(source, &doc, &err), 1);
		ck_assert_int_eq(doc_int(doc_get(doc, "n"), -1), n);
		ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), -1),
				 1000 + n / 2);
		doc_free(doc);
	}
}

START_TEST(ticks_and_documents_arrive_as_they_were_put)
{
	struct source *source = must_source("zmq:ipc://hub");
	struct sink *sink = must_sink("zmq:ipc://hub");
	struct doc *doc = doc_new_object(), *same;
	char *text;

	doc_set_text(doc, "schema", "x/1");
	put_ticks(sink, 0, 3);
	ck_assert_int_eq(sink_put_doc(sink, doc, &err), 0);
	doc_free(doc);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	expect_ticks(source, 0, 3);
	ck_assert_int_eq(source_next(source, &same, &err), 1);
	text = doc_to_text(same);
	ck_assert_str_eq(text, "{\"schema\":\"x/1\"}");
	ck_assert_ptr_nonnull(strstr(source_where(source), "hub: "));
	free(text);
	doc_free(same);
	source_close(source);
}
END_TEST

/* The other end, in a process of its own: what `work` puts, and then patience
 * until the file "enough" is there. */
static pid_t sensor_start(const char *uri, void (*work)(struct sink *sink))
{
	pid_t pid = fork();
	struct sink *sink;

	if (pid != 0)
		return pid;
	sink = sink_open(uri, &err);
	work(sink);
	while (access("enough", F_OK) < 0) {
		sink_flush(sink, &err);
		usleep(2000);
	}
	sink_close(sink, NULL);
	_exit(0);
}

static void sensor_end(pid_t pid)
{
	scratch_write("enough", "");
	waitpid(pid, NULL, 0);
}

/* Room comes when the first four were taken. */
static void put_too_much(struct sink *sink)
{
	put_ticks(sink, 0, 10);
	while (access("room", F_OK) < 0) {
		sink_flush(sink, &err);
		usleep(2000);
	}
	put_ticks(sink, 10, 1);
}

START_TEST(what_nobody_takes_is_dropped_and_stands_there_as_a_gap)
{
	pid_t pid = sensor_start("zmq:ipc://hub?hwm=4", put_too_much);
	struct source *source;
	struct doc *doc;

	usleep(300000);
	source = must_source("zmq:ipc://hub");
	expect_ticks(source, 0, 4);
	scratch_write("room", "");
	ck_assert_int_eq(source_next(source, &doc, &err), 1);
	ck_assert(doc_is_schema(doc, "fedwatts.gap/1"));
	ck_assert_int_eq(doc_int(doc_get(doc, "documents"), 0), 12);
	ck_assert_int_eq(doc_int(doc_get(doc, "from_ms"), 0), 1004);
	ck_assert_int_eq(doc_int(doc_get(doc, "to_ms"), 0), 1009);
	ck_assert_str_eq(doc_string(doc_get(doc, "sensor"), ""), "node");
	doc_free(doc);
	expect_ticks(source, 10, 1);
	sensor_end(pid);
	source_close(source);
}
END_TEST

START_TEST(nobody_at_all_is_an_error_at_the_end)
{
	struct sink *sink = must_sink("zmq:ipc://hub");

	put_ticks(sink, 0, 2);
	ck_assert_int_eq(sink_close(sink, &err), -1);
	ck_assert_str_eq(err.text,
			 "zmq ipc://hub: nobody answered; no connection came "
			 "about, 4 documents are lost (spool=DIR would keep "
			 "them)");
}
END_TEST

static void put_last(struct sink *sink)
{
	put_ticks(sink, 200, 10);
}

START_TEST(a_spool_keeps_an_outage_over_runs)
{
	static const char uri[] = "zmq:ipc://hub?hwm=4&spool=box";
	struct source *source;
	pid_t pid;

	for (int run = 0; run < 2; run++) {
		struct sink *sink = must_sink(uri);

		put_ticks(sink, 100 * run, 100);
		ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	}
	pid = sensor_start(uri, put_last);
	source = must_source("zmq:ipc://hub");
	expect_ticks(source, 0, 210); /* of three streams, in order */
	sensor_end(pid);
	ck_assert_int_ne(access("box/zmq-ipc___hub.spool", F_OK), 0);
	ck_assert_int_ne(access("box/zmq-ipc___hub.sent", F_OK), 0);
	source_close(source);
}
END_TEST

/* ---- a link that breaks ----------------------------------------------------- */

static int listen_any(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Passes bytes on until `limit` of them went by; then it hangs up on both. */
static void pass(int from, int to, size_t limit)
{
	struct pollfd fds[] = { { from, POLLIN, 0 }, { to, POLLIN, 0 } };
	char buffer[4096];

	while (limit > 0 && poll(fds, 2, -1) > 0)
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (!fds[i].revents)
				continue;
			n = read(fds[i].fd, buffer, sizeof(buffer));
			if (n <= 0)
				return;
			n = write(fds[1 - i].fd, buffer, (size_t)n);
			limit -= n > 0 && (size_t)n < limit ? (size_t)n : limit;
		}
}

/* The first three connections break. */
static pid_t bad_link(int listener, int port, size_t limit)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	for (int broken = 0;; broken++) {
		struct linger hard = { 1, 0 };
		int from = accept(listener, NULL, NULL);
		int to = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(to, (const struct sockaddr *)&address,
			    sizeof(address)) == 0)
			pass(from, to, broken < 3 ? limit : SIZE_MAX);
		setsockopt(from, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(from);
		close(to);
	}
}

static void put_many(struct sink *sink)
{
	for (int t = 0; t < 2000; t += 20) {
		put_ticks(sink, t, 20);
		usleep(2000);
	}
}

/* What libzmq and the kernel held when a connection broke is sent again. */
START_TEST(a_connection_that_breaks_loses_nothing)
{
	int link_port, hub_port;
	int listener = listen_any(&link_port), hub = listen_any(&hub_port);
	struct source *source;
	char from[64], to[64];
	pid_t link, sensor;

	close(hub);
	link = bad_link(listener, hub_port, 60000);
	close(listener);
	snprintf(from, sizeof(from), "zmq:tcp://127.0.0.1:%d", hub_port);
	snprintf(to, sizeof(to), "zmq:tcp://127.0.0.1:%d?hwm=100000",
		 link_port);
	sensor = sensor_start(to, put_many);
	source = must_source(from);
	expect_ticks(source, 0, 2000);
	sensor_end(sensor);
	kill(link, SIGKILL);
	source_close(source);
}
END_TEST

/* ---- keys ------------------------------------------------------------------ */

static void make_keys(const char *name)
{
	struct curve_keys keys;

	ck_assert_msg(curve_generate(&keys, &err) == 0, "%s", err.text);
	ck_assert_msg(curve_write_pair(&keys, name, false, &err) == 0, "%s",
		      err.text);
}

START_TEST(a_pair_of_keys_is_two_files_and_one_of_them_secret)
{
	struct curve_keys one, two;
	struct stat status;

	make_keys("a");
	ck_assert_int_eq(stat("a.key", &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(curve_read("a.key", true, &one, &err), 0);
	ck_assert_int_eq(curve_read("a.pub", false, &two, &err), 0);
	ck_assert_str_eq(one.public_key, two.public_key);
	ck_assert_str_eq(two.secret_key, "");
	ck_assert_ptr_null(strstr(scratch_read("a.pub"), "secret-key"));
	/* Neither is touched by a second. */
	ck_assert_int_eq(unlink("a.key"), 0);
	ck_assert_int_eq(curve_write_pair(&one, "a", false, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a.pub exists"));
	ck_assert_int_ne(access("a.key", F_OK), 0);
}
END_TEST

START_TEST(an_unknown_key_gets_nothing_in)
{
	struct source *source;
	struct sink *evil, *good;

	make_keys("hub");
	make_keys("good");
	make_keys("evil");
	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/good.pub", scratch_read("good.pub"));
	source = must_source("zmq:ipc://hub?key=hub.key&allow=in");
	evil = must_sink("zmq:ipc://hub?key=evil.key&server=hub.pub");
	put_ticks(evil, 500, 3);
	ck_assert_int_eq(sink_close(evil, NULL), -1);
	evil = must_sink("zmq:ipc://hub"); /* without any */
	put_ticks(evil, 600, 3);
	ck_assert_int_eq(sink_close(evil, NULL), -1);
	good = must_sink("zmq:ipc://hub?key=good.key&server=hub.pub");
	put_ticks(good, 0, 3);
	ck_assert_int_eq(sink_close(good, &err), 0);
	expect_ticks(source, 0, 3);
	source_close(source);
}
END_TEST

static const struct {
	bool sink;
	const char *uri, *message;
} refused[] = {
	{ true, "zmq:hub:1", "an address is missing (zmq:tcp://HOST:PORT)" },
	{ false, "zmq:hub:1", "an address is missing (zmq:tcp://HOST:PORT)" },
	{ true, "zmq:tcp://hub", "connect: Invalid argument" },
	{ false, "zmq:tcp://192.0.2.1:1", "bind: Cannot assign" },
	{ true, "zmq:ipc://h?key=a.key", "key= and server= go together" },
	{ false, "zmq:ipc://h?key=a.key", "key= and allow= go together" },
	{ false, "zmq:ipc://h?allow=in", "key= and allow= go together" },
	{ false, "zmq:ipc://h?key=a.key&allow=none",
	  "allow=none: open folder: No such file" },
	{ true, "zmq:ipc://h?key=no.key&server=a.pub",
	  "open no.key: No such file" },
	{ true, "zmq:ipc://h?key=a.pub&server=a.pub",
	  "a.pub: no secret key in it" },
	{ true, "zmq:ipc://h?key=open.key&server=a.pub",
	  "open.key: others may read this secret key (chmod 600 open.key)" },
	{ true, "zmq:ipc://h?key=a.key&server=text",
	  "text: no public key in it" },
	{ true, "zmq:ipc://h?hwm=0", "hwm" },
	{ true, "zmq:ipc://h?colour=red",
	  "unknown parameter 'colour' (there are: key, server, spool, hwm)" },
	{ false, "zmq:ipc://h?colour=red",
	  "unknown parameter 'colour' (there are: key, allow, hwm)" },
};

START_TEST(a_bad_place_is_refused_in_a_sentence)
{
	make_keys("a");
	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("text", "public-key = \"short\"\n");
	scratch_write("open.key", scratch_read("a.key"));
	if (refused[_i].sink)
		ck_assert_ptr_null(sink_open(refused[_i].uri, &err));
	else
		ck_assert_ptr_null(source_open(refused[_i].uri, NULL, &err));
	ck_assert_msg(strstr(err.text, refused[_i].message) != NULL, "%s",
		      err.text);
}
END_TEST

Suite *zmq_suite(void);

Suite *zmq_suite(void)
{
	Suite *suite = suite_create("zmq");
	TCase *tcase = tcase_create("zmq");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, ticks_and_documents_arrive_as_they_were_put);
	tcase_add_test(tcase,
		       what_nobody_takes_is_dropped_and_stands_there_as_a_gap);
	tcase_add_test(tcase, nobody_at_all_is_an_error_at_the_end);
	tcase_add_test(tcase, a_spool_keeps_an_outage_over_runs);
	tcase_add_test(tcase, a_connection_that_breaks_loses_nothing);
	tcase_add_test(tcase,
		       a_pair_of_keys_is_two_files_and_one_of_them_secret);
	tcase_add_test(tcase, an_unknown_key_gets_nothing_in);
	tcase_add_loop_test(tcase, a_bad_place_is_refused_in_a_sentence, 0,
			    sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
