/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp-listen: the server side of PowerAPI's socket, one JSON document a line,
 * from as many sensors as come.
 *
 * What a client sends wrong is told and passed over; it does not end the
 * others' stream.  A document without its newline, when a client goes, is
 * dropped unless it is whole.  The stream ends when the program is told to.
 */
#include "lib/source.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/cli.h"
#include "lib/lines.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"

#define CLIENTS_MAX 1000
#define CHUNK       ((size_t)64 << 10)
#define LOOK_MS     200 /* for a signal that came before poll() */
#define TELLS_MAX   5   /* complaints about one client */

struct client {
	int fd;
	char name[ADDRESS_TEXT_MAX];
	struct lines lines;
	uint64_t wrong; /* lines */
	bool gone;
};

struct listener {
	int fd;
	struct client *client;
	size_t clients, capacity;
	size_t turn; /* whose lines are looked at first */
	struct pollfd *pollfd;
	char *chunk, *where;
};

/* ---- opening and closing ------------------------------------------------- */

static void client_close(struct listener *listener, size_t index)
{
	struct client *client = &listener->client[index];

	if (client->wrong > TELLS_MAX)
		log_warn("tcp-listen", "%s: %" PRIu64 " wrong lines in all",
			 client->name, client->wrong);
	close(client->fd);
	lines_done(&client->lines);
	*client = listener->client[--listener->clients];
}

static void listener_close(void *self)
{
	struct listener *listener = self;

	while (listener->clients > 0)
		client_close(listener, listener->clients - 1);
	if (listener->fd >= 0)
		close(listener->fd);
	free(listener->client);
	free(listener->pollfd);
	free(listener->chunk);
	free(listener->where);
	free(listener);
}

static void *listener_open(const char *rest, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));
	char *name = place_name(rest, NULL, NULL, err);
	char here[ADDRESS_TEXT_MAX];
	struct address address = { 0 };

	listener->fd = -1;
	if (name && address_parse(name, "127.0.0.1", &address, err) == 0)
		listener->fd = address_listen(&address, err);
	address_done(&address);
	free(name);
	if (listener->fd < 0) {
		listener_close(listener);
		return NULL;
	}
	listener->chunk = xmalloc(CHUNK);
	listener->where = xstrdup(address_of(listener->fd, 0, here));
	log_note("listens  %s", here);
	return listener;
}

/* ---- what clients send --------------------------------------------------- */

static void complain(struct client *client, const char *why)
{
	if (client->wrong++ < TELLS_MAX)
		log_warn("tcp-listen", "%s: line %zu left out: %s",
			 client->name, client->lines.number, why);
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static struct doc *line_parse(struct client *client, const char *line,
			      size_t length)
{
	struct err why = { 0 };
	struct doc *doc;

	if (is_blank(line, length))
		return NULL;
	doc = doc_parse(line, length, &why);
	if (doc && doc_kind(doc) == DOC_OBJECT)
		return doc;
	complain(client, doc ? "expected a JSON object" : why.text);
	doc_free(doc);
	return NULL;
}

/* The next document that this client has sent already, or NULL. */
static struct doc *client_next(struct client *client)
{
	struct doc *doc = NULL;
	const char *line;
	size_t length;
	int got;

	while (!doc && (got = lines_next(&client->lines, &line, &length))) {
		if (got < 0)
			complain(client, "too long");
		else
			doc = line_parse(client, line, length);
	}
	if (doc || !client->gone)
		return doc;
	line = lines_rest(&client->lines, &length);
	if (length > 0) {
		doc = line_parse(client, line, length);
		lines_done(&client->lines);
		lines_init(&client->lines, SOURCE_DOCUMENT_MAX);
	}
	return doc;
}

static void client_read(struct listener *listener, struct client *client)
{
	ssize_t n = recv(client->fd, listener->chunk, CHUNK, 0);

	if (n > 0)
		lines_put(&client->lines, listener->chunk, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client->gone = true;
}

static void client_accept(struct listener *listener)
{
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *client;

	if (fd < 0)
		return; /* it went away again, or we have no descriptor left */
	listener->client =
		mem_grow(listener->client, &listener->capacity,
			 listener->clients + 1, sizeof(struct client));
	client = &listener->client[listener->clients++];
	*client = (struct client){ .fd = fd };
	address_of(fd, 1, client->name);
	lines_init(&client->lines, SOURCE_DOCUMENT_MAX);
}

/* ---- the stream ---------------------------------------------------------- */

static int wait_for_clients(struct listener *listener, struct err *err)
{
	size_t clients = listener->clients;
	int got;

	listener->pollfd =
		xrealloc(listener->pollfd, clients + 1, sizeof(struct pollfd));
	for (size_t i = 0; i < clients; i++)
		listener->pollfd[i] =
			(struct pollfd){ .fd = listener->client[i].fd,
					 .events = POLLIN };
	/* More have to wait until one goes. */
	listener->pollfd[clients] =
		(struct pollfd){ .fd = clients < CLIENTS_MAX ? listener->fd
							     : -1,
				 .events = POLLIN };
	got = poll(listener->pollfd, clients + 1, LOOK_MS);
	if (got < 0 && errno != EINTR)
		return err_sys(err, "poll");
	for (size_t i = 0; i < clients && got > 0; i++)
		if (listener->pollfd[i].revents)
			client_read(listener, &listener->client[i]);
	if (got > 0 && listener->pollfd[clients].revents)
		client_accept(listener);
	return 0;
}

/* From those that are here already, each in turn. */
static struct doc *take(struct listener *listener)
{
	for (size_t i = 0; i < listener->clients;) {
		size_t index = (listener->turn + i) % listener->clients;
		struct client *client = &listener->client[index];
		struct doc *doc = client_next(client);

		if (doc) {
			free(listener->where);
			listener->where = xasprintf("%s:%zu", client->name,
						    client->lines.number);
			listener->turn = index + 1;
			return doc;
		}
		if (client->gone)
			client_close(listener, index);
		else
			i++;
	}
	return NULL;
}

static int listener_next(void *self, struct doc **doc, struct err *err)
{
	struct listener *listener = self;

	while (!(*doc = take(listener))) {
		if (cli_stop_signal())
			return 0;
		if (wait_for_clients(listener, err) < 0)
			return -1;
	}
	return 1;
}

static const char *listener_where(const void *self)
{
	const struct listener *listener = self;

	return listener->where;
}

const struct source_kind source_kind_tcp_listen = {
	.scheme = "tcp-listen",
	.open = listener_open,
	.next = listener_next,
	.where = listener_where,
	.close = listener_close,
	.summary = "tcp-listen:[HOST:]PORT\twhat clients of PowerAPI's socket "
		   "send (127.0.0.1)",
};
