/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/compute.h"

#include <errno.h>
#include <stdio.h>

#include "bench/mat_table.h"
#include "lib/log.h"
#include "lib/pool.h"

static int table_open(struct compute *compute, const char *file,
		      struct err *err)
{
	char why[MAT_TABLE_WHY_MAX];

	snprintf(compute->backends, sizeof(compute->backends), "rule");
	if (!file)
		return 0;
	compute->table = mat_table_open(file, err);
	if (!compute->table)
		return err_wrap(err, "--backends");
	if (!mat_table_is_here(compute->table, why))
		log_warn("compute",
			 "%s was measured %s (bench tune measures "
			 "anew)",
			 file, why);
	mat_table_digest(compute->table, compute->backends);
	return 0;
}

int compute_open(struct compute *compute,
		 const struct compute_settings *settings, int64_t threads,
		 struct err *err)
{
	*compute = (struct compute){ .pinned = settings->pin };
	if (table_open(compute, settings->backends, err) < 0)
		return -1;
	if (threads > 1 || settings->pin)
		compute->pool = pool_new(threads ? (size_t)threads : 1);
	if (threads > 1 && pool_threads(compute->pool) < (size_t)threads)
		return err_set(err, EAGAIN,
			       "--threads %lld: the system gives %zu",
			       (long long)threads, pool_threads(compute->pool));
	compute->mat = mat_new(compute->pool, compute->table);
	if (settings->pin && pool_pin(compute->pool, err) < 0)
		return err_wrap(err, "--pin");
	return 0;
}

void compute_close(struct compute *compute)
{
	mat_free(compute->mat);
	mat_table_free(compute->table);
	pool_free(compute->pool);
	*compute = (struct compute){ 0 };
}

void compute_put(const struct compute *compute, struct doc *doc)
{
	doc_set_text(doc, "kernels", mat_describe());
	doc_set_text(doc, "backends", compute->backends);
	doc_set_int(doc, "threads", (int64_t)mat_threads(compute->mat));
	if (compute->pinned)
		doc_set_bool(doc, "pinned", true);
}
