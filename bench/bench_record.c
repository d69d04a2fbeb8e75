/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/bench_record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/plan.h"
#include "bench/probe.h"

static void put_energy(const struct bench_record *record, struct doc *doc)
{
	const struct energy *energy = &record->energy;

	doc_set_real(doc, "energy_j", energy->joules);
	doc_set_real(doc, "energy_sigma_j", energy->sigma_j);
	if (record->has_net) {
		doc_set_real(doc, "energy_net_j", record->net_j);
		doc_set_real(doc, "energy_net_sigma_j", record->net_sigma_j);
		doc_set_text(doc, "idle_policy", "none");
	}
	doc_set_int(doc, "source", energy->source);
	doc_set_text(doc, "meter", record->meter);
	doc_set_bounds(doc, "meter_scale", energy->scale_lo, energy->scale_hi);
}

struct doc *bench_record_to_doc(const struct bench_record *record)
{
	struct doc *doc = doc_new_object();
	struct doc *flags = doc_new_array();
	size_t parameters = net_spec_parameters(&record->config.model);

	doc_set_text(doc, "schema", BENCH_RECORD_SCHEMA);
	doc_set_text(doc, "run", record->run);
	doc_set_text(doc, "device", record->device);
	doc_set_int(doc, "time_ms", record->time_ms);
	doc_set_int(doc, "block", (int64_t)record->block);
	doc_set_int(doc, "position", (int64_t)record->position);
	step_config_put(&record->config, doc);
	if (record->instructions[0])
		doc_set_text(doc, "instructions", record->instructions);
	doc_set_int(doc, "parameters", (int64_t)parameters);
	doc_set_int(doc, "steps", (int64_t)record->steps);
	doc_set_int(doc, "samples",
		    (int64_t)(record->steps * record->config.batch));
	doc_set_real(doc, "seconds", record->seconds);
	if (record->reference_s > 0) {
		doc_set_real(doc, "reference_s", record->reference_s);
		doc_set_int(doc, "references", (int64_t)record->references);
	}
	if (record->again)
		doc_set_bool(doc, "again", true);
	if (record->has_energy)
		put_energy(record, doc);
	doc_set_real(doc, "loss_value", record->loss_value);
	for (size_t i = 0; probe_flag_name(i); i++)
		if (record->flags & 1u << i)
			doc_add_take(flags, doc_new_text(probe_flag_name(i)));
	doc_set_take(doc, "flags", flags);
	return doc;
}

/* A number that must be there, finite, and above (or at) a bound. */
static int need_above(const struct doc *doc, const char *key, double bound,
		      bool strictly, double *value, struct err *err)
{
	if (doc_need_real(doc, key, value, err) < 0)
		return -1;
	if (isfinite(*value) && (strictly ? *value > bound : *value >= bound))
		return 0;
	return err_set(err, EINVAL, "%s: %g is not possible", key, *value);
}

static int need_count(const struct doc *doc, const char *key, int64_t min,
		      int64_t max, int64_t *value, struct err *err)
{
	if (doc_need_int(doc, key, value, err) < 0)
		return -1;
	if (*value >= min && *value <= max)
		return 0;
	return err_set(err, EINVAL, "%s: %lld is not possible", key,
		       (long long)*value);
}

static int need_name(const struct doc *doc, const char *key, char *out,
		     size_t size, struct err *err)
{
	const char *text;

	if (doc_need_text(doc, key, &text, err) < 0)
		return -1;
	if (!*text || strlen(text) >= size)
		return err_set(err, EINVAL, "%s: must have 1 to %zu characters",
			       key, size - 1);
	snprintf(out, size, "%s", text);
	return 0;
}

static int read_scale(const struct doc *doc, struct energy *energy,
		      struct err *err)
{
	const struct doc *scale = doc_get(doc, "meter_scale");

	energy->scale_lo = 1;
	energy->scale_hi = 1;
	if (!scale)
		return 0;
	energy->scale_lo = doc_real(doc_at(scale, 0), (double)NAN);
	energy->scale_hi = doc_real(doc_at(scale, 1), (double)NAN);
	if (energy->scale_lo > 0 && energy->scale_hi >= energy->scale_lo)
		return 0;
	return err_set(err, EINVAL,
		       "meter_scale: expected two numbers, the "
		       "smaller first");
}

static int read_net(const struct doc *doc, struct bench_record *record,
		    struct err *err)
{
	record->has_net = doc_get(doc, "energy_net_j") != NULL;
	if (!record->has_net)
		return 0;
	if (need_above(doc, "energy_net_j", -(double)INFINITY, true,
		       &record->net_j, err) < 0)
		return -1;
	return need_above(doc, "energy_net_sigma_j", 0, false,
			  &record->net_sigma_j, err);
}

static int read_energy(const struct doc *doc, struct bench_record *record,
		       struct err *err)
{
	struct energy *energy = &record->energy;
	int64_t source;

	record->has_energy = doc_get(doc, "energy_j") != NULL;
	if (!record->has_energy)
		return 0;
	if (need_above(doc, "energy_j", 0, false, &energy->joules, err) < 0 ||
	    need_above(doc, "energy_sigma_j", 0, false, &energy->sigma_j, err) <
		    0 ||
	    need_count(doc, "source", 0, ENERGY_UNKNOWN, &source, err) < 0 ||
	    need_name(doc, "meter", record->meter, sizeof(record->meter), err) <
		    0 ||
	    read_scale(doc, energy, err) < 0)
		return -1;
	energy->source = (enum energy_source)source;
	return read_net(doc, record, err);
}

static void read_flag(const char *name, struct bench_record *record)
{
	for (size_t i = 0; probe_flag_name(i); i++) {
		if (!strcmp(name, probe_flag_name(i))) {
			record->flags |= 1u << i;
			return;
		}
	}
	record->other_flags++;
}

static int read_reference(const struct doc *doc, struct bench_record *record,
			  struct err *err)
{
	int64_t references;

	if (!doc_get(doc, "reference_s"))
		return 0;
	if (need_above(doc, "reference_s", 0, true, &record->reference_s, err) <
		    0 ||
	    need_count(doc, "references", 1, INT64_MAX, &references, err) < 0)
		return -1;
	record->references = (uint64_t)references;
	return 0;
}

/* Older records do not say. */
static int read_instructions(const struct doc *doc, struct bench_record *record,
			     struct err *err)
{
	if (!doc_get(doc, "instructions"))
		return 0;
	return need_name(doc, "instructions", record->instructions,
			 sizeof(record->instructions), err);
}

static int read_window(const struct doc *doc, struct bench_record *record,
		       struct err *err)
{
	const struct doc *flags;
	int64_t block, position, steps;

	if (need_count(doc, "time_ms", 0, INT64_MAX, &record->time_ms, err) <
		    0 ||
	    need_count(doc, "block", 0, 2 * PLAN_BLOCKS_MAX, &block, err) < 0 ||
	    need_count(doc, "position", 0, PLAN_CONFIGS_MAX, &position, err) <
		    0 ||
	    need_count(doc, "steps", 1, INT64_MAX / STEP_BATCH_MAX, &steps,
		       err) < 0 ||
	    need_above(doc, "seconds", 0, true, &record->seconds, err) < 0 ||
	    doc_need_array(doc, "flags", &flags, err) < 0)
		return -1;
	record->block = (size_t)block;
	record->position = (size_t)position;
	record->steps = (uint64_t)steps;
	record->again = doc_bool(doc_get(doc, "again"), false);
	record->loss_value = doc_real(doc_get(doc, "loss_value"), (double)NAN);
	for (size_t i = 0; i < doc_count(flags); i++)
		read_flag(doc_string(doc_at(flags, i), ""), record);
	return 0;
}

int bench_record_read(const struct doc *doc, struct bench_record *record,
		      struct err *err)
{
	struct bench_record made = { 0 };

	if (!doc_is_schema(doc, BENCH_RECORD_SCHEMA))
		return err_set(err, EINVAL,
			       "not a %s document (records come from bench "
			       "sweep)",
			       BENCH_RECORD_SCHEMA);
	if (need_name(doc, "run", made.run, sizeof(made.run), err) < 0 ||
	    need_name(doc, "device", made.device, sizeof(made.device), err) <
		    0 ||
	    step_config_read(doc, &made.config, err) < 0 ||
	    read_instructions(doc, &made, err) < 0 ||
	    read_window(doc, &made, err) < 0 ||
	    read_reference(doc, &made, err) < 0 ||
	    read_energy(doc, &made, err) < 0)
		return -1;
	*record = made;
	return 0;
}
