/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "bench/probe.h"
#include "bench/sweep_data.h"
#include "bench/sweep_ledger.h"
#include "bench/sweep_work.h"
#include "lib/cli.h"
#include "lib/mem.h"
#include "lib/progress.h"
#include "lib/quantity.h"
#include "lib/source.h"

#define FLAGS_MAX      32
#define BLOCK_TEXT_MAX 64

/* Stands for flags of records that we have no name for. */
#define OTHER_FLAG (1u << (FLAGS_MAX - 1))

struct sweep {
	const struct plan *plan;
	const char *run, *device;
	struct sweep_data *data;
	struct meter *const *meter;
	size_t meters;
	struct probe *probe;
	struct sweep_ledger *ledger;
	size_t found;
	char found_meter[128];   /* of the first record found */
	size_t windows, records; /* measured in this session */
	size_t flagged, by_flag[FLAGS_MAX];
	/* the idle power of the block at hand */
	bool has_idle;
	double idle_w[PROBE_METERS_MAX], idle_sigma_w[PROBE_METERS_MAX];
};

static size_t batch_max(const struct plan *plan)
{
	size_t max = 1;

	for (size_t i = 0; i < plan->configs; i++)
		if (plan->config[i].batch > max)
			max = plan->config[i].batch;
	return max;
}

struct sweep *sweep_new(const struct plan *plan, const char *data,
			const char *run, const char *device)
{
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->plan = plan;
	sweep->run = run;
	sweep->device = device;
	sweep->data = sweep_data_new(data, plan->seed, batch_max(plan));
	sweep->ledger =
		sweep_ledger_new(plan->configs, plan->blocks, plan->retries);
	return sweep;
}

void sweep_free(struct sweep *sweep)
{
	if (!sweep)
		return;
	probe_close(sweep->probe);
	sweep_data_free(sweep->data);
	sweep_ledger_free(sweep->ledger);
	free(sweep);
}

int sweep_check_data(struct sweep *sweep, struct err *err)
{
	const struct plan *plan = sweep->plan;
	const struct dataset *set;

	if (!sweep_data_is_real(sweep->data))
		return 0;
	for (size_t i = 0; i < plan->configs; i++) {
		set = sweep_data_for(sweep->data, &plan->config[i].model, err);
		if (!set)
			return -1;
		if (set->train.samples < plan->config[i].batch)
			return err_set(err, EINVAL,
				       "batch %zu: %s has only %zu samples",
				       plan->config[i].batch, set->name,
				       set->train.samples);
	}
	return 0;
}

/* ---- resuming -------------------------------------------------------------*/

static size_t config_index(const struct plan *plan,
			   const struct step_config *config)
{
	for (size_t i = 0; i < plan->configs; i++)
		if (step_config_same(&plan->config[i], config))
			return i;
	return plan->configs;
}

static int take_record(struct sweep *sweep, const struct doc *doc,
		       struct err *err)
{
	const struct plan *plan = sweep->plan;
	struct bench_record record;
	size_t index;

	if (bench_record_read(doc, &record, err) < 0)
		return -1;
	if (strcmp(record.run, sweep->run) != 0)
		return err_set(err, EEXIST,
			       "holds records of another plan (run %s, this is "
			       "%s)",
			       record.run, sweep->run);
	if (strcmp(record.device, sweep->device) != 0)
		return err_set(err, EEXIST,
			       "holds records of another device (%s, this is "
			       "%s)",
			       record.device, sweep->device);
	if (!sweep->found_meter[0])
		snprintf(sweep->found_meter, sizeof(sweep->found_meter), "%s",
			 record.meter);
	index = config_index(plan, &record.config);
	if (index < plan->configs) /* or else it is of more than asked for */
		sweep_ledger_put(sweep->ledger, record.block, index,
				 record.flags |
					 (record.other_flags ? OTHER_FLAG : 0),
				 record.reference_s);
	return 0;
}

int sweep_resume(struct sweep *sweep, const char *file, struct err *err)
{
	char *uri = xasprintf("jsonl:%s", file);
	struct source *source = source_open(uri, NULL, err);
	struct doc *doc;
	int got = -1;

	free(uri);
	if (!source)
		return -1;
	while ((got = source_next(source, &doc, err)) > 0) {
		got = take_record(sweep, doc, err);
		doc_free(doc);
		if (got < 0) {
			err_wrap(err, "%s", source_where(source));
			break;
		}
	}
	source_close(source);
	sweep->found = sweep_ledger_count(sweep->ledger).windows;
	return got;
}

int sweep_meters(struct sweep *sweep, struct meter *const *meter, size_t meters,
		 struct err *err)
{
	bool known = !sweep->found_meter[0];

	for (size_t i = 0; i < meters; i++)
		known |= !strcmp(sweep->found_meter, meter_spec(meter[i]));
	if (!known)
		return err_set(err, EINVAL,
			       "the records found were measured with meter "
			       "%s, which is not in use now",
			       sweep->found_meter);
	sweep->meter = meter;
	sweep->meters = meters;
	sweep->probe = probe_open(meter, meters, NULL, err);
	return sweep->probe ? 0 : -1;
}

size_t sweep_windows(const struct sweep *sweep)
{
	return sweep->found + sweep->windows + sweep_left(sweep);
}

size_t sweep_left(const struct sweep *sweep)
{
	return sweep_ledger_left(sweep->ledger);
}

size_t sweep_found(const struct sweep *sweep)
{
	return sweep->found;
}

size_t sweep_records(const struct sweep *sweep)
{
	return sweep->records;
}

const struct sweep_ledger *sweep_ledger(const struct sweep *sweep)
{
	return sweep->ledger;
}

size_t sweep_flagged(const struct sweep *sweep, size_t index)
{
	return index < FLAGS_MAX ? sweep->by_flag[index] : sweep->flagged;
}

/* ---- one window -----------------------------------------------------------*/

static int measure(struct sweep *sweep, struct sweep_work *work,
		   struct probe_window *window, struct err *err)
{
	bool warm = sweep_work_warm_up(work, sweep->plan->warmup_s);

	if (probe_begin(sweep->probe, sweep->plan->window_s, err) < 0)
		return -1;
	while (probe_goes_on(sweep->probe))
		sweep_work_step(work);
	if (probe_end(sweep->probe, window, err) < 0)
		return -1;
	if (!warm)
		window->flags |= PROBE_COLD;
	return 0;
}

/* The energy without what the machine used at rest before the block. */
static void set_net(const struct sweep *sweep, size_t meter,
		    struct bench_record *record)
{
	record->has_net = sweep->has_idle;
	record->net_j =
		record->energy.joules - sweep->idle_w[meter] * record->seconds;
	record->net_sigma_j =
		hypot(record->energy.sigma_j,
		      sweep->idle_sigma_w[meter] * record->seconds);
}

static int put_records(struct sweep *sweep, struct bench_record *record,
		       const struct probe_window *window, struct sink *sink,
		       struct err *err)
{
	size_t i = 0;

	do {
		record->has_energy =
			sweep->meters > 0 && meter_domains(sweep->meter[i]) > 0;
		if (record->has_energy) {
			record->energy = window->energy[i];
			snprintf(record->meter, sizeof(record->meter), "%s",
				 meter_spec(sweep->meter[i]));
			set_net(sweep, i, record);
		}
		struct doc *doc = bench_record_to_doc(record);
		int failed = sink_put_doc(sink, doc, err);

		doc_free(doc);
		if (failed)
			return -1;
		sweep->records++;
	} while (++i < sweep->meters);
	return 0;
}

static void count_flags(struct sweep *sweep, unsigned int flags)
{
	sweep->flagged += flags != 0;
	for (size_t i = 0; i < FLAGS_MAX; i++)
		sweep->by_flag[i] += flags >> i & 1u;
}

static void set_instructions(struct bench_record *record)
{
	struct precision precision;

	if (precision_parse(record->config.precision, &precision, NULL) == 0)
		snprintf(record->instructions, sizeof(record->instructions),
			 "%s", precision_instructions(&precision));
}

/* A net trained for a window, and what that was like. */
static int work_run(struct sweep *sweep, const struct step_config *config,
		    const struct mat *mat, struct bench_record *record,
		    struct probe_window *window, struct err *err)
{
	struct sweep_work *work;
	int failed;

	work = sweep_work_new(sweep->data, config, mat, sweep->plan->seed, err);
	if (!work)
		return -1;
	failed = measure(sweep, work, window, err);
	if (!failed)
		*record = (struct bench_record){
			.time_ms = window->time_ms,
			.config = *config,
			.steps = window->steps,
			.seconds = window->seconds,
			.reference_s = window->reference_s,
			.references = window->references,
			.loss_value = sweep_work_loss(work),
			.flags = window->flags,
		};
	sweep_work_free(work);
	return failed;
}

static int window_run(struct sweep *sweep, size_t block, size_t position,
		      size_t index, const struct mat *mat, struct sink *sink,
		      struct bench_record *record, struct err *err)
{
	const struct step_config *config = &sweep->plan->config[index];
	char text[STEP_CONFIG_TEXT_MAX];
	struct probe_window window;

	if (work_run(sweep, config, mat, record, &window, err) < 0)
		return err_wrap(err, "%s", step_config_text(config, text));
	set_instructions(record);
	record->block = block;
	record->again = block >= sweep->plan->blocks;
	record->position = position;
	snprintf(record->run, sizeof(record->run), "%s", sweep->run);
	snprintf(record->device, sizeof(record->device), "%s", sweep->device);
	if (put_records(sweep, record, &window, sink, err) < 0)
		return -1;
	count_flags(sweep, window.flags);
	sweep_ledger_put(sweep->ledger, block, index, window.flags,
			 window.reference_s);
	sweep->windows++;
	return 0;
}

/* ---- blocks ---------------------------------------------------------------*/

/* "block 3/5", or "extra block 1/2" where disturbed windows are measured
 * again. */
static const char *block_text(const struct sweep *sweep, size_t block,
			      char out[static BLOCK_TEXT_MAX])
{
	const struct plan *plan = sweep->plan;

	if (block < plan->blocks)
		snprintf(out, BLOCK_TEXT_MAX, "block %zu/%zu", block + 1,
			 plan->blocks);
	else
		snprintf(out, BLOCK_TEXT_MAX, "extra block %zu/%zu",
			 block - plan->blocks + 1, plan->retries);
	return out;
}

static double share_done(const struct sweep *sweep)
{
	return 1.0 - (double)sweep_left(sweep) / (double)sweep_windows(sweep);
}

static void show(const struct sweep *sweep, struct progress *progress,
		 const struct bench_record *record)
{
	double steps = (double)record->steps;
	char text[STEP_CONFIG_TEXT_MAX], ms[QUANTITY_TEXT_MAX],
		mj[QUANTITY_TEXT_MAX] = "", block[BLOCK_TEXT_MAX];

	quantity_text(record->seconds / steps, QUANTITY_SECONDS, ms);
	if (record->has_energy)
		quantity_text(record->energy.joules / steps, QUANTITY_JOULES,
			      mj);
	progress_show(progress, share_done(sweep), "%s  %s   %s/step%s%s%s",
		      block_text(sweep, record->block, block),
		      step_config_text(&record->config, text), ms,
		      *mj ? "   " : "", mj, *mj ? "/step" : "");
}

static int rest(struct sweep *sweep, struct err *err)
{
	struct probe_window window;

	sweep->has_idle = sweep->plan->idle_s > 0;
	if (!sweep->has_idle)
		return 0;
	if (probe_idle(sweep->probe, sweep->plan->idle_s, &window, err) < 0)
		return -1;
	for (size_t i = 0; i < sweep->meters; i++) {
		sweep->idle_w[i] = window.energy[i].joules / window.seconds;
		sweep->idle_sigma_w[i] =
			window.energy[i].sigma_j / window.seconds;
	}
	return 0;
}

static bool block_is_done(const struct sweep *sweep, size_t block)
{
	for (size_t i = 0; i < sweep->plan->configs; i++)
		if (sweep_ledger_wants(sweep->ledger, block, i))
			return false;
	return true;
}

static void tell_block(const struct sweep *sweep, struct progress *progress,
		       size_t block, size_t flagged_before)
{
	char idle[QUANTITY_TEXT_MAX + 16] = "";
	char watts[QUANTITY_TEXT_MAX], text[BLOCK_TEXT_MAX];

	if (sweep->has_idle && sweep->meters)
		snprintf(
			idle, sizeof(idle), ", idle %s",
			quantity_text(sweep->idle_w[0], QUANTITY_WATTS, watts));
	progress_part(progress, "%s done: %zu windows left, %zu flagged%s",
		      block_text(sweep, block, text), sweep_left(sweep),
		      sweep->flagged - flagged_before, idle);
}

/* One block in its order; 1 when a signal asked to stop. */
static int block_run(struct sweep *sweep, size_t block, const size_t *order,
		     const struct mat *mat, struct sink *sink,
		     struct progress *progress, struct err *err)
{
	size_t flagged = sweep->flagged;
	struct bench_record record = { 0 };

	if (rest(sweep, err) < 0)
		return -1;
	for (size_t i = 0; i < sweep->plan->configs; i++) {
		if (!sweep_ledger_wants(sweep->ledger, block, order[i]))
			continue;
		if (cli_stop_signal())
			return 1;
		if (window_run(sweep, block, i, order[i], mat, sink, &record,
			       err) < 0)
			return -1;
		show(sweep, progress, &record);
	}
	tell_block(sweep, progress, block, flagged);
	return 0;
}

int sweep_run(struct sweep *sweep, const struct mat *mat, struct sink *sink,
	      struct err *err)
{
	size_t *order = xcalloc(sweep->plan->configs, sizeof(*order));
	size_t blocks = sweep->plan->blocks + sweep->plan->retries;
	struct progress *progress = progress_new();
	int result = 0;

	progress_show(progress, share_done(sweep), "resting");
	for (size_t block = 0; !result && block < blocks; block++) {
		if (block_is_done(sweep, block))
			continue;
		plan_order(sweep->plan, block, order);
		result = block_run(sweep, block, order, mat, sink, progress,
				   err);
	}
	progress_free(progress);
	free(order);
	return result < 0 ? -1 : sink_flush(sink, err);
}
