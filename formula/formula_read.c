/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/formula.h"
#include "lib/log.h"
#include "lib/source.h"

/* Gaps, manifests and the like may stand between the reports. */
static bool is_report(const struct doc *doc)
{
	return !doc_get(doc, "schema");
}

static int source_use(struct source *source, formula_use *use, void *self,
		      struct err *err)
{
	struct doc *doc;
	int got = 0;

	while ((source_drains(source) || !cli_stop_signal()) &&
	       (got = source_next(source, &doc, err)) > 0) {
		int result = is_report(doc) ? use(self, doc, err) : 0;

		doc_free(doc);
		if (result < 0)
			return err_wrap(err, "%s", source_where(source));
	}
	return cli_stop_signal() ? 0 : got;
}

int formula_read(const struct formula_config *config, const char *uri,
		 formula_use *use, void *self, struct err *err)
{
	const struct source_filter filter = {
		.since_ms = config->since_ms,
		.until_ms = config->until_ms,
	};
	struct source *source = source_open(uri, &filter, err);
	int result = source ? source_use(source, use, self, err) : -1;

	if (source && source_torn(source))
		log_warn("formula", "%s: a torn last line was skipped", uri);
	source_close(source);
	return result;
}
