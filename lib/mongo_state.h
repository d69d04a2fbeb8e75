/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_state -- what the parts of the writer share; nobody else looks here.
 *
 * mongo_writer.c puts, opens and closes; mongo_ring.c holds the blocks,
 * mongo_keeper.c is the thread that owns the disk's side, mongo_sender.c the one
 * that owns the database's.
 */
#ifndef LIB_MONGO_STATE_H
#define LIB_MONGO_STATE_H

#include <pthread.h>

#include "lib/mongo_writer.h"

#define NS_PER_MS INT64_C(1000000)

#define BLOCK_AGE_NS   (200 * NS_PER_MS)  /* then it is sent */
#define KEEP_AGE_NS    (1000 * NS_PER_MS) /* then it goes to the spool */
#define CLOSE_NS       (10000 * NS_PER_MS)
#define BACKOFF_NS     (1000 * NS_PER_MS)
#define BACKOFF_MAX_NS (10000 * NS_PER_MS)
#define BLOCK_BYTES    ((size_t)4 << 20)
/* Who can wait does so from here on. */
#define WAIT_DOCUMENTS ((size_t)8 * MONGO_BLOCK_DOCUMENTS)
#define WAIT_BYTES     (MONGO_RING_BYTES / 4)
/* Of the spool, for gap records only. */
#define SPOOL_RESERVE ((uint64_t)32 << 10)

/* Documents that travel together.  The first byte of the text says what they
 * are; the spool's records are the same text. */
#define BLOCK_REPORTS 'D'
#define BLOCK_GAPS    'G'

struct block {
	struct block *next;
	struct text text;
	size_t documents;
	int64_t born_ns;
};

struct gap {
	char *sensor, *reason;
	int64_t from_ms, to_ms;
	uint64_t documents;
};

struct mongo_writer {
	struct mongo_link link;
	char *name, *host;
	uint64_t id_next;
	char id_base[96], id[640];

	pthread_mutex_t lock; /* of what follows, up to the spool */
	pthread_cond_t work, room, keep;
	struct block *first, *last; /* sealed, oldest first */
	struct block *open, *spare;
	size_t documents, bytes; /* of sealed, open and in flight */
	bool away, closing, flushing, keeper_stop, sender_gone, dropping;
	int64_t deadline_ns, full_until_ns;
	struct gap *gap;
	size_t gaps;
	uint64_t stored, spooled, refused, dropped;
	bool reached; /* was the database, ever? */
	/* Of the documents that are being put. */
	int64_t time_ms;
	const char *sensor;
	size_t text_before;

	pthread_mutex_t spool_lock;
	struct spool *spool;
	char *spool_base;
	uint64_t spool_bytes;

	pthread_t sender, keeper;
	/* The keeper's own. */
	bool full; /* and said so */
	/* The sender's own. */
	int64_t backoff_ns, retry_ns;
	int failures; /* of sending, one behind the other */
	int setbacks; /* failures, and what the database puts off */
};

/* mongo_ring.c; all with the lock held. */
struct block *block_new(struct mongo_writer *writer, char kind);
void block_free(struct mongo_writer *writer, struct block *block);
void ring_seal(struct mongo_writer *writer);
void ring_push_front(struct mongo_writer *writer, struct block *block);
struct block *ring_pop(struct mongo_writer *writer);
/* The block has left: its documents no longer count. */
void ring_release(struct mongo_writer *writer, struct block *block);
/* Wait on `cond` until `until_ns` of CLOCK_MONOTONIC. */
void ring_wait(struct mongo_writer *writer, pthread_cond_t *cond,
	       int64_t until_ns);
const char *writer_id(struct mongo_writer *writer, const char *sensor);
void gap_add(struct mongo_writer *writer, const char *sensor, int64_t time_ms,
	     uint64_t documents, const char *reason);
/* Gaps become a block in front of the others. */
void gaps_seal(struct mongo_writer *writer);

/* mongo_keeper.c */
int keeper_open(struct mongo_writer *writer, struct err *err);
void *keeper_main(void *writer);
/* Another spool of the same place, left by a process that is gone, becomes
 * ours; ours is empty.  With the spool's lock held. */
void keeper_adopt(struct mongo_writer *writer);

/* mongo_sender.c */
int sender_open(struct mongo_writer *writer, struct err *err);
void *sender_main(void *writer);

#endif
