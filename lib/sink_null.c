/* SPDX-License-Identifier: BSD-3-Clause */
/* null: counts (sink.c does) and drops. */
#include "lib/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/place.h"

static void *null_open(const char *rest, struct err *err)
{
	char *name = place_name(rest, NULL, NULL, err);

	if (name && *name) {
		free(name);
		err_set(err, EINVAL, "takes no name (write null:)");
		return NULL;
	}
	return name; /* something to hold */
}

static int null_put(void *self, const struct batch *batch, struct err *err)
{
	(void)self;
	(void)batch;
	(void)err;
	return 0;
}

static int null_put_doc(void *self, const struct doc *doc, struct err *err)
{
	(void)self;
	(void)doc;
	(void)err;
	return 0;
}

static int null_flush(void *self, struct err *err)
{
	(void)self;
	(void)err;
	return 0;
}

static int null_close(void *self, struct err *err)
{
	(void)err;
	free(self);
	return 0;
}

static bool null_bare(const void *self)
{
	(void)self;
	return true;
}

const struct sink_kind sink_kind_null = {
	.scheme = "null",
	.open = null_open,
	.put = null_put,
	.put_doc = null_put_doc,
	.flush = null_flush,
	.close = null_close,
	.bare = null_bare,
	.summary = "null:\tcounts and drops",
};
