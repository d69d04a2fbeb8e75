/* SPDX-License-Identifier: BSD-3-Clause */
/* A file is taken or refused with a sentence; so is a file whose first line is
 * the input and whose sum is right; a training takes what fits it or says why
 * not. */
#include <stdint.h>
#include <stdlib.h>

#include "bench/checkpoint.h"
#include "bench/training.h"
#include "lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A net of 4 parameters, 18 samples. */
static void load(const struct checkpoint *from)
{
	static struct dataset *set;
	static struct meter *meter;
	struct training_plan plan = { .batch = 4, .epochs = 2, .seed = 1 };
	struct doc *run = doc_new_object();
	struct training_epoch epoch;
	struct training *training;
	struct net_spec spec;
	struct net *net;

	set = set ? set : dataset_open("synthetic:20x1x2", 1, NULL);
	meter = meter ? meter : meter_open("null", NULL);
	net_spec_parse("softmax:1-2", &spec, NULL);
	net = net_new(&spec, LOSS_CE, 4, mat_open("auto", NULL), NULL);
	training = training_new(&plan, net, set, meter);
	if (training_load(training, run, from, NULL) == 0)
		while (training_next(training, &epoch, NULL) > 0)
			;
	training_free(training);
	net_free(net);
	doc_free(run);
}

static void parse(const void *bytes, size_t length)
{
	struct err err = { 0 };
	struct checkpoint *got = checkpoint_parse(bytes, length, &err);

	if (!got && !err.text[0])
		abort();
	if (got)
		load(got);
	checkpoint_free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = TEXT_INIT;
	uint64_t sum;

	parse(data, size);
	text_put_bytes(&text, data, size);
	sum = checkpoint_sum(0, text.data, text.length);
	text_put_bytes(&text, &sum, sizeof(sum));
	parse(text.data, text.length);
	text_done(&text);
	return 0;
}
