/* SPDX-License-Identifier: BSD-3-Clause */
/* A table that is taken answers with finite, ordered figures, or says why
 * not; a record that is taken writes a record that is taken. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench/bench_record.h"
#include "bench/energy_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct energy_table *table)
{
	struct step_config config;
	struct step_cost cost;

	if (step_config_set(&config, "mlp:784-100-10", 20, "fp32", "ce", "sgd",
			    1, NULL) < 0 ||
	    energy_table_predict(table, &config, &cost, NULL) < 0)
		return;
	if (isfinite(cost.joules.mean) && isfinite(cost.joules.pi.hi) &&
	    !(cost.joules.pi.lo <= cost.joules.pi.hi))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc *doc = doc_parse((const char *)data, size, NULL);
	struct energy_table *table;
	struct bench_record record;

	if (!doc)
		return 0;
	table = energy_table_from_doc(doc, NULL);
	if (table)
		ask(table);
	energy_table_free(table);
	if (!bench_record_read(doc, &record, NULL)) {
		struct doc *again = bench_record_to_doc(&record);

		if (bench_record_read(again, &record, NULL) < 0)
			abort();
		doc_free(again);
	}
	doc_free(doc);
	return 0;
}
