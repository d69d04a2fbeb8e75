/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_commands.h"
#include "bench/compute.h"
#include "bench/dataset.h"
#include "bench/mat.h"
#include "bench/net.h"
#include "bench/training.h"
#include "lib/doc.h"
#include "lib/log.h"
#include "lib/progress.h"
#include "lib/quantity.h"
#include "sensor/meter.h"

struct train_config {
	struct cli_shared shared;
	char *model, *data, *loss, *optimizer, *precision, *meter;
	int64_t batch, epochs;
	double rate, momentum, weight_decay, clip, warmup;
	int decay;
	struct compute_settings compute;
};

static const char *const decays[] = { "none", "cosine", "step", NULL };

/* clang-format off */
static const struct field train_fields[] = {
	{ "model", FIELD_TEXT, offsetof(struct train_config, model),
	  .value = "MODEL",
	  .help = "what to train: mlp:784-256-256-10, cnn:…, rnn:…, lenet5 …" },
	{ "data", FIELD_TEXT, offsetof(struct train_config, data),
	  .value = "SET",
	  .help = "fashion-mnist, idx:DIR, csv:FILE or synthetic:NxDxC" },
	{ "batch", FIELD_INT, offsetof(struct train_config, batch),
	  .initial = "32", .min = 1, .max = 65536, .value = "N",
	  .help = "samples per step" },
	{ "epochs", FIELD_INT, offsetof(struct train_config, epochs),
	  .initial = "10", .min = 1, .max = 100000, .value = "N",
	  .help = "passes over the training samples" },
	{ "optimizer", FIELD_TEXT, offsetof(struct train_config, optimizer),
	  .initial = "sgd", .value = "O", .help = SGD_NAMES },
	{ "rate", FIELD_REAL, offsetof(struct train_config, rate),
	  .initial = "0.1", .min = 1e-9, .max = 1e3, .value = "R",
	  .help = "learning rate at its highest (0.001 for adam, adamw)" },
	{ "momentum", FIELD_REAL, offsetof(struct train_config, momentum),
	  .initial = "0", .min = 0, .max = 0.9999, .value = "M",
	  .help = "of the gradient (0.9 but for sgd)" },
	{ "weight-decay", FIELD_REAL,
	  offsetof(struct train_config, weight_decay), .initial = "0",
	  .min = 0, .max = 10, .value = "L",
	  .help = "how strongly weights are drawn to 0" },
	{ "clip", FIELD_REAL, offsetof(struct train_config, clip),
	  .initial = "0", .min = 0, .max = 1e9, .value = "N",
	  .help = "largest norm of a gradient (0: any)" },
	{ "warmup", FIELD_REAL, offsetof(struct train_config, warmup),
	  .initial = "0", .min = 0, .max = 1, .value = "W",
	  .help = "share of the run in which the rate rises" },
	{ "decay", FIELD_CHOICE, offsetof(struct train_config, decay),
	  .initial = "cosine", .choices = decays, .value = "D",
	  .help = "how the rate falls: cosine (to 0), step, none" },
	{ "loss", FIELD_TEXT, offsetof(struct train_config, loss),
	  .initial = "ce", .value = "LOSS",
	  .help = LOSS_NAMES },
	{ "precision", FIELD_TEXT, offsetof(struct train_config, precision),
	  .initial = "fp32", .value = "PRECISION",
	  .help = "fp32, bf16, int8, fp16, fake-intN" },
	{ "meter", FIELD_TEXT, offsetof(struct train_config, meter),
	  .initial = "auto", .value = "M",
	  .help = "where joules come from (bench doctor lists them)" },
	COMPUTE_FIELDS(train_config, compute),
	CLI_SHARED(train_config),
	FIELD_END
};
/* clang-format on */

static const char train_about[] =
	"Trains a model; says after each epoch how well it does on the test "
	"part, and\n"
	"what the training took in seconds and joules (evaluation is not "
	"counted).  The\n"
	"same seed gives the same model, bit for bit, on the same machine, "
	"whatever\n"
	"--threads.\n"
	"\n"
	"With --json each epoch is a line on stdout; the last line is the "
	"summary.\n"
	"\n"
	"Examples:\n"
	"  bench train --model mlp:784-256-256-10 --data fashion-mnist\n"
	"  bench train --model cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10 \\\n"
	"    --data fashion-mnist --precision bf16 --epochs 5\n"
	"  bench train --model softmax:20-4 --data synthetic:5000x20x4\n"
	"  bench train --model mlp:13-32-2 --data csv:heart.csv --json\n"
	"with 13 features, then the class, in each row of heart.csv.";

/* All that a run needs, and what it added up. */
struct job {
	const struct train_config *config;
	struct net_spec spec;
	enum loss loss;
	struct precision precision;
	struct sgd sgd;
	struct dataset *set;
	struct net *net;
	struct compute compute;
	struct meter *meter;
	struct progress *progress;
	struct training_epoch last;
	double seconds;
	struct energy energy;
};

/* ---- before ------------------------------------------------------------------ */

static int usage_check(const struct train_config *config, struct job *job,
		       struct err *err)
{
	if (!config->model || !config->data)
		return err_set(err, EINVAL,
			       "--model and --data are needed, for example "
			       "--model mlp:784-256-256-10 --data "
			       "fashion-mnist");
	if (net_spec_parse(config->model, &job->spec, err) < 0 ||
	    loss_parse(config->loss, &job->loss, err) < 0 ||
	    loss_fits(job->loss, job->spec.width[job->spec.layers], err) < 0 ||
	    sgd_parse(config->optimizer, &job->sgd.method, err) < 0 ||
	    precision_parse(config->precision, &job->precision, err) < 0)
		return -1;
	if (job->loss == LOSS_COX)
		return err_set(err, EINVAL,
			       "loss cox: no data set has times of events yet");
	return 0;
}

/* What was not given follows the method. */
static void sgd_fill(const struct train_config *config,
		     const struct config *given, struct sgd *sgd)
{
	bool adam = sgd->method >= SGD_ADAM;

	sgd->rate = (float)config->rate;
	sgd->momentum = (float)config->momentum;
	sgd->decay = (float)config->weight_decay;
	sgd->clip = (float)config->clip;
	sgd->second = 0.999f;
	if (adam && !config_given(given, "rate"))
		sgd->rate = 0.001f;
	if (sgd->method != SGD_PLAIN && !config_given(given, "momentum"))
		sgd->momentum = 0.9f;
}

static int job_open(struct job *job, struct err *err)
{
	const struct train_config *config = job->config;
	struct rng rng;

	if (compute_open(&job->compute, &config->compute,
			 config->shared.threads, err) < 0)
		return -1;
	job->set =
		dataset_open(config->data, (uint64_t)config->shared.seed, err);
	if (!job->set || training_fits(&job->spec, job->set, err) < 0)
		return -1;
	job->net = net_new_in(job->precision, &job->spec, job->loss,
			      (size_t)config->batch, job->compute.mat, err);
	if (!job->net)
		return -1;
	rng = rng_stream((uint64_t)config->shared.seed, "weights", 0, 0);
	net_init(job->net, &rng);
	job->meter = meter_open(config->meter, err);
	return job->meter ? 0 : -1;
}

static void job_close(struct job *job)
{
	progress_free(job->progress);
	meter_close(job->meter);
	net_free(job->net);
	compute_close(&job->compute);
	dataset_free(job->set);
}

static void say_start(const struct job *job)
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

static void print_epoch(const struct job *job)
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

static void print_summary(const struct job *job)
{
	const struct train_config *config = job->config;
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", "fedwatts.train/1");
	doc_set_text(doc, "model", job->spec.text);
	doc_set_int(doc, "parameters", (int64_t)net_parameters(job->net));
	doc_set_text(doc, "data", job->set->name);
	doc_set_int(doc, "batch", config->batch);
	doc_set_text(doc, "precision", config->precision);
	doc_set_text(doc, "instructions",
		     precision_instructions(&job->precision));
	doc_set_bool(doc, "saves_energy", precision_saves(&job->precision));
	doc_set_text(doc, "loss_function", loss_name(job->loss));
	doc_set_text(doc, "optimizer",
		     job->sgd.method == SGD_PLAIN && job->sgd.momentum > 0.0f
			     ? "momentum"
			     : sgd_name(job->sgd.method));
	doc_set_real(doc, "rate", shown(job->sgd.rate));
	doc_set_text(doc, "decay", decays[config->decay]);
	doc_set_real(doc, "momentum", shown(job->sgd.momentum));
	doc_set_real(doc, "weight_decay", config->weight_decay);
	doc_set_real(doc, "clip", config->clip);
	doc_set_real(doc, "warmup", config->warmup);
	doc_set_text(doc, "backends", job->compute.backends);
	doc_set_int(doc, "threads", (int64_t)mat_threads(job->compute.mat));
	doc_set_int(doc, "seed", config->shared.seed);
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

static void say_epoch(const struct job *job)
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

static void say_summary(const struct job *job)
{
	char seconds[QUANTITY_TEXT_MAX], joules[256];

	quantity_text(job->seconds, QUANTITY_SECONDS, seconds);
	printf("accuracy %.4f, loss %.4f after %zu epochs, trained in %s with "
	       "%s\n",
	       job->last.accuracy, job->last.loss, job->last.number, seconds,
	       joules_text(&job->energy, joules, sizeof(joules)));
}

/* ---- at work ------------------------------------------------------------------- */

static void show(void *self, size_t epoch, double done, double loss)
{
	struct job *job = self;

	progress_show(job->progress, done, "epoch %zu/%lld  loss %.3f", epoch,
		      (long long)job->config->epochs, loss);
}

static void epoch_done(struct job *job)
{
	energy_add(&job->energy, &job->last.energy);
	job->seconds += job->last.seconds;
	say_epoch(job);
	if (job->config->shared.json)
		print_epoch(job);
}

static int job_run(struct job *job, struct err *err)
{
	const struct train_config *config = job->config;
	struct training_plan plan = {
		.batch = (size_t)config->batch,
		.epochs = (size_t)config->epochs,
		.sgd = job->sgd,
		.schedule = (enum sgd_schedule)config->decay,
		.warm = config->warmup,
		.seed = (uint64_t)config->shared.seed,
		.progress = show,
		.self = job,
	};
	struct training *training =
		training_new(&plan, job->net, job->set, job->meter);
	int got;

	job->progress = progress_new();
	job->energy = (struct energy)ENERGY_NONE;
	while ((got = training_next(training, &job->last, err)) > 0)
		epoch_done(job);
	progress_wipe();
	training_free(training);
	return got;
}

static int job_finish(const struct job *job)
{
	if (!job->last.number) {
		log_note("stopped  before the first epoch was done");
		return cli_stop_status();
	}
	if (job->config->shared.json)
		print_summary(job);
	else
		say_summary(job);
	if (job->last.number == (size_t)job->config->epochs)
		return 0;
	log_note("stopped  after epoch %zu; the same command starts anew",
		 job->last.number);
	return cli_stop_status();
}

static int bench_train(struct cli *cli, void *values, struct err *err)
{
	struct job job = { .config = values };
	int status = -1;

	if (usage_check(values, &job, err) < 0)
		return CLI_USAGE;
	sgd_fill(values, &cli->config, &job.sgd);
	cli_stop_signal();
	if (job_open(&job, err) == 0) {
		say_start(&job);
		status = job_run(&job, err);
	}
	if (status == 0)
		status = job_finish(&job);
	job_close(&job);
	return status;
}

const struct cli_command bench_train_command = {
	.name = "train",
	.summary = "train a model, with accuracy and joules per epoch",
	.about = train_about,
	.fields = train_fields,
	.config_size = sizeof(struct train_config),
	.run = bench_train,
};
