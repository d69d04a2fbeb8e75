/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_client -- a connection of libmongoc's, for the sink and the source.
 *
 *	mongoc_client_t *client = mongo_client_open(&uri, &err);
 *	...
 *	mongoc_client_destroy(client);
 *
 * Not one of a pool: a pool's monitor thread spins when a server answers its
 * awaitable hello at once.  A client belongs to one thread.
 */
#ifndef LIB_MONGO_CLIENT_H
#define LIB_MONGO_CLIENT_H

#include <mongoc/mongoc.h>

#include "lib/err.h"
#include "lib/mongo_uri.h"

/* Connects and says hello.  EINVAL: libmongoc does not understand the URI;
 * EACCES: we may not; EHOSTUNREACH: it is away. */
mongoc_client_t *mongo_client_open(const struct mongo_uri *uri,
				   struct err *err);

/* hello needs no rights: may we use the collection?  -1 (EACCES): no. */
int mongo_client_admitted(mongoc_client_t *client, const struct mongo_uri *uri,
			  struct err *err);

/* The sentence for what libmongoc says, with a remedy where there is one. */
int mongo_client_error(const bson_error_t *what, struct err *err);

#endif
