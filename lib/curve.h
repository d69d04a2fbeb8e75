/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * curve -- who may talk over ZeroMQ: key pairs, files of them, a guard.
 *
 *	struct curve_keys keys;
 *
 *	curve_generate(&keys, &err);
 *	curve_write_pair(&keys, "node1", false, &err);  // node1.key, node1.pub
 *	...
 *	curve_read("node1.key", true, &keys, &err);
 *	guard = curve_guard_open(context, "allowed", &err);
 *
 * A file says `public-key = "…"` and, where it is the owner's, `secret-key =
 * "…"`, 40 characters (Z85) each: CZMQ's certificates, which pyzmq reads, too.
 * The owner's file is made with mode 0600, and one that others may read is
 * refused.
 *
 * The guard answers libzmq's questions (ZAP, RFC 27) in a thread of its own: a
 * peer gets in if its public key stands in a *.pub file of the folder, which is
 * read anew each time, so that keys can come and go while it runs.
 */
#ifndef LIB_CURVE_H
#define LIB_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define CURVE_KEY_MAX 41 /* with its NUL */

struct curve_keys {
	char public_key[CURVE_KEY_MAX];
	char secret_key[CURVE_KEY_MAX]; /* "": not known */
};

int curve_generate(struct curve_keys *keys, struct err *err);
/* NAME.key and NAME.pub; EEXIST, and neither is touched, if one is there and
 * not `force`. */
int curve_write_pair(const struct curve_keys *keys, const char *name,
		     bool force, struct err *err);
int curve_read(const char *path, bool need_secret, struct curve_keys *keys,
	       struct err *err);

/* A client's socket: its own file, and the server's public key.  Both NULL:
 * nothing is set. */
int curve_set_client(void *socket, const char *key_file,
		     const char *server_file, struct err *err);
/* A server's. */
int curve_set_server(void *socket, const char *key_file, struct err *err);

struct curve_guard;

/* Before sockets of the context are bound.  `context` is libzmq's. */
struct curve_guard *curve_guard_open(void *context, const char *folder,
				     struct err *err);
/* How often an unknown key was turned away. */
uint64_t curve_guard_refused(const struct curve_guard *guard);
/* Behind zmq_ctx_shutdown(), before zmq_ctx_term().  Accepts NULL. */
void curve_guard_close(struct curve_guard *guard);

#endif
