/* SPDX-License-Identifier: BSD-3-Clause */
/* influx: against a server that answers what a test tells it to; and
 * prometheus, read by a client. */
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sink.h"
#include "tests/unit/scratch.h"

static struct err err;
static struct layout *layout;
static const struct layout_series series = {
	.measurement = "power_consumption",
	.metric = "watts",
	.help = "Power",
};

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	unsetenv("INFLUX_TOKEN");
	err = (struct err){ 0 };
	layout = layout_new("power", LAYOUT_TARGETS);
	layout_series(layout, LAYOUT_NAMES_2_10, &series);
	layout_add(layout, COLUMN_REAL, "p", NULL, NULL, "power", "power",
		   NULL);
	layout_end(layout);
}

static void teardown(void)
{
	layout_free(layout);
	scratch_close();
}

static void put(struct sink *sink, int from, int count)
{
	for (int t = from; t < from + count; t++) {
		const union value value = { .real = t };
		struct row row = { "/a", layout, &value, NULL };
		struct batch batch = { t, "n", &row, 1 };

		ck_assert_msg(sink_put(sink, &batch, &err) == 0, "%s",
			      err.text);
	}
}

/* ---- a server of few words ------------------------------------------------------ */

static int listen_any(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A request with all of its body. */
static size_t request_read(int fd, char *buffer, size_t size)
{
	size_t length = 0, want = SIZE_MAX;
	ssize_t n;

	while (length < want &&
	       (n = read(fd, buffer + length, size - 1 - length)) > 0) {
		const char *end, *at;

		length += (size_t)n;
		buffer[length] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		at = strstr(buffer, "Content-Length: ");
		if (end && at)
			want = (size_t)(end + 4 - buffer) +
			       strtoul(at + 16, NULL, 10);
	}
	return length;
}

/* Answers one status after the other, the last for ever; what it confirmed goes
 * to the file "taken", what came at all to "asked". */
static pid_t serve(int listener, const int *status)
{
	static char buffer[4 << 20];
	int asked, taken;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	asked = open("asked", O_WRONLY | O_CREAT | O_APPEND, 0600);
	taken = open("taken", O_WRONLY | O_CREAT | O_APPEND, 0600);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		size_t length = request_read(fd, buffer, sizeof(buffer));
		const char *body = strstr(buffer, "\r\n\r\n");
		ssize_t n = write(asked, buffer, length);

		if (body && *status == 204)
			n = write(taken, body + 4,
				  length - (size_t)(body + 4 - buffer));
		n = dprintf(fd,
			    "HTTP/1.1 %d X\r\nContent-Length: 2\r\n"
			    "Connection: close\r\n\r\nno",
			    *status);
		close(fd);
		if (status[1] && n > 0)
			status++;
	}
}

static void expect_taken(int from, int count)
{
	struct text text = TEXT_INIT;

	for (int t = from; t < from + count; t++)
		text_printf(&text,
			    "power_consumption,sensor=n,target=/a "
			    "power=%d.0 %d\n",
			    t, t);
	ck_assert_str_eq(scratch_read("taken"), text.data);
	text_done(&text);
}

struct scene {
	int listener, port;
	pid_t pid;
	char uri[200];
};

static struct sink *begin(struct scene *scene, const char *parameters,
			  const int *status)
{
	struct sink *sink;

	scene->listener = listen_any(&scene->port);
	scene->pid = serve(scene->listener, status);
	close(scene->listener);
	snprintf(scene->uri, sizeof(scene->uri), "influx:http://127.0.0.1:%d%s",
		 scene->port, parameters);
	sink = sink_open(scene->uri, &err);
	ck_assert_msg(sink != NULL, "%s", err.text);
	return sink;
}

static void end(const struct scene *scene)
{
	kill(scene->pid, SIGKILL);
	waitpid(scene->pid, NULL, 0);
}

/* ---- influx --------------------------------------------------------------------- */

START_TEST(influx_posts_everything_once_and_in_order)
{
	static const int status[] = { 204, 0 };
	struct scene scene;
	struct sink *sink;

	setenv("INFLUX_TOKEN", "geheim", 1);
	sink = begin(&scene, "?bucket=a b&org=o", status);
	put(sink, 0, 500);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	expect_taken(0, 500);
	ck_assert_ptr_nonnull(
		strstr(scratch_read("asked"),
		       "POST /api/v2/write?bucket=a%20b&org=o&precision=ms "
		       "HTTP/1.1"));
	ck_assert_ptr_nonnull(strstr(scratch_read("asked"),
				     "Authorization: Token geheim\r\n"));
	end(&scene);
}
END_TEST

START_TEST(influx_tries_again_when_the_server_is_busy)
{
	static const int status[] = { 503, 204, 0 };
	struct scene scene;
	struct sink *sink = begin(&scene, "/?db=d", status);

	put(sink, 0, 20);
	usleep(400000);
	put(sink, 20, 20);
	sleep(2);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	expect_taken(0, 40);
	ck_assert_ptr_nonnull(strstr(scratch_read("asked"),
				     "POST /write?db=d&precision=ms HTTP/1.1"));
	end(&scene);
}
END_TEST

START_TEST(influx_goes_on_behind_what_the_server_refuses)
{
	static const int status[] = { 400, 204, 0 };
	struct scene scene;
	struct sink *sink = begin(&scene, "?db=d", status);

	put(sink, 0, 20);
	usleep(600000);
	put(sink, 20, 20);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	expect_taken(20, 20);
	end(&scene);
}
END_TEST

START_TEST(influx_with_a_wrong_credential_is_an_error_at_the_end)
{
	static const int status[] = { 401, 0 };
	struct scene scene;
	struct sink *sink;

	scratch_write("token", "me:secret\n");
	sink = begin(&scene, "?db=d&token=token", status);
	put(sink, 0, 20);
	ck_assert_int_eq(sink_close(sink, &err), -1);
	ck_assert_ptr_nonnull(
		strstr(err.text, "answered 401: no (token=FILE, or "
				 "INFLUX_TOKEN, is the credential); it took "
				 "nothing, 20 documents are lost (spool=DIR"));
	ck_assert_ptr_nonnull(strstr(scratch_read("asked"),
				     "Authorization: Basic bWU6c2VjcmV0\r\n"));
	end(&scene);
}
END_TEST

START_TEST(influx_keeps_an_outage_in_its_spool)
{
	static const int away[] = { 503, 0 }, there[] = { 204, 0 };
	struct scene scene;
	struct sink *sink = begin(&scene, "?db=d&spool=box&hwm=5", away);
	int fd, yes = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	put(sink, 0, 100);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	end(&scene);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	address.sin_port = htons((uint16_t)scene.port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	scene.pid = serve(fd, there);
	sink = sink_open(scene.uri, &err);
	put(sink, 100, 10);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	expect_taken(0, 110);
	end(&scene);
}
END_TEST

/* ---- prometheus ----------------------------------------------------------------- */

static const char *fetch(int port, const char *request)
{
	static char buffer[1 << 16];
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t length = 0;
	ssize_t n;

	ck_assert_int_eq(
		connect(fd, (const struct sockaddr *)&address, sizeof(address)),
		0);
	dprintf(fd, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		request);
	while ((n = read(fd, buffer + length, sizeof(buffer) - 1 - length)) > 0)
		length += (size_t)n;
	buffer[length] = '\0';
	close(fd);
	return buffer;
}

START_TEST(prometheus_serves_what_came_last_and_forgets)
{
	int port, fd = listen_any(&port);
	struct sink *sink;
	char uri[100];
	const char *page;

	close(fd);
	snprintf(uri, sizeof(uri), "prometheus::%d?expire=500ms&metric=w",
		 port);
	sink = sink_open(uri, &err);
	ck_assert_msg(sink != NULL, "%s", err.text);
	put(sink, 1, 7);
	page = fetch(port, "GET /metrics");
	ck_assert_ptr_nonnull(strstr(page, "HTTP/1.1 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(page, "text/plain; version=0.0.4"));
	ck_assert_ptr_nonnull(strstr(page,
				     "# HELP w Power\n# TYPE w gauge\n"
				     "w{sensor=\"n\",target=\"/a\"} 7.0\n"));
	ck_assert_ptr_nonnull(
		strstr(page, "fedwatts_sink_documents_total 7\n"));
	usleep(600000);
	page = fetch(port, "GET /metrics");
	ck_assert_ptr_null(strstr(page, "\nw{"));
	ck_assert_ptr_nonnull(
		strstr(page, "fedwatts_sink_expired_series_total 1\n"));
	ck_assert_ptr_nonnull(strstr(fetch(port, "GET /x"), " 404 "));
	ck_assert_ptr_nonnull(strstr(fetch(port, "POST /metrics"), " 405 "));
	/* The port is taken. */
	ck_assert_ptr_null(sink_open(uri, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "in use"));
	ck_assert_int_eq(sink_close(sink, &err), 0);
}
END_TEST

Suite *influx_suite(void);

Suite *influx_suite(void)
{
	Suite *suite = suite_create("influx");
	TCase *tcase = tcase_create("influx, prometheus");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, influx_posts_everything_once_and_in_order);
	tcase_add_test(tcase, influx_tries_again_when_the_server_is_busy);
	tcase_add_test(tcase, influx_goes_on_behind_what_the_server_refuses);
	tcase_add_test(tcase,
		       influx_with_a_wrong_credential_is_an_error_at_the_end);
	tcase_add_test(tcase, influx_keeps_an_outage_in_its_spool);
	tcase_add_test(tcase, prometheus_serves_what_came_last_and_forgets);
	suite_add_tcase(suite, tcase);
	return suite;
}
