/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench_commands.h"
#include "bench/net.h"
#include "lib/doc.h"
#include "lib/quantity.h"
#include "lib/table.h"

struct describe_config {
	struct cli_shared shared;
	int64_t batch;
	char *loss, *precision;
	double momentum;
};

/* clang-format off */
static const struct field describe_fields[] = {
	{ "batch", FIELD_INT, offsetof(struct describe_config, batch),
	  .initial = "32", .min = 1, .max = 1 << 20, .value = "N",
	  .help = "samples per step" },
	{ "loss", FIELD_TEXT, offsetof(struct describe_config, loss),
	  .initial = "ce", .value = "LOSS", .help = LOSS_NAMES },
	{ "precision", FIELD_TEXT, offsetof(struct describe_config, precision),
	  .initial = "fp32", .value = "PRECISION",
	  .help = "fp32, bf16, int8, fp16, fake-intN" },
	{ "momentum", FIELD_REAL, offsetof(struct describe_config, momentum),
	  .initial = "0", .min = 0, .max = 0.9999, .value = "M",
	  .help = "momentum of SGD (0: plain)" },
	CLI_SHARED(describe_config),
	FIELD_END
};
/* clang-format on */

static const char describe_about[] =
	"Says what a model consists of, and what one training step has to do: "
	"the\n"
	"multiplications and additions of its matrix products, and the bytes "
	"that they\n"
	"read and write at least.  Nothing is measured; in fp32 these are the "
	"terms that\n"
	"bench fit weighs.  Last, which instructions the precision ends up on "
	"here.\n"
	"\n"
	"Examples:\n"
	"  bench describe mlp:784-256-256-10\n"
	"  bench describe cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10 --batch 128\n"
	"  bench describe mlp:784-256-256-10 --precision int8\n"
	"  bench describe lenet5 --json";

struct subject {
	struct net_spec spec;
	enum loss loss;
	struct precision precision;
	size_t batch;
	struct net_cost cost;
};

/* ---- for people ---------------------------------------------------------------- */

static void cell(struct table *table, double value, enum quantity quantity)
{
	char text[QUANTITY_TEXT_MAX];

	table_cell(table, "%s", quantity_text(value, quantity, text));
}

static void row(struct table *table, const struct net_layer_cost *cost)
{
	table_cell(table, "%s", cost->name);
	table_cell(table, "%zu", cost->parameters);
	cell(table, cost->operations_forward, QUANTITY_COUNT);
	cell(table, cost->operations_step, QUANTITY_COUNT);
	cell(table, cost->bytes_forward, QUANTITY_BYTES);
	cell(table, cost->bytes_step, QUANTITY_BYTES);
	cell(table, cost->activation_bytes, QUANTITY_BYTES);
}

static void print_table(const struct subject *subject)
{
	struct table *table = table_new(
		"layer", ">parameters", ">operations forward", ">of a step",
		">bytes forward", ">of a step", ">activations", NULL);
	struct net_layer_cost sum = {
		.name = "sum",
		.parameters = net_spec_parameters(&subject->spec),
		.operations_forward = subject->cost.operations_forward,
		.operations_step = subject->cost.operations,
		.bytes_forward = subject->cost.bytes_forward,
		.bytes_step = subject->cost.bytes,
		.activation_bytes = subject->cost.activation_bytes,
	};
	char precision[PRECISION_NAME_MAX];

	for (size_t l = 0; l < subject->spec.layers; l++) {
		struct net_layer_cost layer;

		net_spec_layer_cost_in(subject->precision, &subject->spec, l,
				       subject->batch, &layer);
		row(table, &layer);
	}
	row(table, &sum);
	printf("%s, batch %zu, loss %s, %s\n", subject->spec.text,
	       subject->batch, loss_name(subject->loss),
	       precision_name(&subject->precision, precision));
	table_print(table, stdout);
	table_free(table);
	printf("a step starts %.0f matrix products", subject->cost.layers);
	printf(" and passes over %.0f more values, %.0f of them with exp()\n",
	       subject->cost.elements, subject->cost.exponentials);
	printf("%s ends up on %s%s\n", precision,
	       precision_instructions(&subject->precision),
	       precision_saves(&subject->precision) ? ""
						    : " (saves no energy)");
}

/* ---- for programs -------------------------------------------------------------- */

static struct doc *layer_doc(const struct subject *subject, size_t l)
{
	struct doc *doc = doc_new_object();
	struct net_layer_cost cost;

	net_spec_layer_cost_in(subject->precision, &subject->spec, l,
			       subject->batch, &cost);
	doc_set_text(doc, "name", cost.name);
	doc_set_int(doc, "parameters", (int64_t)cost.parameters);
	doc_set_real(doc, "operations_forward", cost.operations_forward);
	doc_set_real(doc, "operations_step", cost.operations_step);
	doc_set_real(doc, "bytes_forward", cost.bytes_forward);
	doc_set_real(doc, "bytes_step", cost.bytes_step);
	doc_set_real(doc, "activation_bytes", cost.activation_bytes);
	return doc;
}

static void print_json(const struct subject *subject)
{
	const struct net_cost *cost = &subject->cost;
	struct doc *doc = doc_new_object(), *layers = doc_new_array();
	char *line, precision[PRECISION_NAME_MAX];

	for (size_t l = 0; l < subject->spec.layers; l++)
		doc_add_take(layers, layer_doc(subject, l));
	doc_set_text(doc, "schema", "fedwatts.description/1");
	doc_set_text(doc, "model", subject->spec.text);
	doc_set_int(doc, "batch", (int64_t)subject->batch);
	doc_set_text(doc, "precision",
		     precision_name(&subject->precision, precision));
	doc_set_text(doc, "instructions",
		     precision_instructions(&subject->precision));
	doc_set_bool(doc, "saves_energy", precision_saves(&subject->precision));
	doc_set_text(doc, "loss", loss_name(subject->loss));
	doc_set_int(doc, "parameters",
		    (int64_t)net_spec_parameters(&subject->spec));
	doc_set_real(doc, "operations_forward", cost->operations_forward);
	doc_set_real(doc, "operations_step", cost->operations);
	doc_set_real(doc, "bytes_forward", cost->bytes_forward);
	doc_set_real(doc, "bytes_step", cost->bytes);
	doc_set_real(doc, "activation_bytes", cost->activation_bytes);
	doc_set_real(doc, "kernels_step", cost->layers);
	doc_set_real(doc, "elements_step", cost->elements);
	doc_set_real(doc, "exponentials_step", cost->exponentials);
	doc_set_take(doc, "layers", layers);
	line = doc_to_text(doc);
	puts(line);
	free(line);
	doc_free(doc);
}

static int bench_describe(struct cli *cli, void *values, struct err *err)
{
	const struct describe_config *config = values;
	struct subject subject = { .batch = (size_t)config->batch };

	if (cli->arguments != 1) {
		err_set(err, EINVAL,
			"one MODEL is needed, for example bench "
			"describe mlp:784-256-256-10");
		return CLI_USAGE;
	}
	if (net_spec_parse(cli->argument[0], &subject.spec, err) < 0 ||
	    loss_parse(config->loss, &subject.loss, err) < 0 ||
	    precision_parse(config->precision, &subject.precision, err) < 0 ||
	    loss_fits(subject.loss, subject.spec.width[subject.spec.layers],
		      err) < 0)
		return CLI_USAGE;
	net_spec_cost_in(subject.precision, &subject.spec, subject.batch,
			 subject.loss, config->momentum > 0.0, &subject.cost);
	if (config->shared.json)
		print_json(&subject);
	else
		print_table(&subject);
	return 0;
}

const struct cli_command bench_describe_command = {
	.name = "describe",
	.arguments = "MODEL",
	.summary = "what a model consists of and what a step has to do",
	.about = describe_about,
	.fields = describe_fields,
	.config_size = sizeof(struct describe_config),
	.run = bench_describe,
	.takes_arguments = true,
};
