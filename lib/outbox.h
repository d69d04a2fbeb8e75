/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outbox -- messages on their way to a place that may be away.
 *
 *	struct outbox *box = outbox_open(&options, &err);
 *
 *	outbox_put(box, bytes, length, documents, time_ms);
 *	while ((letter = outbox_next(box)) && send(letter) == 0)
 *		outbox_sent(box, clock_now_ns(clock));
 *	...
 *	outbox_confirm(box);        // they arrived: forget them
 *	outbox_again(box);          // they may not have: from the first again
 *	...
 *	outbox_close(box, true, &lost);
 *
 * A letter waits in memory (at most `limit` of them), then in the spool, if
 * there is one, then it is dropped and counted.  What was sent is kept until it
 * is confirmed or safely old, so that a broken connection can have it again:
 * receivers must know a letter that they have already.  Order never changes.
 *
 * With a spool, what is left at the end waits there for the next run: FOLDER/
 * NAME.sent (what was sent and not confirmed, and what waited in memory), then
 * FOLDER/NAME.spool.  A killed process loses what waited in memory.
 *
 * One thread at a time.
 */
#ifndef LIB_OUTBOX_H
#define LIB_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct outbox;

struct outbox_options {
	size_t limit;       /* letters that wait in memory */
	const char *folder; /* of the spool; NULL: there is none */
	const char *name;   /* of its files; any text */
	uint64_t spool_max; /* bytes of the spool's file; 0: 1 GiB */
	/* Sent letters are forgotten without a confirmation when they are older
	 * than this, or when there are more than this of both kinds behind
	 * them; 0: only outbox_confirm() forgets. */
	int64_t keep_ns;
	size_t keep_letters, keep_bytes;
};

struct letter {
	const char *data;
	size_t length;
	uint64_t documents;
	int64_t time_ms; /* of the documents in it */
};

/* What was dropped: how many documents, from when to when. */
struct outbox_loss {
	uint64_t documents;
	int64_t from_ms, to_ms;
};

struct outbox *outbox_open(const struct outbox_options *options,
			   struct err *err);
/* Was it taken?  If not, it counts as lost. */
bool outbox_put(struct outbox *box, const void *data, size_t length,
		uint64_t documents, int64_t time_ms);
/* The first that was not sent, borrowed until the next call; NULL: none. */
const struct letter *outbox_next(struct outbox *box);
void outbox_sent(struct outbox *box, int64_t now_ns);
void outbox_confirm(struct outbox *box);
void outbox_again(struct outbox *box);
/* What waits in the spool, onto the disk. */
int outbox_sync(struct outbox *box, struct err *err);

/* Letters that were not sent, in memory and in the spool. */
uint64_t outbox_waiting(const struct outbox *box);
/* Letters that were sent and may still come again. */
size_t outbox_unconfirmed(const struct outbox *box);
bool outbox_spools(const struct outbox *box);
/* The loss since the last call, if there was one: for a record of it. */
bool outbox_take_loss(struct outbox *box, struct outbox_loss *loss);
/* Since it was opened. */
const struct outbox_loss *outbox_losses(const struct outbox *box);
/* Why the spool did not take a letter, or a sentence without words. */
const char *outbox_spool_error(const struct outbox *box);

/* Frees, also on failure.  `arrived`: what was sent need not be kept.  `total`
 * (may be NULL) gets all losses, with what was still waiting and had no spool
 * to go to.  Accepts NULL. */
int outbox_close(struct outbox *box, bool arrived, struct outbox_loss *total,
		 struct err *err);

#endif
