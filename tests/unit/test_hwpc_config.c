/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines and files of hwpc-sensor, as its documentation has them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli.h"
#include "sensor/sensor.h"
#include "sensor/sensor_session.h"
#include "tests/unit/scratch.h"

/* ---- what a line comes to -------------------------------------------------- */

static char found[2048];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	size_t used = strlen(found);
	va_list args;

	va_start(args, format);
	vsnprintf(found + used, sizeof(found) - used, format, args);
	va_end(args);
}

/* "name every 0.5s verbose 1 base /x; s rapl! A B; c core C; csv:out" */
static int describe(struct cli *cli, void *values, struct err *err)
{
	struct sensor_config *config = (struct sensor_config *)values;
	const struct hwpc_config *hwpc = &config->hwpc;
	struct text uri = TEXT_INIT;
	int status;

	(void)cli;
	say("%s every %gs", config->name ? config->name : "-",
	    1e-9 * (double)session_interval_ns(config));
	if (config->discovery_ms > 0)
		say(" look %gs", 1e-9 * (double)session_discovery_ns(config));
	if (config->shared.verbose > 0)
		say(" verbose %d", (int)config->shared.verbose);
	if (hwpc->base)
		say(" base %s", hwpc->base);
	for (size_t i = 0; i < hwpc->groups; i++) {
		const struct hwpc_group *group = &hwpc->group[i];

		say("; %c %s%s", group->scope == HWPC_SYSTEM ? 's' : 'c',
		    group->name, group->one_cpu ? "!" : "");
		for (size_t j = 0; j < group->events.count; j++)
			say(" %s", group->events.item[j]);
	}
	status = hwpc_config_sink(hwpc, &uri, err);
	say("; %s", uri.length ? uri.data : "-");
	text_done(&uri);
	return status;
}

static const struct cli_command none[] = { { .name = NULL } };
static const struct cli_command self = {
	.fields = sensor_run_fields,
	.config_size = sizeof(struct sensor_config),
	.run = describe,
	.takes_rest = true,
};
static const struct cli_program program = { .name = "sensor",
					    .commands = none,
					    .self = &self };

/* Words are parted by blanks. */
static int run(const char *line)
{
	char copy[1024], *argv[96] = { NULL }, *rest = copy, *word;
	int argc = 0;

	found[0] = '\0';
	snprintf(copy, sizeof(copy), "sensor %s", line);
	while ((word = strsep(&rest, " ")) && argc < 95)
		if (*word)
			argv[argc++] = word;
	return cli_main(&program, argc, argv);
}

/* ---- command lines --------------------------------------------------------- */

#define DOCUMENTED                                                       \
	"-s rapl -o -e RAPL_ENERGY_PKG -s msr -e TSC -e APERF -e MPERF " \
	"-c core -e CPU_CLK_THREAD_UNHALTED:REF_P "                      \
	"-e CPU_CLK_THREAD_UNHALTED:THREAD_P -e LLC_MISSES "             \
	"-e INSTRUCTIONS_RETIRED"
#define DOCUMENTED_GROUPS                                                 \
	"; s rapl! RAPL_ENERGY_PKG; s msr TSC APERF MPERF; c core "       \
	"CPU_CLK_THREAD_UNHALTED:REF_P CPU_CLK_THREAD_UNHALTED:THREAD_P " \
	"LLC_MISSES INSTRUCTIONS_RETIRED"

static const struct line {
	const char *line, *comes_to;
} lines[] = {
	{ "-n here -r mongodb -U mongodb://127.0.0.1 -D db_sensor -C "
	  "report_0 " DOCUMENTED,
	  "here every 1s" DOCUMENTED_GROUPS
	  "; mongodb://127.0.0.1/db_sensor?collection=report_0" },
	{ "-n here -r csv -U /tmp/powerapi-sensor-reporting " DOCUMENTED,
	  "here every 1s" DOCUMENTED_GROUPS
	  "; csv:/tmp/powerapi-sensor-reporting" },
	{ "-n here -f 500 -p /sys/fs/cgroup/perf_event -r socket -U "
	  "127.0.0.1 -P 8080 " DOCUMENTED,
	  "here every 0.5s base /sys/fs/cgroup/perf_event" DOCUMENTED_GROUPS
	  "; tcp:127.0.0.1:8080" },
	/* the storage's options stand where they like */
	{ "-P 1 -U host -r SOCKET -s x -e A", "- every 1s; s x A; tcp:host:1" },
	{ "-C c -D d -U mongodb://u:p@h:1/?w=0 -r mongodb -s x -e A",
	  "- every 1s; s x A; mongodb://u:p@h:1/d?w=0&authSource=admin&"
	  "collection=c" },
	{ "-r mongodb -U mongodb://u:p@h/admin -D d -C c -s x -e A",
	  "- every 1s; s x A; mongodb://u:p@h/d?authSource=admin&"
	  "collection=c" },
	{ "-r mongodb -U h:27017 -D d -C c -s x -e A",
	  "- every 1s; s x A; mongodb://h:27017/d?collection=c" },
	{ "-r socket -U ::1 -P http -s x -e A",
	  "- every 1s; s x A; tcp:[::1]:http" },
	{ "-r null -U ignored -s x -e A", "- every 1s; s x A; null:" },
	{ "-r csv -r Null -s x -e A", "- every 1s; s x A; null:" },
	/* numbers in C's spellings, the last one counts */
	{ "-f 0x10 -s x -e A", "- every 0.016s; s x A; -" },
	{ "-f 010 -s x -e A", "- every 0.008s; s x A; -" },
	{ "-f 100 -f 200 -s x -e A", "- every 0.2s; s x A; -" },
	{ "--perf-sampling-interval 20 --cgroup-discovery-interval=300 -s x "
	  "-e A",
	  "- every 0.02s look 0.3s; s x A; -" },
	{ "-v -v -v -s x -e A", "- every 1s verbose 3; s x A; -" },
	/* a group that is opened again goes on; one name, two scopes */
	{ "-s x -e A -c x -e B -s x -e C -o",
	  "- every 1s; s x! A C; c x B; -" },
	{ "-n a -x small.json -n b", "b every 0.25s verbose 1 base /b; "
				     "s rapl! RAPL_ENERGY_PKG; csv:out" },
	{ "-n a -f 7 -x small.json", "file every 0.25s verbose 1 base /b; "
				     "s rapl! RAPL_ENERGY_PKG; csv:out" },
	{ "-x small.json -f 9 -r null -c y -e B",
	  "file every 0.009s verbose 1 base /b; s rapl! RAPL_ENERGY_PKG; "
	  "c y B; null:" },
	/* the group that was open before a file still is behind it */
	{ "-s x -x small.json -e A",
	  "file every 0.25s verbose 1 base /b; s x A; s rapl! "
	  "RAPL_ENERGY_PKG; csv:out" },
	{ "--config-file=aliases.json",
	  "n every 0.1s look 0.7s verbose 2 base /c; s a A B; c b! C; "
	  "tcp:h:8080" },
	{ "-x aliases.json -x small.json",
	  "file every 0.25s look 0.7s verbose 1 base /b; s a A B; c b! C; "
	  "s rapl! RAPL_ENERGY_PKG; csv:out" },
	{ "-x documented.json", "sensor every 500s verbose 1 base "
				"/sys/fs/cgroup/perf_event" DOCUMENTED_GROUPS
				"; mongodb://127.0.0.1/test?collection=hwpc" },
};

static const char small[] =
	"{ \"name\": \"file\", \"verbose\": true, \"frequency\": 250, /* ms */\n"
	"  \"cgroup_basepath\": \"/b\",\n"
	"  \"output\": { \"type\": \"csv\", \"directory\": \"out\" },\n"
	"  \"system\": { \"rapl\": { \"events\": [\"RAPL_ENERGY_PKG\"],\n"
	"    \"monitoring_type\": \"MONITOR_ONE_CPU_PER_SOCKET\" } } }";

static const char aliases[] =
	"{ \"Sensor-Name\": \"n\", \"VERBOSE\": 2,\n"
	"  \"perf-sampling-interval\": 100, \"cgroup-discovery-interval\": 700,\n"
	"  \"cgroup-basepath\": \"/c\",\n"
	"  \"storage\": { \"HOST\": \"h\", \"port\": 8080, \"type\": \"Socket\" },\n"
	"  \"global\": { \"a\": { \"events\": [\"A\", \"B\"],\n"
	"    \"mode\": \"all_cpu_per_socket\" } },\n"
	"  \"cgroups\": { \"b\": { \"EVENTS\": [\"C\"],\n"
	"    \"mode\": \"ONE_CPU_PER_SOCKET\" } } }";

static const char documented[] =
	"{ \"name\": \"sensor\", \"verbose\": true, \"frequency\": 500000,\n"
	"  \"cgroup_basepath\": \"/sys/fs/cgroup/perf_event\",\n"
	"  \"output\": { \"type\": \"mongodb\", \"uri\": \"mongodb://127.0.0.1\",\n"
	"    \"database\": \"test\", \"collection\": \"hwpc\" },\n"
	"  \"system\": {\n"
	"    \"rapl\": { \"events\": [\"RAPL_ENERGY_PKG\"],\n"
	"      \"monitoring_type\": \"MONITOR_ONE_CPU_PER_SOCKET\" },\n"
	"    \"msr\": { \"events\": [\"TSC\", \"APERF\", \"MPERF\"] } },\n"
	"  \"container\": { \"core\": { \"events\": [\n"
	"    \"CPU_CLK_THREAD_UNHALTED:REF_P\",\n"
	"    \"CPU_CLK_THREAD_UNHALTED:THREAD_P\", \"LLC_MISSES\",\n"
	"    \"INSTRUCTIONS_RETIRED\"] } } }";

static void write_files(void)
{
	scratch_write("small.json", small);
	scratch_write("aliases.json", aliases);
	scratch_write("documented.json", documented);
}

START_TEST(a_line_comes_to_what_it_did_in_hwpc_sensor)
{
	write_files();
	ck_assert_int_eq(run(lines[_i].line), 0);
	ck_assert_str_eq(found, lines[_i].comes_to);
}
END_TEST

START_TEST(a_file_may_be_longer_than_four_kibibytes)
{
	char text[16384] = "{ \"container\": { \"core\": { \"events\": [";

	for (int i = 0; i < 500; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s\"EVENT_%d_OF_MANY\"", i ? ", " : "", i);
	strcat(text, "] } } }"); /* NOLINT */
	scratch_write("long.json", text);
	ck_assert_int_eq(run("-x long.json"), 0);
	ck_assert_ptr_nonnull(strstr(found, "c core EVENT_0_OF_MANY "));
}
END_TEST

/* ---- what is wrong --------------------------------------------------------- */

static const char *const wrong[] = {
	"-e",
	"-o",
	"-f 0 -s x -e A",
	"-f ten -s x -e A",
	"--cgroup-discovery-interval 0",
	"-r steam",
	"-s ../x",
	"-s a/b",
	"-x nowhere.json",
};

START_TEST(a_line_that_is_wrong_is_refused)
{
	ck_assert_int_eq(run(wrong[_i]), CLI_USAGE);
}
END_TEST

static const char *const incomplete[] = {
	"-r csv -s x -e A",
	"-r socket -U h -s x -e A",
	"-r socket -P 1 -s x -e A",
	"-r mongodb -U h -D d -s x -e A",
	"-r mongodb -U h -C c -s x -e A",
	"-r mongodb -C c -D d -s x -e A",
	"-U dir -s x -e A",
};

START_TEST(a_storage_that_lacks_something_says_so)
{
	ck_assert_int_eq(run(incomplete[_i]), 1);
}
END_TEST

static const struct bad_file {
	const char *text, *says;
} bad_files[] = {
	{ "[]", "expected an object" },
	{ "{\"nmae\": \"x\"}", "nmae: unknown key" },
	{ "{\"frequency\": 0}", "frequency: '0': expected milliseconds" },
	{ "{\"frequency\": -5}", "expected milliseconds" },
	{ "{\"verbose\": -1}", "verbose: expected true, false or" },
	{ "{\"name\": []}", "name: expected text" },
	{ "{\"output\": {\"directory\": \"x\"}}", "output: type: missing" },
	{ "{\"output\": {\"type\": \"steam\"}}", "storage 'steam': unknown" },
	{ "{\"output\": {\"type\": \"csv\", \"uri\": \"x\"}}",
	  "csv: unknown key 'uri'" },
	{ "{\"output\": {\"type\": \"null\", \"port\": 1}}",
	  "null: unknown key 'port'" },
	{ "{\"system\": []}", "system: expected an object" },
	{ "{\"system\": {\"a\": {\"events\": \"A\"}}}",
	  "system: a: events: expected a list" },
	{ "{\"system\": {\"a\": {\"events\": [1]}}}", "expected names" },
	{ "{\"system\": {\"a\": {\"mode\": \"ALL\"}}}",
	  "expected MONITOR_ONE_CPU_PER_SOCKET" },
	{ "{\"system\": {\"a\": {\"event\": []}}}", "a: unknown key 'event'" },
};

START_TEST(a_file_that_is_wrong_says_where)
{
	struct hwpc_config config = { 0 };
	struct err err = { 0 };
	struct doc *doc =
		doc_parse(bad_files[_i].text, strlen(bad_files[_i].text), &err);

	ck_assert_msg(doc != NULL, "%s", err.text);
	ck_assert_int_eq(hwpc_config_read(&config, doc, &err), -1);
	ck_assert_msg(strstr(err.text, bad_files[_i].says) != NULL, "%s",
		      err.text);
	doc_free(doc);
	hwpc_config_done(&config);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *hwpc_config_suite(void);
Suite *hwpc_config_suite(void)
{
	Suite *suite = suite_create("hwpc_config");
	TCase *tcase = tcase_create("lines and files");

	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
	tcase_add_loop_test(tcase, a_line_comes_to_what_it_did_in_hwpc_sensor,
			    0, COUNT(lines));
	tcase_add_test(tcase, a_file_may_be_longer_than_four_kibibytes);
	tcase_add_loop_test(tcase, a_line_that_is_wrong_is_refused, 0,
			    COUNT(wrong));
	tcase_add_loop_test(tcase, a_storage_that_lacks_something_says_so, 0,
			    COUNT(incomplete));
	tcase_add_loop_test(tcase, a_file_that_is_wrong_says_where, 0,
			    COUNT(bad_files));
	suite_add_tcase(suite, tcase);
	return suite;
}
