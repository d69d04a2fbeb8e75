/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * influx: line protocol over HTTP, to InfluxDB 1 and 2 and what takes the same.
 *
 * A put only queues.  A thread of ours posts what waits, in the order in which
 * it came; what the server did not confirm is posted again, which is harmless:
 * a point of the same series and time replaces itself.
 */
#include "lib/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/http.h"
#include "lib/line_protocol.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/outbox.h"
#include "lib/place.h"
#include "lib/rng.h"

#define BODY_MAX       ((size_t)1 << 20) /* a post is about as long, at most */
#define FULL           ((size_t)256 << 10) /* this much does not wait */
#define GATHER_NS      INT64_C(200000000)
#define BACKOFF_NS     INT64_C(1000000000)
#define BACKOFF_MAX_NS INT64_C(60000000000)
#define CLOSE_NS       INT64_C(5000000000)
#define TOKEN_MAX      ((size_t)4096)

static const char *const names_choices[] = { "2.10", "master", NULL };

struct options {
	char *bucket, *org, *db, *token, *measurement, *spool;
	struct field_list tags;
	int names;
	int64_t hwm;
};

/* clang-format off */
#define AT(member) offsetof(struct options, member)
static const struct field fields[] = {
	{ "bucket", FIELD_TEXT, AT(bucket), .help = NULL },
	{ "org", FIELD_TEXT, AT(org), .help = NULL },
	{ "db", FIELD_TEXT, AT(db), .help = NULL },
	{ "token", FIELD_TEXT, AT(token), .help = NULL },
	{ "measurement", FIELD_TEXT, AT(measurement), .help = NULL },
	{ "tags", FIELD_WORDS, AT(tags), .help = NULL },
	{ "names", FIELD_CHOICE, AT(names), .initial = "2.10",
	  .choices = names_choices },
	{ "spool", FIELD_TEXT, AT(spool), .help = NULL },
	{ "hwm", FIELD_INT, AT(hwm), .initial = "1000", .min = 1, .max = 1e6 },
	FIELD_END
};
/* clang-format on */

struct influx {
	struct options options;
	char *server; /* "http://host:8086", for messages */
	struct line_writer writer;
	struct text lines; /* of one put */
	/* The thread's own. */
	struct http *http;
	struct text body;
	char *reason; /* why the last post failed, or NULL */
	pthread_t thread;
	/* Behind the lock. */
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct outbox *box;
	size_t waiting_bytes;
	uint64_t refused; /* documents that the server will never take */
	bool stop, was_there, told;
};

enum verdict { TAKEN, NEVER, LATER };

/* ---- one post ------------------------------------------------------------------- */

/* Once, until it was taken again; the last reason is kept for the end. */
static void tell(struct influx *influx, const char *what, const char *remedy)
{
	const char *answer = http_answer(influx->http);

	free(influx->reason);
	influx->reason = xasprintf("%s%s%s%s", what, *answer ? ": " : "",
				   answer, remedy);
	if (!influx->told)
		log_warn("influx", "%s: %s", influx->server, influx->reason);
	influx->told = true;
}

static const char *remedy_of(int status)
{
	switch (status) {
	case 401:
	case 403:
		return " (token=FILE, or INFLUX_TOKEN, is the credential)";
	case 404:
		return " (is there such a bucket= or db=, and a server of that "
		       "version?)";
	default:
		return "";
	}
}

static enum verdict post(struct influx *influx)
{
	struct err err = { 0 };
	char what[64];
	int status = http_post(influx->http, influx->body.data,
			       influx->body.length, &err);

	if (status >= 200 && status < 300)
		return TAKEN;
	if (status < 0) {
		tell(influx, err.text, "");
		return LATER;
	}
	(void)snprintf(what, sizeof(what), "answered %d", status);
	tell(influx, what, remedy_of(status));
	return status == 400 || status == 413 || status == 422 ? NEVER : LATER;
}

/* ---- the thread ------------------------------------------------------------------ */

static void wait_until(struct influx *influx, int64_t due_ns)
{
	struct timespec due = { .tv_sec = due_ns / 1000000000,
				.tv_nsec = due_ns % 1000000000 };

	pthread_cond_timedwait(&influx->change, &influx->lock, &due);
}

/* Something to post, and company for it: until enough came together, or it
 * waited long enough.  False when there is nothing and we are to end. */
static bool gather(struct influx *influx)
{
	int64_t due_ns;

	while (!influx->stop && outbox_waiting(influx->box) == 0)
		pthread_cond_wait(&influx->change, &influx->lock);
	due_ns = clock_now_ns(clock_real()) + GATHER_NS;
	while (!influx->stop && influx->waiting_bytes < FULL &&
	       clock_now_ns(clock_real()) < due_ns)
		wait_until(influx, due_ns);
	return outbox_waiting(influx->box) > 0;
}

static uint64_t body_fill(struct influx *influx)
{
	const struct letter *letter;
	uint64_t documents = 0;

	text_clear(&influx->body);
	while ((letter = outbox_next(influx->box)) &&
	       (influx->body.length == 0 ||
		influx->body.length + letter->length <= BODY_MAX)) {
		text_put_bytes(&influx->body, letter->data, letter->length);
		documents += letter->documents;
		outbox_sent(influx->box, 0);
	}
	influx->waiting_bytes = 0;
	return documents;
}

static void back_off(struct influx *influx, struct rng *rng,
		     int64_t *backoff_ns)
{
	int64_t due_ns =
		clock_now_ns(clock_real()) +
		(int64_t)((double)*backoff_ns * (0.5 + rng_uniform(rng)));

	while (!influx->stop && clock_now_ns(clock_real()) < due_ns)
		wait_until(influx, due_ns);
	*backoff_ns *= 2;
	if (*backoff_ns > BACKOFF_MAX_NS)
		*backoff_ns = BACKOFF_MAX_NS;
}

static void verdict_use(struct influx *influx, enum verdict verdict,
			uint64_t documents)
{
	if (verdict == LATER) {
		outbox_again(influx->box);
		return;
	}
	outbox_confirm(influx->box);
	if (verdict == NEVER)
		influx->refused += documents;
	influx->was_there = true;
	if (verdict == TAKEN && influx->told)
		log_warn("influx", "%s: takes documents again", influx->server);
	influx->told = verdict == NEVER;
}

static void *influx_run(void *arg)
{
	struct influx *influx = arg;
	int64_t backoff_ns = BACKOFF_NS;
	struct rng rng = rng_stream((uint64_t)clock_now_ns(clock_real()),
				    "influx", 0, 0);

	pthread_mutex_lock(&influx->lock);
	while (gather(influx)) {
		uint64_t documents = body_fill(influx);
		enum verdict verdict;

		pthread_mutex_unlock(&influx->lock);
		verdict = post(influx);
		pthread_mutex_lock(&influx->lock);
		verdict_use(influx, verdict, documents);
		if (verdict != LATER)
			backoff_ns = BACKOFF_NS;
		else if (influx->stop)
			break;
		else
			back_off(influx, &rng, &backoff_ns);
	}
	pthread_mutex_unlock(&influx->lock);
	return NULL;
}

/* ---- opening -------------------------------------------------------------------- */

static void put_parameter(struct text *url, const char *key, const char *value)
{
	if (!value)
		return;
	text_printf(url, "%c%s=", strchr(url->data, '?') ? '&' : '?', key);
	http_put_escaped(url, value);
}

/* `name`: http://HOST:PORT, or with a path in front of the API's. */
static int server_open(struct influx *influx, const char *name, struct err *err)
{
	const struct options *options = &influx->options;
	struct text url = TEXT_INIT;
	size_t length = strlen(name);

	if ((strncmp(name, "http://", 7) != 0 &&
	     strncmp(name, "https://", 8) != 0) ||
	    strchr(name, '@')) {
		err_set(err, EINVAL,
			"an address is missing (influx:http://HOST:PORT, "
			"credentials in token=FILE or INFLUX_TOKEN)");
		return -1;
	}
	if (!options->bucket == !options->db) {
		err_set(err, EINVAL,
			"bucket= and org= (InfluxDB 2) or db= (InfluxDB 1) "
			"must say where to");
		return -1;
	}
	while (length > 0 && name[length - 1] == '/')
		length--;
	influx->server = xstrndup(name, length);
	text_printf(&url, "%s%s", influx->server,
		    options->bucket ? "/api/v2/write" : "/write");
	put_parameter(&url, "bucket", options->bucket);
	put_parameter(&url, "org", options->org);
	put_parameter(&url, "db", options->db);
	put_parameter(&url, "precision", "ms");
	influx->http = http_open(url.data, err);
	text_done(&url);
	if (!influx->http)
		return -1;
	http_header(influx->http, "Content-Type: text/plain; charset=utf-8");
	return 0;
}

/* Version 1 knows users and passwords, version 2 tokens. */
static int token_use(struct influx *influx, struct err *err)
{
	const char *environment = getenv("INFLUX_TOKEN");
	struct text token = TEXT_INIT;
	char *header;

	if (influx->options.token) {
		if (text_read_file(&token, influx->options.token, TOKEN_MAX,
				   err) < 0) {
			text_done(&token);
			return err_wrap(err, "token");
		}
		text_put_char(&token, '\0');
	} else {
		text_put(&token, environment ? environment : "");
	}
	token.data[strcspn(token.data, "\r\n")] = '\0';
	if (token.data[0] && influx->options.db && strchr(token.data, ':')) {
		http_login(influx->http, token.data);
	} else if (token.data[0]) {
		header = xasprintf("Authorization: Token %s", token.data);
		http_header(influx->http, header);
		explicit_bzero(header, strlen(header));
		free(header);
	}
	explicit_bzero(token.data, token.length);
	text_done(&token);
	return 0;
}

static int box_open(struct influx *influx, struct err *err)
{
	char *name = xasprintf("influx-%s-%s", influx->server,
			       influx->options.bucket ? influx->options.bucket
						      : influx->options.db);
	const struct outbox_options options = {
		.limit = (size_t)influx->options.hwm,
		.folder = influx->options.spool,
		.name = name,
	};

	influx->box = outbox_open(&options, err);
	free(name);
	return influx->box ? 0 : -1;
}

static int thread_start(struct influx *influx, struct err *err)
{
	sigset_t all, before;
	int code;

	sigfillset(&all); /* they are for the program's own thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&influx->thread, NULL, influx_run, influx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code) {
		errno = code;
		return err_sys(err, "start a thread");
	}
	return 0;
}

static void locks_init(struct influx *influx)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&influx->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&influx->change, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void influx_free(struct influx *influx)
{
	http_close(influx->http);
	pthread_cond_destroy(&influx->change);
	pthread_mutex_destroy(&influx->lock);
	line_writer_done(&influx->writer);
	text_done(&influx->lines);
	text_done(&influx->body);
	field_list_done(&influx->options.tags);
	free(influx->options.bucket);
	free(influx->options.org);
	free(influx->options.db);
	free(influx->options.token);
	free(influx->options.measurement);
	free(influx->options.spool);
	free(influx->server);
	free(influx->reason);
	free(influx);
}

static void *influx_open(const char *rest, struct err *err)
{
	struct influx *influx = xcalloc(1, sizeof(*influx));
	char *name = place_name(rest, fields, &influx->options, err);
	bool fine;

	locks_init(influx);
	influx->writer = (struct line_writer){
		.names = (enum layout_names)influx->options.names,
		.measurement = influx->options.measurement,
		.wanted = &influx->options.tags,
	};
	fine = name && server_open(influx, name, err) == 0 &&
	       token_use(influx, err) == 0 && box_open(influx, err) == 0;
	free(name);
	if (fine && thread_start(influx, err) == 0)
		return influx;
	outbox_close(influx->box, false, NULL, NULL);
	influx_free(influx);
	return NULL;
}

/* ---- putting and closing ---------------------------------------------------------- */

static int influx_put(void *self, const struct batch *batch, struct err *err)
{
	struct influx *influx = self;
	bool taken;

	text_clear(&influx->lines);
	if (line_put_batch(&influx->writer, batch, &influx->lines, err) < 0)
		return -1;
	if (influx->lines.length == 0)
		return 0;
	pthread_mutex_lock(&influx->lock);
	taken = outbox_put(influx->box, influx->lines.data,
			   influx->lines.length, batch->rows, batch->time_ms);
	influx->waiting_bytes += influx->lines.length;
	if (!taken && outbox_losses(influx->box)->documents == batch->rows)
		log_warn("influx",
			 "%s takes nothing and %" PRIi64
			 " ticks wait: dropping what comes%s%s",
			 influx->server, influx->options.hwm,
			 outbox_spools(influx->box)
				 ? "; "
				 : " (spool=DIR would keep it)",
			 outbox_spool_error(influx->box));
	pthread_cond_signal(&influx->change);
	pthread_mutex_unlock(&influx->lock);
	return 0;
}

static int influx_put_doc(void *self, const struct doc *doc, struct err *err)
{
	(void)self;
	(void)doc;
	err_set(err, ENOTSUP, "influx takes reports only");
	return err_remedy(err, "use jsonl:FILE for records");
}

static int influx_flush(void *self, struct err *err)
{
	struct influx *influx = self;
	int failed;

	pthread_mutex_lock(&influx->lock);
	failed = outbox_sync(influx->box, err);
	pthread_mutex_unlock(&influx->lock);
	return failed;
}

static void thread_end(struct influx *influx)
{
	http_stop_at(influx->http, clock_now_ns(clock_real()) + CLOSE_NS);
	pthread_mutex_lock(&influx->lock);
	influx->stop = true;
	pthread_cond_signal(&influx->change);
	pthread_mutex_unlock(&influx->lock);
	pthread_join(influx->thread, NULL);
}

static int tell_end(const struct influx *influx, uint64_t lost, bool spools,
		    struct err *err)
{
	if (influx->refused > 0)
		log_warn("influx", "%s: %" PRIu64 " documents were refused",
			 influx->server, influx->refused);
	if (lost == 0)
		return 0;
	if (!influx->was_there) {
		err_set(err, ENOTCONN,
			"%s; it took nothing, %" PRIu64 " documents are lost",
			influx->reason ? influx->reason : "no answer in time",
			lost);
		return spools ? -1
			      : err_remedy(err, "spool=DIR would keep them");
	}
	log_warn("influx", "%s: %" PRIu64 " documents were dropped%s",
		 influx->server, lost,
		 spools ? "" : " (spool=DIR would keep them)");
	return 0;
}

static int influx_close(void *self, struct err *err)
{
	struct influx *influx = self;
	struct outbox_loss loss;
	bool spools = outbox_spools(influx->box);
	uint64_t waiting;
	int failed;

	thread_end(influx);
	waiting = outbox_waiting(influx->box);
	if (waiting > 0 && spools)
		log_warn("influx", "%s: %" PRIu64 " ticks wait in %s",
			 influx->server, waiting, influx->options.spool);
	failed = outbox_close(influx->box, false, &loss, err);
	if (tell_end(influx, loss.documents, spools, failed ? NULL : err) < 0)
		failed = -1;
	influx_free(influx);
	return failed;
}

const struct sink_kind sink_kind_influx = {
	.scheme = "influx",
	.open = influx_open,
	.put = influx_put,
	.put_doc = influx_put_doc,
	.flush = influx_flush,
	.close = influx_close,
	.summary = "influx:http://HOST:PORT?bucket=B&org=O\tline protocol "
		   "(db=D for InfluxDB 1)",
};
