/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * checkpoint -- a document and blocks of bytes in one file, whole or not at
 * all.
 *
 *	struct checkpoint_block block[] = { { "weights", w, n * sizeof(*w) } };
 *
 *	checkpoint_write("run.ckpt", doc, block, 1, false, &err);
 *
 *	struct checkpoint *checkpoint = checkpoint_read("run.ckpt", &err);
 *
 *	doc_need_int(checkpoint_doc(checkpoint), "epoch", &epoch, &err);
 *	checkpoint_get(checkpoint, "weights", w, n * sizeof(*w), &err);
 *	checkpoint_free(checkpoint);
 *
 * The file: a line of JSON (`head -n 1` shows it) that begins with
 * {"schema":"fedwatts.checkpoint/1" and has in "blocks" the name and length of
 * each block; the blocks, one after the other, as they lie in memory (little
 * endian); eight bytes of a sum over all before them.  It is written beside
 * itself and renamed, so that a crash leaves the last one or the new one.
 *
 * What is read was checked: the sum, and that the lengths add up to the file.
 */
#ifndef BENCH_CHECKPOINT_H
#define BENCH_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/err.h"

#define CHECKPOINT_BYTES_MAX  ((size_t)16 << 30)
#define CHECKPOINT_BLOCKS_MAX 16

struct checkpoint_block {
	const char *name;
	const void *at;
	size_t bytes;
};

struct checkpoint;

/* EEXIST where there is a file, unless `force`. */
int checkpoint_write(const char *path, const struct doc *doc,
		     const struct checkpoint_block *block, size_t blocks,
		     bool force, struct err *err);

/* NULL: EPROTO for what is no checkpoint or of another version, EBADMSG for a
 * damaged one. */
struct checkpoint *checkpoint_read(const char *path, struct err *err);
struct checkpoint *checkpoint_parse(const void *bytes, size_t length,
				    struct err *err);
const struct doc *checkpoint_doc(const struct checkpoint *checkpoint);
/* EBADMSG where a block is missing or of another length. */
int checkpoint_get(const struct checkpoint *checkpoint, const char *name,
		   void *to, size_t bytes, struct err *err);
void checkpoint_free(struct checkpoint *checkpoint); /* accepts NULL */

/* The sum, to be gone on with from `sum` (first: 0).  It tells any two inputs
 * apart that differ in one word; it is no cryptographic digest. */
uint64_t checkpoint_sum(uint64_t sum, const void *bytes, size_t length);

#endif
