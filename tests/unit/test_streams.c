/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/streams.h"

static struct streams *streams;
static struct gap gap;

static void setup(void)
{
	streams = streams_new();
}

static void teardown(void)
{
	streams_free(streams);
}

static bool take(const char *stream, uint64_t first, uint64_t documents,
		 int64_t now_ns)
{
	struct stream_head head = { .first = first,
				    .documents = documents,
				    .time_ms = (int64_t)(1000 + first) };

	memcpy(head.stream, stream, strlen(stream) + 1);
	memcpy(head.sensor, "node", 5);
	return streams_take(streams, &head, now_ns);
}

START_TEST(a_stream_begins_where_we_first_hear_of_it)
{
	ck_assert(take("a", 100, 5, 0));
	ck_assert(take("a", 105, 5, 0));
	ck_assert(take("b", 7, 1, 0));
	ck_assert(!streams_next_gap(streams, INT64_MAX, &gap));
	ck_assert_uint_eq(streams_count(streams), 2);
}
END_TEST

START_TEST(what_came_before_is_a_duplicate)
{
	take("a", 0, 5, 0);
	ck_assert(!take("a", 0, 5, 0));
	ck_assert(take("b", 0, 5, 0));
	ck_assert_uint_eq(streams_duplicates(streams), 5);
}
END_TEST

START_TEST(numbers_left_out_are_lost_after_a_while)
{
	take("a", 0, 5, 0);
	take("a", 8, 2, 1);
	ck_assert(!streams_next_gap(streams, STREAMS_PATIENCE_NS, &gap));
	ck_assert(streams_next_gap(streams, STREAMS_PATIENCE_NS + 1, &gap));
	ck_assert_str_eq(gap.sensor, "node");
	ck_assert_uint_eq(gap.documents, 3);
	ck_assert_int_eq(gap.from_ms, 1000);
	ck_assert_int_eq(gap.to_ms, 1008);
	ck_assert_uint_eq(streams_lost(streams), 3);
	ck_assert(!streams_next_gap(streams, INT64_MAX, &gap));
}
END_TEST

START_TEST(a_late_message_fills_its_gap)
{
	take("a", 0, 5, 0);
	take("a", 20, 2, 0);
	ck_assert(take("a", 10, 5, 0)); /* in the middle */
	ck_assert(!take("a", 10, 5, 0));
	ck_assert(take("a", 5, 5, 0));
	ck_assert(streams_next_gap(streams, INT64_MAX, &gap));
	ck_assert_uint_eq(gap.documents, 5);
	ck_assert(!streams_next_gap(streams, INT64_MAX, &gap));
}
END_TEST

START_TEST(senders_that_fell_silent_make_room)
{
	char name[STREAM_NAME_MAX];

	for (int i = 0; i < STREAMS_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		take(name, 0, 1, i == 7 ? STREAMS_SILENT_NS : 0);
	}
	take("7", 5, 1, STREAMS_SILENT_NS); /* with a hole */
	ck_assert(take("new", 0, 1, STREAMS_SILENT_NS / 2));
	ck_assert(take("new", 0, 1, STREAMS_SILENT_NS / 2)); /* no account */
	ck_assert(take("new", 0, 1, STREAMS_SILENT_NS + 1));
	ck_assert(!take("new", 0, 1, STREAMS_SILENT_NS + 1));
	ck_assert_uint_eq(streams_count(streams), 2);
	ck_assert(!take("7", 5, 1, STREAMS_SILENT_NS + 1));
}
END_TEST

START_TEST(a_head_reads_as_it_was_written)
{
	struct stream_head head = { .first = 17, .documents = 3, .time_ms = 9 };
	struct stream_head same;
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	stream_name(head.stream);
	ck_assert_uint_eq(strlen(head.stream), STREAM_NAME_MAX - 1);
	memcpy(head.sensor, "n\"1", 4);
	stream_head_put(&head, &text);
	ck_assert_int_eq(stream_head_read(text.data, text.length, &same, &err),
			 0);
	ck_assert_str_eq(same.stream, head.stream);
	ck_assert_str_eq(same.sensor, "n\"1");
	ck_assert_uint_eq(same.first, 17);
	ck_assert_uint_eq(same.documents, 3);
	ck_assert_int_eq(same.time_ms, 9);
	text_done(&text);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "head of the message: " },
	{ "{}", "zmq: missing" },
	{ "{\"zmq\":2}", "version 2 is not known here" },
	{ "{\"zmq\":1,\"stream\":\"0123456789abcdef0\"}",
	  "stream: longer than 16 bytes" },
	{ "{\"zmq\":1,\"stream\":\"0\",\"sensor\":\"n\",\"first\":-1,"
	  "\"documents\":1,\"time_ms\":1}",
	  "impossible numbers" },
	{ "{\"zmq\":1,\"stream\":\"0\",\"sensor\":\"n\",\"first\":2,"
	  "\"documents\":9223372036854775807,\"time_ms\":1}",
	  "impossible numbers" },
};

START_TEST(a_bad_head_is_refused_in_a_sentence)
{
	struct stream_head head;
	struct err err = { 0 };

	ck_assert_int_eq(stream_head_read(bad[_i].text, strlen(bad[_i].text),
					  &head, &err),
			 -1);
	ck_assert_msg(strstr(err.text, bad[_i].message) != NULL, "%s",
		      err.text);
}
END_TEST

Suite *streams_suite(void);

Suite *streams_suite(void)
{
	Suite *suite = suite_create("streams");
	TCase *tcase = tcase_create("streams");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_stream_begins_where_we_first_hear_of_it);
	tcase_add_test(tcase, what_came_before_is_a_duplicate);
	tcase_add_test(tcase, numbers_left_out_are_lost_after_a_while);
	tcase_add_test(tcase, a_late_message_fills_its_gap);
	tcase_add_test(tcase, senders_that_fell_silent_make_room);
	tcase_add_test(tcase, a_head_reads_as_it_was_written);
	tcase_add_loop_test(tcase, a_bad_head_is_refused_in_a_sentence, 0,
			    sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
