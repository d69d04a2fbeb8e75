/* SPDX-License-Identifier: BSD-3-Clause */
/* A model out of anything: a line, a preset's name or JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);
	struct net_spec spec, again;
	struct net_layer_cost layer;
	struct net_cost cost;

	memcpy(text, data, size);
	text[size] = '\0';
	if (net_spec_parse(text, &spec, NULL) == 0) {
		net_spec_cost(&spec, 3, LOSS_CE, true, &cost);
		for (size_t l = 0; l < spec.layers; l++)
			net_spec_layer_cost(&spec, l, 3, &layer);
		/* What a line is normalised to is that line. */
		if (net_spec_parse(spec.text, &again, NULL) < 0 ||
		    strcmp(spec.text, again.text) != 0)
			abort();
	}
	free(text);
	return 0;
}
