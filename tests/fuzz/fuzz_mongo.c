/* SPDX-License-Identifier: BSD-3-Clause */
/* What the writer looks into (a spool's records may be anybody's), and URIs. */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *rest = xstrndup((const char *)data, size);
	const char *sensor = NULL;
	struct mongo_uri uri;
	int64_t time_ms = 0;

	mongo_document_stamp(data, size, &time_ms, &sensor);
	if (sensor && strlen(sensor) >= size)
		abort();
	if (mongo_uri_read(&uri, rest, NULL) == 0)
		mongo_uri_done(&uri);
	free(rest);
	return 0;
}
