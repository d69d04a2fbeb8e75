/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/formula.h"

#include <stddef.h>

#include "lib/instant.h"

static int set_since(void *values, const char *text, struct err *err)
{
	struct formula_config *config = values;

	return instant_parse(text, &config->since_ms, err);
}

static int set_until(void *values, const char *text, struct err *err)
{
	struct formula_config *config = values;

	return instant_parse(text, &config->until_ms, err);
}

/* clang-format off */
#define AT(member) offsetof(struct formula_config, member)
const struct field formula_fields[] = {
	CLI_FROM(formula_config, from),
	CLI_TO(formula_config, to),
	{ "model", FIELD_TEXT, AT(model), .initial = "proportional",
	  .value = "MODEL",
	  .help = "what weighs targets: proportional (by what they used)" },
	{ "idle", FIELD_LIST, AT(idle), .value = "POLICY",
	  .help = "whose the idle watts are: none (a target of their own), "
		  "uniform (equal parts to the targets that ran), proportional "
		  "(by use); repeatable, a report for each (none)" },
	{ "idle-watts", FIELD_WATTS, AT(idle_w), .min = 0, .max = 1e9,
	  .value = "W",
	  .help = "the idle power (else what the model finds, else the lowest "
		  "seen so far)" },
	{ "event", FIELD_TEXT, AT(event), .initial = "PERF_COUNT_SW_TASK_CLOCK",
	  .value = "NAME", .help = "what a target's use is counted by" },
	{ "meter", FIELD_TEXT, AT(meter), .value = "NAME",
	  .help = "which meter, where reports have several: rapl, model … "
		  "(rapl, else the best class)" },
	{ "target", FIELD_TEXT, AT(target), .value = "PATTERN",
	  .help = "only targets that match; the rest is 'unattributed'" },
	{ "since", FIELD_CALL, AT(since_ms), .value = "T", .set = set_since,
	  .help = "only reports from T on (2026-07-09T12:26:40 UTC, or a "
		  "timestamp)" },
	{ "until", FIELD_CALL, AT(until_ms), .value = "T", .set = set_until,
	  .help = "only reports before T" },
	CLI_SHARED(formula_config),
	FIELD_END
};
/* clang-format on */

const char formula_about[] =
	"Reads a sensor's reports and says how many of the machine's watts "
	"are whose: PowerAPI's power reports, one JSON document a line, on "
	"stdout unless --to says otherwise. In every tick the targets, 'idle' "
	"and 'unattributed' (what no target explains) sum to what the meter "
	"read; that is checked, and the residual published. Power is energy "
	"by measured time.\n"
	"\n"
	"Live, from a sensor to a file:\n"
	"  sensor --pid 4711 --pid 4712 | formula --to power.jsonl\n"
	"\n"
	"Again and again from one recording, under several idle policies:\n"
	"  formula --from trace.jsonl --idle none --idle uniform --idle-watts "
	"8W\n"
	"\n"
	"Just the totals, for a program:\n"
	"  formula --from trace.jsonl --json\n";
