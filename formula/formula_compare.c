/* SPDX-License-Identifier: BSD-3-Clause */
/* formula compare A B */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "formula/formula.h"
#include "formula/power_compare.h"
#include "lib/doc.h"

/* clang-format off */
const struct field formula_compare_fields[] = {
	{ "tolerance", FIELD_REAL, offsetof(struct formula_compare_config, tolerance),
	  .initial = "1e-9", .min = 0, .max = 1, .value = "R",
	  .help = "what is no difference, relative" },
	CLI_SHARED(formula_compare_config),
	FIELD_END
};
/* clang-format on */

const char formula_compare_about[] =
	"A and B are places of power reports (jsonl). Prints how many reports "
	"are in both or in one only, how many differ, and by how much; exits "
	"with 2 when anything differs.\n"
	"\n"
	"  formula compare before.jsonl after.jsonl --tolerance 0.01\n";

static void print_json(const struct power_difference *d)
{
	struct doc *doc = doc_new_object();
	char *text;

	doc_set_int(doc, "both", (int64_t)d->both);
	doc_set_int(doc, "only_a", (int64_t)d->only_a);
	doc_set_int(doc, "only_b", (int64_t)d->only_b);
	doc_set_int(doc, "differ", (int64_t)d->differ);
	doc_set_real(doc, "worst_relative", d->worst_relative);
	doc_set_real(doc, "worst_w", d->worst_w);
	doc_set_real(doc, "mean_w", d->mean_w);
	if (d->worst_key)
		doc_set_text(doc, "worst", d->worst_key);
	text = doc_to_text(doc);
	puts(text);
	free(text);
	doc_free(doc);
}

static void print_text(const struct power_difference *d)
{
	printf("reports  %zu in both, %zu only in A, %zu only in B\n", d->both,
	       d->only_a, d->only_b);
	if (d->first_only)
		printf("first    %s\n", d->first_only);
	printf("watts    %zu differ; mean %.3g W, worst %.3g W, %.2g relative\n",
	       d->differ, d->mean_w, d->worst_w, d->worst_relative);
	if (d->differ)
		printf("worst    %s\n", d->worst_key);
}

int formula_compare(struct cli *cli, void *values, struct err *err)
{
	const struct formula_compare_config *config = values;
	struct power_stream a = { 0 }, b = { 0 };
	struct power_difference d = { 0 };
	int status = 0;

	if (cli->arguments != 2) {
		err_set(err, EINVAL,
			"two places of power reports are expected "
			"(formula compare A B)");
		return CLI_USAGE;
	}
	if (power_stream_read(&a, cli->argument[0], err) < 0 ||
	    power_stream_read(&b, cli->argument[1], err) < 0) {
		status = -1;
	} else {
		power_compare(&a, &b, config->tolerance, &d);
		if (config->shared.json)
			print_json(&d);
		else
			print_text(&d);
		status = d.only_a + d.only_b + d.differ ? 2 : 0;
	}
	power_stream_done(&a);
	power_stream_done(&b);
	return status;
}
