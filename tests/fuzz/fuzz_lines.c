/* SPDX-License-Identifier: BSD-3-Clause */
/* However bytes come in, the same lines come out: the first byte says by how
 * many at a time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/lines.h"

static void through(const uint8_t *data, size_t size, size_t step,
		    struct text *out)
{
	struct lines lines;
	const char *line;
	size_t length;
	int got;

	lines_init(&lines, 64);
	while (size > 0) {
		size_t n = step < size ? step : size;

		lines_put(&lines, data, n);
		data += n;
		size -= n;
		while ((got = lines_next(&lines, &line, &length))) {
			text_put_char(out, got > 0 ? '+' : '-');
			if (got > 0) {
				text_put_bytes(out, line, length);
				doc_free(doc_parse(line, length, NULL));
			}
		}
	}
	lines_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text a = TEXT_INIT, b = TEXT_INIT;

	if (size < 2)
		return 0;
	through(data + 1, size - 1, 1U + data[0], &a);
	through(data + 1, size - 1, size, &b);
	if (a.length != b.length ||
	    (a.length > 0 && memcmp(a.data, b.data, a.length) != 0))
		abort();
	text_done(&a);
	text_done(&b);
	return 0;
}
