/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_row.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formula/power_report.h"
#include "lib/source.h"
#include "sensor/energy.h"

static const char *word(const struct doc *metadata, const char *key)
{
	return doc_string(doc_get(metadata, key), NULL);
}

static double number(const struct doc *metadata, const char *key)
{
	return doc_real(doc_get(metadata, key), (double)NAN);
}

static enum power_part part_of(const struct power_row *row)
{
	static const struct {
		const char *target;
		enum power_part part;
	} parts[] = {
		{ POWER_TARGET_IDLE, POWER_PART_IDLE },
		{ POWER_TARGET_UNATTRIBUTED, POWER_PART_UNATTRIBUTED },
		{ "kernel", POWER_PART_KERNEL },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(row->target, parts[i].target))
			return parts[i].part;
	/* Where every row says the meter's watts, a target may be called so. */
	if (!isnan(row->meter_w))
		return POWER_PART_TARGET;
	if (!strcmp(row->target, "rapl"))
		return POWER_PART_METER;
	return strcmp(row->target, "global") ? POWER_PART_TARGET
					     : POWER_PART_MODEL;
}

static void metadata_read(const struct doc *metadata, struct power_row *row)
{
	int64_t source = doc_int(doc_get(metadata, "source"), -1);
	double elapsed_ns = number(metadata, "elapsed_ns");

	row->scope = doc_string(doc_get(metadata, "scope"), "cpu");
	row->socket = doc_string(doc_get(metadata, "socket"), "0");
	row->policy = doc_string(doc_get(metadata, "idle_policy"), "-");
	row->container = word(metadata, "container");
	row->pod = word(metadata, "pod");
	row->unit = word(metadata, "unit");
	row->within = word(metadata, "within");
	row->meter = word(metadata, "meter");
	row->idle_from = word(metadata, "idle_w_from");
	row->estimated = word(metadata, "estimated");
	row->formula = word(metadata, "formula");
	row->sigma_w = number(metadata, "sigma_w");
	row->meter_w = number(metadata, "meter_w");
	row->residual_w = number(metadata, "residual_w");
	row->idle_w = number(metadata, "idle_w");
	row->elapsed_s = elapsed_ns > 0 ? 1e-9 * elapsed_ns : (double)NAN;
	row->source = source >= ENERGY_WALL && source <= ENERGY_UNKNOWN
			      ? (int)source
			      : POWER_ROW_NO_CLASS;
}

int power_row_read(const struct doc *doc, struct power_row *row,
		   struct err *err)
{
	struct power_row read = { 0 };

	if (!doc_get(doc, "power") || doc_get(doc, "schema"))
		return 0;
	if (!source_time_ms(doc_get(doc, "timestamp"), &read.time_ms))
		return err_set(err, EINVAL,
			       "power report: timestamp: expected a time");
	if (doc_need_text(doc, "sensor", &read.sensor, err) < 0 ||
	    doc_need_text(doc, "target", &read.target, err) < 0 ||
	    doc_need_real(doc, "power", &read.watts, err) < 0)
		return err_wrap(err, "power report");
	metadata_read(doc_get(doc, "metadata"), &read);
	read.part = part_of(&read);
	*row = read;
	return 1;
}

bool power_row_is_part(const struct power_row *row)
{
	return !row->within && row->part != POWER_PART_METER &&
	       row->part != POWER_PART_MODEL;
}

double power_row_meter_sigma_w(const struct power_row *row)
{
	return row->watts > 0 ? row->sigma_w * row->meter_w / row->watts
			      : (double)NAN;
}

void power_row_put_plain(struct text *out, const char *name)
{
	while (*name) {
		size_t length = text_character(name);
		const unsigned char *at = (const unsigned char *)name;
		/* C0, DEL, and C1: U+0080 to U+009F. */
		bool control = at[0] < 0x20 || at[0] == 0x7f ||
			       (length == 2 && at[0] == 0xc2 && at[1] < 0xa0);

		if (length == 0 || control)
			text_put_char(out, '?');
		else
			text_put_bytes(out, name, length);
		name += length ? length : 1;
	}
}

/* "process:PID:NAME" as "NAME [PID]", "thread:PID:TID:NAME" as "NAME [TID]". */
static bool put_process(struct text *out, const char *target)
{
	int begin = 0, end = 0, name = 0;

	if (sscanf(target, "process:%n%*d%n:%n", &begin, &end, &name) < 0 ||
	    !name)
		(void)sscanf(target, "thread:%*d:%n%*d%n:%n", &begin, &end,
			     &name);
	if (!name || !target[name])
		return false;
	power_row_put_plain(out, target + name);
	text_printf(out, " [%.*s]", end - begin, target + begin);
	return true;
}

void power_row_name(const struct power_row *row, struct text *out)
{
	static const char unit[] = "unit:";
	size_t prefix = strlen(unit);

	text_clear(out);
	if (row->pod) {
		power_row_put_plain(out, row->pod);
		if (row->container) {
			text_put_char(out, '/');
			power_row_put_plain(out, row->container);
		}
	} else if (row->container) {
		power_row_put_plain(out, row->container);
	} else if (row->unit) {
		power_row_put_plain(out, row->unit);
	} else if (!put_process(out, row->target)) {
		bool is_unit = !strncmp(row->target, unit, prefix);

		power_row_put_plain(out, row->target + (is_unit ? prefix : 0));
	}
}
