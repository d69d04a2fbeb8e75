/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/gnuplot.h"
#include "lib/mem.h"
#include "lib/page.h"

static const double xs[] = { 1, 2, 3, 4 };
static const double ys[] = { 2, 3, 5, 8 };
static const double los[] = { 1, 2, -4, 7 };
static const double his[] = { 3, 4, 6, 9 };

static char folder[64];
static char *path;

static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_page.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/report.html", folder);
}

static void remove_folder(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
	free(path);
}

static bool have_gnuplot(void)
{
	if (access("/usr/bin/gnuplot", X_OK) == 0)
		return true;
	(void)fputs("skipped: no /usr/bin/gnuplot\n", stderr);
	return false;
}

/* Writes the page, frees it, and gives the file's text. */
static char *written_take(struct page *page)
{
	struct text html = TEXT_INIT;
	struct err err = { 0 };

	ck_assert_msg(page_write(page, path, true, &err) == 0, "%s", err.text);
	ck_assert_int_eq(text_read_file(&html, path, 10000000, &err), 0);
	page_free(page);
	return text_take(&html);
}

static size_t times(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		count++;
	return count;
}

START_TEST(a_page_holds_what_was_put)
{
	struct table *table = table_new("model", ">mJ", NULL);
	struct page *page = page_new("Energy <of> steps");
	struct err err = { 0 };
	char *html;

	table_row(table, "mlp", "6.2", NULL);
	page_heading(page, "A & B");
	page_paragraph(page, "%d records", 120);
	page_table(page, table);
	html = written_take(page);
	ck_assert_ptr_nonnull(strstr(html, "<title>Energy &lt;of&gt; steps<"));
	ck_assert_ptr_nonnull(strstr(html, "<h2>A &amp; B</h2>"));
	ck_assert_ptr_nonnull(strstr(html, "<p>120 records</p>"));
	ck_assert_ptr_nonnull(strstr(html, "<td class=\"number\">6.2</td>"));
	ck_assert_ptr_null(strstr(html, "http://"));
	ck_assert_ptr_null(strstr(html, "https://"));
	free(html);
	table_free(table);
	page = page_new("x");
	ck_assert_int_eq(page_write(page, path, false, &err), -1);
	ck_assert_int_eq(err.code, EEXIST);
	page_free(page);
	page_free(NULL);
}
END_TEST

/* Every style, on every kind of axis. */
START_TEST(every_style_is_drawn)
{
	struct plot_series series = {
		"name", PLOT_LINE, xs, ys, los, his, 4, 0
	};
	struct plot plot = { .title = "t", .series = &series, .count = 1 };
	struct page *page = page_new("styles");
	struct err err = { 0 };
	char *html;

	if (!have_gnuplot())
		return;
	series.style = (enum plot_style)_i;
	ck_assert_msg(page_plot(page, &plot, &err) == 0, "%s", err.text);
	plot.x_log = plot.y_log = plot.diagonal = true;
	ck_assert_msg(page_plot(page, &plot, &err) == 0, "%s", err.text);
	plot.x_log = false;
	plot.x_time = true;
	ck_assert_msg(page_plot(page, &plot, &err) == 0, "%s", err.text);
	html = written_take(page);
	ck_assert_uint_eq(times(html, "<svg role=\"img\""), 3);
	ck_assert_uint_eq(times(html, "<figcaption>t</figcaption>"), 3);
	ck_assert_uint_eq(times(html, "<?xml"), 0);
	free(html);
}
END_TEST

START_TEST(ids_are_unique_on_a_page)
{
	struct plot_series series = {
		"a", PLOT_LINE_POINTS, xs, ys, NULL, NULL, 4, 0
	};
	struct plot plot = { .series = &series, .count = 1 };
	struct page *page = page_new("ids");
	char *html;

	if (!have_gnuplot())
		return;
	ck_assert_int_eq(page_plot(page, &plot, NULL), 0);
	ck_assert_int_eq(page_plot(page, &plot, NULL), 0);
	html = written_take(page);
	ck_assert_uint_eq(times(html, "id='p1-gpPt6'"), 1);
	ck_assert_uint_eq(times(html, "id='p2-gpPt6'"), 1);
	ck_assert_uint_ge(times(html, "href='#p2-gpPt6'"), 4);
	ck_assert_uint_eq(times(html, "id='gp"), 0);
	ck_assert_uint_eq(times(html, "href='#gp"), 0);
	free(html);
}
END_TEST

/* Quotes, commands in backticks, macros, subscripts: all are just text. */
START_TEST(text_is_text_to_gnuplot)
{
	static const char name[] = "it's `touch x` @m a_b^{c} \"q\" <i> \\n\n;";
	struct plot_series series = {
		name, PLOT_LINE, xs, ys, NULL, NULL, 4, 0
	};
	struct plot plot = { .title = name,
			     .x_label = name,
			     .y_label = name,
			     .series = &series,
			     .count = 1 };
	struct page *page = page_new("text");
	struct err err = { 0 };
	char *html;

	if (!have_gnuplot())
		return;
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_msg(page_plot(page, &plot, &err) == 0, "%s", err.text);
	html = written_take(page);
	ck_assert_int_eq(access("x", F_OK), -1);
	/* gnuplot leaves " and > as they are, ours are &quot; and &gt;. */
	ck_assert_uint_eq(
		times(html, "it's `touch x` @m a_b^{c} \"q\" &lt;i> \\n ;"), 3);
	free(html);
}
END_TEST

START_TEST(nothing_to_plot_is_said)
{
	static const double nothing[] = { (double)NAN, -1, 0, HUGE_VAL };
	struct plot_series series = { "a",  PLOT_POINTS, xs, nothing,
				      NULL, NULL,        4,  0 };
	struct plot plot = { .title = "t", .series = &series, .count = 1 };
	struct page *page = page_new("nothing");
	struct err err = { 0 };
	char *html;

	plot.y_log = true;
	ck_assert_int_eq(page_plot(page, &plot, &err), 0);
	plot.count = 0;
	ck_assert_int_eq(page_plot(page, &plot, &err), 0);
	html = written_take(page);
	ck_assert_uint_eq(times(html, "Nothing to plot"), 2);
	free(html);
}
END_TEST

START_TEST(some_values_may_be_missing)
{
	static const double gaps[] = { (double)NAN, 3, HUGE_VAL, 5 };
	struct plot_series series[] = {
		{ "a", PLOT_LINE_POINTS, xs, gaps, NULL, NULL, 4, 0 },
		{ NULL, PLOT_BAND, xs, NULL, los, gaps, 4, 2 },
		{ "empty", PLOT_BARS, NULL, NULL, NULL, NULL, 0, 0 },
		{ "one", PLOT_POINTS, xs, ys, NULL, NULL, 1, 0 },
	};
	struct plot plot = { .series = series, .count = 4 };
	struct page *page = page_new("gaps");
	struct err err = { 0 };

	if (have_gnuplot())
		ck_assert_msg(page_plot(page, &plot, &err) == 0, "%s",
			      err.text);
	page_free(page);
}
END_TEST

START_TEST(areas_hide_what_is_behind_and_greys_are_no_colours)
{
	struct plot_series series[] = {
		{ "line", PLOT_LINE, xs, ys, NULL, NULL, 4, PLOT_BLACK },
		{ "area", PLOT_AREA, xs, NULL, los, his, 4, PLOT_PALE },
	};
	struct plot plot = { .series = series, .count = 2 };
	struct text script = TEXT_INIT;
	const char *area, *line;

	gnuplot_script(&script, &plot);
	area = strstr(script.data, "fs solid 1 noborder lc rgb '#e1e4e7'");
	line = strstr(script.data, "w lines lw 2 lc rgb '#111111'");
	ck_assert_ptr_nonnull(area);
	ck_assert_ptr_nonnull(line);
	ck_assert(area < line);
	text_done(&script);
}
END_TEST

START_TEST(a_missing_gnuplot_is_named_with_its_remedy)
{
	struct plot_series series = {
		"a", PLOT_LINE, xs, ys, NULL, NULL, 4, 0
	};
	struct plot plot = { .series = &series, .count = 1 };
	struct page *page = page_new("missing");
	struct err err = { 0 };

	setenv("PATH", folder, 1);
	ck_assert_int_eq(page_plot(page, &plot, &err), -1);
	ck_assert_str_eq(err.text, "gnuplot: No such file or directory "
				   "(sudo apt-get install gnuplot-nox)");
	page_free(page);
}
END_TEST

START_TEST(what_gnuplot_complains_about_is_passed_on)
{
	struct text script = TEXT_INIT, svg = TEXT_INIT;
	struct err err = { 0 };

	if (!have_gnuplot())
		return;
	text_put(&script, "set term svg\nplot nothing_like_this\n");
	ck_assert_int_eq(gnuplot_run(&script, &svg, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "nothing_like_this"));
	text_done(&script);
	text_done(&svg);
}
END_TEST

Suite *page_suite(void);
Suite *page_suite(void)
{
	Suite *suite = suite_create("page");
	TCase *tests = tcase_create("page");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_test(tests, a_page_holds_what_was_put);
	tcase_add_loop_test(tests, every_style_is_drawn, PLOT_LINE,
			    PLOT_STEPS + 1);
	tcase_add_test(tests, ids_are_unique_on_a_page);
	tcase_add_test(tests, text_is_text_to_gnuplot);
	tcase_add_test(tests, nothing_to_plot_is_said);
	tcase_add_test(tests, some_values_may_be_missing);
	tcase_add_test(tests,
		       areas_hide_what_is_behind_and_greys_are_no_colours);
	tcase_add_test(tests, a_missing_gnuplot_is_named_with_its_remedy);
	tcase_add_test(tests, what_gnuplot_complains_about_is_passed_on);
	suite_add_tcase(suite, tests);
	return suite;
}
