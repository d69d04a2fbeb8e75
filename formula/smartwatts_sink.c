/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts_sink.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "sensor/power_layout.h"

static void layouts_init(struct smartwatts_sink *out)
{
	if (out->power_layout)
		return;
	out->power_layout = power_layout_new();
	out->formula_layout = layout_new("formula", LAYOUT_TARGETS);
	layout_end(out->formula_layout);
}

void smartwatts_sink_done(struct smartwatts_sink *out)
{
	layout_free(out->power_layout);
	layout_free(out->formula_layout);
	free(out->row);
	free(out->value);
	free(out->offset);
	text_done(&out->metadata);
	text_done(&out->common);
}

static void put_member(struct text *text, const char *key, const char *value)
{
	text_printf(text, "\"%s\":", key);
	text_put_json(text, value);
}

/* ,"scope":…,"ratio": -- the rows of a tick mostly share it. */
static void common_fill(const struct smartwatts_result *result,
			const char *formula, struct text *text)
{
	text_clear(text);
	put_member(text, "scope", result->scope);
	text_put_char(text, ',');
	put_member(text, "socket", result->package);
	text_put_char(text, ',');
	put_member(text, "formula", formula);
	text_put(text, ",\"ratio\":");
}

static void power_metadata(const struct smartwatts_power *power,
			   const struct text *common, struct text *text)
{
	text_put_char(text, '{');
	if (power->metadata)
		text_put(text, power->metadata); /* ends with a comma */
	text_put_bytes(text, common->data, common->length);
	text_put_real(text, power->ratio);
	text_put_bytes(text, "}", 2); /* with its NUL */
}

static int power_emit(struct smartwatts_sink *out,
		      const struct smartwatts_result *result, struct err *err)
{
	struct batch batch = { .time_ms = result->time_ms,
			       .sensor = result->sensor,
			       .rows = result->powers };
	size_t n = result->powers;
	bool bare = sink_bare(out->power);

	out->row = mem_grow(out->row, &out->capacity[0], n, sizeof(*out->row));
	out->value =
		mem_grow(out->value, &out->capacity[1], n, sizeof(*out->value));
	out->offset = mem_grow(out->offset, &out->capacity[2], n,
			       sizeof(*out->offset));
	text_clear(&out->metadata);
	for (size_t i = 0; i < n && !bare; i++) {
		const struct smartwatts_power *power = &result->power[i];

		if (i == 0 || power->formula != result->power[i - 1].formula)
			common_fill(result, power->formula, &out->common);
		out->offset[i] = out->metadata.length;
		power_metadata(power, &out->common, &out->metadata);
	}
	for (size_t i = 0; i < n; i++) {
		out->value[i].real = result->power[i].power;
		out->row[i] = (struct row){
			.target = result->power[i].target,
			.layout = out->power_layout,
			.value = &out->value[i],
			.metadata = bare ? NULL
					 : out->metadata.data + out->offset[i],
		};
	}
	batch.row = out->row;
	out->powers += n;
	return sink_put(out->power, &batch, err);
}

static int formula_emit(struct smartwatts_sink *out,
			const struct smartwatts_result *result, struct err *err)
{
	const struct smartwatts_layer *layer = result->layer;
	struct text *text = &out->metadata, coef = TEXT_INIT;
	struct row row = { .target = layer->model.hash,
			   .layout = out->formula_layout };
	struct batch batch = { .time_ms = result->time_ms,
			       .sensor = result->sensor,
			       .row = &row,
			       .rows = 1 };

	text_clear(text);
	text_put_char(text, '{');
	put_member(text, "scope", result->scope);
	text_put_char(text, ',');
	put_member(text, "socket", result->package);
	text_printf(text,
		    ",\"layer_frequency\":%lld,\"pkg_frequency\":%lld,"
		    "\"samples\":%zu,\"id\":%lld,\"error\":",
		    (long long)layer->frequency,
		    (long long)result->pkg_frequency, layer->samples,
		    (long long)layer->model.id);
	text_put_real(text, result->error);
	text_put(text, ",\"intercept\":");
	text_put_real(text, layer->model.intercept);
	text_put_char(text, ',');
	smartwatts_put_coef(layer->model.coef, layer->events, &coef);
	put_member(text, "coef", coef.data);
	text_put_char(text, '}');
	text_done(&coef);
	row.metadata = text->data;
	out->formulas++;
	return sink_put(out->formula, &batch, err);
}

int smartwatts_sink_emit(void *self, const struct smartwatts_result *result,
			 struct err *err)
{
	struct smartwatts_sink *out = self;

	layouts_init(out);
	if (out->power && power_emit(out, result, err) < 0)
		return -1;
	if (out->formula && result->layer)
		return formula_emit(out, result, err);
	return 0;
}
