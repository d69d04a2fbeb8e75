/* SPDX-License-Identifier: BSD-3-Clause */
/* One suite over every kind of source, then what is special to each. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/source.h"
#include "lib/text.h"
#include "tests/unit/scratch.h"

static struct err err;

static void setup(void)
{
	scratch_open();
	err = (struct err){ 0 };
}

static struct source *must_open(const char *uri,
				const struct source_filter *filter)
{
	struct source *source = source_open(uri, filter, &err);

	ck_assert_msg(source != NULL, "%s: %s", uri, err.text);
	return source;
}

/* All that comes, a line each; "error" at the end if it ended in one. */
static const char *all_of(const char *uri, const struct source_filter *filter,
			  bool *torn)
{
	static struct text text;
	struct source *source = must_open(uri, filter);
	struct doc *doc;
	int got;

	text_clear(&text);
	text_put(&text, "");
	while ((got = source_next(source, &doc, &err)) > 0) {
		char *line = doc_to_text(doc);

		text_printf(&text, "%s\n", line);
		free(line);
		doc_free(doc);
	}
	if (got < 0)
		text_put(&text, "error");
	if (torn)
		*torn = source_torn(source);
	source_close(source);
	return text.data;
}

/* ---- every kind ---------------------------------------------------------- */

#define CSV_HEAD "timestamp,sensor,target,socket,cpu,"

static void make_jsonl(void)
{
	scratch_write("in.jsonl",
		      "{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"all\","
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"E\":1}}}}}\n"
		      "{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"/a\","
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"E\":2}}}}}\n"
		      "{\"timestamp\":2000,\"sensor\":\"n\",\"target\":\"all\","
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"E\":3}}}}}\n"
		      "{\"timestamp\":3000,\"sensor\":\"n\",\"target\":\"/b\","
		      "\"groups\":{\"g\":{\"0\":{\"0\":{\"E\":4}}}}}\n");
}

static void make_csv(void)
{
	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/g.csv", CSV_HEAD "E\n"
					   "1000,n,/a,0,0,2\n"
					   "1000,n,all,0,0,1\n"
					   "2000,n,all,0,0,3\n"
					   "3000,n,/b,0,0,4\n");
}

static const struct kind {
	const char *uri;
	void (*make)(void);
	const char *where;
} kinds[] = {
	{ "in.jsonl", make_jsonl, "in.jsonl:1" },
	{ "jsonl:in.jsonl", make_jsonl, "in.jsonl:1" },
	{ "csv:in", make_csv, "in/g.csv:3" },
};

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

START_TEST(a_kind_gives_its_documents_in_order)
{
	struct source *source;
	struct doc *doc;
	bool torn;
	char *text;

	kinds[_i].make();
	source = must_open(kinds[_i].uri, NULL);
	ck_assert_int_eq(source_next(source, &doc, &err), 1);
	ck_assert_str_eq(source_where(source), kinds[_i].where);
	text = doc_to_text(doc);
	ck_assert_str_eq(text,
			 "{\"timestamp\":1000,\"sensor\":\"n\","
			 "\"target\":\"all\",\"groups\":{\"g\":{\"0\":{\"0\":{"
			 "\"E\":1}}}}}");
	free(text);
	doc_free(doc);
	source_close(source);
	source_close(NULL);
	make_jsonl();
	ck_assert_str_eq(all_of(kinds[_i].uri, NULL, &torn),
			 scratch_read("in.jsonl"));
	ck_assert(!torn);
}
END_TEST

START_TEST(a_kind_stays_at_its_end)
{
	struct source *source;
	struct doc *doc;

	kinds[_i].make();
	source = must_open(kinds[_i].uri, NULL);
	while (source_next(source, &doc, &err) > 0)
		doc_free(doc);
	ck_assert_int_eq(source_next(source, &doc, &err), 0);
	ck_assert_int_eq(source_next(source, &doc, &err), 0);
	source_close(source);
}
END_TEST

static int count(const char *uri, struct source_filter filter)
{
	const char *text = all_of(uri, &filter, NULL);
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

START_TEST(a_kind_is_filtered_by_time_and_target)
{
	const char *uri = kinds[_i].uri;

	kinds[_i].make();
	ck_assert_int_eq(count(uri, (struct source_filter){ 0 }), 4);
	ck_assert_int_eq(count(uri, (struct source_filter){ .since_ms = 2000 }),
			 2);
	ck_assert_int_eq(count(uri, (struct source_filter){ .until_ms = 2000 }),
			 2);
	ck_assert_int_eq(count(uri, (struct source_filter){ .since_ms = 2000,
							    .until_ms = 3000 }),
			 1);
	ck_assert_int_eq(count(uri, (struct source_filter){ .target = "/*" }),
			 2);
	ck_assert_int_eq(count(uri, (struct source_filter){ .target = "all",
							    .until_ms = 2000 }),
			 1);
	ck_assert_int_eq(count(uri, (struct source_filter){ .target = "x" }),
			 0);
}
END_TEST

START_TEST(a_kind_refuses_unknown_parameters)
{
	char uri[64];

	kinds[_i].make();
	snprintf(uri, sizeof(uri), "%s?colour=red", kinds[_i].uri);
	ck_assert_ptr_null(source_open(uri, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "unknown parameter 'colour'"));
}
END_TEST

static const struct {
	const char *uri, *message;
} refused[] = {
	{ "ftp:x", "'ftp:x': cannot read from 'ftp:' (there are: jsonl:, " },
	{ "none.jsonl", "jsonl none.jsonl: open: No such file or directory" },
	{ "csv:none", "csv none: open folder: No such file or directory" },
	{ "jsonl:", "jsonl : a file's name is missing (jsonl:FILE, or jsonl:- "
		    "for stdin)" },
	{ ".", "jsonl .: is a folder (hwpc-sensor's: csv:.)" },
	{ "csv:.", "csv .: no .csv file in it (expected GROUP.csv as "
		   "hwpc-sensor writes them, or PowerAPI's "
		   "PowerReport.csv)" },
};

START_TEST(a_missing_place_is_a_clear_error)
{
	ck_assert_ptr_null(source_open(refused[_i].uri, NULL, &err));
	/* Places may be added to a list of them. */
	ck_assert_msg(!strncmp(err.text, refused[_i].message,
			       strlen(refused[_i].message)),
		      "%s", err.text);
}
END_TEST

/* ---- jsonl --------------------------------------------------------------- */

static const struct {
	const char *text, *docs;
	bool torn;
	const char *message; /* "" for none */
} lines[] = {
	{ "", "", false, "" },
	{ "{}\n", "{}\n", false, "" },
	{ "{}\r\n\n \t\r\n{\"a\":1}\r\n", "{}\n{\"a\":1}\n", false, "" },
	{ "{}\n{\"a\":1}", "{}\n{\"a\":1}\n", false, "" },
	{ "{}\n{\"a\":", "{}\n", true, "" },
	{ "{\"a\"", "", true, "" },
	{ "{}\n{\"a\":\n{}\n", "{}\nerror", false, "in.jsonl:2: " },
	{ "{}\n{\"a\":\n", "{}\nerror", false, "in.jsonl:2: " },
	{ "{}\n[1]\n{}\n", "{}\nerror", false,
	  "in.jsonl:2: expected a JSON object" },
	{ "{} {}\n{}\n", "error", false, "in.jsonl:1: column 4: " },
};

START_TEST(jsonl_skips_a_torn_last_line_and_nothing_else)
{
	bool torn;

	scratch_write("in.jsonl", lines[_i].text);
	ck_assert_str_eq(all_of("in.jsonl", NULL, &torn), lines[_i].docs);
	ck_assert_int_eq(torn, lines[_i].torn);
	ck_assert_int_eq(
		strncmp(err.text, lines[_i].message, strlen(lines[_i].message)),
		0);
	ck_assert_int_eq(err.text[0] != '\0', lines[_i].message[0] != '\0');
}
END_TEST

START_TEST(jsonl_takes_zeros_at_the_end_for_a_torn_line)
{
	FILE *file = fopen("in.jsonl", "w");
	bool torn;

	fputs("{}\n", file);
	for (int i = 0; i < 100; i++)
		fputc('\0', file);
	fclose(file);
	ck_assert_str_eq(all_of("in.jsonl", NULL, &torn), "{}\n");
	ck_assert(torn);
}
END_TEST

START_TEST(jsonl_reads_lines_longer_than_its_buffer)
{
	FILE *file = fopen("in.jsonl", "w");

	for (int line = 0; line < 3; line++) {
		fputs("{\"x\":\"", file);
		for (int i = 0; i < 200001; i++)
			fputc('a' + line, file);
		fputs("\"}\n", file);
	}
	fclose(file);
	ck_assert_uint_eq(strlen(all_of("in.jsonl", NULL, NULL)),
			  3 * (200001 + strlen("{\"x\":\"\"}\n")));
}
END_TEST

START_TEST(jsonl_refuses_a_line_beyond_the_limit)
{
	FILE *file = fopen("in.jsonl", "w");

	fputs("{}\n", file);
	ck_assert_int_eq(fseek(file, (long)SOURCE_DOCUMENT_MAX + 10, SEEK_SET),
			 0);
	fputs("\n", file);
	fclose(file);
	ck_assert_str_eq(all_of("in.jsonl", NULL, NULL), "{}\nerror");
	ck_assert_str_eq(err.text, "in.jsonl:2: longer than 16777216 bytes");
}
END_TEST

START_TEST(jsonl_minus_is_stdin)
{
	int file;

	make_jsonl();
	file = open("in.jsonl", O_RDONLY);
	dup2(file, 0);
	close(file);
	ck_assert_str_eq(all_of("jsonl:-", NULL, NULL),
			 scratch_read("in.jsonl"));
	ck_assert_int_ge(fcntl(0, F_GETFD), 0); /* not ours to close */
}
END_TEST

START_TEST(dates_are_filtered_like_milliseconds)
{
	struct source_filter filter = { .since_ms = 1594000000000,
					.until_ms = 1594000001000 };

	/* 1594000000 is 2020-07-06T01:46:40Z. */
	scratch_write("in.jsonl",
		      "{\"timestamp\":\"1594000000000\",\"n\":1}\n"
		      "{\"timestamp\":\"1594000001000\",\"n\":2}\n"
		      "{\"timestamp\":\"2020-07-06T01:46:40.999999\",\"n\":3}\n"
		      "{\"timestamp\":\"2020-07-06T03:46:40+02:00\",\"n\":4}\n"
		      "{\"timestamp\":\"2020-07-06T01:46:40\",\"n\":5}\n"
		      "{\"timestamp\":\"2020-07-06T01:46:39.9Z\",\"n\":6}\n"
		      "{\"time_ms\":1594000000500,\"n\":7}\n"
		      "{\"timestamp\":\"soon\",\"n\":8}\n"
		      "{\"n\":9}\n");
	ck_assert_int_eq(count("in.jsonl", filter), 5);
	ck_assert_ptr_nonnull(
		strstr(all_of("in.jsonl", &filter, NULL), "\"n\":4"));
	ck_assert_ptr_null(
		strstr(all_of("in.jsonl", &filter, NULL), "\"n\":6"));
}
END_TEST

/* ---- csv ----------------------------------------------------------------- */

START_TEST(csv_merges_the_groups_of_a_tick)
{
	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/rapl.csv", CSV_HEAD "PKG,time_enabled\r\n"
					      "1000,n,all,0,7,5,9\r\n"
					      "2000,n,all,0,7,6,9\r\n");
	scratch_write("in/core.csv", CSV_HEAD "B,A\n"
					      "1000,n,/z,0,10,1,2\n"
					      "1000,n,/a,1,0,3,4\n"
					      "1000,n,/z,0,9,5,\n"
					      "1000,n,/a,0,0,7,8\n");
	ck_assert_str_eq(
		all_of("csv:in", NULL, NULL),
		"{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"all\","
		"\"groups\":{\"rapl\":{\"0\":{\"7\":{\"PKG\":5,"
		"\"time_enabled\":9}}}}}\n"
		"{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"/a\","
		"\"groups\":{\"core\":{\"0\":{\"0\":{\"B\":7,\"A\":8}},"
		"\"1\":{\"0\":{\"B\":3,\"A\":4}}}}}\n"
		"{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"/z\","
		"\"groups\":{\"core\":{\"0\":{\"9\":{\"B\":5},"
		"\"10\":{\"B\":1,\"A\":2}}}}}\n"
		"{\"timestamp\":2000,\"sensor\":\"n\",\"target\":\"all\","
		"\"groups\":{\"rapl\":{\"0\":{\"7\":{\"PKG\":6,"
		"\"time_enabled\":9}}}}}\n");
}
END_TEST

START_TEST(csv_reads_moved_files_first)
{
	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/g.csv", CSV_HEAD "C\n5,n,all,0,0,50\n");
	scratch_write("in/g.10.csv", CSV_HEAD "B\n4,n,all,0,0,40\n");
	scratch_write("in/g.2.csv", CSV_HEAD "A\n3,n,all,0,0,30\n");
	scratch_write("in/h.1.csv", CSV_HEAD "X\n4,n,all,0,0,1\n");
	ck_assert_str_eq(all_of("csv:in", NULL, NULL),
			 "{\"timestamp\":3,\"sensor\":\"n\",\"target\":\"all\","
			 "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":30}}}}}\n"
			 "{\"timestamp\":4,\"sensor\":\"n\",\"target\":\"all\","
			 "\"groups\":{\"g\":{\"0\":{\"0\":{\"B\":40}}},"
			 "\"h.1\":{\"0\":{\"0\":{\"X\":1}}}}}\n"
			 "{\"timestamp\":5,\"sensor\":\"n\",\"target\":\"all\","
			 "\"groups\":{\"g\":{\"0\":{\"0\":{\"C\":50}}}}}\n");
}
END_TEST

START_TEST(csv_skips_a_torn_last_line)
{
	bool torn;

	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/g.csv", CSV_HEAD "A\n3,n,all,0,0,30\n4,n,all,0,0,4");
	ck_assert_str_eq(all_of("csv:in", NULL, &torn),
			 "{\"timestamp\":3,\"sensor\":\"n\",\"target\":\"all\","
			 "\"groups\":{\"g\":{\"0\":{\"0\":{\"A\":30}}}}}\n");
	ck_assert(torn);
	scratch_write("in/g.csv", CSV_HEAD "A\n3,n,a");
	ck_assert_str_eq(all_of("csv:in", NULL, &torn), "");
	ck_assert(torn);
}
END_TEST

START_TEST(csv_reads_power_reports_in_order_of_time)
{
	bool torn;

	ck_assert_int_eq(mkdir("d", 0755) | mkdir("d/n-a", 0755) |
				 mkdir("d/n-", 0755) | mkdir("d/n-/b", 0755),
			 0);
	scratch_write("d/n-a/PowerReport.csv",
		      "timestamp,sensor,target,power,socket,ratio\r\n"
		      "1000,n,a,1.5,0,0.5\r\n2000,n,a,2,0,\r\n"
		      "3000,n,a,3,0,0.7");
	scratch_write("d/n-/b/PowerReport.csv",
		      "timestamp,sensor,target,power,socket\r\n"
		      "1000,n,/b,,1\r\n2000,n,/b,4e-1,\r\n");
	scratch_write("d/power.csv", "timestamp,sensor,target,power\r\n"
				     "1970-01-01T00:00:01.500+00:00,n,c,1\r\n");
	ck_assert_str_eq(
		all_of("csv:d", NULL, &torn),
		"{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"/b\","
		"\"metadata\":{\"socket\":\"1\"}}\n"
		"{\"timestamp\":1000,\"sensor\":\"n\",\"target\":\"a\","
		"\"power\":1.5,"
		"\"metadata\":{\"socket\":\"0\",\"ratio\":\"0.5\"}}\n"
		"{\"timestamp\":1500,\"sensor\":\"n\",\"target\":\"c\","
		"\"power\":1.0}\n"
		"{\"timestamp\":2000,\"sensor\":\"n\",\"target\":\"/b\","
		"\"power\":0.4}\n"
		"{\"timestamp\":2000,\"sensor\":\"n\",\"target\":\"a\","
		"\"power\":2.0,\"metadata\":{\"socket\":\"0\"}}\n");
	ck_assert(torn);
}
END_TEST

static const struct {
	const char *text, *message;
} damaged[] = {
	{ "timestamp,sensor,target,cpu,E\n1,n,all,0,1\n",
	  "in/g.csv: no column 'socket' in its first line (is this "
	  "hwpc-sensor's?)" },
	{ CSV_HEAD "E,E\n1,n,all,0,0,1,1\n", "in/g.csv: two columns 'E'" },
	{ CSV_HEAD "E\n1,n,all,0,0,1\n2,n,all,0,1\n3,n,all,0,0,1\n",
	  "in/g.csv:3: expected 6 cells, found 5" },
	{ CSV_HEAD "E\n1,n,all,0,0,x\n2,n,all,0,0,1\n",
	  "in/g.csv:2: column 6: expected a whole number, found \"x\"" },
	{ CSV_HEAD "E\nnow,n,all,0,0,1\n2,n,all,0,0,1\n",
	  "in/g.csv:2: column 1: expected a whole number, found \"now\"" },
	{ CSV_HEAD "E\n1,n,all,0,0,9999999999999999999\n2,n,all,0,0,1\n",
	  "in/g.csv:2: column 6: larger than 2^63" },
	{ CSV_HEAD "E\n5,n,all,0,0,1\n4,n,all,0,0,1\n",
	  "in/g.csv:3: the timestamp goes back from 5 to 4 (split the files "
	  "there)" },
};

START_TEST(csv_names_file_and_line_of_a_bad_row)
{
	struct source *source;
	struct doc *doc;
	int got = -1;

	ck_assert_int_eq(mkdir("in", 0755), 0);
	scratch_write("in/g.csv", damaged[_i].text);
	source = source_open("csv:in", NULL, &err);
	while (source && (got = source_next(source, &doc, &err)) > 0)
		doc_free(doc);
	ck_assert_int_eq(got, -1);
	source_close(source);
	ck_assert_msg(strstr(err.text, damaged[_i].message) != NULL, "%s",
		      err.text);
}
END_TEST

static char started_in[PATH_MAX]; /* before a scratch folder was entered */

/* The classic samples that PowerAPI's own tests read: two ticks of a machine
 * with two sockets, three groups. */
START_TEST(csv_reads_real_samples)
{
	const char *shared = getenv("FEDWATTS_SHARED");
	char uri[2 * PATH_MAX];
	struct source *source;
	struct doc *doc;
	int documents = 0;

	ck_assert_int_eq(chdir(started_in), 0);
	snprintf(uri, sizeof(uri), "csv:%s/data/hwpc_reports",
		 shared ? shared : "../shared");
	source = source_open(uri, NULL, NULL);
	if (!source) {
		printf("skipped: no samples in %s\n", uri);
		return;
	}
	while (source_next(source, &doc, &err) > 0) {
		const struct doc *groups = doc_get(doc, "groups");

		ck_assert_str_eq(doc_string(doc_get(doc, "target"), ""),
				 "system");
		ck_assert_uint_eq(doc_count(groups), 3);
		for (size_t i = 0; i < doc_count(groups); i++) {
			const struct doc *group;

			doc_key_at(groups, i, &group);
			ck_assert_uint_eq(doc_count(group), 2);
		}
		doc_free(doc);
		documents++;
	}
	ck_assert_str_eq(err.text, "");
	source_close(source);
	ck_assert_int_eq(documents, 2);
}
END_TEST

Suite *source_suite(void);

static TCase *kind_case(void)
{
	TCase *tcase = tcase_create("every kind");

	tcase_add_checked_fixture(tcase, setup, scratch_close);
	tcase_add_loop_test(tcase, a_kind_gives_its_documents_in_order, 0,
			    KINDS);
	tcase_add_loop_test(tcase, a_kind_stays_at_its_end, 0, KINDS);
	tcase_add_loop_test(tcase, a_kind_is_filtered_by_time_and_target, 0,
			    KINDS);
	tcase_add_loop_test(tcase, a_kind_refuses_unknown_parameters, 0, KINDS);
	return tcase;
}

Suite *source_suite(void)
{
	Suite *suite = suite_create("source");
	TCase *tcase = tcase_create("jsonl, csv");

	if (!getcwd(started_in, sizeof(started_in)))
		started_in[0] = '\0';
	suite_add_tcase(suite, kind_case());
	tcase_add_checked_fixture(tcase, setup, scratch_close);
	tcase_add_loop_test(tcase, a_missing_place_is_a_clear_error, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tcase,
			    jsonl_skips_a_torn_last_line_and_nothing_else, 0,
			    sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tcase, jsonl_takes_zeros_at_the_end_for_a_torn_line);
	tcase_add_test(tcase, jsonl_reads_lines_longer_than_its_buffer);
	tcase_add_test(tcase, jsonl_refuses_a_line_beyond_the_limit);
	tcase_add_test(tcase, jsonl_minus_is_stdin);
	tcase_add_test(tcase, dates_are_filtered_like_milliseconds);
	tcase_add_test(tcase, csv_merges_the_groups_of_a_tick);
	tcase_add_test(tcase, csv_reads_moved_files_first);
	tcase_add_test(tcase, csv_skips_a_torn_last_line);
	tcase_add_loop_test(tcase, csv_names_file_and_line_of_a_bad_row, 0,
			    sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(tcase, csv_reads_real_samples);
	tcase_add_test(tcase, csv_reads_power_reports_in_order_of_time);
	suite_add_tcase(suite, tcase);
	return suite;
}
