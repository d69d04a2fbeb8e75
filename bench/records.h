/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * records -- all bench records of some places, checked, in memory.
 *
 *	struct records records = { 0 };
 *
 *	if (records_read(&records, &config->from, NULL, &err) < 0)
 *		return -1;
 *	use(records.doc, records.count);
 *	records_done(&records);
 *
 * A torn last line is warned of and skipped.  Documents of other kinds (the
 * manifest, where it went into the same place) are passed over; a place that
 * has no record at all is an error.
 */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include <stddef.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

#define RECORDS_MAX 10000000

struct records {
	struct doc **doc;
	size_t count, capacity;
};

/* `meter`: only records of that meter; NULL: all. */
int records_read(struct records *records, const struct field_list *uris,
		 const char *meter, struct err *err);
/* One document, which is yours no more: kept where it is a record that is
 * wanted. */
int records_take(struct records *records, struct doc *doc, const char *meter,
		 const char *where, struct err *err);
void records_done(struct records *records);

#endif
