/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http -- posting to one URL, again and again.
 *
 *	struct http *http = http_open("http://hub:8086/write?db=x", &err);
 *
 *	http_header(http, "Authorization: Token …");
 *	status = http_post(http, body.data, body.length, &err);
 *	if (status >= 300)
 *		err_set(&err, EIO, "answered %d: %s", status, http_answer(http));
 *	http_close(http);
 *
 * The connection is kept between posts.  A post takes 15 s at most (5 s until
 * it is connected).  One thread at a time, but for http_stop_at().
 */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

struct http;

struct http *http_open(const char *url, struct err *err);
void http_header(struct http *http, const char *line);
/* "USER:PASSWORD", for basic authentication. */
void http_login(struct http *http, const char *credential);
/* The status, or -1 where there was none. */
int http_post(struct http *http, const void *body, size_t length,
	      struct err *err);
/* What the server said in words, in one line, cut off after some hundred
 * bytes. */
const char *http_answer(const struct http *http);
/* No post goes on beyond that (clock_now_ns() of the real clock). */
void http_stop_at(struct http *http, int64_t end_ns);
void http_close(struct http *http); /* accepts NULL */

/* A value as it may stand in a URL's query. */
void http_put_escaped(struct text *url, const char *value);

#endif
