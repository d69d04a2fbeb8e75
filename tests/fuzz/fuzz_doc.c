/* SPDX-License-Identifier: BSD-3-Clause */
/* What doc_parse takes, it writes so that it reads the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse((const char *)data, size, &err);
	struct doc *again;
	char *text, *same;

	if (doc == NULL) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	text = doc_to_text(doc);
	again = doc_parse(text, strlen(text), &err);
	if (again == NULL)
		abort();
	same = doc_to_text(again);
	if (strcmp(text, same) != 0)
		abort();
	free(text);
	free(same);
	doc_free(doc);
	doc_free(again);
	return 0;
}
