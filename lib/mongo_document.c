/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking into documents that were written. */
#include <endian.h>
#include <string.h>

#include "lib/mongo_bson.h"
#include "lib/mongo_element.h"

size_t mongo_document_length(const void *bytes, size_t length)
{
	uint32_t le;

	if (length < 5)
		return 0;
	memcpy(&le, bytes, sizeof(le));
	le = le32toh(le);
	return le >= 5 && le <= length ? le : 0;
}

/* How many bytes a value takes; 0 where it is none of ours. */
static size_t value_length(unsigned char type, const char *at, size_t left)
{
	uint32_t le = 0;

	if (left >= sizeof(le))
		memcpy(&le, at, sizeof(le));
	le = le32toh(le);
	switch (type) {
	case BSON_REAL:
	case BSON_DATE:
	case BSON_INT64:
		return left > 8 ? 8 : 0;
	case BSON_INT32:
		return left > 4 ? 4 : 0;
	case BSON_BOOL:
		return left > 1 ? 1 : 0;
	case BSON_ID:
		return left > 12 ? 12 : 0;
	case BSON_TEXT:
		return left > 5 && le >= 1 && le < left - 4 &&
				       at[4 + le - 1] == '\0'
			       ? 4 + (size_t)le
			       : 0;
	case BSON_OBJECT:
	case BSON_ARRAY:
		return le >= 5 && le < left ? le : 0;
	default:
		return 0;
	}
}

void mongo_document_stamp(const void *bytes, size_t length, int64_t *time_ms,
			  const char **sensor)
{
	size_t whole = mongo_document_length(bytes, length);
	const char *at = (const char *)bytes + 4;
	size_t left = whole ? whole - 4 : 0;

	while (left > 1) {
		unsigned char type = (unsigned char)*at;
		const char *key = at + 1;
		size_t head = 1 + strnlen(key, left - 1) + 1, value;

		if (head >= left)
			return;
		value = value_length(type, at + head, left - head);
		if (value == 0 && type != BSON_NULL)
			return;
		if ((!strcmp(key, "timestamp") || !strcmp(key, "time_ms")) &&
		    value == 8 && type != BSON_REAL) {
			uint64_t le;

			memcpy(&le, at + head, sizeof(le));
			*time_ms = (int64_t)le64toh(le);
		}
		if (!strcmp(key, "sensor") && type == BSON_TEXT)
			*sensor = at + head + 4;
		at += head + value;
		left -= head + value;
	}
}
