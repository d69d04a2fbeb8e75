/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/csv.h"
#include "sensor/counter.h"
#include "sensor/meter.h"
#include "sensor/meter_kind.h"
#include "sensor/proof.h"
#include "tests/unit/tree.h"

static struct tree tree;
static char sys[128], state[128], trace[128], wall[128];
static struct clock_virtual clock_fake;
static struct meter_place place;
static int (*real_open)(struct perf_event_attr *attr, pid_t pid, int cpu,
			int group_fd, unsigned long flags);

/* ---- a power PMU that plays what the test wrote -------------------------- */

#define PMU_READS 4096

/* The advance of each read, in counts, by CPU; and one value that is read
 * instead at read `odd_at`. */
static uint64_t pmu_step[4] = { 1000, 1000, 1000, 1000 };
static size_t pmu_odd_at, pmu_reads = PMU_READS;
static uint64_t pmu_odd;
static int pmu_errno, pmu_opened;

static int pmu_open(struct perf_event_attr *attr, pid_t pid, int cpu,
		    int group_fd, unsigned long flags)
{
	int fd;

	(void)attr;
	(void)pid;
	(void)group_fd;
	(void)flags;
	if (pmu_errno) {
		errno = pmu_errno;
		return -1;
	}
	pmu_opened++;
	fd = memfd_create("pmu", MFD_CLOEXEC);
	for (size_t i = 0; i < pmu_reads; i++) {
		uint64_t word[4] = { 1, 1, 1, 5000 + i * pmu_step[cpu % 4] };

		if (pmu_odd_at && i >= pmu_odd_at)
			word[3] = pmu_odd + i - pmu_odd_at;
		ck_assert_int_eq(write(fd, word, sizeof(word)), sizeof(word));
	}
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void pmu_event(const char *name, const char *config)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "sys/bus/event_source/devices/power/events/%s", name);
	tree_put(&tree, path, config);
	snprintf(path, sizeof(path),
		 "sys/bus/event_source/devices/power/events/%s.scale", name);
	tree_put(&tree, path, "2.3283064365386962890625e-10\n");
}

static void pmu_make(void)
{
	tree_put(&tree, "sys/bus/event_source/devices/power/type", "9\n");
	tree_put(&tree, "sys/bus/event_source/devices/power/cpumask", "0\n");
	pmu_event("energy-pkg", "event=0x02\n");
	counter_open_fn = pmu_open;
}

/* ---- a recording --------------------------------------------------------- */

/* Ten ticks of 100 ms at 10 W and, in DRAM, 1 W. */
static void trace_make(const char *metadata)
{
	char line[512];
	struct text text = TEXT_INIT;

	for (int i = 0; i < 10; i++) {
		snprintf(line, sizeof(line),
			 "{\"timestamp\": %d, \"sensor\": \"s\", "
			 "\"target\": \"all\", \"groups\": {\"rapl\": "
			 "{\"0\": {\"0\": {\"RAPL_ENERGY_PKG\": 4294967296, "
			 "\"RAPL_ENERGY_DRAM\": 429496730, "
			 "\"time_enabled\": 100000000}}}}, \"metadata\": "
			 "{\"elapsed_ns\": 100000000%s}}\n",
			 1000 + 100 * i, metadata);
		text_put(&text, line);
	}
	tree_put(&tree, "trace.jsonl", text.data);
	text_done(&text);
}

/* ---- devices --------------------------------------------------------------- */

static void devices_make(void)
{
	int64_t now_s = clock_wall_ms(clock_real()) / 1000;
	char text[160];

	tree_put(&tree, "sys/class/hwmon/hwmon0/name", "ina226\n");
	tree_put(&tree, "sys/class/hwmon/hwmon0/power1_input", "5000000\n");
	tree_put(&tree, "sys/class/power_supply/BAT0/type", "Battery\n");
	tree_put(&tree, "sys/class/power_supply/BAT0/status", "Discharging\n");
	tree_put(&tree, "sys/class/power_supply/BAT0/energy_now", "43120000\n");
	snprintf(text, sizeof(text),
		 "time,watts\n%lld,50.0\n%lld,50.0\n%lld,50.0\n",
		 (long long)now_s - 2, (long long)now_s - 1,
		 (long long)now_s + 100);
	tree_put(&tree, "wall.csv", text);
	snprintf(wall, sizeof(wall), "log:%s/wall.csv", tree.root);
}

static void setup(void)
{
	tree_init(&tree);
	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	snprintf(state, sizeof(state), "%s/state/deep", tree.root);
	snprintf(trace, sizeof(trace), "replay:%s/trace.jsonl", tree.root);
	tree_put(&tree, "sys/devices/system/cpu/online", "0-1\n");
	clock_virtual_init(&clock_fake, 0);
	place.sys = sys;
	place.state = state;
	place.nvml = FAKE_NVML;
	real_open = counter_open_fn;
}

static void teardown(void)
{
	counter_open_fn = real_open;
	tree_done(&tree);
}

/* ---- what every meter has to do ------------------------------------------ */

static const char *const specs[] = {
	"null",   "model",   "model:idle=2W,cpu=8W",
	"replay", "perf",    "powercap",
	"hwmon",  "battery", "nvml",
	"log",
};
#define SPECS (int)(sizeof(specs) / sizeof(specs[0]))

/* NULL, and said so, where this machine has no such thing. */
static struct meter *open_any(int i)
{
	struct err err = { 0 };
	struct meter *meter;
	const char *spec = specs[i];

	trace_make("");
	pmu_make();
	devices_make();
	if (!strcmp(spec, "replay"))
		spec = trace;
	if (!strcmp(spec, "log"))
		spec = wall;
	if (!strncmp(spec, "model", 5) || !strcmp(spec, "powercap"))
		place.sys = NULL;
	meter = meter_open_at(spec, &place, &err);
	if (!meter && !strcmp(spec, "powercap"))
		printf("skip: %s\n", err.text);
	else
		ck_assert_msg(meter != NULL, "%s", err.text);
	return meter;
}

static void busy(double seconds)
{
	int64_t end = clock_now_ns(clock_real()) + (int64_t)(1e9 * seconds);

	while (clock_now_ns(clock_real()) < end)
		;
}

START_TEST(every_meter_counts_upward)
{
	struct meter *meter = open_any(_i);
	struct meter_reading before, after;
	struct energy energy, part;

	if (!meter)
		return;
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	for (int i = 0; i < 10; i++) {
		busy(0.005);
		ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
		ck_assert_int_ge(after.begin_ns, before.end_ns);
		ck_assert_int_ge(after.end_ns, after.begin_ns);
		for (size_t d = 0; d < meter_domains(meter); d++) {
			if (meter_domain(meter, d)->state != METER_ALIVE) {
				ck_assert(isnan(after.joules[d]));
				continue;
			}
			ck_assert_double_ge(after.joules[d], before.joules[d]);
			meter_domain_between(meter, d, &before, &after, &part);
			ck_assert_double_ge(part.joules, 0);
			ck_assert_double_ge(part.sigma_j, 0);
			meter_domain_between(meter, d, &after, &before, &part);
			ck_assert_double_ge(part.joules, 0);
		}
		before = after;
	}
	meter_between(meter, &before, &before, &energy);
	ck_assert(meter_domains(meter) ? energy.joules == 0
				       : isnan(energy.joules));
	meter_close(meter);
}
END_TEST

START_TEST(every_meter_says_what_it_is)
{
	struct meter *meter = open_any(_i);
	bool counts = false;
	char class[16];

	if (!meter)
		return;
	ck_assert_int_eq(strncmp(specs[_i], meter_spec(meter),
				 strlen(meter_spec(meter))),
			 0);
	ck_assert_int_eq(strncmp(meter_describe(meter), meter_spec(meter),
				 strlen(meter_spec(meter))),
			 0);
	ck_assert_ptr_nonnull(meter_remarks(meter));
	for (size_t i = 0; i < meter_domains(meter); i++) {
		const struct meter_domain *domain = meter_domain(meter, i);

		ck_assert_str_ne(domain->name, "");
		ck_assert_str_ne(domain->group, "");
		ck_assert_str_ne(domain->event, "");
		ck_assert_double_gt(domain->unit_j, 0);
		ck_assert_int_lt(domain->within, (int)meter_domains(meter));
		counts |= domain->counts;
	}
	ck_assert(counts == (meter_domains(meter) > 0));
	if (meter_domains(meter)) {
		snprintf(class, sizeof(class), "class %d",
			 (int)meter_source(meter));
		ck_assert_ptr_nonnull(strstr(meter_describe(meter), class));
	}
	meter_close(meter);
}
END_TEST

START_TEST(every_sum_is_that_of_its_disjoint_parts)
{
	struct meter *meter = open_any(_i);
	struct meter_reading before, after;
	struct energy energy, part;
	double sum = 0, squares = 0;

	if (!meter)
		return;
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	busy(0.02);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	for (size_t i = 0; i < meter_domains(meter); i++)
		if (meter_domain(meter, i)->counts) {
			meter_domain_between(meter, i, &before, &after, &part);
			sum += part.joules;
			squares += part.sigma_j * part.sigma_j;
		}
	if (meter_domains(meter)) {
		ck_assert_double_eq_tol(energy.joules, sum, 1e-12);
		ck_assert_double_eq_tol(energy.sigma_j, sqrt(squares), 1e-12);
		/* A gauge that nobody moves stands still. */
		ck_assert(energy.joules > 0 || !strcmp(specs[_i], "battery"));
	}
	ck_assert_int_eq(energy.source, meter_source(meter));
	meter_close(meter);
}
END_TEST

/* ---- names ---------------------------------------------------------------- */

static void refused(const char *spec, const char *because)
{
	struct err err = { 0 };

	ck_assert_ptr_null(meter_open_at(spec, &place, &err));
	ck_assert_msg(strstr(err.text, because) != NULL, "%s", err.text);
}

START_TEST(unknown_kind_is_refused)
{
	refused("powrcap", "did you mean powercap?");
	refused("", "there are: auto, powercap, perf, hwmon, model, nvml, "
		    "battery, log, replay, null");
	refused("zzzzzzzzz", "no such meter (there are:");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
	refused("null:1", "takes nothing behind the colon");
	refused("replay", "replay:FILE");
	refused("replay:", "replay:FILE");
	refused("replay:/nowhere/at/all.jsonl", "/nowhere/at/all.jsonl");
	place.sys = NULL;
	refused("model:idle", "unknown option 'idle'");
	refused("model:foo=3", "unknown option 'foo=3'");
	refused("model:idle=3parsecs", "idle");
	refused("model:cpu=-1", "between 0 and");
	refused("model:cpu=1e30", "between 0 and");
	refused("model:idle=3,", "unknown option ''");
}
END_TEST

/* ---- the model ------------------------------------------------------------ */

START_TEST(the_model_charges_idle_time_and_busy_time)
{
	struct meter *meter;
	struct meter_reading before, after;
	struct energy energy;
	double seconds;

	place.sys = NULL;
	meter = meter_open_at("model:idle=10W,cpu=0", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	usleep(20000);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	seconds = 1e-9 * (double)(after.begin_ns - before.begin_ns);
	ck_assert_double_eq_tol(energy.joules, 10 * seconds, 10 * 0.005);
	ck_assert_int_eq(energy.source, ENERGY_GENERIC);
	ck_assert_double_eq(energy.scale_lo, 0.5);
	ck_assert_double_eq(energy.scale_hi, 2.0);
	meter_close(meter);

	meter = meter_open_at("model:idle=0,cpu=100W", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	busy(0.3);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	/* One CPU at least was busy, if nobody stole it. */
	ck_assert_double_gt(energy.joules, 100 * 0.1);
	ck_assert_double_gt(energy.sigma_j, 0);
	ck_assert_ptr_nonnull(strstr(meter_describe(meter),
				     "model, class 7, estimated −50/+100 %: "));
	meter_close(meter);
}
END_TEST

START_TEST(a_cpu_that_is_not_listed_gets_the_average_and_it_says_so)
{
	struct meter *meter;
	char proc[128];

	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	tree_put(&tree, "proc/cpuinfo",
		 "vendor_id : GenuineIntel\ncpu family : 6\nmodel : 250\n");
	tree_put(&tree, "proc/stat",
		 "cpu  1 2 3 4 0 0 0 0 0 0\ncpu0 1 2 3 4 0 0 0 0 0 0\n"
		 "cpu1 1 2 3 4 0 0 0 0 0 0\n");
	place.proc = proc;
	meter = meter_open_at("model", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	/* 2 × 0.74 W, and 3.5 − 0.74 W: the source's averages. */
	ck_assert_ptr_nonnull(strstr(meter_describe(meter),
				     "1.48 W + 2.76 W per busy CPU (CPU not "
				     "listed: the average"));
	meter_close(meter);
	tree_put(&tree, "proc/cpuinfo",
		 "vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 17\n");
	meter = meter_open_at("model", &place, NULL);
	ck_assert_ptr_nonnull(strstr(meter_describe(meter), "EPYC 4th Gen"));
	meter_close(meter);
}
END_TEST

/* What SPEC published of each type: the least and the most of its servers, in
 * watts per thread, idle and full. */
START_TEST(the_interval_contains_every_published_server_of_the_types_listed)
{
	struct csv *csv = csv_open("tests/data/specpower_watts.csv", ',', NULL);
	char proc[128], cpuinfo[160];
	int types = 0;

	if (!csv) {
		printf("skip: tests/data is not here\n");
		return;
	}
	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	tree_put(&tree, "proc/stat",
		 "cpu0 1 2 3 4 0 0 0 0 0 0\ncpu1 1 2 3 4 0 0 0 0 0 0\n");
	place.proc = proc;
	csv_next(csv, NULL);
	while (csv_next(csv, NULL) > 0) {
		struct meter_reading same = { 0 };
		struct energy energy;
		struct meter *meter;
		double idle_w, cpu_w, watts[4];
		const char *says;

		snprintf(cpuinfo, sizeof(cpuinfo),
			 "vendor_id : %s\ncpu family : %s\nmodel : %s\n"
			 "stepping : %s\n",
			 csv_cell(csv, 1), csv_cell(csv, 2), csv_cell(csv, 3),
			 csv_cell(csv, 4));
		tree_put(&tree, "proc/cpuinfo", cpuinfo);
		meter = meter_open_at("model", &place, NULL);
		ck_assert_ptr_nonnull(meter);
		says = strstr(meter_describe(meter), "%: ");
		ck_assert_ptr_null(strstr(says, "not listed"));
		ck_assert_int_eq(
			sscanf(says, "%%: %lf W + %lf W", &idle_w, &cpu_w), 2);
		idle_w /= 2; /* of two CPUs */
		meter_between(meter, &same, &same, &energy);
		for (size_t i = 0; i < 4; i++)
			ck_assert_int_eq(csv_real(csv, 6 + i, &watts[i], NULL),
					 0);
		/* 1 % is what three digits may be off. */
		ck_assert_msg(
			watts[0] >= 0.99 * energy.scale_lo * idle_w &&
				watts[1] <= 1.01 * energy.scale_hi * idle_w &&
				watts[2] >= 0.99 * energy.scale_lo *
						    (idle_w + cpu_w) &&
				watts[3] <= 1.01 * energy.scale_hi *
						    (idle_w + cpu_w),
			"%s: %s", csv_cell(csv, 0), meter_describe(meter));
		ck_assert_double_le(energy.scale_lo, 0.5);
		ck_assert_double_ge(energy.scale_hi, 2.0);
		meter_close(meter);
		types++;
	}
	ck_assert_int_eq(types, 18);
	csv_close(csv);
}
END_TEST

/* ---- the power PMU -------------------------------------------------------- */

START_TEST(a_dead_counter_is_named_skipped_and_remembered)
{
	struct meter *meter;
	struct err err = { 0 };
	int64_t start;

	pmu_make();
	pmu_event("energy-psys", "event=0x05\n");
	tree_put(&tree, "sys/bus/event_source/devices/power/cpumask", "0-1\n");
	tree_put(&tree,
		 "sys/devices/system/cpu/cpu1/topology/physical_package_id",
		 "1\n");
	pmu_step[1] = 0;
	meter = meter_open_at("perf", &place, &err);
	ck_assert_msg(meter != NULL, "%s", err.text);
	/* Two packages, and the platform once. */
	ck_assert_uint_eq(meter_domains(meter), 3);
	ck_assert_int_eq(meter_domain(meter, 0)->state, METER_ALIVE);
	ck_assert_int_eq(meter_domain(meter, 1)->state, METER_DEAD);
	ck_assert(!meter_domain(meter, 1)->counts);
	ck_assert_str_eq(meter_domain(meter, 1)->name, "package-1");
	ck_assert_ptr_nonnull(
		strstr(meter_remarks(meter),
		       "perf power/energy-pkg/ package 1: present but does "
		       "not advance under load: dead (virtual machines expose "
		       "it so)"));
	meter_close(meter);

	start = clock_now_ns(clock_real());
	meter = meter_open_at("perf", &place, NULL);
	/* A proof takes 250 ms at least. */
	ck_assert_int_lt(clock_now_ns(clock_real()) - start, 240000000);
	ck_assert_int_eq(meter_domain(meter, 1)->state, METER_DEAD);
	ck_assert_ptr_nonnull(
		strstr(meter_remarks(meter), "found earlier in this boot"));
	ck_assert_ptr_nonnull(
		strstr(meter_remarks(meter), "state/deep/meters.json"));
	meter_close(meter);
}
END_TEST

START_TEST(a_meter_that_is_all_dead_is_an_error_by_name)
{
	pmu_make();
	pmu_step[0] = 0;
	refused("perf", "meter perf: power/energy-pkg/: present but does "
			"not advance under load: dead");
}
END_TEST

START_TEST(auto_goes_on_to_the_model_and_says_why)
{
	struct meter *meter;
	struct err err = { 0 };

	pmu_make();
	pmu_step[0] = 0;
	meter = meter_open_at("auto", &place, &err);
	ck_assert_msg(meter != NULL, "%s", err.text);
	if (strcmp(meter_spec(meter), "powercap") != 0) {
		ck_assert_str_eq(meter_spec(meter), "model");
		ck_assert_ptr_nonnull(
			strstr(meter_remarks(meter), "powercap: "));
		ck_assert_ptr_nonnull(
			strstr(meter_remarks(meter), "does not advance"));
	}
	meter_close(meter);
}
END_TEST

START_TEST(what_is_not_permitted_comes_with_its_remedy)
{
	pmu_make();
	pmu_errno = EACCES;
	refused("perf", "sudo sysctl kernel.perf_event_paranoid=0");
	pmu_errno = 0;
	tree_put(&tree, "sys/bus/event_source/devices/power/cpumask", "a\n");
	refused("perf", "cpumask: not a list of CPUs");
	pmu_event("energy-pkg", "umask=1\n");
	refused("perf", "'umask=1' is not an event");
	unlink(tree_path(&tree, "sys/bus/event_source/devices/power/type"));
	refused("perf", "no power PMU");
}
END_TEST

START_TEST(a_reset_is_told_and_never_negative)
{
	struct meter_reading before, after;
	struct meter *meter;
	struct energy energy;

	place.clock = &clock_fake.clock;
	pmu_make();
	pmu_step[0] = UINT64_C(1) << 30; /* 0.25 J a read */
	pmu_odd_at = 8;
	pmu_odd = 3;
	meter = meter_open_at("perf", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
		meter_between(meter, &before, &after, &energy);
		ck_assert_double_ge(energy.joules, 0);
		ck_assert_double_lt(energy.joules, 1);
		before = after;
	}
	ck_assert_ptr_nonnull(strstr(meter_remarks(meter),
				     "perf package-0: the counter was reset"));
	meter_close(meter);
}
END_TEST

START_TEST(a_counter_that_goes_away_is_gone_and_not_zero)
{
	struct meter_reading before, after;
	struct meter *meter;
	struct energy energy;

	place.clock = &clock_fake.clock;
	pmu_make();
	pmu_reads = 4; /* then the file ends, as for a CPU gone offline */
	meter = meter_open_at("perf", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	ck_assert_int_eq(meter_domain(meter, 0)->state, METER_GONE);
	ck_assert(isnan(after.joules[0]));
	meter_between(meter, &before, &after, &energy);
	ck_assert(isnan(energy.joules));
	ck_assert_ptr_nonnull(strstr(meter_remarks(meter), "gone"));
	meter_close(meter);
}
END_TEST

/* P · 0.41 ms for two edges on a 1 ms grid, as measured on Broadwell. */
START_TEST(sigma_is_that_of_two_edges)
{
	struct meter_reading before = { 0 }, after = { 0 };
	struct meter *meter;
	struct energy energy;

	pmu_make();
	meter = meter_open_at("perf", &place, NULL);
	ck_assert_ptr_nonnull(meter);
	after.begin_ns = after.end_ns = 1000000000;
	after.joules[0] = 100;
	meter_between(meter, &before, &after, &energy);
	ck_assert_double_eq_tol(energy.sigma_j, 0.041, 0.0005);
	ck_assert_int_eq(energy.source, ENERGY_ACCUMULATOR);
	meter_close(meter);
}
END_TEST

/* ---- replay --------------------------------------------------------------- */

START_TEST(a_recording_plays_at_its_own_pace)
{
	struct meter_reading before, after;
	struct meter *meter;
	struct energy energy;

	trace_make(", \"meters\": {\"RAPL_ENERGY_PKG\": {\"source\": 2, "
		   "\"meter\": \"powercap\"}}");
	place.clock = &clock_fake.clock;
	meter = meter_open_at(trace, &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_source(meter), ENERGY_FIRMWARE);
	ck_assert_ptr_nonnull(
		strstr(meter_describe(meter), "recorded from powercap"));
	ck_assert_uint_eq(meter_domains(meter), 2);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	clock_virtual_set_ns(&clock_fake, clock_fake.ns + 250000000);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	ck_assert_double_eq_tol(energy.joules, 2.75, 1e-6);
	clock_virtual_set_ns(&clock_fake, clock_fake.ns + 750000000);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	ck_assert_double_eq_tol(energy.joules, 11, 1e-6);
	/* And then it is over, which is not 0 W. */
	clock_virtual_set_ns(&clock_fake, clock_fake.ns + 1);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	ck_assert(isnan(after.joules[0]));
	meter_close(meter);
}
END_TEST

START_TEST(recorded_rails_are_not_added_to_their_total)
{
	struct meter_reading before, after;
	struct meter *meter;
	struct energy energy;

	tree_put(&tree, "trace.jsonl",
		 "{\"timestamp\": 2000, \"sensor\": \"s\", \"target\": "
		 "\"all\", \"groups\": {\"meter_hwmon\": {\"0\": {\"0\": "
		 "{\"CPU_uj\": 3000000, \"VDD_IN_uj\": 5000000}}}}, "
		 "\"metadata\": {\"elapsed_ns\": 1000000000, \"meters\": "
		 "{\"CPU_uj\": {\"source\": 3, \"meter\": \"hwmon\", "
		 "\"counts\": false}, \"VDD_IN_uj\": {\"source\": 3, "
		 "\"meter\": \"hwmon\", \"counts\": true}}}}\n");
	place.clock = &clock_fake.clock;
	meter = meter_open_at(trace, &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_domain(meter, 0)->within, 1);
	ck_assert(!meter_domain(meter, 0)->counts);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	clock_virtual_set_ns(&clock_fake, clock_fake.ns + 1000000000);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	ck_assert_double_eq_tol(energy.joules, 5, 1e-6);
	meter_close(meter);
}
END_TEST

START_TEST(a_loop_goes_on)
{
	struct meter_reading before, after;
	struct meter *meter;
	struct energy energy;
	char spec[160];

	trace_make("");
	place.clock = &clock_fake.clock;
	snprintf(spec, sizeof(spec), "%s?loop=1", trace);
	meter = meter_open_at(spec, &place, NULL);
	ck_assert_ptr_nonnull(meter);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	clock_virtual_set_ns(&clock_fake, clock_fake.ns + 12345000000);
	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	ck_assert_double_eq_tol(energy.joules, 11 * 12.345, 1e-5);
	meter_close(meter);
}
END_TEST

START_TEST(a_recording_of_a_dead_counter_is_dead)
{
	tree_put(&tree, "trace.jsonl",
		 "{\"timestamp\": 1000, \"sensor\": \"s\", \"target\": "
		 "\"all\", \"groups\": {\"rapl\": {\"0\": {\"0\": "
		 "{\"RAPL_ENERGY_PSYS\": 0}}}}, "
		 "\"metadata\": {\"elapsed_ns\": 1000000}}\n");
	refused(trace, "never advances: dead");
}
END_TEST

START_TEST(a_file_without_joules_is_refused)
{
	struct err err = { 0 };
	char spec[160];

	tree_put(&tree, "trace.jsonl",
		 "{\"timestamp\": 1000, \"sensor\": \"s\", \"target\": "
		 "\"all\", \"groups\": {\"core\": {\"0\": {\"0\": {\"X\": "
		 "1}}}}}\n");
	refused(trace, "has joules");
	tree_put(&tree, "trace.jsonl", "");
	refused(trace, "has joules");
	tree_put(&tree, "trace.jsonl", "{\"timestamp\": 1}\n{\"a\": 1}\n");
	ck_assert_ptr_null(meter_open_at(trace, &place, &err));
	snprintf(spec, sizeof(spec), "%s?lop=1", trace);
	refused(spec, "lop");
}
END_TEST

START_TEST(time_that_goes_backwards_is_refused)
{
	tree_put(&tree, "trace.jsonl",
		 "{\"timestamp\": 1000, \"sensor\": \"s\", \"target\": "
		 "\"all\", \"groups\": {\"rapl\": {\"0\": {\"0\": "
		 "{\"RAPL_ENERGY_PKG\": 7}}}}}\n"
		 "{\"timestamp\": 900, \"sensor\": \"s\", \"target\": "
		 "\"all\", \"groups\": {\"rapl\": {\"0\": {\"0\": "
		 "{\"RAPL_ENERGY_PKG\": 7}}}}}\n");
	refused(trace, "timestamp 900 does not come after 1000");
}
END_TEST

/* ---- the rest ------------------------------------------------------------- */

START_TEST(what_was_proven_is_forgotten_by_the_next_boot)
{
	struct proof *proof = proof_open(state);

	ck_assert_int_eq(proof_get(proof, "perf", "x"), METER_UNPROVEN);
	proof_set(proof, "perf", "x", METER_DEAD);
	proof_set(proof, "perf", "y", METER_ALIVE);
	proof_close(proof);
	proof = proof_open(state);
	ck_assert_int_eq(proof_get(proof, "perf", "x"), METER_DEAD);
	ck_assert_int_eq(proof_get(proof, "perf", "y"), METER_ALIVE);
	ck_assert_int_eq(proof_get(proof, "powercap", "x"), METER_UNPROVEN);
	proof_close(proof);
	tree_put(&tree, "state/deep/meters.json",
		 "{\"boot_id\": \"another\", \"perf x\": \"dead\"}");
	proof = proof_open(state);
	ck_assert_int_eq(proof_get(proof, "perf", "x"), METER_UNPROVEN);
	proof_close(proof);
	tree_put(&tree, "state/deep/meters.json", "damaged");
	proof = proof_open(state);
	ck_assert_int_eq(proof_get(proof, "perf", "x"), METER_UNPROVEN);
	proof_close(proof);
}
END_TEST

START_TEST(a_state_folder_that_cannot_be_written_is_no_error)
{
	struct proof *proof = proof_open("/proc/nowhere/at/all");

	proof_set(proof, "perf", "x", METER_DEAD);
	proof_close(proof);
	proof = proof_open("");
	proof_set(proof, "perf", "x", METER_DEAD);
	ck_assert_int_eq(proof_get(proof, "perf", "x"), METER_DEAD);
	ck_assert_str_eq(proof_file(proof), "");
	proof_close(proof);
}
END_TEST

START_TEST(a_survey_tells_of_every_kind)
{
	struct meter_finding finding[16];
	size_t count;

	setenv("STATE_DIRECTORY", state, 1);
	count = meter_survey(finding, 16);
	ck_assert_uint_eq(count, 9);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_ne(finding[i].says, "");
		ck_assert_ptr_null(strchr(finding[i].says, '\n'));
	}
	ck_assert_str_eq(finding[3].kind, "model");
	ck_assert(finding[3].usable);
	ck_assert_uint_eq(meter_survey(finding, 2), 2);
}
END_TEST

static void add_kinds(Suite *suite)
{
	TCase *tcase = tcase_create("every kind");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, every_meter_counts_upward, 0, SPECS);
	tcase_add_loop_test(tcase, every_meter_says_what_it_is, 0, SPECS);
	tcase_add_loop_test(tcase, every_sum_is_that_of_its_disjoint_parts, 0,
			    SPECS);
	suite_add_tcase(suite, tcase);
}

Suite *meter_suite(void);
Suite *meter_suite(void)
{
	Suite *suite = suite_create("meter");
	TCase *tcase = tcase_create("meter");

	add_kinds(suite);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, unknown_kind_is_refused);
	tcase_add_test(tcase, wrong_arguments_are_refused);
	tcase_add_test(tcase, the_model_charges_idle_time_and_busy_time);
	tcase_add_test(
		tcase,
		a_cpu_that_is_not_listed_gets_the_average_and_it_says_so);
	tcase_add_test(
		tcase,
		the_interval_contains_every_published_server_of_the_types_listed);
	tcase_add_test(tcase, a_dead_counter_is_named_skipped_and_remembered);
	tcase_add_test(tcase, a_meter_that_is_all_dead_is_an_error_by_name);
	tcase_add_test(tcase, auto_goes_on_to_the_model_and_says_why);
	tcase_add_test(tcase, what_is_not_permitted_comes_with_its_remedy);
	tcase_add_test(tcase, a_reset_is_told_and_never_negative);
	tcase_add_test(tcase, a_counter_that_goes_away_is_gone_and_not_zero);
	tcase_add_test(tcase, sigma_is_that_of_two_edges);
	tcase_add_test(tcase, a_recording_plays_at_its_own_pace);
	tcase_add_test(tcase, recorded_rails_are_not_added_to_their_total);
	tcase_add_test(tcase, a_loop_goes_on);
	tcase_add_test(tcase, a_recording_of_a_dead_counter_is_dead);
	tcase_add_test(tcase, a_file_without_joules_is_refused);
	tcase_add_test(tcase, time_that_goes_backwards_is_refused);
	tcase_add_test(tcase, what_was_proven_is_forgotten_by_the_next_boot);
	tcase_add_test(tcase,
		       a_state_folder_that_cannot_be_written_is_no_error);
	tcase_add_test(tcase, a_survey_tells_of_every_kind);
	suite_add_tcase(suite, tcase);
	return suite;
}
