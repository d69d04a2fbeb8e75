/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zmq: a PULL socket that many sensors push to.
 *
 * What came twice is left out; what did not come is counted, told, and stands
 * among the documents as a gap record.  It ends when the program is asked to.
 */
#include "lib/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/curve.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "lib/streams.h"

#define HEAD_MAX     4096
#define BODY_MAX     ((size_t)64 << 20)
#define LOOK_UP_MS   200 /* for signals and for gaps that nobody filled */
#define DRAIN_NS     INT64_C(1000000000) /* for what was sent before the stop */
#define KEEPALIVE_S  30
#define HEARTBEAT_MS 5000

struct options {
	char *key, *allow;
	int64_t hwm;
};

/* clang-format off */
static const struct field fields[] = {
	{ "key", FIELD_TEXT, offsetof(struct options, key), .help = NULL },
	{ "allow", FIELD_TEXT, offsetof(struct options, allow), .help = NULL },
	{ "hwm", FIELD_INT, offsetof(struct options, hwm), .initial = "1000",
	  .min = 1, .max = 1e6 },
	FIELD_END
};
/* clang-format on */

struct zmq_source {
	char *endpoint;
	struct options options;
	void *context, *socket;
	struct curve_guard *guard;
	struct streams *streams;
	struct stream_head head;
	zmq_msg_t body; /* of the message whose documents are being given */
	bool has_body;
	size_t at;
	char *where;
	uint64_t documents, damaged;
	int64_t stop_ns; /* when we were asked to; 0: not yet */
};

static void body_end(struct zmq_source *zmq)
{
	if (zmq->has_body)
		zmq_msg_close(&zmq->body);
	zmq->has_body = false;
}

/* ---- opening and closing ---------------------------------------------------- */

static void tell_end(const struct zmq_source *zmq)
{
	uint64_t lost = streams_lost(zmq->streams);
	uint64_t twice = streams_duplicates(zmq->streams);

	log_note("fan-in   %" PRIu64 " documents of %zu senders, %" PRIu64
		 " lost on the way, %" PRIu64 " that came twice left out%s",
		 zmq->documents, streams_count(zmq->streams), lost, twice,
		 zmq->damaged ? ", some damaged" : "");
	if (zmq->guard && curve_guard_refused(zmq->guard) > 0)
		log_warn("zmq",
			 "%s: unknown keys were turned away %" PRIu64 " times",
			 zmq->endpoint, curve_guard_refused(zmq->guard));
}

static void zmq_source_close(void *self)
{
	struct zmq_source *zmq = self;

	if (zmq->streams && streams_count(zmq->streams) > 0)
		tell_end(zmq);
	body_end(zmq);
	if (zmq->socket)
		zmq_close(zmq->socket);
	if (zmq->context)
		zmq_ctx_shutdown(zmq->context);
	curve_guard_close(zmq->guard);
	if (zmq->context)
		zmq_ctx_term(zmq->context);
	streams_free(zmq->streams);
	free(zmq->options.key);
	free(zmq->options.allow);
	free(zmq->endpoint);
	free(zmq->where);
	free(zmq);
}

/* A server whose clients are not known by name lets everybody in who knows its
 * public key: nobody means that. */
static int keys_set(struct zmq_source *zmq, struct err *err)
{
	if (!zmq->options.key && !zmq->options.allow)
		return 0;
	if (!zmq->options.key || !zmq->options.allow)
		return err_set(err, EINVAL,
			       "key= and allow= go together (our own key, and "
			       "the folder of the public keys that may send)");
	zmq->guard = curve_guard_open(zmq->context, zmq->options.allow, err);
	if (!zmq->guard)
		return -1;
	return curve_set_server(zmq->socket, zmq->options.key, err);
}

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int socket_open(struct zmq_source *zmq, struct err *err)
{
	const int64_t message_max = (int64_t)BODY_MAX;

	zmq->context = zmq_ctx_new();
	zmq->socket = zmq->context ? zmq_socket(zmq->context, ZMQ_PULL) : NULL;
	if (!zmq->socket)
		return err_sys(err, "open a socket");
	if (set_int(zmq->socket, ZMQ_RCVHWM, (int)zmq->options.hwm) < 0 ||
	    set_int(zmq->socket, ZMQ_LINGER, 0) < 0 ||
	    set_int(zmq->socket, ZMQ_IPV6, 1) < 0 ||
	    set_int(zmq->socket, ZMQ_TCP_KEEPALIVE, 1) < 0 ||
	    set_int(zmq->socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S) < 0 ||
	    set_int(zmq->socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) < 0 ||
	    set_int(zmq->socket, ZMQ_HEARTBEAT_TIMEOUT, 6 * HEARTBEAT_MS) < 0 ||
	    zmq_setsockopt(zmq->socket, ZMQ_MAXMSGSIZE, &message_max,
			   sizeof(message_max)) < 0)
		return err_sys(err, "set an option of the socket");
	if (keys_set(zmq, err) < 0)
		return -1;
	if (zmq_bind(zmq->socket, zmq->endpoint) == 0)
		return 0;
	err_sys(err, "bind");
	return errno == EADDRINUSE
		       ? err_remedy(err, "another program listens there")
		       : err_remedy(err, "an address of this machine: "
					 "zmq:tcp://0.0.0.0:PORT is all of "
					 "them");
}

static void *zmq_source_open(const char *rest, struct err *err)
{
	struct zmq_source *zmq = xcalloc(1, sizeof(*zmq));

	zmq->streams = streams_new();
	zmq->endpoint = place_name(rest, fields, &zmq->options, err);
	if (zmq->endpoint && !strstr(zmq->endpoint, "://"))
		err_set(err, EINVAL,
			"an address is missing (zmq:tcp://HOST:PORT)");
	else if (zmq->endpoint && socket_open(zmq, err) == 0) {
		zmq->where = xstrdup(zmq->endpoint);
		return zmq;
	}
	zmq_source_close(zmq);
	return NULL;
}

/* ---- a message ------------------------------------------------------------- */

static void tell_damage(struct zmq_source *zmq, const char *why)
{
	if (zmq->damaged++ == 0)
		log_warn("zmq",
			 "%s: a message was left out: %s (no more is said of "
			 "such)",
			 zmq->endpoint, why);
}

static bool has_more(void *socket)
{
	int more = 0;
	size_t size = sizeof(more);

	return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
}

/* What stands behind the parts that we know of. */
static bool parts_skip(struct zmq_source *zmq)
{
	bool some = false;
	zmq_msg_t part;

	while (has_more(zmq->socket)) {
		zmq_msg_init(&part);
		zmq_msg_recv(&part, zmq->socket, ZMQ_DONTWAIT);
		zmq_msg_close(&part);
		some = true;
	}
	return some;
}

static bool head_read(struct zmq_source *zmq, zmq_msg_t *part, struct err *err)
{
	size_t size = zmq_msg_size(part);

	if (size > HEAD_MAX)
		return err_set(err, EINVAL, "its head is too long") == 0;
	return stream_head_read(zmq_msg_data(part), size, &zmq->head, err) == 0;
}

/* The message that is there: true if it is new and whole. */
static bool message_take(struct zmq_source *zmq)
{
	struct err err = { 0 };
	zmq_msg_t part;
	bool fine;

	zmq_msg_init(&part);
	if (zmq_msg_recv(&part, zmq->socket, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(&part);
		return false;
	}
	fine = head_read(zmq, &part, &err);
	zmq_msg_close(&part);
	if (fine && !has_more(zmq->socket))
		fine = err_set(&err, EINVAL, "it has no body") == 0;
	if (fine) {
		zmq_msg_init(&zmq->body);
		zmq->has_body = true;
		zmq->at = 0;
		zmq_msg_recv(&zmq->body, zmq->socket, ZMQ_DONTWAIT);
	}
	if (parts_skip(zmq) && fine)
		fine = err_set(&err, EINVAL, "it has too many parts") == 0;
	if (!fine)
		tell_damage(zmq, err.text);
	else
		fine = streams_take(zmq->streams, &zmq->head,
				    clock_now_ns(clock_real()));
	if (!fine)
		body_end(zmq);
	return fine;
}

/* ---- documents -------------------------------------------------------------- */

/* The next line of the body as a document, or NULL at its end. */
static struct doc *body_next(struct zmq_source *zmq)
{
	size_t size = zmq_msg_size(&zmq->body);
	const char *data = zmq_msg_data(&zmq->body);
	struct err err = { 0 };

	while (zmq->at < size) {
		const char *line = data + zmq->at;
		const char *newline = memchr(line, '\n', size - zmq->at);
		size_t length =
			newline ? (size_t)(newline - line) : size - zmq->at;
		struct doc *doc = NULL;

		zmq->at += length + 1;
		if (length == 0)
			continue;
		if (length > SOURCE_DOCUMENT_MAX)
			err_set(&err, EFBIG, "longer than %zu bytes",
				SOURCE_DOCUMENT_MAX);
		else
			doc = doc_parse(line, length, &err);
		if (doc && doc_kind(doc) == DOC_OBJECT)
			return doc;
		doc_free(doc);
		tell_damage(zmq, err.text[0] ? err.text : "not an object");
	}
	return NULL;
}

static struct doc *gap_next(struct zmq_source *zmq, int64_t now_ns)
{
	struct gap gap;
	struct doc *doc;
	char *reason;

	if (!streams_next_gap(zmq->streams, now_ns, &gap))
		return NULL;
	log_warn("zmq", "%s: %" PRIu64 " documents of %s did not arrive",
		 zmq->endpoint, gap.documents,
		 gap.sensor ? gap.sensor : "a sender");
	reason = xasprintf("zmq %s: lost on the way", zmq->endpoint);
	gap.reason = reason;
	doc = gap_to_doc(&gap);
	free(reason);
	return doc;
}

/* 1 when there is a message, 0 when we looked up in between, -1. */
static int wait_for_message(struct zmq_source *zmq, struct err *err)
{
	zmq_pollitem_t item = { zmq->socket, 0, ZMQ_POLLIN, 0 };
	int n = zmq_poll(&item, 1, LOOK_UP_MS);

	if (n < 0 && errno != EINTR)
		return err_sys(err, "%s: wait", zmq->endpoint);
	return n > 0;
}

/* A document that is there already, or NULL. */
static struct doc *doc_next(struct zmq_source *zmq, int64_t now_ns)
{
	struct doc *doc = zmq->has_body ? body_next(zmq) : NULL;

	if (doc) {
		zmq->documents++;
		return doc;
	}
	body_end(zmq);
	return gap_next(zmq, now_ns);
}

static void where_set(struct zmq_source *zmq)
{
	free(zmq->where);
	zmq->where = xasprintf("%s: %s, document %" PRIu64, zmq->endpoint,
			       zmq->head.sensor, zmq->head.first);
}

static int zmq_source_next(void *self, struct doc **doc, struct err *err)
{
	struct zmq_source *zmq = self;
	int got = 1; /* 0: it was quiet for a while */

	for (;;) {
		int64_t now_ns = clock_now_ns(clock_real());
		bool late;

		if (!zmq->stop_ns && cli_stop_signal())
			zmq->stop_ns = now_ns;
		late = zmq->stop_ns && now_ns - zmq->stop_ns > DRAIN_NS;
		*doc = doc_next(zmq, zmq->stop_ns && (late || !got) ? INT64_MAX
								    : now_ns);
		if (*doc)
			return 1;
		if (zmq->stop_ns && (late || !got))
			return 0;
		got = wait_for_message(zmq, err);
		if (got < 0)
			return -1;
		if (got > 0 && message_take(zmq))
			where_set(zmq);
	}
}

static const char *zmq_source_where(const void *self)
{
	const struct zmq_source *zmq = self;

	return zmq->where;
}

const struct source_kind source_kind_zmq = {
	.scheme = "zmq",
	.open = zmq_source_open,
	.next = zmq_source_next,
	.where = zmq_source_where,
	.close = zmq_source_close,
	.drains = true,
	.summary = "zmq:tcp://HOST:PORT\tlistens there for many sensors",
};
