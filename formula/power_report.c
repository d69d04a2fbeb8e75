/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/batch.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "sensor/power_layout.h"

struct power_reports {
	struct layout *layout;
	struct entry {
		const char *target;
		const struct tick_target *of; /* NULL: idle, unattributed */
		double watts, sigma;          /* of the model */
	} * entry;
	size_t entries, entry_capacity;
	struct row *row;
	union value *value;
	size_t row_capacity, value_capacity;
	struct text metadata; /* of all rows, NUL-separated */
	size_t *offset;
	size_t offset_capacity;
	struct text common;
};

struct power_reports *power_reports_new(void)
{
	struct power_reports *reports = xcalloc(1, sizeof(*reports));

	reports->layout = power_layout_new();
	return reports;
}

void power_reports_free(struct power_reports *reports)
{
	if (!reports)
		return;
	layout_free(reports->layout);
	free(reports->entry);
	free(reports->row);
	free(reports->value);
	free(reports->offset);
	text_done(&reports->metadata);
	text_done(&reports->common);
	free(reports);
}

/* hwpc-sensor before 1.7 had a target of that name. */
double power_kernel_watts(const struct tick_watts *watts)
{
	for (size_t i = 0; i < watts->tick->targets; i++)
		if (!strcmp(watts->tick->target[i].name, POWER_TARGET_KERNEL))
			return (double)NAN;
	return watts->kernel_w;
}

/* ---- who is in it -------------------------------------------------------- */

static void entry_add(struct power_reports *reports, const char *target,
		      const struct tick_target *of, double watts, double sigma)
{
	reports->entry =
		mem_grow(reports->entry, &reports->entry_capacity,
			 reports->entries + 1, sizeof(*reports->entry));
	reports->entry[reports->entries++] =
		(struct entry){ target, of, watts, sigma };
}

/* What no target explains, the kernel's part of it for itself. */
static void rest_fill(struct power_reports *reports,
		      const struct tick_watts *watts)
{
	double whole = watts->watts->unattributed_w;
	double kernel = power_kernel_watts(watts);
	double sigma =
		watts->sigma_w ? watts->unattributed_sigma_w : (double)NAN;
	double part = whole > 0 ? kernel / whole : 0;

	if (isnan(kernel)) {
		entry_add(reports, POWER_TARGET_UNATTRIBUTED, NULL, whole,
			  sigma);
		return;
	}
	entry_add(reports, POWER_TARGET_KERNEL, NULL, kernel, part * sigma);
	entry_add(reports, POWER_TARGET_UNATTRIBUTED, NULL, whole - kernel,
		  (1 - part) * sigma);
}

/* The first `sorted` of them are in order: the few behind go in between. */
static void entries_sort(struct power_reports *reports, size_t sorted)
{
	for (size_t i = sorted; i < reports->entries; i++) {
		struct entry entry = reports->entry[i];
		size_t low = 0, high = i;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (strcmp(reports->entry[middle].target,
				   entry.target) <= 0)
				low = middle + 1;
			else
				high = middle;
		}
		memmove(&reports->entry[low + 1], &reports->entry[low],
			(i - low) * sizeof(entry));
		reports->entry[low] = entry;
	}
}

static void entries_fill(struct power_reports *reports,
			 const struct tick_watts *watts)
{
	const struct tick *tick = watts->tick;
	const struct attribution *of = watts->watts;

	reports->entries = 0;
	for (size_t i = 0; i < tick->targets; i++)
		entry_add(reports, tick->target[i].name, &tick->target[i],
			  of->target_w[i],
			  watts->sigma_w ? watts->sigma_w[i] : (double)NAN);
	/* Under a policy that gives idle watts away there is no such target,
	 * unless there was nobody to give them to. */
	if (of->idle_w > 0 || !strcmp(watts->policy, "none"))
		entry_add(reports, POWER_TARGET_IDLE, NULL, of->idle_w,
			  watts->sigma_w ? watts->idle_sigma_w : (double)NAN);
	if (of->unattributed_w > 0 || !isnan(watts->excess))
		rest_fill(reports, watts);
	entries_sort(reports, tick->targets);
}

/* ---- what is said about it ------------------------------------------------ */

static void put_key(struct text *out, const char *key)
{
	text_put_bytes(out, ",\"", 2);
	text_put(out, key);
	text_put_bytes(out, "\":", 2);
}

static void put_real(struct text *out, const char *key, double value)
{
	if (!isfinite(value))
		return;
	put_key(out, key);
	text_put_real(out, value);
}

static void put_string(struct text *out, const char *key, const char *value)
{
	put_key(out, key);
	text_put_json(out, value);
}

/* The members that all rows of the tick share. */
static void common_put(const struct tick_watts *watts, struct text *out)
{
	const struct tick *tick = watts->tick;
	const struct energy *energy = &tick->energy;
	char label[ENERGY_LABEL_MAX];

	text_clear(out);
	put_string(out, "idle_policy", watts->policy);
	put_real(out, "idle_w", watts->idle_w);
	put_string(out, "idle_w_from", watts->idle_from);
	put_string(out, "meter", tick->meter);
	put_real(out, "meter_w", watts->meter_w);
	put_real(out, "predicted_w", watts->predicted_w);
	put_real(out, "residual_w", watts->watts->residual_w);
	text_printf(out, ",\"source\":%d", (int)energy->source);
	if (energy_is_estimate(energy->source))
		put_string(out, "estimated",
			   energy_label(energy->source, energy->scale_lo,
					energy->scale_hi, label));
	put_real(out, "excess", watts->excess);
	text_put(out, ",\"elapsed_ns\":");
	text_put_int(out, llround(1e9 * tick->elapsed_s));
}

/* NaN where neither the meter nor the model says. */
static double sigma_of(const struct tick_watts *watts,
		       const struct entry *entry, double ratio)
{
	double meter =
		ratio * watts->tick->energy.sigma_j / watts->tick->elapsed_s;

	if (isnan(entry->sigma))
		return meter;
	return isnan(meter) ? entry->sigma : hypot(meter, entry->sigma);
}

static void metadata_put(const struct power_reports *reports,
			 const struct tick_watts *watts,
			 const struct entry *entry, struct text *out)
{
	double ratio = watts->meter_w > 0 ? entry->watts / watts->meter_w : 0;

	text_put(out, "{\"scope\":\"cpu\",\"socket\":\"0\",\"formula\":");
	text_put_json(out, watts->model);
	put_real(out, "ratio", ratio);
	put_real(out, "sigma_w", sigma_of(watts, entry, ratio));
	text_put_bytes(out, reports->common.data, reports->common.length);
	if (entry->of && entry->of->parent >= 0)
		put_string(out, "within", entry->of->within);
	if (entry->of && entry->of->names)
		text_put(out, entry->of->names);
	text_put_char(out, '}');
}

static void metadata_fill(struct power_reports *reports,
			  const struct tick_watts *watts)
{
	common_put(watts, &reports->common);
	text_clear(&reports->metadata);
	for (size_t i = 0; i < reports->entries; i++) {
		reports->offset[i] = reports->metadata.length;
		metadata_put(reports, watts, &reports->entry[i],
			     &reports->metadata);
		text_put_bytes(&reports->metadata, "", 1);
	}
}

static void rows_reserve(struct power_reports *reports)
{
	size_t n = reports->entries;

	reports->row = mem_grow(reports->row, &reports->row_capacity, n,
				sizeof(*reports->row));
	reports->value = mem_grow(reports->value, &reports->value_capacity, n,
				  sizeof(*reports->value));
	reports->offset = mem_grow(reports->offset, &reports->offset_capacity,
				   n, sizeof(*reports->offset));
}

int power_reports_put(struct power_reports *reports,
		      const struct tick_watts *watts, struct sink *sink,
		      struct err *err)
{
	struct batch batch = {
		.time_ms = watts->tick->time_ms,
		.sensor = watts->tick->sensor,
	};

	bool bare = sink_bare(sink);

	entries_fill(reports, watts);
	rows_reserve(reports);
	if (!bare)
		metadata_fill(reports, watts);
	for (size_t i = 0; i < reports->entries; i++) {
		reports->value[i].real = reports->entry[i].watts;
		reports->row[i] = (struct row){
			.target = reports->entry[i].target,
			.layout = reports->layout,
			.value = &reports->value[i],
			.metadata = bare ? NULL
					 : reports->metadata.data +
						    reports->offset[i],
		};
	}
	batch.row = reports->row;
	batch.rows = reports->entries;
	return sink_put(sink, &batch, err);
}
