/* SPDX-License-Identifier: BSD-3-Clause */
/* One suite over every kind of sink, then what is special to each. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sink.h"
#include "lib/source.h"
#include "tests/unit/scratch.h"

static struct layout *two_groups, *core_only, *power;
static struct err err;

static void add(struct layout *layout, const char *group, const char *cpu,
		const char *event)
{
	layout_add(layout, COLUMN_INT, group, "0", cpu, event, "groups", group,
		   "0", cpu, event, NULL);
}

static struct layout *hwpc(void)
{
	struct layout *layout = layout_new("hwpc", LAYOUT_TABLES);

	layout_key_columns(layout, "socket", "cpu");
	return layout;
}

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	err = (struct err){ 0 };
	two_groups = hwpc();
	add(two_groups, "rapl", "0", "PKG");
	add(two_groups, "core", "10", "time_enabled");
	add(two_groups, "core", "10", "CYCLES");
	add(two_groups, "core", "2", "time_enabled");
	add(two_groups, "core", "2", "CYCLES");
	layout_end(two_groups);
	core_only = hwpc();
	add(core_only, "core", "10", "time_enabled");
	add(core_only, "core", "10", "CYCLES");
	layout_end(core_only);
	power = layout_new("power", LAYOUT_TARGETS);
	layout_key_columns(power, "socket", NULL);
	layout_add(power, COLUMN_REAL, "PowerReport", NULL, NULL, "power",
		   "power", NULL);
	layout_end(power);
}

static void teardown(void)
{
	layout_free(two_groups);
	layout_free(core_only);
	layout_free(power);
	scratch_close();
}

/* A tick of `all` and a cgroup whose name sorts before it. */
static int put_tick(struct sink *sink, int64_t time_ms)
{
	const union value all[] = { { .integer = UINT64_C(1) << 40 },
				    { .integer = 100 },
				    { .integer = 11 },
				    { .integer = 101 },
				    { .integer = 12 } };
	const union value group[] = { { .integer = 50 }, { .integer = 5 } };
	struct row row[] = { { "all", two_groups, all, NULL },
			     { "/x", core_only, group, NULL } };
	struct batch batch = { time_ms, "node", row, 2 };

	return sink_put(sink, &batch, &err);
}

static int put_power(struct sink *sink, const char *target, double watts,
		     const char *metadata)
{
	union value value = { .real = watts };
	struct row row = { target, power, &value, metadata };
	struct batch batch = { 1000, "node", &row, 1 };

	return sink_put(sink, &batch, &err);
}

static struct sink *must_open(const char *uri)
{
	struct sink *sink = sink_open(uri, &err);

	ck_assert_msg(sink != NULL, "%s: %s", uri, err.text);
	return sink;
}

/* ---- every kind ---------------------------------------------------------- */

static const struct kind {
	const char *uri;
	const char *file; /* what sink_file() says */
	bool takes_docs;
	const char *source; /* reads back, or NULL */
} kinds[] = {
	{ "jsonl:out.jsonl", "out.jsonl", true, "out.jsonl" },
	{ "out.jsonl", "out.jsonl", true, "jsonl:out.jsonl" },
	{ "csv:out", "out", false, "csv:out" },
	{ "zmq:ipc://nobody?spool=box", NULL, true, NULL },
	{ "prometheus:127.0.0.1:0", NULL, false, NULL },
	{ "influx:http://127.0.0.1:1?db=x&spool=box", NULL, false, NULL },
	{ "null:", NULL, true, NULL },
};

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

START_TEST(a_kind_counts_what_it_took)
{
	struct sink *sink = must_open(kinds[_i].uri);

	ck_assert_str_eq(sink_uri(sink), kinds[_i].uri);
	if (kinds[_i].file)
		ck_assert_str_eq(sink_file(sink), kinds[_i].file);
	else
		ck_assert_ptr_null(sink_file(sink));
	ck_assert_msg(put_tick(sink, 1000) == 0, "%s", err.text);
	ck_assert_msg(put_tick(sink, 2000) == 0, "%s", err.text);
	ck_assert_uint_eq(sink_documents(sink), 4);
	ck_assert_msg(sink_flush(sink, &err) == 0, "%s", err.text);
	ck_assert_msg(sink_close(sink, &err) == 0, "%s", err.text);
	ck_assert_int_eq(sink_close(NULL, &err), 0);
	ck_assert_str_eq(err.text, "");
}
END_TEST

static uint64_t count_back(const char *uri)
{
	struct source *source = source_open(uri, NULL, &err);
	struct doc *doc;
	uint64_t count = 0;
	int got;

	ck_assert_msg(source != NULL, "%s", err.text);
	while ((got = source_next(source, &doc, &err)) > 0) {
		ck_assert_int_eq(doc_int(doc_get(doc, "timestamp"), 0),
				 1000 + 1000 * (int64_t)(count / 2));
		ck_assert_str_eq(doc_string(doc_get(doc, "target"), ""),
				 count % 2 ? "/x" : "all");
		doc_free(doc);
		count++;
	}
	ck_assert_msg(got == 0, "%s", err.text);
	ck_assert(!source_torn(source));
	source_close(source);
	return count;
}

START_TEST(a_kind_is_continued_by_the_next_run)
{
	if (!kinds[_i].source)
		return;
	for (int run = 0; run < 3; run++) {
		struct sink *sink = must_open(kinds[_i].uri);

		ck_assert_int_eq(put_tick(sink, 1000 + 1000 * run), 0);
		/* In the kernel already, whatever happens to us next. */
		ck_assert_uint_eq(count_back(kinds[_i].source),
				  2 * (uint64_t)run + 2);
		ck_assert_int_eq(sink_close(sink, &err), 0);
	}
	ck_assert_uint_eq(count_back(kinds[_i].source), 6);
}
END_TEST

START_TEST(a_kind_takes_documents_or_says_why_not)
{
	struct sink *sink = must_open(kinds[_i].uri);
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", "x/1");
	if (kinds[_i].takes_docs) {
		ck_assert_int_eq(sink_put_doc(sink, doc, &err), 0);
		ck_assert_uint_eq(sink_documents(sink), 1);
	} else {
		ck_assert_int_eq(sink_put_doc(sink, doc, &err), -1);
		ck_assert_uint_eq(sink_documents(sink), 0);
		ck_assert_ptr_nonnull(strstr(err.text, "jsonl:"));
	}
	doc_free(doc);
	sink_close(sink, NULL);
}
END_TEST

START_TEST(a_kind_refuses_unknown_parameters)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "%s%ccolour=red", kinds[_i].uri,
		 strchr(kinds[_i].uri, '?') ? '&' : '?');
	ck_assert_ptr_null(sink_open(uri, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "unknown parameter 'colour'"));
}
END_TEST

/* Every kind that writes files, with a limit on their size: what a full disk
 * does, with EFBIG for ENOSPC. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_kind_keeps_whole_ticks_on_a_full_disk)
{
	struct sink *sink;
	uint64_t put = 0;

	if (!kinds[_i].source)
		return;
	sink = must_open(kinds[_i].uri);
	limit_files(1500);
	while (put < 100 && put_tick(sink, 1000 + 1000 * (int64_t)put) == 0)
		put++;
	limit_files(RLIM_INFINITY); /* Check writes files, too */
	ck_assert_uint_gt(put, 1);
	ck_assert_uint_lt(put, 100);
	ck_assert_ptr_nonnull(strstr(err.text, "write: File too large"));
	ck_assert_uint_eq(sink_documents(sink), 2 * put);
	ck_assert_uint_eq(count_back(kinds[_i].source), 2 * put);
	sink_close(sink, NULL);
}
END_TEST

/* ---- opening ------------------------------------------------------------- */

static const struct {
	const char *uri, *message;
} refused[] = {
	{ "ftp:x", "'ftp:x': cannot write to 'ftp:' (there are: jsonl:, " },
	{ "jsonl:", "jsonl : a file's name is missing (jsonl:FILE, or jsonl:- "
		    "for stdout)" },
	{ "csv:", "csv : a folder's name is missing (csv:DIR)" },
	{ "null:x", "null x: takes no name (write null:)" },
	{ "no/such/folder.jsonl",
	  "jsonl no/such/folder.jsonl: open: No such file or directory" },
	{ "null:?rotate=1", "null : unknown parameter 'rotate' (there are none "
			    "here)" },
	{ "jsonl:x?rotate=often", "jsonl x: parameter rotate: 'often': "
				  "expected a size (64MiB) or a duration" },
	{ "jsonl:-?rotate=1h", "jsonl -: standard output cannot be rotated" },
	{ "influx:hub:8086?db=x",
	  "influx hub:8086: an address is missing (influx:http://HOST:PORT, "
	  "credentials in token=FILE or INFLUX_TOKEN)" },
	{ "influx:http://u:p@hub?db=x",
	  "influx http://u:***@hub: an address is missing "
	  "(influx:http://HOST:PORT, credentials in token=FILE or "
	  "INFLUX_TOKEN)" },
	{ "influx:http://hub",
	  "influx http://hub: bucket= and org= (InfluxDB 2) or db= (InfluxDB "
	  "1) must say where to" },
	{ "influx:http://hub?db=x&token=none",
	  "influx http://hub: token: open none: No such file or directory" },
};

START_TEST(a_bad_place_is_refused_in_a_sentence)
{
	ck_assert_ptr_null(sink_open(refused[_i].uri, &err));
	/* Places may be added to a list of them. */
	ck_assert_msg(!strncmp(err.text, refused[_i].message,
			       strlen(refused[_i].message)),
		      "%s", err.text);
}
END_TEST

START_TEST(a_path_with_a_slash_before_the_colon_is_a_file)
{
	struct sink *sink = must_open("./a:b");

	ck_assert_str_eq(sink_file(sink), "./a:b");
	ck_assert_int_eq(sink_close(sink, &err), 0);
}
END_TEST

/* ---- jsonl --------------------------------------------------------------- */

START_TEST(jsonl_writes_one_document_a_line)
{
	struct sink *sink = must_open("out.jsonl");

	ck_assert_int_eq(put_power(sink, "a", 1, "{\"socket\":0}"), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out.jsonl"),
			 "{\"timestamp\":1000,\"sensor\":\"node\","
			 "\"target\":\"a\",\"power\":1.0,"
			 "\"metadata\":{\"socket\":0}}\n");
}
END_TEST

static const struct {
	const char *before, *after;
} torn[] = {
	{ "{\"a\":1}\n{\"b\":", "{\"a\":1}\n{}\n" },
	{ "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n{}\n" },
	{ "{\"b\":", "{}\n" },
	{ "", "{}\n" },
	{ "{\"a\":1}\n", "{\"a\":1}\n{}\n" },
};

START_TEST(jsonl_mends_a_torn_last_line)
{
	struct doc *doc = doc_new_object();
	struct sink *sink;

	scratch_write("out.jsonl", torn[_i].before);
	sink = must_open("out.jsonl");
	ck_assert_int_eq(sink_put_doc(sink, doc, &err), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out.jsonl"), torn[_i].after);
	doc_free(doc);
}
END_TEST

START_TEST(jsonl_does_not_append_to_somebodys_text)
{
	scratch_write("notes.txt", "{}\nbuy milk");
	ck_assert_ptr_null(sink_open("notes.txt", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "jsonl notes.txt: its last"));
	ck_assert_str_eq(scratch_read("notes.txt"), "{}\nbuy milk");
}
END_TEST

START_TEST(jsonl_tells_of_a_full_disk)
{
	struct sink *sink = must_open("/dev/full");

	ck_assert_ptr_null(sink_file(sink));
	ck_assert_int_eq(put_tick(sink, 1000), -1);
	ck_assert_str_eq(err.text,
			 "jsonl /dev/full: write: No space left on device");
	ck_assert_int_eq(sink_close(sink, NULL), 0);
}
END_TEST

START_TEST(jsonl_minus_is_stdout_behind_what_was_printed)
{
	int saved = dup(1);
	int file = open("out", O_RDWR | O_CREAT, 0600);
	struct doc *doc = doc_new_object();
	struct sink *sink;

	fflush(stdout);
	dup2(file, 1);
	printf("first\n");
	sink = must_open("jsonl:-");
	ck_assert_ptr_null(sink_file(sink));
	ck_assert_int_eq(sink_put_doc(sink, doc, &err), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	printf("last\n");
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	close(file);
	doc_free(doc);
	ck_assert_str_eq(scratch_read("out"), "first\n{}\nlast\n");
}
END_TEST

START_TEST(jsonl_waits_for_a_slow_pipe)
{
	static char big[300000];
	struct doc *doc = doc_new_object();
	struct sink *sink;
	size_t got = 0;
	int end[2];
	pid_t pid;

	memset(big, 'x', sizeof(big) - 1);
	doc_set_text(doc, "x", big);
	ck_assert_int_eq(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		close(end[0]);
		ck_assert_int_eq(fcntl(end[1], F_SETFL, O_NONBLOCK), 0);
		dup2(end[1], 1);
		sink = sink_open("jsonl:-", &err);
		_exit(sink_put_doc(sink, doc, &err) != 0);
	}
	close(end[1]);
	usleep(20000);
	for (ssize_t n = 1; n > 0; got += (size_t)n)
		n = read(end[0], big, sizeof(big));
	ck_assert_uint_eq(got, sizeof(big) - 1 + strlen("{\"x\":\"\"}\n"));
	close(end[0]);
	doc_free(doc);
}
END_TEST

/* ---- csv ----------------------------------------------------------------- */

START_TEST(csv_writes_hwpc_sensors_files)
{
	struct sink *sink = must_open("csv:deep/out");

	ck_assert_int_eq(put_tick(sink, 1000), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("deep/out/core.csv"),
			 "timestamp,sensor,target,socket,cpu,CYCLES,"
			 "time_enabled\n"
			 "1000,node,/x,0,10,5,50\n"
			 "1000,node,all,0,2,12,101\n"
			 "1000,node,all,0,10,11,100\n");
	ck_assert_str_eq(scratch_read("deep/out/rapl.csv"),
			 "timestamp,sensor,target,socket,cpu,PKG\n"
			 "1000,node,all,0,0,1099511627776\n");
}
END_TEST

START_TEST(csv_moves_a_file_with_other_columns_away)
{
	struct sink *sink;

	ck_assert_int_eq(mkdir("out", 0755), 0);
	scratch_write("out/rapl.csv", "timestamp,sensor,target,socket,cpu,X\n"
				      "1,n,all,0,0,1\n");
	scratch_write("out/rapl.1.csv", "older\n");
	sink = must_open("csv:out");
	ck_assert_int_eq(put_tick(sink, 1000), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out/rapl.1.csv"), "older\n");
	ck_assert_str_eq(scratch_read("out/rapl.2.csv"),
			 "timestamp,sensor,target,socket,cpu,X\n"
			 "1,n,all,0,0,1\n");
	ck_assert_str_eq(scratch_read("out/rapl.csv"),
			 "timestamp,sensor,target,socket,cpu,PKG\n"
			 "1000,node,all,0,0,1099511627776\n");
}
END_TEST

START_TEST(csv_starts_a_new_file_for_a_new_column)
{
	struct sink *sink = must_open("csv:out");
	const union value value = { .integer = 9 };
	struct layout *more = hwpc();
	struct row row = { "/y", more, &value, NULL };
	struct batch batch = { 2000, "node", &row, 1 };

	add(more, "rapl", "0", "DRAM");
	layout_end(more);
	ck_assert_int_eq(put_tick(sink, 1000), 0);
	ck_assert_int_eq(sink_put(sink, &batch, &err), 0);
	ck_assert_int_eq(put_tick(sink, 3000), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out/rapl.1.csv"),
			 "timestamp,sensor,target,socket,cpu,PKG\n"
			 "1000,node,all,0,0,1099511627776\n");
	ck_assert_str_eq(scratch_read("out/rapl.csv"),
			 "timestamp,sensor,target,socket,cpu,DRAM,PKG\n"
			 "2000,node,/y,0,0,9,\n"
			 "3000,node,all,0,0,,1099511627776\n");
	layout_free(more);
}
END_TEST

static const char *const damaged_csv[] = {
	"timestamp,sensor,target,socket,cpu,PKG\n500,node,al",
	"timestamp,sensor,target,socket,c",
	"",
};

START_TEST(csv_mends_a_torn_file)
{
	struct sink *sink;

	ck_assert_int_eq(mkdir("out", 0755), 0);
	scratch_write("out/rapl.csv", damaged_csv[_i]);
	sink = must_open("csv:out");
	ck_assert_int_eq(put_tick(sink, 1000), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out/rapl.csv"),
			 "timestamp,sensor,target,socket,cpu,PKG\n"
			 "1000,node,all,0,0,1099511627776\n");
	ck_assert_int_ne(access("out/rapl.1.csv", F_OK), 0);
}
END_TEST

START_TEST(csv_refuses_a_group_that_is_no_file_name)
{
	struct sink *sink = must_open("csv:out");
	const union value value = { .integer = 9 };
	struct layout *bad = hwpc();
	struct row row = { "/y", bad, &value, NULL };
	struct batch batch = { 2000, "node", &row, 1 };

	add(bad, "../evil", "0", "X");
	layout_end(bad);
	ck_assert_int_eq(sink_put(sink, &batch, &err), -1);
	ck_assert_str_eq(err.text, "csv out: '../evil' cannot be the name of "
				   "a file");
	ck_assert_int_eq(sink_close(sink, &err), 0);
	layout_free(bad);
}
END_TEST

START_TEST(csv_refuses_a_folder_that_is_a_file)
{
	scratch_write("file", "x");
	ck_assert_ptr_null(sink_open("csv:file", &err));
	ck_assert_str_eq(err.text, "csv file: file is not a folder");
	ck_assert_ptr_null(sink_open("csv:file/below", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "Not a directory"));
}
END_TEST

START_TEST(csv_writes_powerapis_power_reports)
{
	static const char metadata[] = "{\"scope\":\"cpu\",\"socket\":\"0\","
				       "\"ratio\":0.5,\"k8s\":{\"pod\":\"p\"},"
				       "\"formula\":\"f,g\"}";
	struct sink *sink = must_open("csv:out");

	ck_assert_int_eq(put_power(sink, "/a/b", 2.5, metadata), 0);
	ck_assert_int_eq(put_power(sink, "/a/b", 3, metadata), 0);
	ck_assert_int_eq(put_power(sink, "/a", 1, NULL), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out/node-/a/b/PowerReport.csv"),
			 "timestamp,sensor,target,power,socket,formula,"
			 "k8s_pod,ratio,scope\r\n"
			 "1000,node,/a/b,2.5,0,\"f,g\",p,0.5,cpu\r\n"
			 "1000,node,/a/b,3.0,0,\"f,g\",p,0.5,cpu\r\n");
	ck_assert_str_eq(scratch_read("out/node-/a/PowerReport.csv"),
			 "timestamp,sensor,target,power,socket\r\n"
			 "1000,node,/a,1.0,\r\n");
}
END_TEST

START_TEST(csv_keeps_power_reports_of_changing_metadata)
{
	struct sink *sink = must_open("csv:out");

	ck_assert_int_eq(put_power(sink, "a", 1, "{\"scope\":\"cpu\"}"), 0);
	ck_assert_int_eq(put_power(sink, "a", 2, NULL), 0);
	ck_assert_int_eq(put_power(sink, "a", 3, "{\"error\":1}"), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	sink = must_open("csv:out");
	ck_assert_int_eq(put_power(sink, "a", 4, NULL), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_str_eq(scratch_read("out/node-a/PowerReport.1.csv"),
			 "timestamp,sensor,target,power,socket,scope\r\n"
			 "1000,node,a,1.0,,cpu\r\n"
			 "1000,node,a,2.0,,\r\n");
	ck_assert_str_eq(scratch_read("out/node-a/PowerReport.csv"),
			 "timestamp,sensor,target,power,socket,error,scope\r\n"
			 "1000,node,a,3.0,,1,\r\n"
			 "1000,node,a,4.0,,,\r\n");
}
END_TEST

START_TEST(csv_stays_inside_its_folder)
{
	struct sink *sink = must_open("csv:in/out");

	ck_assert_int_eq(put_power(sink, "process:1:/../../../x", 1, NULL), 0);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_ptr_nonnull(strstr(
		scratch_read(
			"in/out/node-process:1:/__/__/__/x/PowerReport.csv"),
		"1000,node,process:1:/../../../x,1.0"));
}
END_TEST

/* ---- several ------------------------------------------------------------- */

START_TEST(several_sinks_all_get_everything)
{
	struct field_list uris = { 0 };
	struct sink *sink;

	field_list_add(&uris, "null:");
	field_list_add(&uris, "a.jsonl");
	field_list_add(&uris, "csv:b");
	sink = sink_open_all(&uris, NULL, &err);
	ck_assert_ptr_nonnull(sink);
	ck_assert_str_eq(sink_uri(sink), "null:, a.jsonl, csv:b");
	ck_assert_str_eq(sink_file(sink), "a.jsonl");
	ck_assert_int_eq(put_tick(sink, 1000), 0);
	ck_assert_uint_eq(sink_documents(sink), 2);
	ck_assert_int_eq(sink_close(sink, &err), 0);
	ck_assert_uint_eq(count_back("a.jsonl"), 2);
	ck_assert_uint_eq(count_back("csv:b"), 2);
	field_list_done(&uris);
}
END_TEST

START_TEST(a_failing_sink_does_not_keep_the_others_from_theirs)
{
	struct field_list uris = { 0 };
	struct sink *sink;

	field_list_add(&uris, "/dev/full");
	field_list_add(&uris, "a.jsonl");
	sink = sink_open_all(&uris, NULL, &err);
	ck_assert_int_eq(put_tick(sink, 1000), -1);
	ck_assert_str_eq(err.text,
			 "jsonl /dev/full: write: No space left on device");
	ck_assert_int_eq(sink_close(sink, NULL), 0);
	ck_assert_uint_eq(count_back("a.jsonl"), 2);
	field_list_done(&uris);
}
END_TEST

START_TEST(no_sink_is_the_fallback)
{
	struct field_list none = { 0 };
	struct sink *sink = sink_open_all(&none, "x.jsonl", &err);

	ck_assert_str_eq(sink_file(sink), "x.jsonl");
	sink_close(sink, NULL);
	sink = sink_open_all(&none, NULL, &err);
	ck_assert_str_eq(sink_uri(sink), "null:");
	sink_close(sink, NULL);
}
END_TEST

START_TEST(one_bad_place_of_several_opens_none)
{
	struct field_list uris = { 0 };

	field_list_add(&uris, "a.jsonl");
	field_list_add(&uris, "ftp:x");
	ck_assert_ptr_null(sink_open_all(&uris, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "ftp:"));
	field_list_done(&uris);
}
END_TEST

Suite *sink_suite(void);

static TCase *kind_case(void)
{
	TCase *tcase = tcase_create("every kind");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_kind_counts_what_it_took, 0, KINDS);
	tcase_add_loop_test(tcase, a_kind_is_continued_by_the_next_run, 0,
			    KINDS);
	tcase_add_loop_test(tcase, a_kind_takes_documents_or_says_why_not, 0,
			    KINDS);
	tcase_add_loop_test(tcase, a_kind_refuses_unknown_parameters, 0, KINDS);
	tcase_add_loop_test(tcase, a_kind_keeps_whole_ticks_on_a_full_disk, 0,
			    KINDS);
	return tcase;
}

static TCase *special_case(void)
{
	TCase *tcase = tcase_create("jsonl, csv, several");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_bad_place_is_refused_in_a_sentence, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tcase, a_path_with_a_slash_before_the_colon_is_a_file);
	tcase_add_test(tcase, jsonl_writes_one_document_a_line);
	tcase_add_loop_test(tcase, jsonl_mends_a_torn_last_line, 0, 5);
	tcase_add_test(tcase, jsonl_does_not_append_to_somebodys_text);
	tcase_add_test(tcase, jsonl_tells_of_a_full_disk);
	tcase_add_test(tcase, jsonl_minus_is_stdout_behind_what_was_printed);
	tcase_add_test(tcase, jsonl_waits_for_a_slow_pipe);
	tcase_add_test(tcase, csv_writes_hwpc_sensors_files);
	tcase_add_test(tcase, csv_moves_a_file_with_other_columns_away);
	tcase_add_test(tcase, csv_starts_a_new_file_for_a_new_column);
	tcase_add_loop_test(tcase, csv_mends_a_torn_file, 0, 3);
	tcase_add_test(tcase, csv_refuses_a_group_that_is_no_file_name);
	tcase_add_test(tcase, csv_refuses_a_folder_that_is_a_file);
	tcase_add_test(tcase, csv_writes_powerapis_power_reports);
	tcase_add_test(tcase, csv_keeps_power_reports_of_changing_metadata);
	tcase_add_test(tcase, csv_stays_inside_its_folder);
	tcase_add_test(tcase, several_sinks_all_get_everything);
	tcase_add_test(tcase,
		       a_failing_sink_does_not_keep_the_others_from_theirs);
	tcase_add_test(tcase, no_sink_is_the_fallback);
	tcase_add_test(tcase, one_bad_place_of_several_opens_none);
	return tcase;
}

Suite *sink_suite(void)
{
	Suite *suite = suite_create("sink");

	suite_add_tcase(suite, kind_case());
	suite_add_tcase(suite, special_case());
	return suite;
}
