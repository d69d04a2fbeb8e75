/* SPDX-License-Identifier: BSD-3-Clause */
/* csv: hwpc-sensor's files (TABLE.csv) and PowerAPI's (a folder a target). */
#include "lib/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/csv_flat.h"
#include "lib/csv_tables.h"
#include "lib/csv_targets.h"
#include "lib/folder.h"
#include "lib/mem.h"
#include "lib/place.h"

struct options {
	int layout;
};

enum { LAYOUT_2_10, LAYOUT_MASTER };

static const char *const layouts[] = {
	[LAYOUT_2_10] = "2.10", [LAYOUT_MASTER] = "master", NULL
};

static const struct field fields[] = {
	{ "layout", FIELD_CHOICE, offsetof(struct options, layout),
	  .initial = "2.10", .choices = layouts },
	FIELD_END
};

struct csv_sink {
	struct options options;
	char *folder;
	struct csv_tables *tables;
	struct csv_targets *targets;
	struct csv_flat *flat;
};

static void *csv_sink_open(const char *rest, struct err *err)
{
	struct options options = { 0 };
	char *folder = place_name(rest, fields, &options, err);
	struct csv_sink *csv;

	if (folder && !*folder)
		err_set(err, EINVAL, "a folder's name is missing (csv:DIR)");
	if (!folder || !*folder || folder_make(folder, err) < 0) {
		free(folder);
		return NULL;
	}
	csv = xcalloc(1, sizeof(*csv));
	csv->folder = folder;
	csv->tables = csv_tables_new(folder);
	csv->targets = csv_targets_new(folder);
	csv->flat = csv_flat_new(folder);
	csv->options = options;
	return csv;
}

static int csv_sink_put(void *self, const struct batch *batch, struct err *err)
{
	struct csv_sink *csv = self;

	if (csv_tables_put(csv->tables, batch, err) < 0)
		return -1;
	return csv->options.layout == LAYOUT_MASTER
		       ? csv_flat_put(csv->flat, batch, err)
		       : csv_targets_put(csv->targets, batch, err);
}

static int csv_sink_put_doc(void *self, const struct doc *doc, struct err *err)
{
	(void)self;
	(void)doc;
	err_set(err, ENOTSUP, "csv holds reports only");
	return err_remedy(err, "use jsonl:FILE for everything else");
}

static int csv_sink_flush(void *self, struct err *err)
{
	struct csv_sink *csv = self;

	if (csv_tables_flush(csv->tables, err) < 0 ||
	    csv_flat_flush(csv->flat, err) < 0)
		return -1;
	return csv_targets_flush(csv->targets, err);
}

static int csv_sink_close(void *self, struct err *err)
{
	struct csv_sink *csv = self;
	int failed = csv_sink_flush(csv, err);

	csv_tables_free(csv->tables);
	csv_targets_free(csv->targets);
	csv_flat_free(csv->flat);
	free(csv->folder);
	free(csv);
	return failed;
}

static const char *csv_sink_file(const void *self)
{
	const struct csv_sink *csv = self;

	return csv->folder;
}

static bool csv_sink_bare(const void *self)
{
	const struct csv_sink *csv = self;

	return csv->options.layout == LAYOUT_MASTER;
}

const struct sink_kind sink_kind_csv = {
	.scheme = "csv",
	.open = csv_sink_open,
	.put = csv_sink_put,
	.put_doc = csv_sink_put_doc,
	.flush = csv_sink_flush,
	.close = csv_sink_close,
	.file = csv_sink_file,
	.bare = csv_sink_bare,
	.summary = "csv:DIR\thwpc-sensor's and PowerAPI's CSV files "
		   "(layout=2.10|master)",
};
