/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads of messages, a line each: what was read is written and read the same;
 * no order of them confuses the accounting. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/streams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct stream_head *head)
{
	struct text text = TEXT_INIT;
	struct stream_head same;

	stream_head_put(head, &text);
	if (stream_head_read(text.data, text.length, &same, NULL) == 0 &&
	    (same.first != head->first || same.time_ms != head->time_ms ||
	     same.documents != head->documents))
		abort();
	text_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct streams *streams = streams_new();
	const char *at = (const char *)data;
	struct gap gap;

	while (size > 0) {
		const char *newline = memchr(at, '\n', size);
		size_t length = newline ? (size_t)(newline - at) : size;
		struct stream_head head;
		struct err err = { 0 };

		if (stream_head_read(at, length, &head, &err) == 0) {
			check_same(&head);
			streams_take(streams, &head, 0);
		} else if (!err.text[0]) {
			abort();
		}
		at += length + (newline != NULL);
		size -= length + (newline != NULL);
	}
	while (streams_next_gap(streams, INT64_MAX, &gap))
		if (gap.documents == 0)
			abort();
	streams_free(streams);
	return 0;
}
