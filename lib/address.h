/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * address -- HOST:PORT, and the TCP sockets at both ends of it.
 *
 *	struct address address;
 *
 *	if (address_parse("localhost:9080", NULL, &address, &err) < 0)
 *		return -1;
 *	int fd = address_connect(&address, 2000, &err);
 *	...
 *	address_done(&address);
 *
 * An IPv6 address stands in brackets: [::1]:9080.  Sockets are non-blocking and
 * close on exec.
 */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include <stddef.h>

#include "lib/err.h"

struct address {
	char *host, *port;
};

/* `host`: what an absent one stands for (":9080" or "9080"); NULL: it must be
 * there. */
int address_parse(const char *text, const char *host, struct address *address,
		  struct err *err);
void address_done(struct address *address);

/* The first address of that name that takes the connection within
 * `timeout_ms`; -1, else a socket. */
int address_connect(const struct address *address, int timeout_ms,
		    struct err *err);
/* A socket that listens; port "0" is any that is free. */
int address_listen(const struct address *address, struct err *err);

/* "127.0.0.1:9080" of either end of a socket; "?" where there is none. */
#define ADDRESS_TEXT_MAX 80
const char *address_of(int fd, int far_end, char out[static ADDRESS_TEXT_MAX]);

#endif
