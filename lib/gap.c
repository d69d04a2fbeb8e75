/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/gap.h"

struct doc *gap_to_doc(const struct gap *gap)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", GAP_SCHEMA);
	if (gap->sensor)
		doc_set_text(doc, "sensor", gap->sensor);
	doc_set_int(doc, "from_ms", gap->from_ms);
	doc_set_int(doc, "to_ms", gap->to_ms);
	doc_set_int(doc, "documents", (int64_t)gap->documents);
	doc_set_text(doc, "reason", gap->reason);
	return doc;
}
