/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formula/top_view.h"

static struct power_board *board;
static struct top_view view;
static struct top_screen screen;

static void put(const char *sensor, int time_ms, const char *target,
		double watts, int source, const char *more)
{
	char line[512];
	struct doc *doc;

	snprintf(line, sizeof(line),
		 "{\"timestamp\":%d,\"sensor\":\"%s\",\"target\":\"%s\","
		 "\"power\":%.17g,\"metadata\":{\"idle_policy\":\"none\","
		 "\"meter_w\":20,\"sigma_w\":0.25,\"source\":%d,"
		 "\"idle_w\":8,\"idle_w_from\":\"given\",\"meter\":\"m\","
		 "\"elapsed_ns\":1000000000%s}}",
		 time_ms, sensor, target, watts, source, more);
	doc = doc_parse(line, strlen(line), NULL);
	ck_assert_ptr_nonnull(doc);
	ck_assert_int_eq(power_board_put(board, doc, NULL), 0);
	doc_free(doc);
}

static void setup(void)
{
	static const struct {
		const char *name;
		double watts;
	} targets[] = {
		{ "beta", 3 }, { "alpha", 5 }, { "idle", 8 }, { "gamma", 4 }
	};

	board = power_board_new();
	view = (struct top_view){ .width = 80, .height = 24, .utf8 = true };
	for (int tick = 1; tick <= 3; tick++)
		for (size_t i = 0; i < 4; i++)
			put("s", 1000 * tick, targets[i].name,
			    targets[i].watts * tick, 1, "");
}

static void teardown(void)
{
	power_board_free(board);
	top_screen_done(&screen);
}

static void draw(void)
{
	top_view_draw(&view, board, &screen);
}

static const char *line(size_t index)
{
	ck_assert_uint_lt(index, screen.lines);
	return screen.line[index].text.data;
}

/* Which line has the word; 0: none. */
static size_t where(const char *word)
{
	for (size_t i = 1; i < screen.lines; i++)
		if (strstr(line(i), word))
			return i;
	return 0;
}

static void ck_order(const char *first, const char *second, const char *third,
		     const char *fourth)
{
	const char *const names[] = { first, second, third, fourth };

	draw();
	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(strstr(line(TOP_HEAD_LINES + i), names[i]),
			      "%s: %s", names[i], line(TOP_HEAD_LINES + i));
}

START_TEST(a_row_says_watts_sigma_energy_class_history_and_name)
{
	draw();
	ck_assert_uint_eq(screen.lines, 24);
	ck_assert_str_eq(line(5), "  *WATTS    SIGMA   CPUS   ENERGY   CLASS "
				  "HISTORY    TARGET");
	ck_assert_str_eq(line(6), "  24.000    0.250      –     48 J       1 "
				  "       ▃▆█ idle");
	ck_assert_ptr_nonnull(strstr(line(1), "machine   20 W ± 208 mW"));
	ck_assert_ptr_nonnull(strstr(line(1), "class 1 (hardware acc"));
	ck_assert_ptr_nonnull(strstr(line(3), "60 J in 3 s   idle 8 W (given)"
					      "   idle policy none"));
	ck_assert_ptr_nonnull(strstr(line(23), "q quit"));
	ck_assert_int_eq(screen.line[5].style, TERMINAL_REVERSE);
	ck_assert_int_eq(screen.line[6].style, TERMINAL_PLAIN);
}
END_TEST

START_TEST(rows_are_sorted_by_what_is_asked)
{
	put("s", 3000, "delta", 0.5, 1, "");
	ck_order("idle", "alpha", "gamma", "beta");
	top_view_key(&view, board, 'r');
	ck_order("delta", "beta", "gamma", "alpha");
	top_view_key(&view, board, 'n');
	ck_order("alpha", "beta", "delta", "gamma");
	top_view_key(&view, board, 'e');
	ck_order("idle", "alpha", "gamma", "beta");
	for (size_t i = 0; i < board->targets; i++)
		if (!strcmp(board->target[i].name, "beta"))
			board->target[i].cpus = 0.5;
		else if (!strcmp(board->target[i].name, "gamma"))
			board->target[i].cpus = 1.5;
	top_view_key(&view, board, 'c');
	/* Those that nobody counted come last, by name. */
	ck_order("gamma", "beta", "alpha", "delta");
	ck_assert_ptr_nonnull(strstr(line(6), "  1.50 "));
	top_view_key(&view, board, 's');
	ck_assert_int_eq(view.sort, TOP_BY_ENERGY);
}
END_TEST

START_TEST(a_filter_is_typed_kept_and_removed)
{
	const char *keys = "/AMX";

	while (*keys)
		top_view_key(&view, board, *keys++);
	draw();
	ck_assert_str_eq(line(23), "filter: AMX_");
	ck_assert_uint_ne(where("no target matches"), 0);
	top_view_key(&view, board, TERMINAL_ERASE);
	top_view_key(&view, board, 0xc3);
	top_view_key(&view, board, 0xa9);
	top_view_key(&view, board, TERMINAL_ERASE);
	top_view_key(&view, board, TERMINAL_ENTER);
	draw();
	ck_assert_uint_eq(where("gamma"), TOP_HEAD_LINES);
	ck_assert_uint_eq(where("alpha"), 0);
	ck_assert_ptr_nonnull(strstr(line(23), "filter: AM"));
	/* Letters are orders again. */
	ck_assert_int_eq(top_view_key(&view, board, 'q'), TOP_QUIT);
	top_view_key(&view, board, TERMINAL_ESCAPE);
	draw();
	ck_assert_uint_ne(where("alpha"), 0);
	/* A filter is as long as there is room for, and q is a letter in it. */
	top_view_key(&view, board, '/');
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(top_view_key(&view, board, 'q'), TOP_GO_ON);
	ck_assert_uint_eq(strlen(view.filter), TOP_FILTER_MAX - 1);
}
END_TEST

START_TEST(estimated_watts_are_marked)
{
	for (int i = 4; i < 6; i++)
		put("s", 1000 * i, "alpha", 5, 7,
		    ",\"estimated\":\"estimated (class 7, −50/+100 %)\"");
	draw();
	ck_assert_ptr_nonnull(strstr(line(1), "machine   ~20 W"));
	ck_assert_ptr_nonnull(strstr(line(1), "estimated (class 7, −50"));
	ck_assert_int_eq(screen.line[1].style, TERMINAL_WARNING);
	ck_assert_ptr_nonnull(strstr(line(6), "  ~5.000 "));
	ck_assert_ptr_nonnull(strstr(line(6), " ~40 J   7 est "));
	ck_assert_int_eq(screen.line[6].style, TERMINAL_WARNING);
	/* Who is gone has joules, and no watts. */
	ck_assert_int_eq(screen.line[7].style, TERMINAL_DIM);
	ck_assert_ptr_nonnull(
		strstr(line(7), "       –        –      –    ~18 J"));
}
END_TEST

START_TEST(every_size_is_kept_to)
{
	for (int i = 0; i < 40; i++) {
		char name[160];

		snprintf(name, sizeof(name),
			 "/system.slice/a-very-long-name-of-a-slice-that-goes-"
			 "on-and-on-%d/ünïcode.scope",
			 i);
		put("s", 3000, name, 1, 1, "");
	}
	for (int width = 0; width < 250; width += 7)
		for (int height = 0; height < 40; height++) {
			view.width = width;
			view.height = height;
			view.utf8 = width % 2;
			view.help = height % 5 == 4;
			draw();
			ck_assert_uint_eq(screen.lines,
					  height > 0 ? (size_t)height : 1);
			for (size_t i = 0; i < screen.lines; i++)
				ck_assert_uint_le(text_width(line(i)),
						  (size_t)width);
		}
}
END_TEST

START_TEST(the_end_of_a_path_is_seen)
{
	put("s", 3000, "/system.slice/a-very-long-name-of-a-slice/end.scope",
	    99, 1, "");
	draw();
	ck_assert_ptr_nonnull(strstr(line(6), " …"));
	ck_assert_ptr_nonnull(strstr(line(6), "/end.scope"));
	ck_assert_uint_eq(text_width(line(6)), 80);
}
END_TEST

START_TEST(without_utf8_lines_are_ascii)
{
	put("s", 4000, "grün", 5, 7,
	    ",\"estimated\":\"estimated (class 7, −50/+100 %)\"");
	view.utf8 = false;
	for (int help = 0; help < 2; help++) {
		view.help = help;
		draw();
		for (size_t i = 0; i < screen.lines; i++)
			for (const char *at = line(i); *at; at++)
				ck_assert(*at >= 0x20 && *at < 0x7f);
	}
	view.help = false;
	draw();
	ck_assert_ptr_nonnull(strstr(line(1), "+- 1 W"));
	ck_assert_ptr_nonnull(strstr(line(6), "# gr?n"));
}
END_TEST

START_TEST(rows_scroll_as_far_as_there_are_any)
{
	view.height = TOP_HEAD_LINES + TOP_FOOT_LINES + 3;
	top_view_key(&view, board, TERMINAL_DOWN);
	draw();
	ck_assert_uint_eq(where("idle"), 3); /* "idle 8 W" */
	ck_assert_uint_eq(where("beta"), TOP_HEAD_LINES + 2);
	top_view_key(&view, board, TERMINAL_DOWN);
	ck_assert_uint_eq(view.first, 1);
	top_view_key(&view, board, TERMINAL_PAGE_UP);
	ck_assert_uint_eq(view.first, 0);
	top_view_key(&view, board, TERMINAL_END);
	ck_assert_uint_eq(view.first, 1);
	top_view_key(&view, board, TERMINAL_HOME);
	ck_assert_uint_eq(view.first, 0);
}
END_TEST

START_TEST(a_sparkline_goes_from_nothing_to_the_highest)
{
	struct text out = TEXT_INIT;
	struct board_history history = { .tick = 5 };

	for (int i = 1; i <= 5; i++)
		history.watts[i] = i == 3 ? NAN : (float)(i - 1);
	top_view_sparkline(&history, 5, 8, true, &out);
	ck_assert_str_eq(out.data, "   ▁▃ ▇█");
	text_clear(&out);
	top_view_sparkline(&history, 6, 3, false, &out);
	ck_assert_str_eq(out.data, "%# ");
	text_clear(&out);
	/* All zero is a line at the bottom, not a division by nothing. */
	for (int i = 1; i <= 5; i++)
		history.watts[i] = 0;
	top_view_sparkline(&history, 5, 5, false, &out);
	ck_assert_str_eq(out.data, "_____");
	text_done(&out);
}
END_TEST

START_TEST(several_sensors_are_told_apart)
{
	put("t", 3000, "alpha", 6, 1, "");
	draw();
	ck_assert_ptr_nonnull(strstr(line(0), "2 sensors"));
	ck_assert_ptr_nonnull(strstr(line(1), "machine   40 W"));
	ck_assert_uint_ne(where("s: alpha"), 0);
	ck_assert_uint_ne(where("t: alpha"), 0);
}
END_TEST

START_TEST(an_empty_board_says_that_it_waits)
{
	power_board_free(board);
	board = power_board_new();
	draw();
	ck_assert_uint_ne(where("waiting for the first"), 0);
	view.ended = true;
	draw();
	ck_assert_uint_ne(where("no power reports came"), 0);
	top_view_key(&view, board, 'i');
	ck_assert_uint_eq(view.policy, 0);
}
END_TEST

Suite *top_view_suite(void);

Suite *top_view_suite(void)
{
	Suite *suite = suite_create("top_view");
	TCase *tests = tcase_create("top_view");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests,
		       a_row_says_watts_sigma_energy_class_history_and_name);
	tcase_add_test(tests, rows_are_sorted_by_what_is_asked);
	tcase_add_test(tests, a_filter_is_typed_kept_and_removed);
	tcase_add_test(tests, estimated_watts_are_marked);
	tcase_add_test(tests, every_size_is_kept_to);
	tcase_add_test(tests, the_end_of_a_path_is_seen);
	tcase_add_test(tests, without_utf8_lines_are_ascii);
	tcase_add_test(tests, rows_scroll_as_far_as_there_are_any);
	tcase_add_test(tests, a_sparkline_goes_from_nothing_to_the_highest);
	tcase_add_test(tests, several_sensors_are_told_apart);
	tcase_add_test(tests, an_empty_board_says_that_it_waits);
	suite_add_tcase(suite, tests);
	return suite;
}
