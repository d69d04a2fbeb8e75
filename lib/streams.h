/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams -- numbered documents from many senders: what is new, what is lost.
 *
 * A sender gives its run a name (a stream) and numbers its documents; each
 * message begins with a head that says which ones are in it:
 *
 *	{"zmq":1,"stream":"9f0c…","sensor":"node1","first":17,"documents":3,
 *	 "time_ms":1783600000123}
 *
 * A message that came before is a duplicate; numbers that are left out are a
 * gap, which may still be filled by a message that took another way.  Only when
 * that did not happen for STREAMS_PATIENCE_NS it counts as lost.
 *
 *	if (streams_take(streams, &head, now_ns))
 *		use(body);
 *	while (streams_next_gap(streams, now_ns, &gap))
 *		tell(gap.sensor, gap.documents);
 *
 * What was sent before the first message that we saw is not ours to miss.
 */
#ifndef LIB_STREAMS_H
#define LIB_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/gap.h"
#include "lib/text.h"

#define STREAM_NAME_MAX     17 /* 16 hexadecimal digits */
#define STREAMS_PATIENCE_NS INT64_C(10000000000)
/* When there are so many, those that were silent for an hour are forgotten;
 * what is more is taken without any accounting. */
#define STREAMS_MAX       65536
#define STREAMS_SILENT_NS INT64_C(3600000000000)

struct stream_head {
	char stream[STREAM_NAME_MAX];
	char sensor[128];
	uint64_t first; /* from 0 */
	uint64_t documents;
	int64_t time_ms;
};

/* A name that nobody else has. */
void stream_name(char name[static STREAM_NAME_MAX]);
void stream_head_put(const struct stream_head *head, struct text *out);
int stream_head_read(const char *text, size_t length, struct stream_head *head,
		     struct err *err);

struct streams;

struct streams *streams_new(void);
/* Is the message new? */
bool streams_take(struct streams *streams, const struct stream_head *head,
		  int64_t now_ns);
/* A gap that nobody will fill any more (INT64_MAX: none of them will be);
 * `reason` is left to the caller. */
bool streams_next_gap(struct streams *streams, int64_t now_ns, struct gap *gap);
size_t streams_count(const struct streams *streams);
uint64_t streams_duplicates(const struct streams *streams); /* documents */
uint64_t streams_lost(const struct streams *streams);       /* documents */
void streams_free(struct streams *streams);                 /* accepts NULL */

#endif
