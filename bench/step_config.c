/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/step_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

static int range_check(const char *what, int64_t value, int64_t max,
		       struct err *err)
{
	if (value >= 1 && value <= max)
		return 0;
	return err_set(err, EINVAL, "%s %lld: not in 1 … %lld", what,
		       (long long)value, (long long)max);
}

int step_config_set(struct step_config *config, const char *model,
		    int64_t batch, const char *precision, const char *loss,
		    const char *optimizer, int64_t threads, struct err *err)
{
	struct step_config made = { .batch = (size_t)batch };
	struct precision kind;
	enum sgd_method method;

	if (range_check("batch", batch, STEP_BATCH_MAX, err) < 0 ||
	    range_check("threads", threads, STEP_THREADS_MAX, err) < 0 ||
	    precision_parse(precision, &kind, err) < 0 ||
	    loss_parse(loss, &made.loss, err) < 0 ||
	    sgd_parse(optimizer, &method, err) < 0 ||
	    net_spec_parse(model, &made.model, err) < 0)
		return -1;
	if (loss_fits(made.loss, made.model.width[made.model.layers], err) < 0)
		return err_wrap(err, "model '%s'", made.model.text);
	made.threads = (size_t)threads;
	snprintf(made.precision, sizeof(made.precision), "%s", precision);
	snprintf(made.optimizer, sizeof(made.optimizer), "%s", optimizer);
	*config = made;
	return 0;
}

static int by_size(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

int step_config_compare(const struct step_config *a,
			const struct step_config *b)
{
	int order = by_size(net_spec_parameters(&a->model),
			    net_spec_parameters(&b->model));

	if (!order)
		order = strcmp(a->model.text, b->model.text);
	if (!order)
		order = by_size(a->batch, b->batch);
	if (!order)
		order = by_size(a->loss, b->loss);
	if (!order)
		order = strcmp(a->precision, b->precision);
	if (!order)
		order = strcmp(a->optimizer, b->optimizer);
	if (!order)
		order = by_size(a->threads, b->threads);
	return order;
}

bool step_config_same(const struct step_config *a, const struct step_config *b)
{
	return !step_config_compare(a, b);
}

struct precision step_config_precision(const struct step_config *config)
{
	struct precision precision = { .kind = PRECISION_FP32 };

	(void)precision_parse(config->precision, &precision, NULL);
	return precision;
}

struct sgd step_config_sgd(const struct step_config *config)
{
	struct sgd sgd = { .rate = 0.01f };

	(void)sgd_parse(config->optimizer, &sgd.method, NULL);
	if (sgd.method != SGD_PLAIN)
		sgd.momentum = 0.9f;
	if (sgd.method >= SGD_ADAM) {
		sgd.rate = 0.001f;
		sgd.second = 0.999f;
	}
	return sgd;
}

const char *step_config_text(const struct step_config *config,
			     char out[static STEP_CONFIG_TEXT_MAX])
{
	bool other_precision = strcmp(config->precision, "fp32") != 0;
	bool other_optimizer = strcmp(config->optimizer, "sgd") != 0;
	char threads[32] = "";

	if (config->threads != 1)
		snprintf(threads, sizeof(threads), " %zu threads",
			 config->threads);
	snprintf(out, STEP_CONFIG_TEXT_MAX, "%s batch %zu %s%s%s%s%s%s",
		 config->model.text, config->batch, loss_name(config->loss),
		 other_precision ? " " : "",
		 other_precision ? config->precision : "",
		 other_optimizer ? " " : "",
		 other_optimizer ? config->optimizer : "", threads);
	return out;
}

int step_config_read(const struct doc *doc, struct step_config *config,
		     struct err *err)
{
	const char *model, *precision, *loss, *optimizer;
	int64_t batch, threads;

	if (doc_need_text(doc, "model", &model, err) < 0 ||
	    doc_need_int(doc, "batch", &batch, err) < 0 ||
	    doc_need_text(doc, "precision", &precision, err) < 0 ||
	    doc_need_text(doc, "loss", &loss, err) < 0 ||
	    doc_need_text(doc, "optimizer", &optimizer, err) < 0 ||
	    doc_need_int(doc, "threads", &threads, err) < 0)
		return -1;
	return step_config_set(config, model, batch, precision, loss, optimizer,
			       threads, err);
}

void step_config_put(const struct step_config *config, struct doc *doc)
{
	doc_set_text(doc, "model", config->model.text);
	doc_set_int(doc, "batch", (int64_t)config->batch);
	doc_set_text(doc, "precision", config->precision);
	doc_set_text(doc, "loss", loss_name(config->loss));
	doc_set_text(doc, "optimizer", config->optimizer);
	doc_set_int(doc, "threads", (int64_t)config->threads);
}
