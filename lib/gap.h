/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gap -- a record of documents that are missing: fedwatts.gap/1.
 *
 *	{"schema": "fedwatts.gap/1", "sensor": "node1",
 *	 "from_ms": 1783600000123, "to_ms": 1783600003123, "documents": 12,
 *	 "reason": "zmq tcp://hub:9100: the queue was full"}
 *
 * Who drops documents, or sees that some did not come, counts them and puts
 * such a record where they would have been; the times are those of the first
 * and the last of them, or, where nobody knows these, of their neighbours.
 */
#ifndef LIB_GAP_H
#define LIB_GAP_H

#include <stdint.h>

#include "lib/doc.h"

#define GAP_SCHEMA "fedwatts.gap/1"

struct gap {
	const char *sensor; /* NULL: of several */
	int64_t from_ms, to_ms;
	uint64_t documents;
	const char *reason;
};

struct doc *gap_to_doc(const struct gap *gap);

#endif
