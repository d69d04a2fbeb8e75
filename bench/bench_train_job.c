/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/bench_train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/mat.h"
#include "lib/log.h"
#include "lib/quantity.h"

const char *const train_decays[] = { "none", "cosine", "step", NULL };

void train_say_start(const struct train_job *job)
{
	const struct dataset *set = job->set;

	log_note("data     %s: %zu samples to learn from, %zu to be tested "
		 "on, %zu features, %zu classes",
		 set->name, set->train.samples, set->test.samples,
		 set->features, set->classes);
	log_note("model    %s: %zu parameters; kernels %s", job->spec.text,
		 net_parameters(job->net), mat_describe());
	log_note("compute  %s: %s%s; threads %zu%s", job->config->precision,
		 precision_instructions(&job->precision),
		 precision_saves(&job->precision) ? "" : " (saves no energy)",
		 mat_threads(job->compute.mat),
		 job->compute.pinned ? ", pinned" : "");
	log_note("meter    %s", meter_describe(job->meter));
	log_note("plan     %lld epochs, batch %lld, loss %s, %s with rate "
		 "%g%s, momentum %g, seed %lld",
		 (long long)job->config->epochs, (long long)job->config->batch,
		 loss_name(job->loss), sgd_name(job->sgd.method),
		 (double)job->sgd.rate, job->config->decay ? " falling" : "",
		 (double)job->sgd.momentum,
		 (long long)job->config->shared.seed);
}

/* ---- results ------------------------------------------------------------------- */

static bool has_joules(const struct energy *energy)
{
	return isfinite(energy->joules);
}

static void doc_set_energy(struct doc *doc, const struct energy *energy,
			   const struct meter *meter)
{
	if (!has_joules(energy))
		return;
	doc_set_real(doc, "energy_j", energy->joules);
	doc_set_real(doc, "energy_sigma_j", energy->sigma_j);
	doc_set_bounds(doc, "meter95", energy->scale_lo * energy->joules,
		       energy->scale_hi * energy->joules);
	doc_set_int(doc, "source", energy->source);
	doc_set_text(doc, "meter", meter_spec(meter));
}

static void print_doc(struct doc *doc)
{
	char *line = doc_to_text(doc);

	puts(line);
	fflush(stdout);
	free(line);
	doc_free(doc);
}

static void print_epoch(const struct train_job *job)
{
	const struct training_epoch *epoch = &job->last;
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", "fedwatts.train-epoch/1");
	doc_set_int(doc, "epoch", (int64_t)epoch->number);
	doc_set_real(doc, "train_loss", epoch->train_loss);
	doc_set_real(doc, "loss", epoch->loss);
	doc_set_real(doc, "accuracy", epoch->accuracy);
	doc_set_real(doc, "seconds", epoch->seconds);
	doc_set_energy(doc, &epoch->energy, job->meter);
	print_doc(doc);
}

/* A float as it was written, 0.1 and not 0.10000000149. */
static double shown(float value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.7g", (double)value);
	return strtod(text, NULL);
}

struct doc *train_run_doc(const struct train_job *job)
{
	const struct train_config *config = job->config;
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "model", job->spec.text);
	doc_set_text(doc, "data", job->set->name);
	doc_set_int(doc, "batch", config->batch);
	doc_set_text(doc, "precision", config->precision);
	doc_set_text(doc, "loss_function", loss_name(job->loss));
	doc_set_text(doc, "optimizer",
		     job->sgd.method == SGD_PLAIN && job->sgd.momentum > 0.0f
			     ? "momentum"
			     : sgd_name(job->sgd.method));
	doc_set_real(doc, "rate", shown(job->sgd.rate));
	doc_set_text(doc, "decay", train_decays[config->decay]);
	doc_set_real(doc, "momentum", shown(job->sgd.momentum));
	doc_set_real(doc, "weight_decay", config->weight_decay);
	doc_set_real(doc, "clip", config->clip);
	doc_set_real(doc, "warmup", config->warmup);
	doc_set_text(doc, "backends", job->compute.backends);
	doc_set_int(doc, "seed", config->shared.seed);
	return doc;
}

static void print_summary(const struct train_job *job)
{
	struct doc *doc = doc_new_object();
	const struct doc *value;
	const char *key;

	doc_set_text(doc, "schema", "fedwatts.train/1");
	for (size_t i = 0; (key = doc_key_at(job->run, i, &value)); i++)
		doc_set_take(doc, key, doc_copy(value));
	doc_set_int(doc, "parameters", (int64_t)net_parameters(job->net));
	doc_set_text(doc, "instructions",
		     precision_instructions(&job->precision));
	doc_set_bool(doc, "saves_energy", precision_saves(&job->precision));
	doc_set_int(doc, "threads", (int64_t)mat_threads(job->compute.mat));
	doc_set_int(doc, "epochs", (int64_t)job->last.number);
	doc_set_real(doc, "accuracy", job->last.accuracy);
	doc_set_real(doc, "loss", job->last.loss);
	doc_set_real(doc, "train_loss", job->last.train_loss);
	doc_set_real(doc, "seconds", job->seconds);
	doc_set_energy(doc, &job->energy, job->meter);
	print_doc(doc);
}

/* "95.1 J ± 1.2 J, estimated (class 7, −50/+100 %)" */
static const char *joules_text(const struct energy *energy, char *out,
			       size_t size)
{
	char joules[QUANTITY_TEXT_MAX], sigma[QUANTITY_TEXT_MAX];
	char label[ENERGY_LABEL_MAX];

	if (!has_joules(energy)) {
		snprintf(out, size, "no joules (no meter)");
		return out;
	}
	snprintf(out, size, "%s ± %s, %s",
		 quantity_text(energy->joules, QUANTITY_JOULES, joules),
		 quantity_text(energy->sigma_j, QUANTITY_JOULES, sigma),
		 energy_label(energy->source, energy->scale_lo,
			      energy->scale_hi, label));
	return out;
}

static void note_epoch(const struct train_job *job)
{
	const struct training_epoch *epoch = &job->last;
	char seconds[QUANTITY_TEXT_MAX],
		joules[QUANTITY_TEXT_MAX] = "no joules";
	bool some = has_joules(&epoch->energy);

	quantity_text(epoch->seconds, QUANTITY_SECONDS, seconds);
	if (some)
		quantity_text(epoch->energy.joules, QUANTITY_JOULES, joules);
	log_note(" epoch %zu/%lld  loss %.4f  test loss %.4f  accuracy %.4f  "
		 "%s  %s%s",
		 epoch->number, (long long)job->config->epochs,
		 epoch->train_loss, epoch->loss, epoch->accuracy, seconds,
		 joules,
		 some && epoch->energy.source >= ENERGY_CALIBRATED
			 ? " estimated"
			 : "");
}

static void puts_summary(const struct train_job *job)
{
	char seconds[QUANTITY_TEXT_MAX], joules[256];

	quantity_text(job->seconds, QUANTITY_SECONDS, seconds);
	printf("accuracy %.4f, loss %.4f after %zu epochs, trained in %s with "
	       "%s\n",
	       job->last.accuracy, job->last.loss, job->last.number, seconds,
	       joules_text(&job->energy, joules, sizeof(joules)));
}

void train_say_resumed(const struct train_job *job, bool same)
{
	const char *path = job->config->checkpoint;
	size_t epochs, samples = training_position(job->training);

	(void)training_curve(job->training, &epochs);
	if (epochs == (size_t)job->config->epochs)
		log_note("complete %s: nothing left to do", path);
	else
		log_note("resumed  %s: after %zu of %lld epochs and %zu "
			 "samples of the next",
			 path, epochs, (long long)job->config->epochs, samples);
	if (!same)
		log_warn("train",
			 "%s was written on other kernels than %s: from here "
			 "on bits may differ from those of one run",
			 path, mat_describe());
}

void train_say_stopped(const struct train_job *job)
{
	const char *path = job->config->checkpoint;

	if (path)
		log_note("stopped  in epoch %zu; the same command goes on "
			 "from %s",
			 job->last.number + 1, path);
	else
		log_note("stopped  after epoch %zu; the same command starts "
			 "anew (--checkpoint FILE goes on)",
			 job->last.number);
}

void train_say_epoch(const struct train_job *job)
{
	note_epoch(job);
	if (job->config->shared.json)
		print_epoch(job);
}

void train_say_summary(const struct train_job *job)
{
	if (job->config->shared.json)
		print_summary(job);
	else
		puts_summary(job);
}
