/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_uri -- a mongodb:// place, cut into our parameters and libmongoc's URI.
 *
 *	struct mongo_uri uri;
 *
 *	if (mongo_uri_read(&uri, "//host/power?collection=C&w=2", &err) < 0)
 *		...
 *	uri.text           "mongodb://host/power?w=2&connectTimeoutMS=2000&…"
 *	uri.collection     "C"
 *	mongo_uri_done(&uri);
 *
 * libmongoc waits up to five minutes by default; the times that a user does not
 * give become 2 s to find and reach a server and 5 s for it to answer.  w=0
 * would not say what was stored: it is refused.
 */
#ifndef LIB_MONGO_URI_H
#define LIB_MONGO_URI_H

#include <stdbool.h>

#include "lib/err.h"

struct mongo_uri {
	char *text;  /* for libmongoc */
	char *shown; /* "//host/power, collection C": no password */
	char *database;
	char *collection;
	bool int64;   /* whole numbers as they are, not as doubles */
	double ttl_s; /* 0: documents stay */
	bool timeseries;
	char *spool; /* NULL: in the state folder */
	double spool_bytes;
	bool consume; /* find and delete, as PowerAPI does */
	bool follow;  /* with consume: wait for more */
};

/* `rest`: what stands behind "mongodb:". */
int mongo_uri_read(struct mongo_uri *uri, const char *rest, struct err *err);
void mongo_uri_done(struct mongo_uri *uri);

#endif
