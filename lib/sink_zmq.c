/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zmq: a PUSH socket that connects to somebody's fan-in.
 *
 * A message has two parts: a head (streams.h) and the documents of one tick, a
 * line of JSON each.  libzmq may hold PIPE messages; what waits beyond that is
 * in our outbox, where it can be counted, spooled, and sent again: libzmq
 * forgets what it held when a connection breaks, and TCP what was under way.
 * So the last messages are kept until they must have arrived (KEEP_NS: a
 * connection that still answers heartbeats has delivered what was sent before
 * the last but one), and are sent again over the next connection; the receiver
 * knows them by their numbers.
 */
#include "lib/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "lib/clock.h"
#include "lib/curve.h"
#include "lib/gap.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/outbox.h"
#include "lib/place.h"
#include "lib/streams.h"

#define PIPE                 64 /* messages in libzmq's hands */
#define SEND_BUFFER          (128 << 10)
#define HEARTBEAT_MS         5000
#define HEARTBEAT_TIMEOUT_MS 30000
#define KEEP_NS              INT64_C(40000000000)
#define KEEP_BYTES           ((size_t)1 << 20)
#define PATIENCE_MS          1 /* of a put whose predecessors still wait */
#define LINGER_MS            2000

struct options {
	char *key, *server, *spool;
	int64_t hwm;
};

/* clang-format off */
static const struct field fields[] = {
	{ "key", FIELD_TEXT, offsetof(struct options, key), .help = NULL },
	{ "server", FIELD_TEXT, offsetof(struct options, server), .help = NULL },
	{ "spool", FIELD_TEXT, offsetof(struct options, spool), .help = NULL },
	{ "hwm", FIELD_INT, offsetof(struct options, hwm), .initial = "1000",
	  .min = 1, .max = 1e6 },
	FIELD_END
};
/* clang-format on */

struct zmq_sink {
	char *endpoint;
	struct options options;
	void *context, *socket, *monitor;
	bool connected, was_connected, told_away;
	const char *why; /* what became of the last attempt, or NULL */
	struct outbox *box;
	struct stream_head head;
	struct text text;
};

/* ---- opening -------------------------------------------------------------- */

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int socket_set(struct zmq_sink *zmq, struct err *err)
{
	static const int options[][2] = {
		{ ZMQ_SNDHWM, PIPE },
		{ ZMQ_SNDBUF, SEND_BUFFER },
		{ ZMQ_IMMEDIATE, 1 }, /* nothing into thin air */
		{ ZMQ_LINGER, 0 },
		{ ZMQ_IPV6, 1 },
		{ ZMQ_RECONNECT_IVL, 100 },
		{ ZMQ_RECONNECT_IVL_MAX, 2000 },
		{ ZMQ_CONNECT_TIMEOUT, 5000 },
		{ ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS },
		{ ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (set_int(zmq->socket, options[i][0], options[i][1]) < 0)
			return err_sys(err, "set an option of the socket");
	return curve_set_client(zmq->socket, zmq->options.key,
				zmq->options.server, err);
}

static int monitor_open(struct zmq_sink *zmq, struct err *err)
{
	static const char address[] = "inproc://monitor";

	if (zmq_socket_monitor(zmq->socket, address,
			       ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
				       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
				       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				       ZMQ_EVENT_DISCONNECTED) < 0)
		return err_sys(err, "watch the socket");
	zmq->monitor = zmq_socket(zmq->context, ZMQ_PAIR);
	if (!zmq->monitor || zmq_connect(zmq->monitor, address) < 0)
		return err_sys(err, "watch the socket");
	return 0;
}

static int socket_open(struct zmq_sink *zmq, struct err *err)
{
	zmq->context = zmq_ctx_new();
	zmq->socket = zmq->context ? zmq_socket(zmq->context, ZMQ_PUSH) : NULL;
	if (!zmq->socket)
		return err_sys(err, "open a socket");
	if (socket_set(zmq, err) < 0 || monitor_open(zmq, err) < 0)
		return -1;
	if (zmq_connect(zmq->socket, zmq->endpoint) == 0)
		return 0;
	err_sys(err, "connect");
	return err_remedy(err, "zmq:tcp://HOST:PORT");
}

static int box_open(struct zmq_sink *zmq, struct err *err)
{
	char *name = xasprintf("zmq-%s", zmq->endpoint);
	const struct outbox_options options = {
		.limit = (size_t)zmq->options.hwm,
		.folder = zmq->options.spool,
		.name = name,
		.keep_ns = KEEP_NS,
		.keep_letters = 2 * PIPE,
		.keep_bytes = KEEP_BYTES,
	};

	zmq->box = outbox_open(&options, err);
	free(name);
	return zmq->box ? 0 : -1;
}

static void zmq_sink_free(struct zmq_sink *zmq)
{
	if (zmq->monitor)
		zmq_close(zmq->monitor);
	if (zmq->socket)
		zmq_close(zmq->socket);
	if (zmq->context)
		zmq_ctx_term(zmq->context);
	free(zmq->options.key);
	free(zmq->options.server);
	free(zmq->options.spool);
	free(zmq->endpoint);
	text_done(&zmq->text);
	free(zmq);
}

static void *zmq_sink_open(const char *rest, struct err *err)
{
	struct zmq_sink *zmq = xcalloc(1, sizeof(*zmq));

	stream_name(zmq->head.stream);
	zmq->endpoint = place_name(rest, fields, &zmq->options, err);
	if (zmq->endpoint && !strstr(zmq->endpoint, "://"))
		err_set(err, EINVAL,
			"an address is missing (zmq:tcp://HOST:PORT)");
	else if (zmq->endpoint && box_open(zmq, err) == 0 &&
		 socket_open(zmq, err) == 0)
		return zmq;
	outbox_close(zmq->box, false, NULL, NULL);
	zmq_sink_free(zmq);
	return NULL;
}

/* ---- what became of the connection ------------------------------------------ */

static void tell_away(struct zmq_sink *zmq, const char *what)
{
	zmq->why = what;
	if (!zmq->told_away)
		log_warn("zmq", "%s: %s", zmq->endpoint, what);
	zmq->told_away = true;
}

static void event_use(struct zmq_sink *zmq, uint16_t event)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		if (zmq->told_away)
			log_warn("zmq", "%s: connected again", zmq->endpoint);
		zmq->connected = zmq->was_connected = true;
		zmq->told_away = false;
		break;
	case ZMQ_EVENT_DISCONNECTED:
		if (zmq->connected) {
			tell_away(zmq, "the connection is gone; trying again");
			outbox_again(zmq->box);
		}
		zmq->connected = false;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		tell_away(zmq, "our key is not known there (our .pub file "
			       "must be in its allow= folder)");
		break;
	default:
		tell_away(zmq, "one side has a CURVE key and the other not, or "
			       "server= is not its public key");
	}
}

static void events_use(struct zmq_sink *zmq)
{
	uint8_t frame[6], address[256];
	uint16_t event;

	while (zmq_recv(zmq->monitor, frame, sizeof(frame), ZMQ_DONTWAIT) ==
	       (int)sizeof(frame)) {
		zmq_recv(zmq->monitor, address, sizeof(address), ZMQ_DONTWAIT);
		memcpy(&event, frame, sizeof(event));
		event_use(zmq, event);
	}
}

/* ---- sending -------------------------------------------------------------- */

/* The head is the letter's first line. */
static int letter_send(struct zmq_sink *zmq, const struct letter *letter)
{
	const char *newline = memchr(letter->data, '\n', letter->length);
	size_t head = newline ? (size_t)(newline - letter->data) : 0;

	if (!newline)
		return 0; /* not ours */
	if (zmq_send(zmq->socket, letter->data, head,
		     ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return -1;
	return zmq_send(zmq->socket, newline + 1, letter->length - head - 1,
			ZMQ_DONTWAIT) < 0
		       ? -1
		       : 0;
}

/* As many as go without waiting for longer than `patience_ms` in all. */
static void pump(struct zmq_sink *zmq, int64_t patience_ms)
{
	struct clock *clock = clock_real();
	int64_t end_ns = clock_now_ns(clock) + patience_ms * 1000000;
	const struct letter *letter;

	events_use(zmq);
	while ((letter = outbox_next(zmq->box))) {
		zmq_pollitem_t item = { zmq->socket, 0, ZMQ_POLLOUT, 0 };

		if (letter_send(zmq, letter) == 0) {
			outbox_sent(zmq->box, clock_now_ns(clock));
			continue;
		}
		if (clock_now_ns(clock) >= end_ns ||
		    (!zmq->connected && patience_ms == PATIENCE_MS))
			break;
		zmq_poll(&item, 1, 1);
		events_use(zmq);
	}
}

static void put_letter(struct zmq_sink *zmq, uint64_t documents)
{
	if (outbox_put(zmq->box, zmq->text.data, zmq->text.length, documents,
		       zmq->head.time_ms)) {
		zmq->head.first += documents;
		return;
	}
	if (outbox_losses(zmq->box)->documents == documents)
		log_warn("zmq",
			 "%s takes nothing and %" PRIi64
			 " messages wait: dropping what comes%s%s",
			 zmq->endpoint, zmq->options.hwm,
			 outbox_spools(zmq->box) ? "; "
						 : " (spool=DIR would keep it)",
			 outbox_spool_error(zmq->box));
}

static void letter_begin(struct zmq_sink *zmq, const char *sensor,
			 uint64_t documents, int64_t time_ms)
{
	if (sensor != zmq->head.sensor)
		(void)snprintf(zmq->head.sensor, sizeof(zmq->head.sensor), "%s",
			       sensor);
	zmq->head.documents = documents;
	zmq->head.time_ms = time_ms;
	text_clear(&zmq->text);
	stream_head_put(&zmq->head, &zmq->text);
	text_put_char(&zmq->text, '\n');
}

/* What we dropped, as a record in the place where it would have been. */
static void put_gap(struct zmq_sink *zmq)
{
	char *reason;
	struct outbox_loss loss;
	struct gap gap = { .sensor = zmq->head.sensor };
	struct doc *doc;
	char *line;

	if (outbox_waiting(zmq->box) >= (uint64_t)zmq->options.hwm ||
	    !outbox_take_loss(zmq->box, &loss))
		return;
	reason = xasprintf("zmq %s took nothing and the queue was full",
			   zmq->endpoint);
	gap.from_ms = loss.from_ms;
	gap.to_ms = loss.to_ms;
	gap.documents = loss.documents;
	gap.reason = reason;
	doc = gap_to_doc(&gap);
	line = doc_to_text(doc);
	letter_begin(zmq, zmq->head.sensor, 1, loss.to_ms);
	text_put(&zmq->text, line);
	text_put_char(&zmq->text, '\n');
	put_letter(zmq, 1);
	free(line);
	doc_free(doc);
	free(reason);
}

static int zmq_sink_put(void *self, const struct batch *batch, struct err *err)
{
	struct zmq_sink *zmq = self;

	(void)err;
	pump(zmq, PATIENCE_MS);
	put_gap(zmq);
	letter_begin(zmq, batch->sensor, batch->rows, batch->time_ms);
	for (size_t i = 0; i < batch->rows; i++)
		batch_put_json(batch, &batch->row[i], &zmq->text);
	put_letter(zmq, batch->rows);
	pump(zmq, 0);
	return 0;
}

static int zmq_sink_put_doc(void *self, const struct doc *doc, struct err *err)
{
	struct zmq_sink *zmq = self;
	const struct doc *time = doc_get(doc, "timestamp");
	char *line = doc_to_text(doc);

	(void)err;
	if (!time)
		time = doc_get(doc, "time_ms");
	pump(zmq, PATIENCE_MS);
	put_gap(zmq);
	letter_begin(zmq, doc_string(doc_get(doc, "sensor"), ""), 1,
		     doc_int(time, clock_wall_ms(clock_real())));
	text_put(&zmq->text, line);
	text_put_char(&zmq->text, '\n');
	put_letter(zmq, 1);
	free(line);
	pump(zmq, 0);
	return 0;
}

static int zmq_sink_flush(void *self, struct err *err)
{
	struct zmq_sink *zmq = self;

	pump(zmq, PATIENCE_MS);
	return outbox_sync(zmq->box, err);
}

/* ---- closing --------------------------------------------------------------- */

/* Did libzmq get rid of all it held?  The kernel has it then.  Where nobody is
 * there, and what waits has a spool to wait in, we need not wait. */
static bool hand_over(struct zmq_sink *zmq)
{
	int64_t start_ns, linger_ns = INT64_C(1000000) * LINGER_MS;
	bool all;

	events_use(zmq);
	pump(zmq, zmq->connected || !outbox_spools(zmq->box) ? LINGER_MS : 0);
	if (zmq->connected)
		put_gap(zmq);
	pump(zmq, 0);
	all = zmq->connected && outbox_waiting(zmq->box) == 0;
	zmq_close(zmq->monitor);
	set_int(zmq->socket, ZMQ_LINGER, zmq->connected ? LINGER_MS : 0);
	start_ns = clock_now_ns(clock_real());
	zmq_close(zmq->socket);
	zmq_ctx_term(zmq->context);
	zmq->monitor = zmq->socket = zmq->context = NULL;
	return all && clock_now_ns(clock_real()) - start_ns < linger_ns;
}

/* Losses are told and no error, as a fan-in may come and go; a place that never
 * was there is one. */
static int tell_end(const struct zmq_sink *zmq, uint64_t waiting, bool spools,
		    const struct outbox_loss *loss, struct err *err)
{
	if (waiting > 0 && spools)
		log_warn("zmq",
			 "%s: %" PRIu64 " messages wait in %s for the next run",
			 zmq->endpoint, waiting, zmq->options.spool);
	if (loss->documents == 0)
		return 0;
	if (!zmq->was_connected) {
		err_set(err, ENOTCONN,
			"%s; no connection came about, %" PRIu64
			" documents are lost",
			zmq->why ? zmq->why : "nobody answered",
			loss->documents);
		return spools ? -1
			      : err_remedy(err, "spool=DIR would keep them");
	}
	log_warn("zmq", "%s: %" PRIu64 " documents were dropped%s",
		 zmq->endpoint, loss->documents,
		 spools ? "" : " (spool=DIR would keep them)");
	return 0;
}

static int zmq_sink_close(void *self, struct err *err)
{
	struct zmq_sink *zmq = self;
	bool arrived = hand_over(zmq);
	bool spools = outbox_spools(zmq->box);
	uint64_t waiting = outbox_waiting(zmq->box);
	struct outbox_loss loss;
	int failed = outbox_close(zmq->box, arrived, &loss, err);

	if (tell_end(zmq, waiting, spools, &loss, failed ? NULL : err) < 0)
		failed = -1;
	zmq_sink_free(zmq);
	return failed;
}

const struct sink_kind sink_kind_zmq = {
	.scheme = "zmq",
	.open = zmq_sink_open,
	.put = zmq_sink_put,
	.put_doc = zmq_sink_put_doc,
	.flush = zmq_sink_flush,
	.close = zmq_sink_close,
	.summary = "zmq:tcp://HOST:PORT\tto the fan-in of somebody who reads "
		   "from zmq: there",
};
