/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp: a client of PowerAPI's socket input, one JSON document a line.
 *
 * Whoever puts only fills a queue; a thread sends.  While the place is away,
 * letters (a put each) wait in memory, then in the spool, if there is one, then
 * they are dropped and counted.  There are no replies in this protocol: what
 * the far kernel acknowledged counts as arrived, and what it had not when the
 * connection broke is sent again.
 */
#include "lib/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/outbox.h"
#include "lib/place.h"

#define CONNECT_MS     2000
#define LINGER_NS      INT64_C(5000000000) /* closing: for what still waits */
#define BACKOFF_MIN_NS INT64_C(500000000)
#define BACKOFF_MAX_NS INT64_C(30000000000)
#define LETTERS_MAX    256
/* A kernel takes no more than tcp_wmem's 4 MiB before they are acknowledged. */
#define KEEP_BYTES ((size_t)8 << 20)

struct options {
	char *spool;
};

struct tcp {
	struct options options;
	struct address address;
	char *name;
	int wake; /* an eventfd */
	pthread_t thread;
	bool running;
	struct text text; /* of one put */

	pthread_mutex_t lock; /* what follows */
	struct outbox *box;
	int64_t stop_ns; /* close was called: go on until then */
	bool losing;     /* told that documents are dropped */

	/* The thread's. */
	int fd; /* -1: not connected */
	int64_t retry_ns, backoff_ns;
	struct err why; /* the last connection's end */
	bool gave_up;   /* closing, and nobody is there */
};

/* ---- the thread ---------------------------------------------------------- */

static void drop_connection(struct tcp *tcp)
{
	close(tcp->fd);
	tcp->fd = -1;
	outbox_again(tcp->box);
	log_warn("tcp", "%s: %s: will connect again", tcp->name, tcp->why.text);
	tcp->backoff_ns = BACKOFF_MIN_NS;
	tcp->retry_ns = clock_now_ns(clock_real()) + tcp->backoff_ns;
}

/* Many sensors shall not come back in the same instant: ± a quarter. */
static int64_t jittered(int64_t ns)
{
	uint64_t random = (uint64_t)clock_now_ns(clock_real()) * 2654435761U;

	return ns - ns / 4 + (int64_t)(random % (uint64_t)(ns / 2 + 1));
}

/* Without the lock: looking up a name may take its time. */
static void reconnect(struct tcp *tcp)
{
	pthread_mutex_unlock(&tcp->lock);
	tcp->fd = address_connect(&tcp->address, CONNECT_MS, &tcp->why);
	pthread_mutex_lock(&tcp->lock);
	if (tcp->fd >= 0) {
		log_warn("tcp", "%s: connected again, %" PRIu64 " ticks wait",
			 tcp->name, outbox_waiting(tcp->box));
		tcp->losing = false;
		return;
	}
	tcp->gave_up = tcp->stop_ns != 0;
	tcp->backoff_ns *= 2;
	if (tcp->backoff_ns > BACKOFF_MAX_NS)
		tcp->backoff_ns = BACKOFF_MAX_NS;
	tcp->retry_ns = clock_now_ns(clock_real()) + jittered(tcp->backoff_ns);
}

static bool timed_out(struct tcp *tcp)
{
	bool out;

	pthread_mutex_lock(&tcp->lock);
	out = tcp->stop_ns && clock_now_ns(clock_real()) > tcp->stop_ns;
	pthread_mutex_unlock(&tcp->lock);
	return out;
}

/* Without the lock.  0 when all was taken; -1 when the connection broke, or
 * time is up. */
static int send_all(struct tcp *tcp, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = send(tcp->fd, data, length, MSG_NOSIGNAL);

		if (n >= 0) {
			data += n;
			length -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd pollfd = { .fd = tcp->fd,
						 .events = POLLOUT };

			if (poll(&pollfd, 1, 200) == 0 && timed_out(tcp))
				return err_set(&tcp->why, ETIMEDOUT,
					       "takes nothing");
		} else if (errno != EINTR) {
			return err_sys(&tcp->why, "send");
		}
	}
	return 0;
}

/* Did everything arrive that was sent? */
static bool all_acknowledged(const struct tcp *tcp)
{
	int queued = 0;

	return tcp->fd >= 0 && ioctl(tcp->fd, SIOCOUTQ, &queued) == 0 &&
	       queued == 0;
}

/* The data stays where it is while it is sent: only we take letters out. */
static void send_next(struct tcp *tcp, const struct letter *letter)
{
	const char *data = letter->data;
	size_t length = letter->length;
	int failed;

	pthread_mutex_unlock(&tcp->lock);
	failed = send_all(tcp, data, length);
	pthread_mutex_lock(&tcp->lock);
	if (failed)
		drop_connection(tcp);
	else
		outbox_sent(tcp->box, clock_now_ns(clock_real()));
}

/* The far end says nothing, so what can be read is its end. */
static void look_at_peer(struct tcp *tcp)
{
	char ignored[512];
	ssize_t n;

	do
		n = recv(tcp->fd, ignored, sizeof(ignored), 0);
	while (n > 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0)
		err_set(&tcp->why, EPIPE, "closed by the other side");
	else
		err_sys(&tcp->why, "connection");
	drop_connection(tcp);
}

static void rest(struct tcp *tcp)
{
	struct pollfd pollfd[] = { { .fd = tcp->wake, .events = POLLIN },
				   { .fd = tcp->fd, .events = POLLIN } };
	bool waiting = outbox_unconfirmed(tcp->box) > 0 || tcp->stop_ns;
	int64_t ns = tcp->fd < 0 ? tcp->retry_ns - clock_now_ns(clock_real())
				 : BACKOFF_MIN_NS;
	uint64_t ignored;

	if (waiting && ns > 5000000)
		ns = 5000000; /* for the acknowledgement */
	if (ns < 0)
		ns = 0;
	pthread_mutex_unlock(&tcp->lock);
	poll(pollfd, 2, (int)(ns / 1000000) + 1);
	if (read(tcp->wake, &ignored, sizeof(ignored)) < 0)
		ignored = 0;
	pthread_mutex_lock(&tcp->lock);
	if (tcp->fd >= 0 && pollfd[1].revents)
		look_at_peer(tcp);
}

/* Closing, and nothing is left to be done or no time for it. */
static bool is_over(const struct tcp *tcp)
{
	if (!tcp->stop_ns)
		return false;
	return clock_now_ns(clock_real()) > tcp->stop_ns || tcp->gave_up ||
	       (tcp->fd < 0 && outbox_spools(tcp->box)) ||
	       outbox_waiting(tcp->box) + outbox_unconfirmed(tcp->box) == 0;
}

static void *tcp_thread(void *arg)
{
	struct tcp *tcp = arg;

	pthread_mutex_lock(&tcp->lock);
	while (!is_over(tcp)) {
		const struct letter *letter = NULL;

		if (tcp->fd < 0 &&
		    clock_now_ns(clock_real()) >= tcp->retry_ns) {
			reconnect(tcp);
			continue;
		}
		if (all_acknowledged(tcp))
			outbox_confirm(tcp->box);
		if (tcp->fd >= 0)
			letter = outbox_next(tcp->box);
		if (letter)
			send_next(tcp, letter);
		else
			rest(tcp);
	}
	pthread_mutex_unlock(&tcp->lock);
	return NULL;
}

/* ---- opening and closing ------------------------------------------------- */

static void tcp_free(struct tcp *tcp)
{
	if (tcp->fd >= 0)
		close(tcp->fd);
	if (tcp->wake >= 0)
		close(tcp->wake);
	address_done(&tcp->address);
	pthread_mutex_destroy(&tcp->lock);
	text_done(&tcp->text);
	free(tcp->options.spool);
	free(tcp->name);
	free(tcp);
}

/* Signals are for the thread that knows what to do with them. */
static int thread_start(struct tcp *tcp, struct err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&tcp->thread, NULL, tcp_thread, tcp);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno)
		return err_sys(err, "start a thread");
	tcp->running = true;
	return 0;
}

/* Nobody there is an error, unless documents can wait for them. */
static int connect_first(struct tcp *tcp, struct err *err)
{
	tcp->backoff_ns = BACKOFF_MIN_NS;
	tcp->fd = address_connect(&tcp->address, CONNECT_MS, &tcp->why);
	if (tcp->fd >= 0)
		return 0;
	if (!tcp->options.spool) {
		if (err)
			*err = tcp->why;
		return err_remedy(err, "start what listens there first, or "
				       "keep documents until it does: "
				       "?spool=DIR");
	}
	log_warn("tcp", "%s: %s: documents wait in %s", tcp->name,
		 tcp->why.text, tcp->options.spool);
	tcp->retry_ns = clock_now_ns(clock_real()) + tcp->backoff_ns;
	return 0;
}

static void *tcp_open(const char *rest_of_uri, struct err *err)
{
	static const struct field fields[] = {
		{ "spool", FIELD_TEXT, offsetof(struct options, spool),
		  .value = "DIR" },
		FIELD_END
	};
	struct tcp *tcp = xcalloc(1, sizeof(*tcp));
	struct outbox_options box = { .limit = LETTERS_MAX,
				      .keep_letters = LETTERS_MAX,
				      .keep_bytes = KEEP_BYTES };
	char *file = NULL;

	tcp->fd = tcp->wake = -1;
	pthread_mutex_init(&tcp->lock, NULL);
	tcp->name = place_name(rest_of_uri, fields, &tcp->options, err);
	if (!tcp->name ||
	    address_parse(tcp->name, NULL, &tcp->address, err) < 0 ||
	    connect_first(tcp, err) < 0)
		goto fail;
	tcp->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (tcp->wake < 0) {
		err_sys(err, "eventfd");
		goto fail;
	}
	file = xasprintf("tcp-%s-%s", tcp->address.host, tcp->address.port);
	box.folder = tcp->options.spool;
	box.name = file;
	tcp->box = outbox_open(&box, err);
	free(file);
	if (!tcp->box || thread_start(tcp, err) < 0)
		goto fail;
	return tcp;
fail:
	outbox_close(tcp->box, false, NULL, NULL);
	tcp_free(tcp);
	return NULL;
}

static void wake(const struct tcp *tcp)
{
	const uint64_t one = 1;

	/* It fails only when the thread has been called often enough. */
	if (write(tcp->wake, &one, sizeof(one)) < 0)
		return;
}

/* Documents that were dropped are an error at the end, however long ago. */
static int tcp_close(void *self, struct err *err)
{
	struct tcp *tcp = self;
	struct outbox_loss lost = { 0 };
	struct err what = { 0 };
	int failed;

	pthread_mutex_lock(&tcp->lock);
	tcp->stop_ns = clock_now_ns(clock_real()) + LINGER_NS;
	tcp->retry_ns = 0; /* once more, and that is it */
	pthread_mutex_unlock(&tcp->lock);
	wake(tcp);
	if (tcp->running)
		pthread_join(tcp->thread, NULL);
	if (tcp->fd < 0)
		outbox_again(tcp->box);
	failed = outbox_close(tcp->box, all_acknowledged(tcp), &lost, &what);
	if (failed)
		err_set(err, what.code, "spool: %s", what.text);
	else if (lost.documents > 0) {
		failed = err_set(err, ENOBUFS,
				 "%" PRIu64 " documents were lost%s%s",
				 lost.documents, tcp->why.text[0] ? ": " : "",
				 tcp->why.text);
		if (!tcp->options.spool)
			err_remedy(err, "keep them with ?spool=DIR");
	}
	tcp_free(tcp);
	return failed ? -1 : 0;
}

/* ---- putting ------------------------------------------------------------- */

static int letter_put(struct tcp *tcp, uint64_t documents, int64_t time_ms)
{
	bool taken;

	pthread_mutex_lock(&tcp->lock);
	taken = outbox_put(tcp->box, tcp->text.data, tcp->text.length,
			   documents, time_ms);
	if (!taken && !tcp->losing) {
		tcp->losing = true;
		log_warn(
			"tcp", "%s: documents are being dropped%s%s", tcp->name,
			tcp->options.spool ? ": " : " (keep them: ?spool=DIR)",
			tcp->options.spool ? outbox_spool_error(tcp->box) : "");
	}
	pthread_mutex_unlock(&tcp->lock);
	wake(tcp);
	return 0;
}

static int tcp_put(void *self, const struct batch *batch, struct err *err)
{
	struct tcp *tcp = self;

	(void)err;
	if (batch->rows == 0)
		return 0;
	text_clear(&tcp->text);
	batch_put_jsonl(batch, &tcp->text);
	return letter_put(tcp, batch->rows, batch->time_ms);
}

static int tcp_put_doc(void *self, const struct doc *doc, struct err *err)
{
	struct tcp *tcp = self;
	char *line = doc_to_text(doc);

	(void)err;
	text_clear(&tcp->text);
	text_put(&tcp->text, line);
	text_put_char(&tcp->text, '\n');
	free(line);
	return letter_put(tcp, 1, clock_wall_ms(clock_real()));
}

static int tcp_flush(void *self, struct err *err)
{
	struct tcp *tcp = self;
	int failed;

	pthread_mutex_lock(&tcp->lock);
	failed = outbox_sync(tcp->box, err);
	pthread_mutex_unlock(&tcp->lock);
	return failed;
}

const struct sink_kind sink_kind_tcp = {
	.scheme = "tcp",
	.open = tcp_open,
	.put = tcp_put,
	.put_doc = tcp_put_doc,
	.flush = tcp_flush,
	.close = tcp_close,
	.summary = "tcp:HOST:PORT\tPowerAPI's socket input, a document a line",
};
