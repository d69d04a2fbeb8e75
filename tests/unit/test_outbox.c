/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/outbox.h"
#include "tests/unit/scratch.h"

static struct err err;

static void setup(void)
{
	scratch_open();
	err = (struct err){ 0 };
}

static struct outbox *box_of(size_t limit, const char *folder)
{
	const struct outbox_options options = { .limit = limit,
						.folder = folder,
						.name = "tcp://a:1" };
	struct outbox *box = outbox_open(&options, &err);

	ck_assert_msg(box != NULL, "%s", err.text);
	return box;
}

/* Letters "from", "from + 1" … */
static int put(struct outbox *box, int from, int count)
{
	char text[16];
	int taken = 0;

	for (int i = from; i < from + count; i++) {
		int n = snprintf(text, sizeof(text), "%d", i);

		taken += outbox_put(box, text, (size_t)n, 2, 1000 + i);
	}
	return taken;
}

/* Sends up to `count` and expects them to begin with `from`. */
static int take(struct outbox *box, int from, int count)
{
	const struct letter *letter;
	char text[16];
	int sent = 0;

	while (sent < count && (letter = outbox_next(box))) {
		snprintf(text, sizeof(text), "%d", from + sent);
		ck_assert_str_eq(letter->data, text);
		ck_assert_uint_eq(letter->length, strlen(text));
		ck_assert_uint_eq(letter->documents, 2);
		ck_assert_int_eq(letter->time_ms, 1000 + from + sent);
		outbox_sent(box, 0);
		sent++;
	}
	return sent;
}

START_TEST(letters_come_out_in_order)
{
	struct outbox *box = box_of(100, NULL);

	ck_assert_int_eq(put(box, 0, 50), 50);
	ck_assert_int_eq(take(box, 0, 20), 20);
	ck_assert_int_eq(put(box, 50, 30), 30);
	ck_assert_int_eq(take(box, 20, 100), 60);
	ck_assert_uint_eq(outbox_waiting(box), 0);
	ck_assert_int_eq(outbox_close(box, true, NULL, &err), 0);
}
END_TEST

START_TEST(what_was_sent_comes_again_until_it_is_confirmed)
{
	struct outbox *box = box_of(100, NULL);

	put(box, 0, 10);
	take(box, 0, 4);
	outbox_confirm(box);
	take(box, 4, 3);
	outbox_again(box);
	ck_assert_int_eq(take(box, 4, 100), 6);
	ck_assert_uint_eq(outbox_unconfirmed(box), 6);
	outbox_close(box, true, NULL, NULL);
}
END_TEST

START_TEST(what_was_sent_is_forgotten_when_it_is_safely_old)
{
	const struct outbox_options options = {
		.limit = 100, .keep_ns = 10, .keep_letters = 3, .keep_bytes = 2
	};
	struct outbox *box = outbox_open(&options, &err);

	put(box, 0, 6);
	for (int i = 0; i < 6; i++)
		outbox_next(box), outbox_sent(box, 0);
	ck_assert_uint_eq(outbox_unconfirmed(box), 3);
	put(box, 6, 1);
	outbox_next(box);
	outbox_sent(box, 11);
	ck_assert_uint_eq(outbox_unconfirmed(box), 1);
	outbox_close(box, true, NULL, NULL);
}
END_TEST

START_TEST(without_a_spool_the_limit_drops_and_counts)
{
	struct outbox *box = box_of(3, NULL);
	struct outbox_loss loss;

	ck_assert_int_eq(put(box, 0, 5), 3);
	ck_assert(outbox_take_loss(box, &loss));
	ck_assert_uint_eq(loss.documents, 4);
	ck_assert_int_eq(loss.from_ms, 1003);
	ck_assert_int_eq(loss.to_ms, 1004);
	ck_assert(!outbox_take_loss(box, &loss));
	take(box, 0, 1);
	/* At the end, what waits is lost, too. */
	ck_assert_int_eq(outbox_close(box, false, &loss, &err), 0);
	ck_assert_uint_eq(loss.documents, 8);
	ck_assert_int_eq(loss.from_ms, 1001);
}
END_TEST

START_TEST(with_a_spool_nothing_is_dropped_and_order_stays)
{
	struct outbox *box = box_of(3, "deep/box");

	ck_assert_int_eq(put(box, 0, 300), 300);
	ck_assert_uint_eq(outbox_waiting(box), 300);
	ck_assert_int_eq(take(box, 0, 150), 150);
	ck_assert_int_eq(put(box, 300, 10), 10);
	outbox_again(box);
	ck_assert_int_eq(take(box, 0, 1000), 310);
	ck_assert_uint_eq(outbox_waiting(box), 0);
	ck_assert_int_eq(put(box, 310, 2), 2);
	ck_assert_int_eq(take(box, 310, 2), 2);
	ck_assert_int_eq(outbox_close(box, true, NULL, &err), 0);
	ck_assert_int_ne(access("deep/box/tcp___a_1.spool", F_OK), 0);
	ck_assert_int_ne(access("deep/box/tcp___a_1.sent", F_OK), 0);
}
END_TEST

START_TEST(the_next_run_goes_on_where_this_one_ended)
{
	struct outbox_loss loss;

	for (int arrived = 0; arrived <= 1; arrived++) {
		struct outbox *box = box_of(3, "box");

		put(box, 0, 10);
		take(box, 0, 2);
		ck_assert_int_eq(outbox_close(box, arrived, &loss, &err), 0);
		ck_assert_uint_eq(loss.documents, 0);
		box = box_of(3, "box");
		ck_assert_int_eq(take(box, arrived ? 2 : 0, 100),
				 arrived ? 8 : 10);
		ck_assert_int_eq(outbox_close(box, true, NULL, &err), 0);
	}
}
END_TEST

START_TEST(a_spool_that_is_full_drops_and_says_so)
{
	const struct outbox_options options = {
		.limit = 1, .folder = "box", .name = "x", .spool_max = 200
	};
	struct outbox *box = outbox_open(&options, &err);
	int taken = put(box, 0, 50);

	ck_assert_int_gt(taken, 2);
	ck_assert_int_lt(taken, 50);
	ck_assert_uint_eq(outbox_losses(box)->documents,
			  2 * (uint64_t)(50 - taken));
	ck_assert_ptr_nonnull(strstr(outbox_spool_error(box), "full"));
	ck_assert_int_eq(take(box, 0, 100), taken);
	outbox_close(box, true, NULL, NULL);
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_an_error)
{
	const struct outbox_options options = { .folder = "file", .name = "x" };

	scratch_write("file", "x");
	ck_assert_ptr_null(outbox_open(&options, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "file is not a folder"));
}
END_TEST

Suite *outbox_suite(void);

Suite *outbox_suite(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, setup, scratch_close);
	tcase_add_test(tcase, letters_come_out_in_order);
	tcase_add_test(tcase, what_was_sent_comes_again_until_it_is_confirmed);
	tcase_add_test(tcase, what_was_sent_is_forgotten_when_it_is_safely_old);
	tcase_add_test(tcase, without_a_spool_the_limit_drops_and_counts);
	tcase_add_test(tcase, with_a_spool_nothing_is_dropped_and_order_stays);
	tcase_add_test(tcase, the_next_run_goes_on_where_this_one_ended);
	tcase_add_test(tcase, a_spool_that_is_full_drops_and_says_so);
	tcase_add_test(tcase, a_folder_that_cannot_be_is_an_error);
	suite_add_tcase(suite, tcase);
	return suite;
}
