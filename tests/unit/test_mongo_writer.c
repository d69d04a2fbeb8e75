/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer against a database that does what the test wants. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "lib/clock.h"
#include "lib/folder.h"
#include "lib/log.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_writer.h"
#include "tests/unit/scratch.h"

#define NUMBERS_MAX 200000

/* Documents are {"_id": …, "timestamp": NUMBER as a date …}. */
static struct fake {
	pthread_mutex_t lock;
	bool away, denies;
	_Atomic bool deaf;      /* takes seconds */
	int chokes_on, refuses; /* numbers, 0: none */
	int fails;              /* so many inserts end unknown, but stored */
	unsigned char *seen;    /* how often, by number */
	int connects, inserts, gaps;
	uint64_t gap_documents;
	int last;
	bool disorder;
} fake;

static struct err err;
static struct layout *layout;
static struct mongo_template *template;

static int fake_connect(void *self, struct err *what)
{
	int failed = 0;

	(void)self;
	pthread_mutex_lock(&fake.lock);
	fake.connects++;
	if (fake.denies)
		failed = err_set(what, EACCES, "does not let us in");
	else if (fake.away)
		failed = err_set(what, EHOSTUNREACH, "connection refused");
	pthread_mutex_unlock(&fake.lock);
	return failed;
}

static int number_of(const char *bytes, size_t length)
{
	const char *sensor = NULL;
	int64_t ms = -1;

	mongo_document_stamp(bytes, length, &ms, &sensor);
	return (int)ms;
}

static void store(int number)
{
	ck_assert_int_gt(number, 0);
	ck_assert_int_lt(number, NUMBERS_MAX);
	if (!fake.seen[number] && number < fake.last)
		fake.disorder = true;
	fake.last = number;
	/* A duplicate _id is stored once. */
	fake.seen[number] = 1;
}

static int insert_all(const char *bytes, size_t length, size_t documents,
		      enum mongo_fate *fate, struct err *what)
{
	for (size_t i = 0; i < documents; i++) {
		size_t n = mongo_document_length(bytes, length);
		int number = number_of(bytes, n);

		ck_assert_uint_gt(n, 0);
		if (fake.chokes_on && number == fake.chokes_on)
			return err_set(what, EIO, "hung up");
		fate[i] = MONGO_STORED;
		if (fake.refuses && number == fake.refuses) {
			fate[i] = MONGO_REFUSED;
			err_set(what, EIO, "failed validation");
		} else {
			store(number);
		}
		bytes += n;
		length -= n;
	}
	ck_assert_uint_eq(length, 0);
	return 0;
}

static int fake_insert(void *self, bool gaps, const char *bytes, size_t length,
		       size_t documents, enum mongo_fate *fate,
		       struct err *what)
{
	int status;

	(void)self;
	while (fake.deaf)
		usleep(1000);
	pthread_mutex_lock(&fake.lock);
	fake.inserts++;
	if (fake.away) {
		status = err_set(what, EHOSTUNREACH, "connection reset");
	} else if (gaps) {
		fake.gaps += (int)documents;
		status = 0;
	} else {
		status = insert_all(bytes, length, documents, fate, what);
	}
	if (!status && fake.fails > 0 && fake.fails--)
		status = err_set(what, EHOSTUNREACH, "the answer was lost");
	pthread_mutex_unlock(&fake.lock);
	return status;
}

static struct mongo_writer *try_new(const char *spool, uint64_t bytes)
{
	struct mongo_link link = { NULL, fake_connect, fake_insert };
	struct mongo_options options = { .name = "fake",
					 .spool = spool,
					 .spool_bytes = bytes };

	return mongo_writer_new(&link, &options, &err);
}

static struct mongo_writer *must_new(const char *spool)
{
	struct mongo_writer *writer = try_new(spool, (uint64_t)64 << 20);

	ck_assert_msg(writer != NULL, "%s", err.text);
	return writer;
}

static int put(struct mongo_writer *writer, bool wait, int number)
{
	union value value = { .integer = (uint64_t)number };
	struct row row = { "all", layout, &value, NULL };
	struct batch batch = { number, "node", &row, 1 };
	int status = mongo_writer_begin(writer, wait, number, "node", 1);

	if (!status) {
		mongo_put_row(template, &batch, &row, mongo_writer_id(writer),
			      mongo_writer_text(writer));
		status = mongo_writer_add(writer, &err);
	}
	mongo_writer_end(writer);
	return status;
}

static void put_range(struct mongo_writer *writer, int from, int to)
{
	for (int i = from; i < to; i++)
		ck_assert_int_eq(put(writer, false, i), 0);
}

static int count_seen(int from, int to)
{
	int count = 0;

	for (int i = from; i < to; i++)
		count += fake.seen[i];
	return count;
}

static void wait_for(bool (*done)(void))
{
	int64_t until_ns = clock_now_ns(clock_real()) + 10000000000;
	bool is_done = false;

	while (!is_done && clock_now_ns(clock_real()) < until_ns) {
		pthread_mutex_lock(&fake.lock);
		is_done = done();
		pthread_mutex_unlock(&fake.lock);
		usleep(1000);
	}
	ck_assert(is_done);
}

static bool has_failed(void)
{
	return fake.inserts > 0;
}

static void set_away(bool away)
{
	pthread_mutex_lock(&fake.lock);
	fake.away = away;
	pthread_mutex_unlock(&fake.lock);
}

static void setup(void)
{
	scratch_open();
	log_start("test", LOG_QUIET);
	fake = (struct fake){ 0 };
	pthread_mutex_init(&fake.lock, NULL);
	fake.seen = calloc(NUMBERS_MAX, 1);
	err = (struct err){ 0 };
	layout = layout_new("hwpc", LAYOUT_TABLES);
	layout_add(layout, COLUMN_INT, "g", "0", "0", "N", "groups", "g", "0",
		   "0", "N", NULL);
	layout_end(layout);
	template = mongo_template_new(layout, false);
}

static void teardown(void)
{
	mongo_template_free(template);
	layout_free(layout);
	free(fake.seen);
	pthread_mutex_destroy(&fake.lock);
	scratch_close();
}

START_TEST(all_arrive_in_order)
{
	struct mongo_writer *writer = must_new("s");

	put_range(writer, 1, 5001);
	ck_assert_msg(mongo_writer_close(writer, &err) == 0, "%s", err.text);
	ck_assert_int_eq(count_seen(1, 5001), 5000);
	ck_assert(!fake.disorder);
	ck_assert_int_eq(fake.inserts, 10);
	ck_assert_int_eq(access("s.0.spool", F_OK), -1);
}
END_TEST

START_TEST(a_few_do_not_wait_for_a_block_to_fill)
{
	struct mongo_writer *writer = must_new(NULL);

	put_range(writer, 1, 4);
	ck_assert_int_eq(mongo_writer_flush(writer, 5, &err), 0);
	ck_assert_int_eq(count_seen(1, 4), 3);
	put_range(writer, 4, 6);
	fake.inserts = 0;
	wait_for(has_failed);
	usleep(20000);
	ck_assert_int_eq(count_seen(1, 6), 5);
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
}
END_TEST

START_TEST(while_it_is_away_they_wait_on_disk)
{
	struct mongo_writer *writer = must_new("s");

	set_away(true);
	put_range(writer, 1, 2001);
	wait_for(has_failed);
	put_range(writer, 2001, 4001);
	ck_assert_msg(mongo_writer_flush(writer, 5, &err) == 0, "%s", err.text);
	ck_assert_int_eq(count_seen(1, 4001), 0);
	set_away(false);
	put_range(writer, 4001, 5001);
	/* The next try is a second away; the end does not wait for it. */
	ck_assert_msg(mongo_writer_close(writer, &err) == 0, "%s", err.text);
	ck_assert_int_eq(count_seen(1, 5001), 5000);
	ck_assert(!fake.disorder);
	ck_assert_int_eq(access("s.0.spool", F_OK), -1);
}
END_TEST

START_TEST(what_the_end_leaves_is_sent_by_the_next_run)
{
	struct mongo_writer *writer = must_new("s");

	set_away(true);
	put_range(writer, 1, 3001);
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
	ck_assert_int_eq(count_seen(1, 3001), 0);
	set_away(false);
	writer = must_new("s");
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
	ck_assert_int_eq(count_seen(1, 3001), 3000);
}
END_TEST

START_TEST(a_spool_left_by_another_process_is_taken_over)
{
	struct mongo_writer *writer, *other;

	set_away(true);
	writer = must_new("s");
	other = must_new("s");
	ck_assert_int_eq(put(writer, false, 1), 0);
	ck_assert_int_eq(put(other, false, 2), 0);
	/* Never there: that is an error. */
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "was never there"));
	ck_assert_int_eq(mongo_writer_close(other, &err), -1);
	ck_assert_int_eq(access("s.0.spool", F_OK), 0);
	ck_assert_int_eq(access("s.1.spool", F_OK), 0);
	set_away(false);
	writer = must_new("s");
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
	ck_assert_int_eq(count_seen(1, 3), 2);
	ck_assert_int_eq(access("s.0.spool", F_OK), -1);
	ck_assert_int_eq(access("s.1.spool", F_OK), -1);
}
END_TEST

START_TEST(a_lost_answer_sends_again_and_stores_once)
{
	struct mongo_writer *writer = must_new("s");

	fake.fails = 1;
	put_range(writer, 1, 2001);
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
	ck_assert_int_eq(count_seen(1, 2001), 2000);
	ck_assert_int_ge(fake.connects, 2);
}
END_TEST

START_TEST(a_refused_document_leaves_a_gap_and_is_told)
{
	struct mongo_writer *writer = must_new("s");

	fake.refuses = 700;
	put_range(writer, 1, 1001);
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "1 documents were not stored"));
	ck_assert_int_eq(count_seen(1, 1001), 999);
	ck_assert_int_eq(fake.gaps, 1);
}
END_TEST

START_TEST(a_document_that_kills_the_connection_is_found)
{
	struct mongo_writer *writer = must_new("s");

	fake.chokes_on = 700;
	put_range(writer, 1, 1001);
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	ck_assert_int_eq(count_seen(1, 1001), 999);
	ck_assert_int_eq(fake.gaps, 1);
}
END_TEST

START_TEST(a_document_that_is_too_long_is_refused_at_once)
{
	struct mongo_writer *writer = must_new("s");
	int64_t start_ns;
	struct text *text;

	ck_assert_int_eq(put(writer, false, 1), 0);
	ck_assert_int_eq(mongo_writer_flush(writer, 5, &err), 0);
	ck_assert_int_eq(mongo_writer_begin(writer, false, 2, "node", 1), 0);
	text = mongo_writer_text(writer);
	for (size_t i = 0; i <= MONGO_DOCUMENT_MAX; i += 1 << 16) {
		static const char zeros[1 << 16];

		text_put_bytes(text, zeros, sizeof(zeros));
	}
	ck_assert_int_eq(mongo_writer_add(writer, &err), -1);
	ck_assert_int_eq(err.code, EFBIG);
	mongo_writer_end(writer);
	start_ns = clock_now_ns(clock_real());
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	/* The end waits for nothing. */
	ck_assert_int_lt(clock_now_ns(clock_real()) - start_ns, 5000000000);
	ck_assert_int_eq(count_seen(1, 4), 1);
	ck_assert_int_eq(fake.gaps, 1);
}
END_TEST

/* A database that hangs: who puts never waits, and it all goes to disk. */
START_TEST(a_slow_database_never_blocks_a_tick)
{
	struct mongo_writer *writer = must_new("s");
	int64_t start_ns, longest_ns = 0;

	fake.deaf = true;
	for (int i = 1; i <= 2000; i++) {
		start_ns = clock_now_ns(clock_real());
		ck_assert_int_eq(put(writer, false, i), 0);
		start_ns = clock_now_ns(clock_real()) - start_ns;
		if (start_ns > longest_ns)
			longest_ns = start_ns;
		usleep(500);
	}
	/* A scheduler's pause on a busy machine, not a network's. */
	ck_assert_int_lt(longest_ns, 500000000);
	fake.deaf = false;
	ck_assert_int_eq(mongo_writer_close(writer, &err), 0);
	ck_assert_int_eq(count_seen(1, 2001), 2000);
}
END_TEST

START_TEST(without_room_ticks_are_counted_and_others_told)
{
	struct mongo_writer *writer = must_new(NULL);
	int dropped = 0, number;

	set_away(true);
	ck_assert_int_eq(put(writer, false, 1), 0);
	wait_for(has_failed);
	for (number = 2; number < MONGO_RING_DOCUMENTS + 1000; number++)
		dropped += put(writer, false, number) < 0;
	ck_assert_int_ge(dropped, 990);
	/* Who can wait is told at once, and may stop. */
	ck_assert_int_eq(put(writer, true, number), -1);
	set_away(false);
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "without room"));
	ck_assert_int_eq(count_seen(1, number), number - 1 - dropped);
	ck_assert_int_eq(fake.gaps, 1);
}
END_TEST

START_TEST(a_full_spool_keeps_what_it_has)
{
	struct mongo_writer *writer = try_new("s", 131072);
	int dropped = 0, number;

	ck_assert_ptr_nonnull(writer);
	set_away(true);
	ck_assert_int_eq(put(writer, false, 1), 0);
	wait_for(has_failed);
	for (number = 2; number < 90000; number++) {
		dropped += put(writer, false, number) < 0;
		if (number % 10000 == 0)
			usleep(150000);
	}
	ck_assert_int_gt(dropped, 0);
	set_away(false);
	ck_assert_int_eq(mongo_writer_close(writer, &err), -1);
	ck_assert_int_eq(count_seen(1, number), number - 1 - dropped);
	ck_assert_int_eq(fake.gaps, 1);
}
END_TEST

START_TEST(whom_it_does_not_let_in_is_told_at_once)
{
	fake.denies = true;
	ck_assert_ptr_null(try_new("s", 65536));
	ck_assert_str_eq(err.text, "does not let us in");
	fake.denies = false;
	fake.away = true;
	ck_assert_ptr_null(try_new(NULL, 0));
	ck_assert_str_eq(err.text, "connection refused");
	ck_assert_ptr_null(try_new("no/such/folder/s", 65536));
	ck_assert_ptr_nonnull(strstr(err.text, "spool"));
}
END_TEST

START_TEST(names_are_never_given_twice)
{
	struct mongo_writer *one = must_new(NULL), *two = must_new(NULL);
	char a[700], b[700];

	put(one, false, 1);
	put(two, false, 2);
	snprintf(a, sizeof(a), "%s", mongo_writer_id(one));
	snprintf(b, sizeof(b), "%s", mongo_writer_id(two));
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(strncmp(a, "node:", 5), 0);
	snprintf(b, sizeof(b), "%s", mongo_writer_id(one));
	/* Their order is that of writing. */
	ck_assert_int_lt(strcmp(a, b), 0);
	mongo_writer_close(one, NULL);
	mongo_writer_close(two, NULL);
}
END_TEST

Suite *mongo_writer_suite(void);

Suite *mongo_writer_suite(void)
{
	Suite *suite = suite_create("mongo_writer");
	TCase *tcase = tcase_create("mongo_writer");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_arrive_in_order);
	tcase_add_test(tcase, a_few_do_not_wait_for_a_block_to_fill);
	tcase_add_test(tcase, while_it_is_away_they_wait_on_disk);
	tcase_add_test(tcase, what_the_end_leaves_is_sent_by_the_next_run);
	tcase_add_test(tcase, a_spool_left_by_another_process_is_taken_over);
	tcase_add_test(tcase, a_lost_answer_sends_again_and_stores_once);
	tcase_add_test(tcase, a_refused_document_leaves_a_gap_and_is_told);
	tcase_add_test(tcase, a_document_that_kills_the_connection_is_found);
	tcase_add_test(tcase, a_document_that_is_too_long_is_refused_at_once);
	tcase_add_test(tcase, a_slow_database_never_blocks_a_tick);
	tcase_add_test(tcase, without_room_ticks_are_counted_and_others_told);
	tcase_add_test(tcase, a_full_spool_keeps_what_it_has);
	tcase_add_test(tcase, whom_it_does_not_let_in_is_told_at_once);
	tcase_add_test(tcase, names_are_never_given_twice);
	suite_add_tcase(suite, tcase);
	return suite;
}
