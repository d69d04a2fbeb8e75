/* SPDX-License-Identifier: BSD-3-Clause */
/* Metadata read where it stands has the members that the parser finds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv_metadata.h"
#include "lib/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct csv_member *a, const struct csv_member *b)
{
	if (a->key_length != b->key_length ||
	    memcmp(a->key, b->key, a->key_length) != 0)
		abort();
	/* A number may be spelled in several ways, a text not. */
	if (a->value_length == b->value_length &&
	    memcmp(a->value, b->value, a->value_length) != 0 &&
	    !strchr("+-.0123456789", *a->value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_metadata fast = { 0 }, slow = { 0 };
	char *json = malloc(size + 2);
	struct doc *doc;

	if (!json)
		abort();
	/* Blanks in front are for the parser alone. */
	json[0] = ' ';
	memcpy(json + 1, data, size);
	json[size + 1] = '\0';
	doc = doc_parse(json + 1, strlen(json + 1), NULL);
	/* Nobody else puts metadata together than this project; what is no
	 * JSON need only be survived, and what has a key twice is no metadata. */
	if (csv_metadata_read(&fast, json + 1, NULL) == 0 && doc &&
	    doc_kind(doc) == DOC_OBJECT &&
	    csv_metadata_read(&slow, json, NULL) == 0 &&
	    fast.members == slow.members)
		for (size_t i = 0; i < fast.members; i++)
			same(&fast.member[i], &slow.member[i]);
	csv_metadata_done(&fast);
	csv_metadata_done(&slow);
	doc_free(doc);
	free(json);
	return 0;
}
