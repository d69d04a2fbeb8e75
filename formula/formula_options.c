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

static const char *const methods[] = { "median", "mean", NULL };

/* clang-format off */
#define SMARTWATTS "SmartWatts: "
#define AT(member) offsetof(struct formula_config, member)
const struct field formula_fields[] = {
	CLI_FROM(formula_config, from),
	CLI_TO(formula_config, to),
	{ "model", FIELD_TEXT, AT(model), .initial = "fedwatts",
	  .value = "MODEL",
	  .help = "what weighs targets: fedwatts (their counters, by a model "
		  "learnt from the meter; where there are none, CPU time), "
		  "proportional (by what they used), "
		  "smartwatts (SmartWatts 2.4.1, with its own options, "
		  "environment and files)" },
	{ "idle", FIELD_LIST, AT(idle), .value = "POLICY",
	  .help = "whose the idle watts are: none (a target of their own), "
		  "uniform (equal parts to the targets that ran), proportional "
		  "(by use), marginal, shapley; repeatable, a report for each "
		  "(none)" },
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
	{ "exact", FIELD_BOOL, AT(exact),
	  .help = SMARTWATTS "drop the last five ticks and assume a base "
		  "frequency, as it does" },
	{ "formula-to", FIELD_LIST, AT(formula_to), .value = "URI",
	  .unlisted = true,
	  .help = SMARTWATTS "where its formula reports go (nowhere)" },
	{ "disable-cpu-formula", FIELD_BOOL, AT(disable_cpu),
	  .help = SMARTWATTS "no power of packages" },
	{ "disable-dram-formula", FIELD_BOOL, AT(disable_dram),
	  .help = SMARTWATTS "no power of DRAM" },
	{ "cpu-rapl-ref-event", FIELD_TEXT, AT(cpu_event), .value = "EVENT",
	  .initial = "RAPL_ENERGY_PKG",
	  .help = SMARTWATTS "what counts a package's joules" },
	{ "dram-rapl-ref-event", FIELD_TEXT, AT(dram_event), .value = "EVENT",
	  .initial = "RAPL_ENERGY_DRAM",
	  .help = SMARTWATTS "what counts DRAM's joules" },
	{ "cpu-tdp", FIELD_INT, AT(cpu_tdp), .value = "W", .initial = "400",
	  .min = 0, .max = 1e6,
	  .help = SMARTWATTS "idle watts are less than this" },
	{ "cpu-base-clock", FIELD_INT, AT(base_clock), .value = "MHZ",
	  .initial = "100", .min = 1, .max = 100000,
	  .help = SMARTWATTS "what the CPU's frequencies are multiples of" },
	{ "cpu-base-freq", FIELD_INT, AT(base_freq), .value = "MHZ",
	  .initial = "2100", .min = 1, .max = 10000000,
	  .help = SMARTWATTS "at which TSC and MPERF count (else this "
		  "machine's)" },
	{ "cpu-error-threshold", FIELD_REAL, AT(cpu_threshold), .value = "W",
	  .initial = "2.0", .min = 0, .max = 1e9,
	  .help = SMARTWATTS "errors above which a package's model is "
		  "learnt anew" },
	{ "dram-error-threshold", FIELD_REAL, AT(dram_threshold), .value = "W",
	  .initial = "2.0", .min = 0, .max = 1e9,
	  .help = SMARTWATTS "the same for DRAM's" },
	{ "sensor-reports-frequency", FIELD_INT, AT(period_ms), .value = "MS",
	  .initial = "1000", .min = 1, .max = 1e9,
	  .help = SMARTWATTS "how long every tick is taken to be" },
	{ "learn-min-samples-required", FIELD_INT, AT(min_samples),
	  .initial = "10", .min = 0, .max = 1e6,
	  .help = SMARTWATTS "samples of a frequency before there is a model" },
	{ "learn-history-window-size", FIELD_INT, AT(window),
	  .initial = "60", .min = 0, .max = 1e6,
	  .help = SMARTWATTS "samples that are kept; idle power is modelled "
		  "when there are as many" },
	{ "learn-error-window-size", FIELD_INT, AT(error_window),
	  .initial = "60", .min = 1, .max = 1e6,
	  .help = SMARTWATTS "errors that are kept" },
	{ "learn-error-window-method", FIELD_CHOICE, AT(method),
	  .choices = methods, .initial = "median", .value = "median|mean",
	  .help = SMARTWATTS "what of them is compared" },
	{ "stream", FIELD_BOOL, AT(stream), .key = 's',
	  .help = "PowerAPI: input does not end" },
	{ "config-file", FIELD_TEXT, AT(config_file), .value = "FILE",
	  .unlisted = true, .help = "PowerAPI: a JSON file of these options" },
	{ "input", FIELD_LIST, AT(input), .value = "TYPE OPTIONS",
	  .unlisted = true,
	  .help = "PowerAPI: csv, json, mongodb, socket; what stands behind "
		  "it belongs to it" },
	{ "output", FIELD_LIST, AT(output), .value = "TYPE OPTIONS",
	  .unlisted = true,
	  .help = "PowerAPI: csv, influxdb2, json, mongodb, prometheus" },
	{ "pre-processor", FIELD_LIST, AT(pre), .value = "TYPE OPTIONS",
	  .unlisted = true, .help = "PowerAPI: k8s (not done here)" },
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
	"  formula --from trace.jsonl --json\n"
	"\n"
	"SmartWatts 2.4.1, as its users call it:\n"
	"  formula --model smartwatts --input csv --files "
	"rapl.csv,msr.csv,core.csv --output csv --directory power "
	"--disable-dram-formula\n";
