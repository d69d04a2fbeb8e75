/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/compute.h"

#include "lib/pool.h"

int compute_open(struct compute *compute,
		 const struct compute_settings *settings, int64_t threads,
		 struct err *err)
{
	*compute = (struct compute){ .pinned = settings->pin };
	if (threads > 1 || settings->pin)
		compute->pool = pool_new(threads ? (size_t)threads : 1);
	compute->mat = mat_new(compute->pool);
	if (settings->pin && pool_pin(compute->pool, err) < 0)
		return err_wrap(err, "--pin");
	return 0;
}

void compute_close(struct compute *compute)
{
	mat_free(compute->mat);
	pool_free(compute->pool);
	*compute = (struct compute){ 0 };
}

void compute_put(const struct compute *compute, struct doc *doc)
{
	doc_set_text(doc, "kernels", mat_describe());
	doc_set_int(doc, "threads", (int64_t)mat_threads(compute->mat));
	if (compute->pinned)
		doc_set_bool(doc, "pinned", true);
}
