/* SPDX-License-Identifier: BSD-3-Clause */
/* No domains at all: to measure what measuring costs. */
#include "sensor/meter_kind.h"

static void *null_open(const char *argument, const struct meter_place *place,
		       struct meter_parts *parts, struct err *err)
{
	static char self;

	(void)argument;
	(void)place;
	(void)parts;
	(void)err;
	return &self;
}

static int null_read(void *self, uint64_t *count, struct err *err)
{
	(void)self;
	(void)count;
	(void)err;
	return 0;
}

static void null_close(void *self)
{
	(void)self;
}

const struct meter_kind meter_kind_null = {
	.name = "null",
	.summary = "no domains: the cost of measuring",
	.proof = METER_PROOF_FORM,
	.source = ENERGY_UNKNOWN,
	.open = null_open,
	.read = null_read,
	.close = null_close,
};
