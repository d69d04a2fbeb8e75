/* SPDX-License-Identifier: BSD-3-Clause */
/* hwpc-sensor's configuration files, and the places that they come to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/hwpc_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hwpc_config config = { 0 };
	struct text uri = TEXT_INIT;
	struct doc *doc = doc_parse((const char *)data, size, NULL);

	if (!doc)
		return 0;
	/* Twice: files may follow each other. */
	for (int i = 0; i < 2; i++)
		if (hwpc_config_read(&config, doc, NULL) == 0 &&
		    hwpc_config_sink(&config, &uri, NULL) == 0 &&
		    config.storage != HWPC_STORAGE_UNNAMED && uri.length == 0)
			abort();
	if (config.interval_ms < 0 || config.discovery_ms < 0 ||
	    config.open > config.groups)
		abort();
	for (size_t i = 0; i < config.groups; i++)
		if (strchr(config.group[i].name, '/'))
			abort();
	text_done(&uri);
	hwpc_config_done(&config);
	doc_free(doc);
	return 0;
}
