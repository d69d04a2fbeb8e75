/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/link.h"

#include <stdlib.h>

#include "fl/kind.h"
#include "lib/mem.h"

extern const struct link_kind link_kind_local;

static const struct link_kind *const kinds[] = {
	&link_kind_local,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct link {
	const struct link_kind *kind;
	void *self;
};

struct link *link_open(const char *spec, const struct link_setup *setup,
		       struct err *err)
{
	const char *names[KINDS + 1] = { NULL };
	const char *argument;
	struct link *link;
	void *self;
	int kind;

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i]->name;
	kind = kind_find("link", spec, names, &argument, err);
	if (kind < 0)
		return NULL;
	self = kinds[kind]->open(argument, setup, err);
	if (!self)
		return NULL;
	link = xcalloc(1, sizeof(*link));
	link->kind = kinds[kind];
	link->self = self;
	return link;
}

int link_exchange(struct link *link, const struct offer *offer,
		  const size_t *asked, size_t count, struct reply *reply,
		  struct err *err)
{
	return link->kind->exchange(link->self, offer, asked, count, reply,
				    err);
}

void link_close(struct link *link)
{
	if (!link)
		return;
	link->kind->close(link->self);
	free(link);
}
