/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"

#define CONNECT_MS 5000L
#define POST_MS    15000L
#define ANSWER_MAX ((size_t)300)

struct http {
	CURL *curl;
	struct curl_slist *headers;
	struct text answer;
	_Atomic int64_t end_ns;
};

static void library_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* A control character in a log is nobody's friend. */
static size_t on_answer(char *data, size_t size, size_t count, void *arg)
{
	struct text *answer = arg;
	size_t n = size * count;

	for (size_t i = 0; i < n && answer->length < ANSWER_MAX; i++)
		text_put_char(answer,
			      (unsigned char)data[i] < ' ' ? ' ' : data[i]);
	return n;
}

/* Not 0: give up. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	const struct http *http = arg;

	(void)a, (void)b, (void)c, (void)d;
	return http->end_ns && clock_now_ns(clock_real()) > http->end_ns;
}

struct http *http_open(const char *url, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *http = xcalloc(1, sizeof(*http));
	CURL *curl;

	pthread_once(&once, library_start);
	http->curl = curl = curl_easy_init();
	if (!curl) {
		free(http);
		err_set(err, ENOMEM, "libcurl did not start");
		return NULL;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, POST_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &http->answer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
	http_header(http, "Expect:"); /* no question before the body */
	return http;
}

void http_header(struct http *http, const char *line)
{
	struct curl_slist *headers = curl_slist_append(http->headers, line);

	if (headers)
		http->headers = headers;
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
}

void http_login(struct http *http, const char *credential)
{
	curl_easy_setopt(http->curl, CURLOPT_USERPWD, credential);
}

int http_post(struct http *http, const void *body, size_t length,
	      struct err *err)
{
	CURLcode code;
	long status = 0;

	text_clear(&http->answer);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)length);
	code = curl_easy_perform(http->curl);
	if (code != CURLE_OK)
		return err_set(err, EIO, "%s", curl_easy_strerror(code));
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *http_answer(const struct http *http)
{
	return http->answer.length ? http->answer.data : "";
}

void http_stop_at(struct http *http, int64_t end_ns)
{
	http->end_ns = end_ns;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->headers);
	text_done(&http->answer);
	free(http);
}

void http_put_escaped(struct text *url, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c))
			text_put_char(url, *value);
		else
			text_printf(url, "%%%02X", c);
	}
}
