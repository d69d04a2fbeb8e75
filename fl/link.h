/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link -- how offers reach the clients and replies come back.
 *
 *	struct link *link = link_open("local", &setup, &err);
 *
 *	if (link_exchange(link, &offer, asked, count, reply, &err) < 0)
 *		return -1;
 *	link_close(link);
 *
 * The server hands over one offer for all and gets one reply for each client
 * it asked, in the order in which it asked.  It does not know where they are.
 *
 * Kinds: "local" (clients are objects of this process, worked off by a pool of
 * threads).  To add one: a file link_KIND.c that exports one `struct
 * link_kind`, and a line in the table in link.c.
 *
 * Laws: replies (with the updates they point to) are borrowed until the next
 * exchange; they do not depend on how many threads or processes there are.
 */
#ifndef FL_LINK_H
#define FL_LINK_H

#include <stddef.h>

#include "fl/client.h"
#include "lib/pool.h"
#include "lib/err.h"

/* Updates held at a time: asked clients × parameters. */
#define LINK_FLOATS_MAX ((size_t)1 << 30)

struct link;

struct link_setup {
	struct client *client;
	size_t clients, parameters;
	size_t asked_max; /* at a time */
	struct pool *pool;
	struct trainer **trainer; /* one for each thread of the pool */
};

struct link *link_open(const char *spec, const struct link_setup *setup,
		       struct err *err);
int link_exchange(struct link *link, const struct offer *offer,
		  const size_t *asked, size_t count, struct reply *reply,
		  struct err *err);
void link_close(struct link *link); /* accepts NULL */

struct link_kind {
	const char *name;
	void *(*open)(const char *argument, const struct link_setup *setup,
		      struct err *err);
	int (*exchange)(void *self, const struct offer *offer,
			const size_t *asked, size_t count, struct reply *reply,
			struct err *err);
	void (*close)(void *self);
	const char *summary;
};

#endif
