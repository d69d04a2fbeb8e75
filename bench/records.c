/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/source.h"

/* 1 when it is one of ours and wanted. */
static int is_wanted(const struct doc *doc, const char *meter, struct err *err)
{
	struct bench_record record;

	if (!doc_is_schema(doc, BENCH_RECORD_SCHEMA) &&
	    !strncmp(doc_string(doc_get(doc, "schema"), ""), "fedwatts.", 9))
		return 0;
	if (bench_record_read(doc, &record, err) < 0)
		return -1;
	return !meter || !strcmp(record.meter, meter);
}

int records_take(struct records *records, struct doc *doc, const char *meter,
		 const char *where, struct err *err)
{
	int wanted = is_wanted(doc, meter, err);

	if (wanted > 0 && records->count == RECORDS_MAX)
		wanted = err_set(err, EFBIG, "more than %d records",
				 RECORDS_MAX);
	if (wanted <= 0) {
		doc_free(doc);
		return wanted < 0 ? err_wrap(err, "%s", where) : 0;
	}
	records->doc = mem_grow(records->doc, &records->capacity,
				records->count + 1, sizeof(struct doc *));
	records->doc[records->count++] = doc;
	return 0;
}

static int read_place(struct records *records, const char *uri,
		      const char *meter, struct err *err)
{
	struct source *source = source_open(uri, NULL, err);
	size_t before = records->count;
	struct doc *doc;
	int got;

	if (!source)
		return -1;
	while ((got = source_next(source, &doc, err)) > 0)
		if (records_take(records, doc, meter, source_where(source),
				 err) < 0) {
			got = -1;
			break;
		}
	if (!got && source_torn(source))
		log_warn("records", "%s: skipped a torn last line", uri);
	source_close(source);
	if (!got && records->count == before)
		return err_set(err, EINVAL,
			       "%s: no records%s%s (bench sweep "
			       "makes them)",
			       uri, meter ? " of meter " : "",
			       meter ? meter : "");
	return got;
}

int records_read(struct records *records, const struct field_list *uris,
		 const char *meter, struct err *err)
{
	for (size_t i = 0; i < uris->count; i++)
		if (read_place(records, uris->item[i], meter, err) < 0)
			return -1;
	return 0;
}

void records_done(struct records *records)
{
	for (size_t i = 0; i < records->count; i++)
		doc_free(records->doc[i]);
	free(records->doc);
	*records = (struct records){ 0 };
}
