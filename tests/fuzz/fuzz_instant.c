/* SPDX-License-Identifier: BSD-3-Clause */
/* Points in time out of anything; what was understood is written and read back
 * as the same.  The same bytes as an address, too. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/address.h"
#include "lib/instant.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct address address = { 0 };
	struct text again = TEXT_INIT;
	int64_t ms, same;

	if (instant_parse(text, &ms, NULL) == 0 && ms < 253402300800000 &&
	    ms >= -62135596800000) {
		instant_put(ms, &again);
		if (!instant_is_date(again.data, &same) || same != ms)
			abort();
	}
	if (address_parse(text, "localhost", &address, NULL) == 0)
		address_done(&address);
	text_done(&again);
	free(text);
	return 0;
}
