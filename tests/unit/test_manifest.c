/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/doc.h"
#include "lib/sink.h"
#include "sensor/manifest.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct sink *sink;

static void setup(void)
{
	char uri[128];

	tree_init(&tree);
	snprintf(uri, sizeof(uri), "jsonl:%s/r.jsonl", tree.root);
	sink = sink_open(uri, NULL);
	ck_assert_ptr_nonnull(sink);
}

static void teardown(void)
{
	ck_assert_int_eq(sink_close(sink, NULL), 0);
	tree_done(&tree);
}

static void lay(const char *run)
{
	struct doc *manifest = manifest_new("bench sweep", run);
	struct err err = { 0 };

	ck_assert_msg(manifest_lay(manifest, sink, &err) == 0, "%s", err.text);
	doc_free(manifest);
}

static void check_run(const char *name, const char *run)
{
	struct doc *doc = doc_read(tree_path(&tree, name), NULL);

	ck_assert_ptr_nonnull(doc);
	ck_assert_str_eq(doc_string(doc_get(doc, "run"), ""), run);
	doc_free(doc);
}

START_TEST(a_manifest_says_what_may_differ)
{
	struct doc *manifest = manifest_new("bench sweep", "abc");

	ck_assert(doc_is_schema(manifest, "fedwatts.manifest/1"));
	ck_assert_str_eq(doc_string(doc_get(manifest, "command"), ""),
			 "bench sweep");
	ck_assert_int_gt(doc_int(doc_get(manifest, "time_ms"), 0), 0);
	ck_assert_str_ne(doc_string(doc_get(manifest, "device"), ""), "");
	ck_assert_str_ne(
		doc_string(doc_get(doc_get(manifest, "kernel"), "release"), ""),
		"");
	ck_assert_int_eq(doc_int(doc_get(doc_get(manifest, "cpu"), "cpus"), 0),
			 sysconf(_SC_NPROCESSORS_ONLN));
	doc_free(manifest);
}
END_TEST

START_TEST(it_lies_beside_the_file_and_is_renewed_by_the_same_run)
{
	lay("abc");
	check_run("r.jsonl.manifest.json", "abc");
	lay("abc");
	check_run("r.jsonl.manifest.json", "abc");
	ck_assert_int_ne(
		access(tree_path(&tree, "r.jsonl.manifest-abc.json"), F_OK), 0);
}
END_TEST

START_TEST(that_of_another_run_is_kept)
{
	lay("abc");
	lay("def");
	check_run("r.jsonl.manifest.json", "def");
	check_run("r.jsonl.manifest-abc.json", "abc");
}
END_TEST

START_TEST(what_is_no_manifest_is_kept_too)
{
	tree_put(&tree, "r.jsonl.manifest.json", "not json");
	lay("abc");
	check_run("r.jsonl.manifest.json", "abc");
	ck_assert_int_eq(
		access(tree_path(&tree, "r.jsonl.manifest-old.json"), F_OK), 0);
	tree_put(&tree, "r.jsonl.manifest.json",
		 "{\"schema\": \"fedwatts.manifest/1\", \"run\": \"../x\"}");
	lay("def");
	ck_assert_int_eq(
		access(tree_path(&tree, "r.jsonl.manifest-old.json"), F_OK), 0);
}
END_TEST

START_TEST(a_sink_without_a_file_gets_it_as_a_document)
{
	struct doc *manifest = manifest_new("x", "abc");
	struct sink *null = sink_open("null:", NULL);

	ck_assert_int_eq(manifest_lay(manifest, null, NULL), 0);
	ck_assert_uint_eq(sink_documents(null), 1);
	sink_close(null, NULL);
	doc_free(manifest);
}
END_TEST

START_TEST(a_device_may_be_given_a_name)
{
	setenv("FEDWATTS_DEVICE", "phone-7", 1);
	ck_assert_str_eq(manifest_device(), "phone-7");
	unsetenv("FEDWATTS_DEVICE");
	ck_assert_str_ne(manifest_device(), "");
}
END_TEST

Suite *manifest_suite(void);
Suite *manifest_suite(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tcase = tcase_create("manifest");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_manifest_says_what_may_differ);
	tcase_add_test(tcase,
		       it_lies_beside_the_file_and_is_renewed_by_the_same_run);
	tcase_add_test(tcase, that_of_another_run_is_kept);
	tcase_add_test(tcase, what_is_no_manifest_is_kept_too);
	tcase_add_test(tcase, a_sink_without_a_file_gets_it_as_a_document);
	tcase_add_test(tcase, a_device_may_be_given_a_name);
	suite_add_tcase(suite, tcase);
	return suite;
}
