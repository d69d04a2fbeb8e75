/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/outbox.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/folder.h"
#include "lib/mem.h"
#include "lib/spool.h"
#include "lib/text.h"

#define SPOOL_DEFAULT ((uint64_t)1 << 30)
#define REFILL        64 /* letters that are read from a spool at once */

/* Where a letter's lasting copy is, if it has one. */
enum origin { MEMORY, SENT_FILE, SPOOL_FILE, ORIGINS };

struct entry {
	struct letter letter;
	int64_t sent_ns;
	enum origin origin;
};

struct outbox {
	struct outbox_options options;
	struct spool *file[ORIGINS]; /* of MEMORY: none */
	size_t unsent_from
		[ORIGINS];     /* letters in memory that were read there */
	size_t taken[ORIGINS]; /* records that were read and not done */
	/* A queue in an array that wraps: sent letters, then unsent ones. */
	struct entry *entry;
	size_t capacity, head, count, sent;
	size_t sent_bytes;
	struct outbox_loss loss, total;
	struct err spool_error;
	struct text record;
};

/* ---- the queue ------------------------------------------------------------ */

static struct entry *entry_at(const struct outbox *box, size_t index)
{
	return &box->entry[(box->head + index) % box->capacity];
}

static void queue_grow(struct outbox *box)
{
	size_t capacity = box->capacity ? 2 * box->capacity : 16;
	struct entry *entry = xcalloc(capacity, sizeof(*entry));

	for (size_t i = 0; i < box->count; i++)
		entry[i] = *entry_at(box, i);
	free(box->entry);
	box->entry = entry;
	box->capacity = capacity;
	box->head = 0;
}

static void queue_push(struct outbox *box, const void *data, size_t length,
		       uint64_t documents, int64_t time_ms, enum origin origin)
{
	char *copy = xmalloc(length + 1);

	if (box->count == box->capacity)
		queue_grow(box);
	if (length > 0)
		memcpy(copy, data, length);
	copy[length] = '\0';
	*entry_at(box, box->count++) = (struct entry){
		.letter = { copy, length, documents, time_ms },
		.origin = origin,
	};
	box->unsent_from[origin]++;
}

static void letter_free(struct letter *letter)
{
	void *block;

	memcpy(&block, &letter->data, sizeof(block)); /* off with the const */
	free(block);
	letter->data = NULL;
}

/* The first, which was sent. */
static void queue_drop_first(struct outbox *box)
{
	struct entry *first = entry_at(box, 0);

	box->sent_bytes -= first->letter.length;
	letter_free(&first->letter);
	box->head = (box->head + 1) % box->capacity;
	box->count--;
	box->sent--;
}

static size_t unsent(const struct outbox *box)
{
	return box->count - box->sent;
}

static void count_loss(struct outbox_loss *loss, uint64_t documents,
		       int64_t time_ms)
{
	if (loss->documents == 0)
		loss->from_ms = loss->to_ms = time_ms;
	if (time_ms < loss->from_ms)
		loss->from_ms = time_ms;
	if (time_ms > loss->to_ms)
		loss->to_ms = time_ms;
	loss->documents += documents;
}

static void lose(struct outbox *box, uint64_t documents, int64_t time_ms)
{
	count_loss(&box->loss, documents, time_ms);
	count_loss(&box->total, documents, time_ms);
}

/* ---- the spool's records: documents, time, bytes --------------------------- */

struct stamp {
	uint64_t documents, time_ms; /* little-endian */
};

static int file_put(struct outbox *box, enum origin origin, const void *data,
		    size_t length, uint64_t documents, int64_t time_ms,
		    struct err *err)
{
	struct stamp stamp = { htole64(documents), htole64((uint64_t)time_ms) };

	text_clear(&box->record);
	text_put_bytes(&box->record, &stamp, sizeof(stamp));
	text_put_bytes(&box->record, data, length);
	return spool_put(box->file[origin], box->record.data,
			 box->record.length, err);
}

/* Up to `limit` records into the queue; false where there were none. */
static bool file_take(struct outbox *box, enum origin origin, size_t limit)
{
	struct stamp stamp;
	const void *record;
	size_t length, taken = 0;

	while (taken < limit && box->file[origin] &&
	       spool_next(box->file[origin], &record, &length,
			  &box->spool_error) > 0) {
		const char *bytes = record;

		if (length < sizeof(stamp))
			continue; /* not ours */
		memcpy(&stamp, bytes, sizeof(stamp));
		queue_push(box, bytes + sizeof(stamp), length - sizeof(stamp),
			   le64toh(stamp.documents),
			   (int64_t)le64toh(stamp.time_ms), origin);
		taken++;
	}
	box->taken[origin] += taken;
	return taken > 0;
}

/* Records of a file that are not in the queue yet. */
static uint64_t file_rest(const struct outbox *box)
{
	const struct spool *spool = box->file[SPOOL_FILE];

	return spool ? spool_records(spool) - box->taken[SPOOL_FILE] : 0;
}

/* ---- opening -------------------------------------------------------------- */

static char *file_path(const struct outbox_options *options, const char *ending)
{
	char *path =
		xasprintf("%s/%s.%s", options->folder, options->name, ending);
	char *name = path + strlen(options->folder) + 1;

	for (; *name; name++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
			    "YZ0123456789.-_",
			    *name))
			*name = '_';
	return path;
}

static int files_open(struct outbox *box, struct err *err)
{
	const struct outbox_options *options = &box->options;
	static const char *const ending[] = { "", "sent", "spool" };

	if (folder_make(options->folder, err) < 0)
		return -1;
	for (enum origin i = SENT_FILE; i < ORIGINS; i++) {
		char *path = file_path(options, ending[i]);

		box->file[i] = spool_open(path, options->spool_max, err);
		free(path);
		if (!box->file[i])
			return -1;
	}
	/* It was in memory before, so it will fit. */
	file_take(box, SENT_FILE, SIZE_MAX);
	return 0;
}

struct outbox *outbox_open(const struct outbox_options *options,
			   struct err *err)
{
	struct outbox *box = xcalloc(1, sizeof(*box));

	box->options = *options;
	if (!options->spool_max)
		box->options.spool_max = SPOOL_DEFAULT;
	if (options->folder && files_open(box, err) < 0) {
		outbox_close(box, false, NULL, NULL);
		return NULL;
	}
	box->options.folder = box->options.name = NULL; /* not ours */
	return box;
}

/* ---- putting and sending --------------------------------------------------- */

bool outbox_put(struct outbox *box, const void *data, size_t length,
		uint64_t documents, int64_t time_ms)
{
	bool behind = file_rest(box) > 0; /* others wait in the spool */

	if (!behind && unsent(box) < box->options.limit) {
		queue_push(box, data, length, documents, time_ms, MEMORY);
		return true;
	}
	if (box->file[SPOOL_FILE] &&
	    file_put(box, SPOOL_FILE, data, length, documents, time_ms,
		     &box->spool_error) == 0)
		return true;
	lose(box, documents, time_ms);
	return false;
}

const struct letter *outbox_next(struct outbox *box)
{
	if (unsent(box) == 0 && !file_take(box, SPOOL_FILE, REFILL))
		return NULL;
	return &entry_at(box, box->sent)->letter;
}

static bool is_forgotten(const struct outbox *box, int64_t now_ns)
{
	const struct outbox_options *options = &box->options;
	const struct entry *first = entry_at(box, 0);

	if (options->keep_ns && now_ns - first->sent_ns > options->keep_ns)
		return true;
	return options->keep_letters && box->sent > options->keep_letters &&
	       box->sent_bytes - first->letter.length > options->keep_bytes;
}

/* The lasting copies of what was read from a file can go when the last of them
 * was sent. */
static void left_unsent(struct outbox *box, struct entry *entry)
{
	enum origin origin = entry->origin;

	box->unsent_from[origin]--;
	entry->origin = MEMORY;
	if (origin == MEMORY || box->unsent_from[origin] > 0)
		return;
	spool_done(box->file[origin], &box->spool_error);
	box->taken[origin] = 0;
}

void outbox_sent(struct outbox *box, int64_t now_ns)
{
	struct entry *entry = entry_at(box, box->sent);

	entry->sent_ns = now_ns;
	box->sent++;
	box->sent_bytes += entry->letter.length;
	left_unsent(box, entry);
	while (box->sent > 0 && is_forgotten(box, now_ns))
		queue_drop_first(box);
}

void outbox_confirm(struct outbox *box)
{
	while (box->sent > 0)
		queue_drop_first(box);
}

void outbox_again(struct outbox *box)
{
	box->unsent_from[MEMORY] += box->sent;
	box->sent = 0;
	box->sent_bytes = 0;
}

int outbox_sync(struct outbox *box, struct err *err)
{
	struct spool *spool = box->file[SPOOL_FILE];

	return spool ? spool_sync(spool, err) : 0;
}

/* ---- asking --------------------------------------------------------------- */

uint64_t outbox_waiting(const struct outbox *box)
{
	return unsent(box) + file_rest(box);
}

size_t outbox_unconfirmed(const struct outbox *box)
{
	return box->sent;
}

bool outbox_spools(const struct outbox *box)
{
	return box->file[SPOOL_FILE] != NULL;
}

bool outbox_take_loss(struct outbox *box, struct outbox_loss *loss)
{
	*loss = box->loss;
	box->loss = (struct outbox_loss){ 0 };
	return loss->documents > 0;
}

const struct outbox_loss *outbox_losses(const struct outbox *box)
{
	return &box->total;
}

const char *outbox_spool_error(const struct outbox *box)
{
	return box->spool_error.text;
}

/* ---- closing --------------------------------------------------------------- */

/* What memory alone has goes to the file of what was sent, in order; what the
 * spool has stays there. */
static int save(struct outbox *box, struct err *err)
{
	struct spool *file = box->file[SENT_FILE];
	int failed = spool_done(file, err); /* all of it is in the queue */

	for (size_t i = 0; i < box->count; i++) {
		const struct entry *entry = entry_at(box, i);
		const struct letter *letter = &entry->letter;

		if (entry->origin == SPOOL_FILE ||
		    file_put(box, SENT_FILE, letter->data, letter->length,
			     letter->documents, letter->time_ms,
			     failed ? NULL : err) == 0)
			continue;
		lose(box, letter->documents, letter->time_ms);
		failed = -1;
	}
	if (!failed)
		failed = spool_sync(file, err);
	if (!failed && box->file[SPOOL_FILE])
		failed = spool_sync(box->file[SPOOL_FILE], err);
	return failed;
}

int outbox_close(struct outbox *box, bool arrived, struct outbox_loss *total,
		 struct err *err)
{
	int failed = 0;

	if (!box)
		return 0;
	if (arrived)
		outbox_confirm(box);
	if (box->file[SENT_FILE] && box->file[SPOOL_FILE])
		failed = save(box, err);
	else
		for (size_t i = box->sent; i < box->count; i++) {
			const struct letter *letter = &entry_at(box, i)->letter;

			lose(box, letter->documents, letter->time_ms);
		}
	if (total)
		*total = box->total;
	while (box->count > 0) {
		letter_free(&entry_at(box, --box->count)->letter);
	}
	for (enum origin i = SENT_FILE; i < ORIGINS; i++)
		spool_close(box->file[i]);
	text_done(&box->record);
	free(box->entry);
	free(box);
	return failed ? -1 : 0;
}
