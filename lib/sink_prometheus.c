/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prometheus: a page of the last values that Prometheus fetches.
 *
 * libmicrohttpd answers in a thread of its own; a put only replaces values.
 * A series expires 300 s after its last report: as long as PowerAPI's master
 * shows a sample, and as long as Prometheus looks back (2.10 never forgets).
 */
#include "lib/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/exposition.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"

#define CONNECTIONS_MAX 64
#define IDLE_S          10
#define CONTENT_TYPE    "text/plain; version=0.0.4; charset=utf-8"

static const char *const names_choices[] = { "2.10", "master", NULL };

struct options {
	int names;
	double expire_s;
	char *metric;
	struct field_list tags;
};

/* clang-format off */
static const struct field fields[] = {
	{ "names", FIELD_CHOICE, offsetof(struct options, names),
	  .initial = "2.10", .choices = names_choices },
	{ "expire", FIELD_SECONDS, offsetof(struct options, expire_s),
	  .initial = "300s", .min = 0.01, .max = 1e8 },
	{ "metric", FIELD_TEXT, offsetof(struct options, metric), .help = NULL },
	{ "tags", FIELD_WORDS, offsetof(struct options, tags), .help = NULL },
	FIELD_END
};
/* clang-format on */

struct prometheus {
	struct options options;
	struct address address;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock; /* of all that follows */
	struct exposition *shown, *own;
	struct family *documents, *scrapes, *expired, *series, *refused;
	struct tags tags;
};

/* ---- the page ---------------------------------------------------------------- */

static void page_put(struct prometheus *prometheus, struct text *out)
{
	int64_t now_ns = clock_now_ns(clock_real());
	int64_t age_ns = (int64_t)(1e9 * prometheus->options.expire_s);
	struct tags none = TAGS_INIT;

	pthread_mutex_lock(&prometheus->lock);
	exposition_add(prometheus->own, prometheus->expired, &none,
		       exposition_expire(prometheus->shown, now_ns - age_ns),
		       now_ns);
	exposition_add(prometheus->own, prometheus->scrapes, &none, 1, now_ns);
	exposition_set(prometheus->own, prometheus->series, &none,
		       (double)exposition_series(prometheus->shown), 0, now_ns);
	exposition_set(prometheus->own, prometheus->refused, &none,
		       (double)exposition_refused(prometheus->shown), 0,
		       now_ns);
	exposition_put(prometheus->shown, out);
	exposition_put(prometheus->own, out);
	pthread_mutex_unlock(&prometheus->lock);
}

static enum MHD_Result reply(struct MHD_Connection *connection,
			     unsigned int status, struct text *page,
			     const char *type)
{
	size_t length = page->length;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		length, text_take(page), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct text page = TEXT_INIT;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		text_put(&page, "only GET\n");
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, &page,
			     "text/plain");
	}
	if (strcmp(url, "/metrics") != 0 && strcmp(url, "/") != 0) {
		text_put(&page, "see /metrics\n");
		return reply(connection, MHD_HTTP_NOT_FOUND, &page,
			     "text/plain");
	}
	page_put(arg, &page);
	return reply(connection, MHD_HTTP_OK, &page, CONTENT_TYPE);
}

/* ---- opening and closing ------------------------------------------------------- */

static struct family *own_counter(struct prometheus *prometheus,
				  const char *name, const char *help)
{
	struct family *family =
		exposition_family(prometheus->own, name, help, EXPOSE_COUNTER);
	struct tags none = TAGS_INIT;

	exposition_add(prometheus->own, family, &none, 0, 0);
	return family;
}

static void pages_new(struct prometheus *prometheus)
{
	pthread_mutex_init(&prometheus->lock, NULL);
	prometheus->shown = exposition_new();
	prometheus->own = exposition_new();
	prometheus->documents =
		own_counter(prometheus, "fedwatts_sink_documents_total",
			    "Reports that this sink took");
	prometheus->scrapes =
		own_counter(prometheus, "fedwatts_sink_scrapes_total",
			    "Times that this page was fetched");
	prometheus->expired = own_counter(
		prometheus, "fedwatts_sink_expired_series_total",
		"Series that were removed because no report came any more");
	prometheus->series =
		exposition_family(prometheus->own, "fedwatts_sink_series",
				  "Series that are shown", EXPOSE_GAUGE);
	prometheus->refused = exposition_family(
		prometheus->own, "fedwatts_sink_refused_samples",
		"Samples left out because there are too many series",
		EXPOSE_GAUGE);
}

static int server_start(struct prometheus *prometheus, struct err *err)
{
	int fd = address_listen(&prometheus->address, err);
	char at[ADDRESS_TEXT_MAX];
	sigset_t all, before;

	if (fd < 0)
		return -1;
	/* Signals are for the program's own thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	prometheus->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL,
		answer, prometheus, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!prometheus->daemon) {
		close(fd);
		return err_set(err, EIO, "the HTTP server did not start");
	}
	log_note("metrics  http://%s/metrics", address_of(fd, 0, at));
	return 0;
}

static int prometheus_close(void *self, struct err *err)
{
	struct prometheus *prometheus = self;

	(void)err;
	if (prometheus->daemon)
		MHD_stop_daemon(prometheus->daemon);
	exposition_free(prometheus->shown);
	exposition_free(prometheus->own);
	pthread_mutex_destroy(&prometheus->lock);
	tags_done(&prometheus->tags);
	address_done(&prometheus->address);
	field_list_done(&prometheus->options.tags);
	free(prometheus->options.metric);
	free(prometheus);
	return 0;
}

static void *prometheus_open(const char *rest, struct err *err)
{
	struct prometheus *prometheus = xcalloc(1, sizeof(*prometheus));
	char *name = place_name(rest, fields, &prometheus->options, err);
	int failed = name ? address_parse(name, "127.0.0.1",
					  &prometheus->address, err)
			  : -1;

	free(name);
	pages_new(prometheus);
	if (!failed && server_start(prometheus, err) == 0)
		return prometheus;
	prometheus_close(prometheus, NULL);
	return NULL;
}

/* ---- reports ------------------------------------------------------------------- */

/* PowerAPI's master names those that a report lacks. */
static void add_missing(struct prometheus *prometheus)
{
	const struct field_list *wanted = &prometheus->options.tags;

	if (prometheus->options.names != LAYOUT_NAMES_MASTER)
		return; /* an absent label is an empty one */
	for (size_t i = 0; i < wanted->count; i++)
		if (strcmp(wanted->item[i], "all") != 0 &&
		    !tags_get(&prometheus->tags, wanted->item[i]))
			tags_set(&prometheus->tags, wanted->item[i], "unknown");
}

static void column_show(struct prometheus *prometheus,
			const struct batch *batch, const struct row *row,
			size_t index, struct family *family)
{
	const struct layout *layout = row->layout;
	const struct layout_series *series =
		&layout->series[prometheus->options.names];
	const struct column *column = &layout->column[index];
	const union value *value = &row->value[index];
	int64_t now_ns = clock_now_ns(clock_real());

	tags_set_column(&prometheus->tags, layout, series, column);
	if (series->column_label)
		tags_set(&prometheus->tags, series->column_label, column->name);
	if (series->adds_up && column->type == COLUMN_INT)
		exposition_add(prometheus->shown, family, &prometheus->tags,
			       value->integer, now_ns);
	else if (column->type != COLUMN_TEXT)
		exposition_set(prometheus->shown, family, &prometheus->tags,
			       column->type == COLUMN_INT
				       ? (double)value->integer
				       : value->real,
			       series->stamped ? batch->time_ms : 0, now_ns);
}

static int row_show(struct prometheus *prometheus, const struct batch *batch,
		    const struct row *row, struct err *err)
{
	const struct layout_series *series =
		&row->layout->series[prometheus->options.names];
	const char *metric = prometheus->options.metric && !series->adds_up
				     ? prometheus->options.metric
				     : series->metric;
	struct family *family;

	if (!series->metric)
		return 0;
	tags_begin(&prometheus->tags, batch->sensor, row->target);
	if (tags_add_metadata(&prometheus->tags, row->metadata,
			      &prometheus->options.tags, series->tagged,
			      err) < 0)
		return -1;
	add_missing(prometheus);
	family = exposition_family(prometheus->shown, metric, series->help,
				   series->adds_up ? EXPOSE_COUNTER
						   : EXPOSE_GAUGE);
	for (size_t i = 0; i < row->layout->columns; i++)
		column_show(prometheus, batch, row, i, family);
	return 0;
}

static int prometheus_put(void *self, const struct batch *batch,
			  struct err *err)
{
	struct prometheus *prometheus = self;
	struct tags none = TAGS_INIT;
	int failed = 0;

	pthread_mutex_lock(&prometheus->lock);
	for (size_t i = 0; i < batch->rows && !failed; i++)
		failed = row_show(prometheus, batch, &batch->row[i], err);
	if (!failed)
		exposition_add(prometheus->own, prometheus->documents, &none,
			       batch->rows, 0);
	pthread_mutex_unlock(&prometheus->lock);
	return failed;
}

static int prometheus_put_doc(void *self, const struct doc *doc,
			      struct err *err)
{
	(void)self;
	(void)doc;
	err_set(err, ENOTSUP, "prometheus shows reports only");
	return err_remedy(err, "use jsonl:FILE for records");
}

static int prometheus_flush(void *self, struct err *err)
{
	(void)self;
	(void)err;
	return 0;
}

const struct sink_kind sink_kind_prometheus = {
	.scheme = "prometheus",
	.open = prometheus_open,
	.put = prometheus_put,
	.put_doc = prometheus_put_doc,
	.flush = prometheus_flush,
	.close = prometheus_close,
	.summary = "prometheus:HOST:PORT\tserves /metrics there",
};
