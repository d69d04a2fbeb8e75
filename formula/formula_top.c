/* SPDX-License-Identifier: BSD-3-Clause */
/* formula top */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula/formula.h"
#include "formula/live.h"
#include "formula/terminal.h"
#include "formula/top_view.h"
#include "lib/clock.h"
#include "lib/mem.h"

/* A tick comes in pieces: what is there is drawn when nothing more came for
 * that long, or anyway after so long. */
#define QUIET_MS 20
#define DRAW_NS  INT64_C(500000000)
/* How soon a signal is noticed that came just before waiting. */
#define WAIT_MS 500

struct top_config {
	struct formula_config formula;
	struct cli_shared shared;
	int sort;
	char *filter;
};

/* clang-format off */
#define AT(member) offsetof(struct top_config, member)
#define AS_FORMULA " (as for formula)"
static const struct field top_fields[] = {
	CLI_FROM(top_config, formula.from),
	{ "sort", FIELD_CHOICE, AT(sort), .choices = top_sorts,
	  .initial = "watts", .value = "watts|name|cpu|energy",
	  .unlisted = true, .help = "the order of rows at first" },
	{ "filter", FIELD_TEXT, AT(filter), .value = "TEXT", .unlisted = true,
	  .help = "only targets whose name contains TEXT, at first" },
	{ "model", FIELD_TEXT, AT(formula.model), .initial = "fedwatts",
	  .value = "MODEL", .help = "fedwatts or proportional" AS_FORMULA },
	{ "idle", FIELD_LIST, AT(formula.idle), .value = "POLICY",
	  .help = "whose the idle watts are; repeatable, key i shows the next "
		  "one" AS_FORMULA },
	{ "idle-watts", FIELD_WATTS, AT(formula.idle_w), .min = 0, .max = 1e9,
	  .value = "W", .help = "the idle power" AS_FORMULA },
	{ "event", FIELD_TEXT, AT(formula.event),
	  .initial = "PERF_COUNT_SW_TASK_CLOCK", .value = "NAME",
	  .help = "what a target's use is counted by" AS_FORMULA },
	{ "meter", FIELD_TEXT, AT(formula.meter), .value = "NAME",
	  .help = "which meter, where reports have several" AS_FORMULA },
	{ "target", FIELD_TEXT, AT(formula.target), .value = "PATTERN",
	  .help = "only targets that match; the rest is 'unattributed'" },
	CLI_SHARED(top_config),
	FIELD_END
};
/* clang-format on */

static const char about[] =
	"Shows watts per target on the terminal, as they come: from --from, "
	"from standard input where that is a pipe, else from a sensor that it "
	"starts ('sensor --name-pattern \"*\" --engine clock', or with the "
	"options behind --). HWPC reports are worked off as formula does it; "
	"power reports are shown as they are.\n"
	"\n"
	"Every process of this machine; or chosen ones, or containers:\n"
	"  formula top\n"
	"  formula top -- --cgroup 'system.slice/*'\n"
	"\n"
	"What another formula writes, or a sensor elsewhere sends:\n"
	"  formula top --from 'power.jsonl?follow=1'\n"
	"  formula top --from tcp-listen:0.0.0.0:9080\n"
	"\n"
	"Keys: q quits, h lists the others.";

struct top {
	struct live *live;
	struct terminal *terminal;
	struct power_board *board, *frozen;
	struct top_view view;
	struct top_screen screen;
	char *note;
	bool changed; /* since it was drawn */
	int64_t drawn_ns;
	struct err failed; /* the reader did; shown until the end */
};

static volatile sig_atomic_t hung_up;

static void hang_up(int number)
{
	(void)number;
	hung_up = 1;
}

/* ---- the sensor ------------------------------------------------------------- */

/* "…/fedwatts-formula" starts "…/fedwatts-sensor", where there is one. */
static char *sensor_path(void)
{
	static const char self[] = "formula";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	size_t length = n > 0 ? (size_t)n : 0;
	char *found;

	path[length] = '\0';
	if (length < sizeof(self) - 1 ||
	    strcmp(path + length - (sizeof(self) - 1), self) != 0)
		return xstrdup("sensor");
	found = xasprintf("%.*ssensor", (int)(length - (sizeof(self) - 1)),
			  path);
	if (access(found, X_OK) == 0)
		return found;
	free(found);
	return xstrdup("sensor");
}

/* The line to run, its first word yours. */
static char **sensor_line(const struct cli *cli)
{
	static char quiet[] = "-q", pattern[] = "--name-pattern", every[] = "*",
		    engine[] = "--engine", clock[] = "clock";
	char *whole[] = { pattern, every, engine, clock };
	size_t n = cli->rest ? cli->rests : sizeof(whole) / sizeof(whole[0]);
	char **line = xcalloc(n + 3, sizeof(*line));

	line[0] = sensor_path();
	line[1] = quiet;
	memcpy(line + 2, cli->rest ? cli->rest : whole, n * sizeof(*line));
	return line;
}

static int feed_open(struct top *top, struct cli *cli,
		     const struct top_config *config, struct err *err)
{
	bool own = !config->formula.from.count && isatty(STDIN_FILENO);
	char **line = own || cli->rest ? sensor_line(cli) : NULL;

	top->live = live_open(cli, &config->formula, line, err);
	if (line)
		free(line[0]);
	free(line);
	return top->live ? 0 : -1;
}

/* ---- what comes ---------------------------------------------------------------- */

/* Everything that is there. */
static int reports_take(struct top *top, struct err *err)
{
	struct doc *doc;
	int got;

	while ((got = live_next(top->live, &doc, err)) > 0) {
		int result = power_board_put(top->board, doc, err);

		doc_free(doc);
		if (result < 0)
			return -1;
		top->changed = true;
	}
	if (live_fd(top->live) < 0 && !top->view.ended)
		top->view.ended = top->changed = true;
	return got;
}

static void note_set(struct top *top, const char *text)
{
	if (!*text || (top->note && !strcmp(top->note, text)))
		return;
	free(top->note);
	top->note = xstrdup(text);
	top->view.note = top->note;
	top->changed = true;
}

/* A reader that failed before there was anything to see is a failure; later, it
 * is told below what was seen until then. */
static int feed_take(struct top *top, struct err *err)
{
	struct err what = { 0 };

	if (live_said_fd(top->live) >= 0)
		note_set(top, live_said(top->live));
	if (top->failed.text[0] || reports_take(top, &what) == 0)
		return 0;
	if (!top->board->sensors) {
		if (err)
			*err = what;
		return -1;
	}
	top->failed = what;
	top->view.ended = true;
	note_set(top, what.text);
	return 0;
}

/* ---- what is seen ---------------------------------------------------------------- */

static void draw(struct top *top)
{
	const struct power_board *board =
		top->frozen ? top->frozen : top->board;

	terminal_size(top->terminal, &top->view.width, &top->view.height);
	top_view_draw(&top->view, board, &top->screen);
	terminal_clear(top->terminal);
	for (size_t i = 0; i < top->screen.lines; i++)
		terminal_put(top->terminal, (int)i,
			     top->screen.line[i].text.data,
			     top->screen.line[i].style);
	terminal_show(top->terminal);
	top->changed = false;
	top->drawn_ns = clock_now_ns(clock_real());
}

static void pause_keep(struct top *top)
{
	if (top->view.paused && !top->frozen)
		top->frozen = power_board_copy(top->board);
	if (!top->view.paused && top->frozen) {
		power_board_free(top->frozen);
		top->frozen = NULL;
	}
}

static enum top_wish keys_take(struct top *top)
{
	int key;

	while ((key = terminal_key(top->terminal))) {
		enum top_wish wish = top_view_key(
			&top->view, top->frozen ? top->frozen : top->board,
			key);

		if (wish == TOP_QUIT)
			return wish;
		if (wish == TOP_REDRAW)
			terminal_redraw(top->terminal);
		pause_keep(top);
		top->changed = true;
	}
	return TOP_GO_ON;
}

static bool is_stopped(void)
{
	return cli_stop_signal() || hung_up;
}

/* How long to wait for more before drawing. */
static int patience_ms(const struct top *top)
{
	int64_t since_ns = clock_now_ns(clock_real()) - top->drawn_ns;

	if (!top->changed)
		return WAIT_MS;
	return since_ns >= DRAW_NS ? 0 : QUIET_MS;
}

/* Until a key or a signal ends it. */
static int watch(struct top *top, struct err *err)
{
	draw(top);
	while (!is_stopped()) {
		struct pollfd wait[] = {
			{ .fd = terminal_fd(top->terminal), .events = POLLIN },
			{ .fd = top->failed.text[0] ? -1 : live_fd(top->live),
			  .events = POLLIN },
			{ .fd = live_said_fd(top->live), .events = POLLIN },
		};
		int ready = poll(wait, 3, patience_ms(top));

		if (ready < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (is_stopped() || (wait[0].revents & (POLLHUP | POLLERR)))
			return 0;
		/* Also after a signal: the window may have a new size. */
		if (keys_take(top) == TOP_QUIT)
			return 0;
		if (ready <= 0 || wait[0].revents ||
		    clock_now_ns(clock_real()) - top->drawn_ns >= DRAW_NS)
			if (top->changed)
				draw(top);
		if (feed_take(top, err) < 0)
			return -1;
	}
	return 0;
}

static void top_done(struct top *top)
{
	terminal_close(top->terminal);
	live_close(top->live);
	power_board_free(top->frozen);
	power_board_free(top->board);
	top_screen_done(&top->screen);
	free(top->note);
}

static int check_usage(const struct cli *cli, const struct top_config *config,
		       struct err *err)
{
	if (!strcmp(config->formula.model, "smartwatts")) {
		err_set(err, EINVAL, "top: model 'smartwatts': not here");
		return err_remedy(err, "formula --model smartwatts … | formula "
				       "top");
	}
	if (cli->rest && config->formula.from.count)
		return err_set(err, EINVAL,
			       "top: either --from, or a sensor's options "
			       "behind --");
	return 0;
}

static int formula_top(struct cli *cli, void *values, struct err *err)
{
	const struct top_config *config = values;
	struct top top = { .view = { .sort = (enum top_sort)config->sort } };
	int result = -1;

	if (check_usage(cli, config, err) < 0)
		return CLI_USAGE;
	if (config->filter)
		snprintf(top.view.filter, sizeof(top.view.filter), "%s",
			 config->filter);
	top.board = power_board_new();
	/* Our handlers come first: ncurses leaves alone what is handled. */
	(void)is_stopped();
	signal(SIGHUP, hang_up);
	signal(SIGQUIT, SIG_IGN);
	/* The terminal is tried before anything is started, and the children
	 * before the screen is cleared. */
	if (terminal_check(err) == 0 && feed_open(&top, cli, config, err) == 0)
		top.terminal = terminal_open(err);
	if (top.terminal) {
		top.view.utf8 = terminal_has_utf8(top.terminal);
		result = watch(&top, err);
	}
	if (result == 0 && top.failed.text[0]) {
		if (err)
			*err = top.failed;
		result = -1;
	}
	top_done(&top);
	return result;
}

const struct cli_command formula_top_command = {
	.name = "top",
	.arguments = "[-- SENSOR'S OPTIONS…]",
	.summary = "watts per target on the terminal, live",
	.about = about,
	.fields = top_fields,
	.config_size = sizeof(struct top_config),
	.run = formula_top,
	.takes_rest = true,
};
