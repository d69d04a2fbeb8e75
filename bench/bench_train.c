/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>

#include "bench/bench_commands.h"
#include "bench/mat.h"
#include "bench/bench_train_job.h"
#include "lib/log.h"

/* clang-format off */
static const struct field train_fields[] = {
	{ "model", FIELD_TEXT, offsetof(struct train_config, model),
	  .value = "MODEL",
	  .help = "what to train: mlp:784-256-256-10, cnn:…, rnn:…, lenet5 …" },
	{ "data", FIELD_TEXT, offsetof(struct train_config, data),
	  .value = "SET",
	  .help = "fashion-mnist, csv:FILE, npz:FILE, synthetic:NxDxC …" },
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
	  .initial = "cosine", .choices = train_decays, .value = "D",
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
	{ "checkpoint", FIELD_TEXT, offsetof(struct train_config, checkpoint),
	  .value = "FILE",
	  .help = "keep the run there, and go on where it ends" },
	CLI_FORCE(train_config, force),
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
	"With --checkpoint the same command goes on where the last one was "
	"stopped, and\n"
	"ends with the same bits as a run that was not.  It is written every "
	"30 s, at the\n"
	"end, and on SIGINT and SIGTERM.\n"
	"\n"
	"Examples:\n"
	"  bench train --model mlp:784-256-256-10 --data fashion-mnist\n"
	"  bench train --model cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10 \\\n"
	"    --data fashion-mnist --precision bf16 --epochs 5\n"
	"  bench train --model softmax:20-4 --data synthetic:5000x20x4\n"
	"  bench train --model mlp:784-256-256-10 --data fashion-mnist \\\n"
	"    --epochs 100 --checkpoint mlp.ckpt\n"
	"  bench train --model softmax:561-6 --data 'har:UCI HAR Dataset?test=0.3'\n"
	"  bench train --model mlp:13-32-2 --data csv:heart.csv.xz --json\n"
	"with 13 features, then the class, in each row of heart.csv.  bench(1) lists\n"
	"what a data set can be.";

/* ---- before ------------------------------------------------------------------ */

static int usage_check(const struct train_config *config, struct train_job *job,
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

static int job_open(struct train_job *job, struct err *err)
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

static void job_close(struct train_job *job)
{
	progress_free(job->progress);
	training_free(job->training);
	doc_free(job->run);
	meter_close(job->meter);
	net_free(job->net);
	compute_close(&job->compute);
	dataset_free(job->set);
}

/* ---- at work ------------------------------------------------------------------- */

static void show(void *self, size_t epoch, double done, double loss)
{
	struct train_job *job = self;

	progress_show(job->progress, done, "epoch %zu/%lld  loss %.3f", epoch,
		      (long long)job->config->epochs, loss);
}

static void epoch_done(struct train_job *job)
{
	energy_add(&job->energy, &job->last.energy);
	job->seconds += job->last.seconds;
	train_say_epoch(job);
}

/* The run, and how long it is meant to be: what a checkpoint must be of. */
static struct doc *kept_doc(const struct train_job *job)
{
	struct doc *doc = doc_copy(job->run);

	doc_set_int(doc, "epochs", job->config->epochs);
	doc_set_text(doc, "meter", meter_spec(job->meter));
	return doc;
}

static int save(void *self, struct err *err)
{
	struct train_job *job = self;
	const char *path = job->config->checkpoint;
	struct doc *kept;
	int rc;

	if (!path)
		return 0;
	kept = kept_doc(job);
	rc = training_save(job->training, kept, path,
			   job->resumed || job->config->force, err);
	doc_free(kept);
	job->resumed |= rc == 0;
	return rc;
}

static int load(struct train_job *job, struct err *err)
{
	const char *path = job->config->checkpoint;
	struct checkpoint *from = checkpoint_read(path, err);
	struct doc *kept;
	int rc;

	if (!from)
		return -1;
	kept = kept_doc(job);
	rc = training_load(job->training, kept, from, err);
	if (rc < 0)
		err_wrap(err, "checkpoint %s", path);
	else
		train_say_resumed(job, training_same_kernels(from));
	doc_free(kept);
	checkpoint_free(from);
	return rc;
}

/* What is there already counts as done, and is told again. */
static int resume(struct train_job *job, struct err *err)
{
	const struct train_config *config = job->config;
	const struct training_epoch *curve;
	size_t epochs;

	if (!config->checkpoint || config->force ||
	    access(config->checkpoint, F_OK) < 0)
		return 0;
	if (load(job, err) < 0)
		return -1;
	job->resumed = true;
	curve = training_curve(job->training, &epochs);
	for (size_t i = 0; i < epochs; i++) {
		job->last = curve[i];
		epoch_done(job);
	}
	return 0;
}

static void training_open(struct train_job *job)
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
		.save = config->checkpoint ? save : NULL,
		.self = job,
	};

	job->training = training_new(&plan, job->net, job->set, job->meter);
	job->progress = progress_new();
	job->energy = (struct energy)ENERGY_NONE;
}

static int job_run(struct train_job *job, struct err *err)
{
	size_t before;
	int got;

	training_open(job);
	/* A place that cannot be written to is told before the work. */
	if (resume(job, err) < 0 || (!job->resumed && save(job, err) < 0))
		return -1;
	before = job->last.number;
	while ((got = training_next(job->training, &job->last, err)) > 0)
		epoch_done(job);
	progress_wipe();
	if (got < 0 || before == (size_t)job->config->epochs)
		return got;
	return save(job, err);
}

static int job_finish(const struct train_job *job)
{
	bool whole = job->last.number == (size_t)job->config->epochs;

	if (job->last.number)
		train_say_summary(job);
	if (!whole)
		train_say_stopped(job);
	else if (job->config->checkpoint)
		log_note("kept     %s", job->config->checkpoint);
	return whole ? 0 : cli_stop_status();
}

static int bench_train(struct cli *cli, void *values, struct err *err)
{
	struct train_job job = { .config = values };
	int status = -1;

	if (usage_check(values, &job, err) < 0)
		return CLI_USAGE;
	sgd_fill(values, &cli->config, &job.sgd);
	cli_stop_signal();
	if (job_open(&job, err) == 0) {
		job.run = train_run_doc(&job);
		train_say_start(&job);
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
