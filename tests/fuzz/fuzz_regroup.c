/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents, a line each, back into batches; what comes out is as many. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/sink.h"
#include "sensor/regroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink *sink = sink_open("null:", NULL);
	struct regroup *regroup = regroup_new(sink);
	const char *at = (const char *)data, *end = at + size;
	uint64_t put = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);
		struct doc *doc = doc_parse(at, length, NULL);

		if (doc && regroup_put(regroup, doc, NULL) == 0)
			put++;
		at += length + 1;
	}
	if (regroup_flush(regroup, NULL) < 0 || sink_documents(sink) != put)
		abort();
	regroup_free(regroup);
	sink_close(sink, NULL);
	return 0;
}
