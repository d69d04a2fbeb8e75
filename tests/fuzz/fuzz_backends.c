/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of backends that is taken is written and taken again, the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc *doc = doc_parse((const char *)data, size, NULL), *written;
	struct mat_table *table, *again;
	char one[DOC_DIGEST_MAX], other[DOC_DIGEST_MAX];

	if (!doc)
		return 0;
	table = mat_table_from_doc(doc, NULL);
	if (table) {
		written = mat_table_to_doc(table);
		again = mat_table_from_doc(written, NULL);
		if (!again || strcmp(mat_table_digest(table, one),
				     mat_table_digest(again, other)) != 0)
			abort();
		mat_table_free(again);
		doc_free(written);
	}
	mat_table_free(table);
	doc_free(doc);
	return 0;
}
