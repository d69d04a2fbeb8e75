/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"

#define BACKLOG 128

static int bad(const char *text, struct err *err)
{
	return err_set(err, EINVAL, "'%.200s': expected HOST:PORT", text);
}

static int port_check(const char *text, const char *port, struct err *err)
{
	if (!*port || strlen(port) > 5 ||
	    strspn(port, "0123456789") != strlen(port) ||
	    strtol(port, NULL, 10) > 65535)
		return bad(text, err);
	return 0;
}

int address_parse(const char *text, const char *host, struct address *address,
		  struct err *err)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	const char *port = colon ? colon + 1 : text;
	const char *start = text;

	if (port_check(text, port, err) < 0)
		return -1;
	if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
		start++;
		length -= 2;
	} else if (length > 0 && memchr(text, ':', length)) {
		bad(text, err);
		return err_remedy(err, "an IPv6 address is [::1]:PORT");
	}
	if (length == 0 && !host)
		return bad(text, err);
	address->host = length > 0 ? xstrndup(start, length) : xstrdup(host);
	address->port = xstrdup(port);
	return 0;
}

void address_done(struct address *address)
{
	free(address->host);
	free(address->port);
	*address = (struct address){ 0 };
}

static struct addrinfo *resolve(const struct address *address, int flags,
				struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = flags };
	struct addrinfo *list;
	int code = getaddrinfo(address->host, address->port, &hints, &list);

	if (code == 0)
		return list;
	err_set(err, code == EAI_SYSTEM ? errno : EHOSTUNREACH,
		"look up %.200s: %s", address->host, gai_strerror(code));
	return NULL;
}

static int socket_for(const struct addrinfo *info)
{
	return socket(info->ai_family,
		      info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      info->ai_protocol);
}

/* ---- the client's end ---------------------------------------------------- */

/* 0 when the connection stands, else an errno. */
static int connection_wait(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int code = 0;
	int got = poll(&pollfd, 1, timeout_ms);

	if (got < 0)
		return errno;
	if (got == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno
								      : code;
}

/* A far machine that went away without a word is noticed in a minute. */
static void keep_alive(int fd)
{
	const int on = 1, idle_s = 20, interval_s = 10, probes = 4;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
		   sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int address_connect(const struct address *address, int timeout_ms,
		    struct err *err)
{
	struct addrinfo *list = resolve(address, 0, err);
	int fd = -1, code = EHOSTUNREACH;

	if (!list)
		return -1;
	for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
		fd = socket_for(one);
		code = fd < 0 ? errno : 0;
		if (!code && connect(fd, one->ai_addr, one->ai_addrlen) < 0)
			code = errno == EINPROGRESS
				       ? connection_wait(fd, timeout_ms)
				       : errno;
		if (code && fd >= 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	if (fd < 0) {
		errno = code;
		return err_sys(err, "connect");
	}
	keep_alive(fd);
	return fd;
}

/* ---- the server's end ---------------------------------------------------- */

int address_listen(const struct address *address, struct err *err)
{
	struct addrinfo *list = resolve(address, AI_PASSIVE, err);
	const int on = 1;
	int fd = -1, code = EADDRNOTAVAIL;

	if (!list)
		return -1;
	for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
		fd = socket_for(one);
		code = errno;
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, one->ai_addr, one->ai_addrlen) < 0 ||
		    listen(fd, BACKLOG) < 0) {
			code = errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	if (fd < 0) {
		errno = code;
		return err_sys(err, "listen on %s:%s", address->host,
			       address->port);
	}
	return fd;
}

const char *address_of(int fd, int far_end, char out[static ADDRESS_TEXT_MAX])
{
	struct sockaddr_storage storage;
	struct sockaddr *name = (struct sockaddr *)&storage;
	socklen_t size = sizeof(storage);
	char host[56], port[8];

	if ((far_end ? getpeername(fd, name, &size)
		     : getsockname(fd, name, &size)) < 0 ||
	    getnameinfo(name, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, ADDRESS_TEXT_MAX, "?");
	else
		snprintf(out, ADDRESS_TEXT_MAX,
			 strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	return out;
}
